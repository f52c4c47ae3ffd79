"""What staff do in the panel around a deal: a certificate of their own, a template with fields that are placed by
clicks, an envelope that begins from it for a client, and the seals, which they check in the end."""

from base64 import b64decode
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.test_signing import follow, is_fine, press
from tests.browser.visitor import Visitor
from tests.http.every.of_envelopes import pkcs12_file

SUBJECT = "Purchase of 12 Oak Lane"

CLICKED = (
    ("buyer", "initials", "", "Initials of buyer"),
    ("buyer", "text", "The town", "Text “The town” of buyer"),
    ("seller", "date", "", "Date of signing of seller"),
    ("seller", "text", "The town", "Text “The town” of seller"),
)
"""Fields that are placed by clicks: whose, of which kind, their label, and how the page calls them."""


def import_certificate(staff: Visitor, folder: Path) -> str:
    """From a PKCS#12 file, after a wrong password was typed; the certificate's SHA-256, as the page shows it."""
    page, own = staff.page, pkcs12_file()
    (file := folder / "own.p12").write_bytes(b64decode(own["file"]))
    for password in ("wrong", own["password"]):
        staff.go("/admin/settings/signing")
        page.get_by_text("Use a certificate of your own").click()
        page.get_by_label("File with certificate and key").set_input_files(file)
        page.get_by_label("Its password").fill(password)
        press(page, "Import")
        if password == "wrong":
            expect(page.get_by_text("password is wrong")).to_be_visible()
            # Chromium says on the console that the form was refused.
            staff.errors.clear()
    expect(page.get_by_text("The certificate was imported.")).to_be_visible()
    return page.locator("#certificate dd.said").inner_text()


def make_template(staff: Visitor, paper: Path, axe: str) -> None:
    """With two roles, fields at the marks of the *paper*, and others where staff click."""
    page = staff.page
    staff.go("/admin/envelopes/templates/new")
    page.get_by_label("Name of the template").fill("Purchase")
    page.get_by_label("What it is about").fill(SUBJECT)
    page.get_by_label("Message").fill("Please sign by Friday.")
    for place, role in enumerate(("buyer", "seller")):
        page.locator("[name=role_name]").nth(place).fill(role)
    press(page, "Create the template")
    page.locator("[type=file]").set_input_files(paper)
    press(page, "Upload")
    press(page, "Place them")
    expect(page.get_by_text("Signature of seller, at /sig:seller/")).to_be_visible()
    follow(page, "Place fields")
    for place, (role, kind, label, words) in enumerate(CLICKED):
        page.locator("[name=who]").select_option(role)
        page.locator("[name=kind]").select_option(kind)
        page.locator("[name=label]").fill(label)
        page.locator("[name=optional]").set_checked(kind == "text")
        page.locator("input[type=image]:visible").click(position={"x": 100, "y": 300 + 80 * place})
        expect(page.get_by_text(f"{words}, page 1 of {paper.name}")).to_be_visible()
    is_fine(staff, axe)
    follow(page, "Done")
    is_fine(staff, axe)


def send_from_template(staff: Visitor, contact_id: str, name: str, other: tuple[str, str], axe: str) -> str:
    """From the page of the contact with this *name*, who is the first of the persons; the *other* one is typed. The id
    of the envelope."""
    page = staff.page
    staff.go(f"/admin/contacts/{contact_id}")
    follow(page, "Send documents")
    follow(page, "Purchase")
    expect(page.locator("[name=person_name]").first).to_have_value(name)
    is_fine(staff, axe)
    page.locator("[name=person_name]").nth(1).fill(other[0])
    page.locator("[name=person_email]").nth(1).fill(other[1])
    press(page, "Create the draft")
    press(page, "Send")
    expect(page.get_by_text("Waiting for signatures").first).to_be_visible()
    return page.url.rpartition("/")[2].partition("?")[0]


def check_seals(staff: Visitor, envelope_id: str, axe: str) -> None:
    """The page says that the signed documents are intact."""
    staff.go(f"/admin/envelopes/{envelope_id}")
    press(staff.page, "Check the seals")
    expect(staff.page.get_by_text("The signed documents are intact")).to_be_visible()
    is_fine(staff, axe)
