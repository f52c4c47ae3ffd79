"""A whole deal in a browser: staff make a template and send an envelope that begins from it; two clients follow their
mails, prove their addresses by a code, read, agree and sign, one on a phone and one on a large screen; the worker seals
with the certificate that staff have imported. What they download is judged by our verdict, by pdfsig, by the panel, and
by the page at which anyone can check a file."""

import hashlib
import json
import re
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from aureum.pdf.verifying import Trusted, Verdict, verify
from tests.browser.office_steps import SUBJECT, check_seals, import_certificate, make_template, send_from_template
from tests.browser.test_signing import NAME, axe, follow, is_fine, press, scroll_through
from tests.browser.visitor import DESKTOP, PATIENCE_MS, PHONE, Visitor, visiting
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server
from tests.mail.mail_server import MailServer
from tests.mail.postbox import CODE, mail_to, postbox
from tests.pdf.papers import contract
from tests.pdf.sealed import PDFSIG, pdfsig

__all__ = ["axe"]

pytestmark = pytest.mark.browser

SAM = "Sam Seller"
LINK = re.compile(r"https?://[^\s>\")]+/portal[^\s>\")]*")


@pytest.fixture
def post(served_url: str, tmp_path: Path) -> Iterator[MailServer]:
    """A worker, and a server that takes the mails it sends."""
    with postbox(served_url, tmp_path) as box:
        yield box


class Sent(NamedTuple):
    """The envelope that was sent, the certificate with which it is going to be sealed, and who sent it."""

    id: str
    certificate: str
    owner: Staff


@contextmanager
def in_the_office(browser: Browser, server: Server, tenant: Tenant, user: Staff) -> Iterator[Visitor]:
    """A member of the staff who is logged in."""
    site = f"http://{tenant.domain}:{server.port}"
    with visiting(browser, site, DESKTOP) as staff:
        staff.page.context.add_cookies([{"name": "aureum", "value": user.token, "url": site}])
        yield staff


def send(
    browser: Browser, server: Server, operator: Operator, tenant: Tenant, folder: Path, buyer: str, axe: str
) -> Sent:
    """What staff do in the panel: a certificate, a template, and an envelope for the client with the address *buyer*,
    whom the brokerage knows."""
    new = {"firstName": "Nora", "lastName": "Lindqvist", "email": buyer, "type": "BUYER"}
    contact = server.by_key(tenant, "POST", "/api/contacts", new).json["id"]
    owner = operator.staff(tenant.id, "brokerage_owner", "Olga Owner")
    (paper := folder / "Contract.pdf").write_bytes(contract(3, anchors=["/sig:buyer/", "/sig:seller/"]))
    with in_the_office(browser, server, tenant, owner) as staff:
        certificate = import_certificate(staff, folder)
        make_template(staff, paper, axe)
        seller = f"sam@{tenant.slug}.example.net"
        envelope = send_from_template(staff, contact, NAME, (SAM, seller), axe)
    return Sent(envelope, certificate, owner)


def arrive(visitor: Visitor, post: MailServer, email: str) -> Page:
    """From the mail that invites to the envelope's page: the address is proved by the code of another mail."""
    invited = mail_to(post, email, re.compile(r"/portal/documents/"))
    link = next(one for one in LINK.findall(invited) if "/portal/documents/" in one)
    page = visitor.page
    visitor.go(urlsplit(link).path)
    page.get_by_label("Email address").fill(email)
    press(page, "Send me an email")
    page.get_by_label("Code").fill(CODE.findall(mail_to(post, email, CODE))[0])
    press(page, "Sign in")
    expect(page.get_by_role("heading", level=1)).to_have_text(SUBJECT)
    return page


def read_and_agree(page: Page) -> None:
    press(page, "Read the documents")
    scroll_through(page)
    follow(page, "I have read everything")
    page.get_by_role("checkbox").check()
    press(page, "Agree and continue")


def sign(page: Page, town: str, *, initials: bool = False) -> None:
    page.get_by_label("Place my signature here").check()
    if initials:
        page.get_by_label("Place my initials here").check()
    page.get_by_label("The town").fill(town)
    press(page, "Sign and finish")


def draw(page: Page) -> None:
    page.get_by_label("Draw it").check()
    box = page.get_by_role("img", name="Box for your signature").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 20, steps=10)
    page.mouse.move(box["x"] + 240, box["y"] + 70, steps=10)
    page.mouse.up()


def heading(page: Page, text: str) -> None:
    """What the page says about how things stand."""
    expect(page.get_by_role("heading", level=2).first).to_have_text(text)


def reload_until(page: Page, text: str) -> None:
    """The page says so after a while."""
    deadline = time.monotonic() + PATIENCE_MS / 1_000
    while page.get_by_role("heading", level=2).first.inner_text() != text and time.monotonic() < deadline:
        page.wait_for_timeout(200)
        page.reload()
    heading(page, text)


def download(page: Page) -> bytes:
    """The sealed document, as the client keeps it."""
    with page.expect_download() as started:
        follow(page, "Download: Contract.pdf")
    assert started.value.suggested_filename == "signed-document-1.pdf"
    return Path(started.value.path()).read_bytes()


def own_data(visitor: Visitor) -> Any:
    """What the client takes along."""
    visitor.go("/portal/data")
    with visitor.page.expect_download() as started:
        follow(visitor.page, "Download all your data")
    return json.loads(Path(started.value.path()).read_bytes())


def verdict_of(server: Server, tenant: Tenant, data: bytes) -> Verdict:
    """Our own verdict, by the certificate that the brokerage publishes."""
    answer = server.ask("GET", "/.well-known/aureum-signing.pem", host=tenant.domain)
    ders = [
        ssl.PEM_cert_to_DER_cert(one)
        for one in re.findall(r"-----BEGIN.*?END CERTIFICATE-----", answer.body.decode(), re.S)
    ]
    with ThreadPoolExecutor(1) as thread:  # in this one runs the event loop of Playwright
        return thread.submit(verify, data, [Trusted(ders[0], tuple(ders[1:]))]).result()


def test_a_whole_deal(
    browser: Browser,
    server: Server,
    operator: Operator,
    tenant: Tenant,
    post: MailServer,
    axe: str,
    tmp_path: Path,
) -> None:
    operator.rows("DELETE FROM login_failures RETURNING 1")
    buyer, seller = (f"{name}@{tenant.slug}.example.net" for name in ("nora", "sam"))
    sent = send(browser, server, operator, tenant, tmp_path, buyer, axe)
    site = f"http://{tenant.domain}:{server.port}"
    with visiting(browser, site, PHONE) as nora, visiting(browser, site, DESKTOP, "dark") as sam:
        page = arrive(nora, post, buyer)
        heading(page, "Snake River Realty asks you to sign")
        assert not [mail for mail in post.mails if seller in mail["To"]], "it is not Sam's turn yet"
        read_and_agree(page)
        sign(page, "Boise", initials=True)
        heading(page, "You have signed")

        others = arrive(sam, post, seller)
        read_and_agree(others)
        draw(others)
        sign(others, "Łódź")
        reload_until(others, "The documents are complete")
        page.reload()
        heading(page, "The documents are complete")
        is_fine(nora, axe)
        data = download(page)
        assert download(others) == data
        expect(page.locator("dd.hash").first).to_have_text(hashlib.sha256(data).hexdigest())

        found = verdict_of(server, tenant, data)
        assert (found.sealed, found.unchanged, found.by, found.problems) == (True, True, "Snake River Realty", ())
        assert found.certificate_sha256 == sent.certificate, "the one that was imported"
        assert own_data(nora)["documents"][0]["signed"][0]["sha256"] == hashlib.sha256(data).hexdigest()
        if PDFSIG is not None:
            said = pdfsig(data, tmp_path)
            assert "Signature is Valid." in said and "Total document signed" in said
        file = tmp_path / "kept.pdf"
        for content, verdict in (
            (data, "This document is genuine and unchanged"),
            (data + b"\n% changed", "This document was changed after it was sealed"),
        ):
            file.write_bytes(content)
            nora.go("/portal/verify")
            page.get_by_label("Signed document (PDF)").set_input_files(file)
            press(page, "Check the file")
            heading(page, verdict)
    with in_the_office(browser, server, tenant, sent.owner) as staff:
        check_seals(staff, sent.id, axe)
    envelope = server.by_key(tenant, "GET", f"/api/envelopes/{sent.id}").json
    assert (envelope["state"], [one["state"] for one in envelope["recipients"]]) == ("completed", ["signed", "signed"])
    document = envelope["documents"][0]
    original = data[: document["bytes"]]
    assert hashlib.sha256(original).hexdigest() == document["sha256"], "what was sent is where the sealed file begins"
    assert document["sealedSha256"] == hashlib.sha256(data).hexdigest()
