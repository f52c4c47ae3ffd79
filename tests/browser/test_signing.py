"""Documents are signed in a browser: read page by page, agreed to, signed with a typed and with a drawn name, on a
phone and a large screen, by keyboard, and without script."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from aureum.domain.ids import id_of_bytes
from aureum.settings import Settings
from aureum.store.blobs.opening import open_blobs
from aureum.store.event_store import EventStore
from tests.browser.test_walk import AXE, SMALL, TARGET
from tests.browser.visitor import DESKTOP, PHONE, Scheme, Visitor, visiting
from tests.clients.tools import installed
from tests.http.operator import Operator, Tenant
from tests.http.portal.client import SESSION, Client, client_at
from tests.http.portal.documents.deals import Deal, deal
from tests.http.serving import Server

pytestmark = pytest.mark.browser

NAME = "Nora Lindqvist"

NewVisitor = Callable[..., Visitor]


@pytest.fixture(scope="module")
def axe() -> str:
    return (installed().folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
def nora(server: Server, operator: Operator, tenant: Tenant) -> Client:
    """A client of the brokerage, signed in."""
    operator.rows("DELETE FROM login_failures RETURNING 1")
    email = f"nora@{tenant.slug}.example.net"
    new = {"firstName": "Nora", "lastName": "Lindqvist", "email": email, "type": "BUYER"}
    assert server.by_key(tenant, "POST", "/api/contacts", new).status == 201
    return client_at(server, operator, tenant, email).signs_in()


@pytest.fixture
def begun(operator: Operator, tenant: Tenant, nora: Client) -> Deal:
    return deal(operator, tenant, [(NAME, nora.email)])


@pytest.fixture
def opened(browser: Browser, nora: Client) -> Iterator[NewVisitor]:
    """The client's browser, on any screen."""
    with ExitStack() as stack:

        def visitor(screen: ViewportSize, scheme: Scheme = "light", *, script: bool = True) -> Visitor:
            site = f"http://{nora.host}:{nora.server.port}"
            found = stack.enter_context(visiting(browser, site, screen, scheme, script=script))
            cookie = {"name": SESSION, "value": nora.cookies[SESSION], "url": site}
            found.page.context.add_cookies([cookie])  # type: ignore[list-item]  # as a literal would be one
            return found

        yield visitor


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def is_fine(visitor: Visitor, axe: str | None) -> None:
    """Nothing is scrolled sideways or too small, axe finds nothing, and the console is silent."""
    assert visitor.fits() and visitor.is_content(), (visitor.errors, visitor.page.url)
    if visitor.page.viewport_size == PHONE:
        assert visitor.page.evaluate(SMALL, TARGET) == []
    if axe is not None:
        visitor.page.evaluate(axe)
        assert visitor.page.evaluate(AXE) == []


def scroll_through(page: Page) -> None:
    """To the end of each page of the document, as a reader does."""
    for end in page.locator("[data-end]").all():
        end.scroll_into_view_if_needed()
        page.wait_for_timeout(50)


@pytest.mark.parametrize(("screen", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["phone", "desktop"])
def test_read_agree_and_sign_with_a_drawn_name(
    opened: NewVisitor, begun: Deal, axe: str, screen: ViewportSize, scheme: Scheme
) -> None:
    visitor = opened(screen, scheme)
    page = visitor.page
    visitor.go("/portal")
    follow(page, "Read and sign: Purchase of 12 Oak Lane")
    is_fine(visitor, axe)
    press(page, "Read the documents")
    expect(page.get_by_text("of 2 pages read")).to_be_visible()
    is_fine(visitor, axe)
    follow(page, "I have read everything")
    expect(page.get_by_text("You have not reached the end of every page here.")).to_be_focused()
    scroll_through(page)
    expect(page.get_by_text("2 of 2 pages read")).to_be_visible()
    for picture in page.locator(".sheet img").all():
        assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") == 1240
    follow(page, "I have read everything")
    expect(page.get_by_role("heading", level=1)).to_have_text("Consent to electronic records and signatures")
    is_fine(visitor, axe)
    page.get_by_role("checkbox").check()
    press(page, "Agree and continue")

    expect(page.get_by_role("heading", name="Sign", exact=True)).to_be_visible()
    is_fine(visitor, axe)
    page.get_by_label("Draw it").check()
    box = page.get_by_role("img", name="Box for your signature").bounding_box()
    assert box is not None and abs(box["width"] / box["height"] - 3) < 0.1
    for start in (0.2, 0.5):
        page.mouse.move(box["x"] + start * box["width"], box["y"] + 0.7 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + (start + 0.1) * box["width"], box["y"] + 0.2 * box["height"], steps=8)
        page.mouse.move(box["x"] + (start + 0.2) * box["width"], box["y"] + 0.8 * box["height"], steps=8)
        page.mouse.up()
    is_fine(visitor, axe)
    page.get_by_label("Place my signature here").check()
    page.get_by_label("Place my initials here").check()
    page.get_by_label("The checkbox").check()
    page.get_by_label("The name").fill("")
    page.locator("form.signing").evaluate("form => form.noValidate = true")
    press(page, "Sign and finish")
    expect(page.get_by_text("Fill in this field.")).to_be_visible()
    visitor.errors.clear()  # Chromium tells of 422
    expect(page.get_by_label("Draw it")).to_be_checked()
    is_fine(visitor, axe)
    page.get_by_label("The name").fill(NAME)
    press(page, "Sign and finish")
    expect(page.get_by_role("heading", level=2).first).to_have_text("Everyone has signed")
    is_fine(visitor, axe)
    kept = drawn_picture(begun)
    assert kept.mode == "LA" and kept.width > kept.height, "both strokes are in it, from before the form came back"


def drawn_picture(begun: Deal) -> Image.Image:
    """The signature that was kept."""
    envelope = begun.now
    (one,) = envelope.recipients.values()
    assert envelope.state == "completing" and one.signature is not None
    sha256 = one.signature.image_sha256
    assert one.signature.method == "drawn" and sha256 is not None

    async def read(store: EventStore) -> bytes:
        key = (await store.load(begun.tenant.id, begun.id)).subject_key
        assert key is not None
        blobs = open_blobs(Settings(), store.database)
        return b"".join([part async for part in blobs.get(begun.tenant.id, id_of_bytes(one.id, sha256), key)])

    return Image.open(io.BytesIO(begun.operator.run(read)))


def test_by_keyboard_alone_with_a_typed_name(opened: NewVisitor, begun: Deal) -> None:
    visitor = opened(DESKTOP)
    page = visitor.page
    visitor.go(begun.path)
    page.get_by_role("button", name="Read the documents").press("Enter")
    page.get_by_role("link", name="Show the text of the pages").press("Enter")
    expect(page.get_by_text("Page 1: the buyer pays the price at closing.")).to_be_visible()
    for _ in range(2):
        page.get_by_role("link", name="I have read everything").press("Enter")
    page.get_by_role("checkbox").press("Space")
    page.get_by_role("button", name="Agree and continue").press("Enter")
    for label in ("Place my signature here", "Place my initials here", "The checkbox"):
        page.get_by_label(label).press("Space")
    page.get_by_label("Your name, as you sign").fill("Nora L.")
    page.get_by_role("button", name="Sign and finish").press("Enter")
    expect(page.get_by_role("heading", level=2).first).to_have_text("Everyone has signed")
    (one,) = begun.now.recipients.values()
    assert one.signature is not None and one.signature.typed == "Nora L."
    page.go_back()
    expect(page.get_by_role("heading", level=2).first).to_have_text("Everyone has signed")
    assert visitor.is_content()


def test_without_script_and_in_spanish(opened: NewVisitor, begun: Deal) -> None:
    visitor = opened(PHONE, "dark", script=False)
    page = visitor.page
    visitor.go(begun.path)
    press(page, "Español")
    press(page, "Leer los documentos")
    expect(page.locator("progress")).to_be_hidden()
    follow(page, "Ya leí todo")
    page.get_by_role("checkbox").check()
    press(page, "Aceptar y continuar")
    expect(page.get_by_label("Dibujarla")).to_be_hidden()
    for label in ("Poner aquí mi firma", "Poner aquí mis iniciales", "The checkbox"):
        page.get_by_label(label).check()
    press(page, "Firmar y terminar")
    expect(page.get_by_role("heading", level=2).first).to_have_text("Todos firmaron")
    assert visitor.fits() and begun.now.state == "completing"


def test_a_client_declines(opened: NewVisitor, begun: Deal, axe: str) -> None:
    visitor = opened(PHONE)
    page = visitor.page
    visitor.go(begun.path)
    follow(page, "I do not want to sign")
    page.get_by_label("Why?").fill("The roof leaks.")
    is_fine(visitor, axe)
    press(page, "Decline to sign")
    expect(page.get_by_role("heading", level=2).first).to_have_text("You have declined to sign")
    is_fine(visitor, axe)
