"""The contact form that ``docs/how-to/contact-forms.md`` shows works as it stands there, on a page of a brokerage."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Route, expect

from aureum.http.api.leads.contact_form import THANKS
from tests.browser.visitor import Visitor
from tests.http.operator import Tenant
from tests.http.serving import FORM, Server

pytestmark = pytest.mark.browser

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "contact-forms.md"
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Contact</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body>{form}</body>
</html>
"""
TYPED = ("firstName", "lastName", "email", "phone", "subject", "message")


def placed(route: Route) -> None:
    """The page, on the brokerage's own domain; everything else there is the real server's."""
    (example,) = re.findall(r"^```html\n(.*?)^```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    route.fulfill(body=PAGE.format(form=example), content_type="text/html")


@pytest.fixture
def form(visitor: Visitor) -> Visitor:
    """A visitor who came from an advertisement and has filled in the form."""
    visitor.page.route("**/form.html?*", placed)
    visitor.go("/form.html?utm_source=google&utm_medium=organic&other=1")
    for name in TYPED:
        visitor.page.locator(f"[name={name}]").fill(FORM[name])
    return visitor


def send(form: Visitor) -> Locator:
    """Press the button; where the form says what came of it."""
    form.page.get_by_role("button", name="Send").click()
    return form.page.get_by_role("status")


def test_what_is_sent_becomes_one_lead(form: Visitor, server: Server, tenant: Tenant) -> None:
    expect(send(form)).to_have_text(THANKS)
    expect(send(form)).to_have_text(THANKS)
    (lead,) = server.leads(tenant)
    assert (lead["name"], lead["email"]) == ("John Smith", FORM["email"])
    assert FORM["message"] in lead["message"]
    assert form.fits() and form.is_content(), form


def test_what_is_wrong_is_told_and_can_be_mended(form: Visitor, server: Server, tenant: Tenant) -> None:
    email = form.page.locator("[name=email]")
    email.fill("nobody")
    # The browser itself would not send it.
    form.page.locator("form").evaluate("form => { form.noValidate = true; }")
    expect(send(form)).to_have_text("email: value is not a valid email address")
    assert server.leads(tenant) == []
    (refused,) = form.errors
    assert "422" in refused

    email.fill(FORM["email"])
    expect(send(form)).to_have_text(THANKS)
    assert [lead["email"] for lead in server.leads(tenant)] == [FORM["email"]]


def test_a_server_out_of_reach_is_told(form: Visitor) -> None:
    form.page.route("**/api/contact", lambda route: route.abort())
    expect(send(form)).to_have_text("We couldn't send your message. Please try again.")


@pytest.fixture
def plain(form: Visitor) -> Visitor:
    """The same without the script."""
    form.page.locator("form").evaluate("form => form.replaceWith(form.cloneNode(true))")
    for name in TYPED:
        form.page.locator(f"[name={name}]").fill(FORM[name])
    return form


def test_without_the_script_the_form_is_sent_all_the_same(plain: Visitor, server: Server, tenant: Tenant) -> None:
    plain.page.get_by_role("button", name="Send").click()

    expect(plain.page.get_by_role("heading")).to_have_text("Thank you")
    expect(plain.page.get_by_text(THANKS)).to_be_visible()
    expect(plain.page.get_by_text("Snake River Realty")).to_be_visible()
    assert plain.page.url.endswith("/api/contact"), "nothing that was typed gets into the address"
    assert plain.fits() and plain.is_content(), plain
    (lead,) = server.leads(tenant)
    assert (lead["email"], lead["message"]) == (FORM["email"], FORM["message"])


def test_without_the_script_a_form_is_mended_on_the_page(plain: Visitor, server: Server, tenant: Tenant) -> None:
    plain.page.locator("[name=email]").fill("nobody")
    plain.page.locator("form").evaluate("form => { form.noValidate = true; }")
    plain.page.get_by_role("button", name="Send").click()

    expect(plain.page.get_by_role("heading")).to_have_text("Please check your form")
    expect(plain.page.get_by_text("Email must be a valid email address.")).to_be_visible()
    expect(plain.page.get_by_label("Message")).to_have_value(FORM["message"])
    assert plain.fits()
    plain.page.get_by_label("Email").fill(FORM["email"])
    plain.page.get_by_role("button", name="Send").click()

    expect(plain.page.get_by_text(THANKS)).to_be_visible()
    assert [lead["email"] for lead in server.leads(tenant)] == [FORM["email"]]
    # Back, and the same again.
    plain.page.go_back()
    assert server.ask("GET", "/healthz").status == 200


def test_without_the_script_the_next_page_is_shown(plain: Visitor, server: Server, tenant: Tenant) -> None:
    plain.page.locator("form").evaluate(
        "form => form.insertAdjacentHTML('beforeend', '<input type=hidden name=_next value=/thank-you>')"
    )
    plain.page.get_by_role("button", name="Send").click()

    expect(plain.page).to_have_url(re.compile(r"^http://[a-z0-9.:-]+/thank-you$"))
    assert len(server.leads(tenant)) == 1
