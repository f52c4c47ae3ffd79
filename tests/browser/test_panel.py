"""The admin panel in a browser: an owner logs in, minds webhooks and keys by what the fields are called, logs out."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.visitor import PATIENCE_MS, Visitor
from tests.http.office import Office, Tenant
from tests.http.serving import Server, served, until
from tests.http.test_admin_api_keys import opens
from tests.http.test_login import PASSWORD, joined
from tests.http.test_webhook_deliveries import Hook
from tests.http.test_webhooks import SECRET, made
from tests.http.test_webhooks_live import beside, consuming
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.browser

NAMELESS = """
[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
  .filter(field => field.labels.length === 0).map(field => field.name)
"""


@pytest.fixture(scope="module")
def server(served_url: str) -> Iterator[Server]:
    """A process whose webhooks may go to loopback addresses."""
    with served(served_url, webhook_allow_networks="127.0.0.0/8") as running:
        yield running


@pytest.fixture
def head() -> list[str]:
    """What the receiver answers."""
    return ["200 OK"]


@pytest.fixture
def receiver(served_url: str, head: list[str]) -> Iterator[Receiver]:
    """Another system, and a worker that tells it."""
    with beside(consuming(served_url, head)) as found:
        yield found


@pytest.fixture
def owner(visitor: Visitor, office: Office, tenant: Tenant) -> Visitor:
    """Somebody who was asked to log in, and has."""
    user = joined(office, tenant.id, "brokerage_owner")
    visitor.go("/admin/webhooks")
    expect(visitor.page).to_have_title("Log in – Aureum")
    assert is_fine(visitor)
    visitor.page.get_by_label("E-mail").fill(user.email)
    visitor.page.get_by_label("Password").fill(PASSWORD)
    visitor.page.keyboard.press("Enter")
    expect(heading(visitor)).to_have_text("Webhooks")
    return visitor


def heading(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("heading", level=1)


def press(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_role("button", name=name, exact=True).click()


def follow(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_role("link", name=name, exact=True).first.click()


def is_fine(visitor: Visitor) -> bool:
    """Whether the page is drawn as it should be, and each of its fields has a name."""
    assert visitor.page.evaluate(NAMELESS) == []
    assert visitor.page.evaluate("getComputedStyle(document.body).margin") == "0px", "it has no style"
    return visitor.fits() and visitor.is_content()


def test_a_webhook_from_its_making_to_its_end(
    owner: Visitor, server: Server, tenant: Tenant, receiver: Receiver, head: list[str]
) -> None:
    page = owner.page
    assert is_fine(owner)
    page.get_by_label("URL").fill(receiver.url)
    page.get_by_label("lead.*", exact=True).check()
    page.get_by_label("Order").select_option("keyed")
    page.get_by_label("Deliveries a second").fill("50")
    page.get_by_label("What it is for").fill("Our marketing")
    press(owner, "Create the webhook")
    expect(heading(owner)).to_have_text("Signing secret")
    expect(page.locator(".secret")).to_have_text(SECRET)
    assert is_fine(owner)

    follow(owner, "I have copied it")
    expect(heading(owner)).to_have_text(receiver.url)
    expect(page.get_by_label("What it is for")).to_have_value("Our marketing")
    expect(page.get_by_label("lead.*", exact=True)).to_be_checked()
    page.get_by_label("Sample of").select_option("task.completed")
    press(owner, "Send a test")
    expect(heading(owner)).to_have_text("task.completed")
    expect(page.locator(".badge")).to_have_text("delivered")
    (request,) = receiver.requests
    assert request.headers["x-aureum-event"] == "task.completed"
    page.get_by_text("How the answer began").click()
    expect(page.get_by_text("thanks", exact=True)).to_be_visible()
    assert is_fine(owner)

    head[0] = "410 Gone"
    server.lead(tenant)
    disabled = page.get_by_text(f"The webhook to {receiver.url} was disabled: it answered 410")
    until(lambda: len(receiver.requests) == 2)
    follow(owner, "Overview")
    for _ in range(50):
        if disabled.count():
            break
        page.wait_for_timeout(100)
        page.reload()
    expect(disabled).to_be_visible()
    assert is_fine(owner)
    head[0] = "200 OK"
    follow(owner, "Look at it")
    expect(page.get_by_role("button", name="Send a test")).to_have_count(0)
    press(owner, "Enable")
    expect(page.get_by_role("status")).to_have_text("The webhook is enabled. What it has missed is on its way.")
    expect(disabled).to_have_count(0)
    assert is_fine(owner)
    # The page loads itself again until the replay is through.
    done = page.locator("td .badge").filter(has_text="completed")
    expect(done).to_have_count(1, timeout=PATIENCE_MS)
    assert is_fine(owner)

    page.get_by_text("Remove the webhook").click()
    press(owner, "Remove")
    expect(heading(owner)).to_have_text(receiver.url)
    page.get_by_label("Yes, remove it for good").check()
    press(owner, "Remove")
    expect(page.get_by_text("There are no webhooks yet.")).to_be_visible()
    assert is_fine(owner)


def test_a_replay_and_a_new_secret(owner: Visitor, server: Server, tenant: Tenant, receiver: Receiver) -> None:
    page = owner.page
    server.lead(tenant)
    webhook = made(server, tenant, url=receiver.url)
    page.reload()
    follow(owner, receiver.url)
    page.get_by_text("Send again what happened earlier").click()
    page.get_by_label("From this time on").fill("2001-01-01T00:00:00")
    page.get_by_label("Which").select_option("all")
    assert is_fine(owner)
    press(owner, "Start the replay")
    expect(page.get_by_role("status")).to_have_text("The replay has been asked for.")
    expect(page.locator("progress")).to_have_count(1)
    until(lambda: len(receiver.requests) == 1)

    page.get_by_text("Rotate the secret").click()
    page.get_by_label("Hours that both are valid").fill("1")
    press(owner, "Make a new secret")
    expect(page.locator(".secret")).to_have_text(SECRET)
    expect(page.locator(".secret")).not_to_have_text(webhook["secret"])
    assert is_fine(owner)


def test_deliveries_are_looked_through(owner: Visitor, server: Server, office: Office, tenant: Tenant) -> None:
    long = f"https://example.com/{'long' * 100}?{'x' * 200}"
    webhook = made(server, tenant, url=long, description="d" * 500)
    hook = Hook(server, office, tenant, webhook["id"])
    for position in range(1, 53):
        hook.told(position, body=b'{"data":"' + b"x" * 3000 + b'"}')
        hook.tried(position, 1, "exhausted", "http_5xx", b"<h1>" + b"y" * 3000)
    page = owner.page
    page.reload()
    assert is_fine(owner)
    follow(owner, long)
    assert is_fine(owner)
    follow(owner, "All deliveries")
    page.get_by_label("Status").select_option("failed")
    press(owner, "Show")
    expect(page.get_by_label("Status")).to_have_value("failed")
    expect(page.locator("tbody tr")).to_have_count(50)
    assert is_fine(owner)
    follow(owner, "Older ones")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.locator("tbody a").first.click()
    page.get_by_text("How the answer began").click()
    assert is_fine(owner)


def test_a_key_is_made_and_revoked(owner: Visitor, server: Server) -> None:
    page = owner.page
    follow(owner, "Settings")
    expect(page.get_by_label("Time zone")).to_have_value("America/Boise")
    assert is_fine(owner)
    follow(owner, "API keys")
    expect(heading(owner)).to_have_text("API keys")
    assert is_fine(owner)
    page.get_by_label("What it is for").fill("Website " + "w" * 150)
    expect(page.get_by_label("Requests a minute")).to_have_value("100")
    press(owner, "Make the key")
    expect(heading(owner)).to_have_text("New API key")
    expect(page.locator(".secret")).to_have_text(re.compile("aur_"))
    key = page.locator(".secret").inner_text()
    assert opens(server, key) == 200 and is_fine(owner)
    follow(owner, "I have copied it")
    row = page.locator("tr").filter(has_text=key[:12])
    row.get_by_text("Revoke", exact=True).click()
    assert is_fine(owner)
    row.get_by_role("button").click()
    expect(row.get_by_text("revoked")).to_be_visible()
    assert opens(server, key) == 401 and is_fine(owner)


def test_by_keyboard_to_the_content_and_out(owner: Visitor, server: Server) -> None:
    page = owner.page
    follow(owner, "Overview")
    expect(heading(owner)).to_have_text("Overview")
    assert is_fine(owner)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("aureum", True, "Lax")
    assert page.evaluate("document.cookie") == ""

    press(owner, "Log out")

    expect(page).to_have_title("Log in – Aureum")
    assert page.context.cookies() == [] and is_fine(owner)
    assert opens(server, cookie["value"]) == 401
    owner.go("/admin/settings/api-keys")
    expect(page).to_have_title("Log in – Aureum")
