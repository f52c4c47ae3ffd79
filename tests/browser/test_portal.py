"""The client portal in Chromium: a client signs in by a mail, with and without script, on a phone and on a desktop, in
both languages; and every page of the portal is held to the rules of ``test_walk.py``."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from aureum.http.portal.catalogue import LANGUAGES
from aureum.http.portal.pages import PAGES
from tests.browser.test_walk import AXE, BYTES, MOST_BYTES, SMALL, TARGET, axe
from tests.browser.visitor import DESKTOP, PHONE, Scheme, Visitor, visiting
from tests.http.api.clients.test_around_clients import a_property
from tests.http.operator import Operator, Tenant
from tests.http.portal.client import Client, client_at, code_of, letters, path_of
from tests.http.serving import Server

__all__ = ["axe"]

pytestmark = pytest.mark.browser

NO_PAGE = {"/portal/sign-in", "/portal/data/download", "/.well-known/aureum-signing.pem"}

SHOWN = sorted({one.path for one in PAGES if one.method == "GET" and "{" not in one.path} - NO_PAGE)
"""The pages that do not need the id of something, and are no file."""

WAYS: tuple[tuple[ViewportSize, Scheme, str], ...] = (
    (PHONE, "light", "es"),
    (PHONE, "dark", "en"),
    (DESKTOP, "light", "en"),
)


@dataclass(frozen=True)
class Office:
    """A brokerage with a client who has sent enquiries."""

    server: Server
    operator: Operator
    tenant: Tenant
    contact: dict[str, Any]

    @property
    def site(self) -> str:
        return f"http://{self.tenant.domain}:{self.server.port}"

    def client(self) -> Client:
        return client_at(self.server, self.operator, self.tenant, self.contact["email"])

    def code(self) -> tuple[str, str]:
        """The code and the path of the link in the mail that has come."""
        self.operator.rows("DELETE FROM login_failures")
        (letter,) = letters(self.operator, self.tenant.id)
        return code_of(letter), path_of(letter)


@pytest.fixture(scope="module")
def office(server: Server, operator: Operator) -> Office:
    tenant = operator.brokerage()
    new = {"firstName": "Nora", "lastName": "Lindqvist", "email": f"nora@{tenant.slug}.example.net", "type": "BUYER"}
    contact = server.by_key(tenant, "POST", "/api/contacts", new).json
    operator.agent(tenant, "Ana Agent")
    for subject in ("A house with a yard, and a very long subject that no phone shows on one line", "A loft"):
        server.form(tenant, email=new["email"], subject=subject, message="Long" * 80)
    around_a_client(server, tenant, contact)
    return Office(server, operator, tenant, contact)


def around_a_client(server: Server, tenant: Tenant, contact: dict[str, Any]) -> None:
    """Messages, listings with photos, key dates and tours, with words that no phone shows on one line."""
    of = f"/api/contacts/{contact['id']}"
    for title in ("Villa", "Loft with a terrace"):
        listed = a_property(server, tenant, title)
        photos = [{"url": f"https://photos.example.com/{'long' * 40}.jpg", "alt": "The yard " * 20}]
        server.by_key(tenant, "PATCH", f"/api/properties/{listed}", {"photos": photos, "description": "Long" * 80})
        sent = server.by_key(tenant, "POST", f"{of}/listings", {"propertyId": listed, "note": "Long" * 80})
        assert sent.status == 201, sent.body
    a_property(server, tenant, "On the market")
    dates = [{"label": "Closing", "date": day, "note": "Long" * 80} for day in ("2020-01-01", "2199-01-01")]
    assert server.by_key(tenant, "PUT", f"{of}/key-dates", {"dates": dates}).status == 200
    assert server.by_key(tenant, "POST", f"{of}/messages", {"text": "Long" * 80}).status == 201
    for status in ("pending", "cancelled"):
        showing = {"name": "Nora", "email": contact["email"], "preferredDate": "2199-01-01", "listingId": "L" * 80}
        made = server.by_key(tenant, "POST", "/api/showings", showing)
        assert made.status == 201, made.body
        server.by_key(tenant, "PATCH", f"/api/showings/{made.json['id']}", {"status": status})


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: f"{way[0]['width']}-{way[1]}-{way[2]}")
def signed_in(browser: Browser, office: Office, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """A client who has signed in, by the way of the parameter."""
    screen, scheme, language = request.param
    client = office.client().signs_in()
    office.operator.rows("DELETE FROM login_failures")
    with ExitStack() as stack:
        visitor = stack.enter_context(visiting(browser, office.site, screen, scheme))
        kept = client.cookies | {"aureum-portal-language": language}
        visitor.page.context.add_cookies(
            [{"name": name, "value": value, "url": office.site} for name, value in kept.items()]
        )
        yield visitor


def problems(visitor: Visitor, axe: str) -> list[str]:
    """What is wrong with the page that *visitor* sees."""
    page = visitor.page
    page.evaluate(axe)
    found: list[str] = page.evaluate(AXE)
    if not visitor.fits():
        found.append(f"{page.evaluate('document.documentElement.scrollWidth')} pixels wide")
    found += page.evaluate(SMALL, TARGET)
    size = page.evaluate(BYTES)
    if size > MOST_BYTES:
        found.append(f"{size} bytes")
    found += visitor.errors
    visitor.errors.clear()
    return found


def languages_of(page: Page) -> str:
    return str(page.evaluate("document.documentElement.lang"))


def test_every_page(signed_in: Visitor, axe: str) -> None:
    wrong = {}
    for path in SHOWN:
        signed_in.go(path)
        found = problems(signed_in, axe)
        if found:
            wrong[path] = found
        assert languages_of(signed_in.page) in LANGUAGES
    if signed_in.page.viewport_size == PHONE:
        signed_in.go("/portal")
        signed_in.page.locator(".menu summary").click()
        found = problems(signed_in, axe)
        if found:
            wrong["the open menu"] = found
    assert wrong == {}


@pytest.mark.parametrize(
    ("screen", "script"), [(PHONE, False), (DESKTOP, True)], ids=["phone without script", "desktop"]
)
def test_a_client_signs_in_and_out(
    browser: Browser, office: Office, screen: ViewportSize, axe: str, script: bool
) -> None:
    with (
        visiting(browser, office.site, screen, script=script) as visitor,
        visiting(browser, office.site, PHONE) as phone,
    ):
        page = visitor.page
        heading = page.get_by_role("heading", level=1)
        visitor.go("/portal/enquiries")
        expect(heading).to_have_text("Sign in to Snake River Realty")
        page.get_by_label("Email address").fill(office.contact["email"])
        page.get_by_role("button", name="Send me an email").click()
        expect(heading).to_have_text("Enter your code")
        code, link = office.code()

        # The mail is opened on another device: its link does not sign in there, and uses nothing up.
        phone.go(link)
        expect(phone.page.get_by_role("heading", level=1)).to_have_text("Sign in to Snake River Realty")
        assert problems(phone, axe) == []
        phone.page.get_by_role("button", name="Sign in").click()
        expect(phone.page.get_by_role("heading", level=1)).to_have_text("Enter your code")
        assert problems(phone, axe) == []

        page.get_by_label("Code").fill("12345")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("This code does not work.")
        # Chromium says on the console that the form was refused.
        visitor.errors.clear()
        page.get_by_label("Code").fill(code)
        page.get_by_role("button", name="Sign in").click()
        expect(heading).to_have_text("Your enquiries")
        expect(page.get_by_role("heading", level=2)).to_have_count(2)

        page.get_by_role("button", name="Español").click()
        expect(heading).to_have_text("Sus consultas")
        menu, home = page.get_by_text("Menú", exact=True), page.get_by_role("link", name="Inicio")
        if screen == PHONE:
            expect(home).to_be_hidden()
            menu.click()
        home.click()
        expect(menu).to_be_visible(visible=screen == PHONE)
        expect(heading).to_have_text("Le damos la bienvenida")
        page.get_by_role("button", name="Cerrar sesión").click()
        expect(heading).to_have_text("Inicie sesión en Snake River Realty")
        assert visitor.is_content() and visitor.fits(), visitor


def test_the_link_signs_in_the_browser_that_asked(browser: Browser, office: Office) -> None:
    with visiting(browser, office.site, PHONE, script=False) as visitor:
        visitor.go("/portal")
        visitor.page.get_by_label("Email address").fill(office.contact["email"])
        visitor.page.get_by_role("button", name="Send me an email").click()
        expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Enter your code")
        _, link = office.code()
        visitor.go(link)
        visitor.page.get_by_role("button", name="Sign in").click()
        expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Welcome")
        assert visitor.is_content(), visitor


def test_staff_see_it_as_the_client(browser: Browser, office: Office, axe: str) -> None:
    owner = office.operator.staff(office.tenant.id, "brokerage_owner", "Olga Owner")
    with visiting(browser, office.site, PHONE) as visitor:
        visitor.page.context.add_cookies([{"name": "aureum", "value": owner.token, "url": office.site}])
        visitor.go(f"/admin/contacts/{office.contact['id']}")
        visitor.page.get_by_role("link", name="See the portal as the client").click()
        expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Welcome")
        assert problems(visitor, axe) == []
        visitor.page.get_by_role("link", name="All your enquiries").click()
        expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Your enquiries")
        expect(visitor.page.get_by_role("button")).to_have_count(0)
        assert problems(visitor, axe) == []
        visitor.page.get_by_role("link", name="Back to the contact").click()
        expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Nora Lindqvist")
