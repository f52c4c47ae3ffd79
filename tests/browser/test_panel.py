"""The admin panel in a browser: an owner logs in, minds webhooks and keys by what the fields are called, logs out."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from aureum.domain.ids import PLATFORM
from aureum.domain.user import User
from tests.browser.visitor import DESKTOP, PHONE, Visitor
from tests.http.api.staff.keys import opens
from tests.http.api.staff.logins import PASSWORD, joined
from tests.http.api.webhooks.hooks import SECRET, made
from tests.http.api.webhooks.test_deliveries import Hook
from tests.http.api.webhooks.test_webhooks_live import beside, consuming
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server, served, until
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.browser

NAMELESS = """
[...document.querySelectorAll('input:not([type=hidden], [hidden]), select, textarea')]
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
def owner(visitor: Visitor, operator: Operator, tenant: Tenant) -> Visitor:
    """A user who has logged in a while ago."""
    staff = operator.staff(tenant.id, "brokerage_owner", "Sam Somebody")
    visitor.page.context.add_cookies([{"name": "aureum", "value": staff.token, "url": visitor.site}])
    visitor.go("/admin/webhooks")
    return visitor


def log_in(visitor: Visitor, path: str, user: User) -> None:
    """Logs in as asked, on the way to *path*."""
    visitor.go(path)
    expect(visitor.page).to_have_title("Log in – Aureum")
    assert is_fine(visitor)
    visitor.page.get_by_label("Email").fill(user.email)
    visitor.page.get_by_label("Password").fill(PASSWORD)
    visitor.page.keyboard.press("Enter")


def heading(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("heading", level=1)


def press(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_role("button", name=name, exact=True).click()


def follow(visitor: Visitor, name: str) -> None:
    """A link of the page, or of the menu, which a phone shows under More."""
    link = visitor.page.get_by_role("link", name=name, exact=True).first
    more = visitor.page.get_by_role("button", name="More", exact=True)
    if not link.is_visible() and more.is_visible():
        more.click()
    link.click()


def reload_until_there_is(wanted: Locator) -> None:
    """Not to wait for as long as people would."""
    for _ in range(100):
        if wanted.count():
            break
        wanted.page.wait_for_timeout(50)
        wanted.page.reload()
    expect(wanted).to_be_visible()


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
    page.get_by_label("All lead events", exact=True).check()
    page.get_by_label("Order").select_option("keyed")
    page.get_by_label("Maximum deliveries per second").fill("50")
    page.get_by_label("Description").fill("Our marketing")
    press(owner, "Create webhook")
    expect(heading(owner)).to_have_text("Signing secret")
    expect(page.locator(".secret")).to_have_text(SECRET)
    assert is_fine(owner)

    follow(owner, "I have copied it")
    expect(heading(owner)).to_have_text(receiver.url)
    expect(page.get_by_label("Description")).to_have_value("Our marketing")
    expect(page.get_by_label("All lead events", exact=True)).to_be_checked()
    page.get_by_label("Sample event").select_option("task.completed")
    press(owner, "Send a test")
    expect(heading(owner)).to_have_text("Task completed")
    expect(page.locator(".badge")).to_have_text("delivered")
    (request,) = receiver.requests
    assert request.headers["x-aureum-event"] == "task.completed"
    page.get_by_text("Beginning of the response").click()
    expect(page.get_by_text("thanks", exact=True)).to_be_visible()
    assert is_fine(owner)

    head[0] = "410 Gone"
    server.lead(tenant)
    disabled = page.get_by_text(f"The webhook to {receiver.url} was disabled because its endpoint answered 410")
    until(lambda: len(receiver.requests) == 2)
    follow(owner, "Today")
    reload_until_there_is(disabled)
    assert is_fine(owner)
    head[0] = "200 OK"
    follow(owner, "View webhook")
    expect(page.get_by_role("button", name="Send a test")).to_have_count(0)
    press(owner, "Enable")
    expect(page.get_by_role("status")).to_have_text("The webhook is enabled, and receives what it missed.")
    expect(disabled).to_have_count(0)
    assert is_fine(owner)
    reload_until_there_is(page.locator("td .badge").filter(has_text="completed"))
    assert is_fine(owner)

    page.get_by_text("Remove webhook").click()
    press(owner, "Remove")
    expect(heading(owner)).to_have_text(receiver.url)
    page.get_by_label("Yes, remove it permanently").check()
    press(owner, "Remove")
    expect(page.get_by_text("There are no webhooks yet.")).to_be_visible()
    assert is_fine(owner)


def test_a_replay_and_a_new_secret(owner: Visitor, server: Server, tenant: Tenant, receiver: Receiver) -> None:
    page = owner.page
    server.lead(tenant)
    webhook = made(server, tenant, url=receiver.url)
    page.reload()
    follow(owner, receiver.url)
    page.get_by_text("Send earlier events again").click()
    page.get_by_label("Start time").fill("2001-01-01T00:00:00")
    page.get_by_label("Which").select_option("all")
    assert is_fine(owner)
    press(owner, "Start replay")
    expect(page.get_by_role("status")).to_have_text("The replay was started.")
    expect(page.locator("progress")).to_have_count(1)
    until(lambda: len(receiver.requests) == 1)

    page.get_by_text("Rotate secret").click()
    page.get_by_label("Hours of overlap").fill("1")
    press(owner, "Create new secret")
    expect(page.locator(".secret")).to_have_text(SECRET)
    expect(page.locator(".secret")).not_to_have_text(webhook["secret"])
    assert is_fine(owner)


def test_deliveries_are_looked_through(owner: Visitor, server: Server, operator: Operator, tenant: Tenant) -> None:
    long = f"https://example.com/{'long' * 100}?{'x' * 200}"
    webhook = made(server, tenant, url=long, description="d" * 500)
    hook = Hook(server, operator, tenant, webhook["id"])
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
    follow(owner, "Older")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.locator("tbody a").first.click()
    page.get_by_text("Beginning of the response").click()
    assert is_fine(owner)


def test_a_key_is_made_and_revoked(owner: Visitor, server: Server) -> None:
    page = owner.page
    follow(owner, "Settings")
    expect(page.get_by_label("Time zone")).to_have_value("America/Boise")
    assert is_fine(owner)
    follow(owner, "API keys")
    expect(page).to_have_title("API keys – Aureum")
    assert is_fine(owner)
    page.get_by_label("Name").fill("Website " + "w" * 150)
    expect(page.get_by_label("Requests per minute")).to_have_value("100")
    press(owner, "Create key")
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


def test_a_lead_is_entered_given_to_an_agent_and_converted(owner: Visitor, operator: Operator, tenant: Tenant) -> None:
    operator.agent(tenant, "Ana Agent")
    page = owner.page
    follow(owner, "Leads")
    expect(page.get_by_text("No leads yet.")).to_be_visible()
    assert is_fine(owner)
    owner.go("/admin/leads/new")
    expect(heading(owner)).to_have_text("New lead")
    assert is_fine(owner)
    press(owner, "Create lead")
    expect(heading(owner)).to_have_text("New lead")
    expect(page.get_by_label("First name")).to_be_focused()
    page.get_by_label("First name").fill("Jane" + "n" * 150)
    page.get_by_label("Last name").fill("Doe")
    page.get_by_label("Email").fill("jane@localhost")
    page.get_by_label("Subject").fill("Walk-in")
    page.get_by_label("Message").fill("\nFirst line\nsecond line " + "long" * 200)
    page.get_by_label("Notes").fill("Pre-approved")
    press(owner, "Create lead")
    expect(page.get_by_role("alert")).to_contain_text("email must be")
    expect(page.get_by_label("Last name")).to_have_value("Doe")
    assert owner.fits() and len(owner.errors) == 1 and "400 (Bad Request)" in owner.errors.pop()
    page.get_by_label("Email").fill("jane@example.com")
    press(owner, "Create lead")
    expect(page.get_by_role("status")).to_have_text("The lead was created.")
    assert is_fine(owner)

    head = operator.head(tenant)
    changes = page.locator(".timeline .change")
    page.get_by_text("Edit details").click()
    press(owner, "Save")
    expect(page.get_by_role("status")).to_have_text("The lead was saved.")
    assert operator.head(tenant) == head, "nothing was"
    page.get_by_text("Edit details").click()
    page.get_by_label("Notes").fill("Pre-approved up to 450k")
    press(owner, "Save")
    expect(page.get_by_role("status")).to_have_text("The lead was saved.")
    expect(changes.filter(has_text="Pre-approved up to 450k").locator("del")).to_have_text("Pre-approved")
    head += 1
    page.get_by_text("Edit details").click()
    page.get_by_label("Assigned to").select_option("Ana Agent")
    press(owner, "Save")
    expect(page.get_by_role("status")).to_have_text("The lead was saved.")
    expect(changes.filter(has_text="Assigned to").locator("ins")).to_have_text("Ana Agent")
    assert operator.head(tenant) == head + 1
    press(owner, "Convert to contact")
    expect(page.get_by_role("status")).to_have_text("The lead was converted, and its contact was created.")
    assert is_fine(owner)
    page.locator("dd a[href^='/admin/contacts/']").click()
    expect(page.locator("input[name=email]")).to_have_value("jane@example.com")
    assert is_fine(owner)
    follow(owner, "New task")
    page.get_by_label("Title").fill("Call her")
    page.get_by_label("Due").fill("2025-03-09T03:30:00")
    press(owner, "Create task")
    expect(page.get_by_label("Due")).to_have_value("2025-03-09T03:30")
    head = operator.head(tenant)
    press(owner, "Save")
    expect(page.get_by_role("status")).to_have_text("The task was saved.")
    assert operator.head(tenant) == head, "nothing was"
    press(owner, "Complete")
    expect(page.get_by_role("status")).to_have_text("The task was completed.")
    assert is_fine(owner)


def test_every_kind_of_page_fits_and_changes_nothing_by_itself(
    owner: Visitor, server: Server, operator: Operator, tenant: Tenant
) -> None:
    long = "w" * 90
    lines = "\n First\r\nsecond\rthird\n"
    house = {"title": long, "address": long, "city": long, "state": "ID", "price": 9999999999999.99, "mlsId": long}
    paths = ["/admin/settings", "/admin/users", "/admin/users/new"]
    for kind, fields in (
        ("properties", house),
        ("contacts", {"firstName": long, "lastName": long, "tags": [long, long], "phone": long}),
        ("showings", {"name": lines, "phone": "1", "startsAt": "2025-03-09T10:00:00", "message": lines}),
        ("tasks", {"title": long, "dueDate": "2025-01-20T10:30:00Z", "description": lines}),
    ):
        made = server.by_key(tenant, "POST", f"/api/{kind}", fields)
        paths += [f"/admin/{kind}", f"/admin/{kind}/new", f"/admin/{kind}/{made.json['id']}"]
    head = operator.head(tenant)
    for path in paths:
        owner.go(path)
        assert is_fine(owner), path
        save = owner.page.get_by_role("button", name="Save", exact=True)
        if save.count():
            save.click()
            expect(owner.page.get_by_role("status")).to_contain_text("was saved.")
    assert operator.head(tenant) == head, "whatever a browser makes of what stands there, nothing was typed"
    owner.go("/admin/users")
    owner.page.get_by_role("main").get_by_role("link", name="Sam Somebody").click()
    expect(owner.page.get_by_label("Name", exact=True)).to_have_value("Sam Somebody")
    assert is_fine(owner)


@pytest.mark.parametrize("visitor", [PHONE], indirect=True, ids=["phone"])
def test_a_brokerage_is_opened(visitor: Visitor, operator: Operator) -> None:
    admin = joined(operator, PLATFORM, "platform_admin")
    log_in(visitor, "/admin/brokerages/new", admin)
    expect(heading(visitor)).to_have_text("New brokerage")
    assert is_fine(visitor)
    slug = f"browsers-{admin.number}"
    visitor.page.get_by_label("Name", exact=True).fill("Browsers")
    visitor.page.get_by_label("Slug").fill(slug)
    visitor.page.get_by_label("Plan").select_option("Elite")
    press(visitor, "Create brokerage")
    expect(visitor.page.get_by_role("status")).to_have_text("The brokerage was created.")
    assert is_fine(visitor)
    follow(visitor, "Brokerages")
    expect(visitor.page.get_by_text(slug)).to_be_visible()
    assert is_fine(visitor)


@pytest.mark.parametrize("visitor", [DESKTOP], indirect=True, ids=["desktop"])
def test_by_keyboard_to_the_content_and_out(
    visitor: Visitor, operator: Operator, tenant: Tenant, server: Server
) -> None:
    owner, page = visitor, visitor.page
    log_in(owner, "/admin/webhooks", joined(operator, tenant.id, "brokerage_owner"))
    expect(heading(owner)).to_have_text("Webhooks")
    follow(owner, "Today")
    expect(heading(owner)).to_have_text("Today")
    assert is_fine(owner)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("aureum", True, "Lax")
    assert page.evaluate("document.cookie") == ""

    if page.get_by_role("button", name="More", exact=True).is_visible():
        press(owner, "More")
    press(owner, "Log out")

    expect(page).to_have_title("Log in – Aureum")
    assert page.context.cookies() == [] and is_fine(owner)
    assert opens(server, cookie["value"]) == 401
    owner.go("/admin/settings/api-keys")
    expect(page).to_have_title("Log in – Aureum")
