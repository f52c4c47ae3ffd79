"""The everyday tasks of an office, each from Today by real clicks, and none by more than three.

A click is what leads on: a link, a button, what opens a part of the page, Enter that sends a form. What is filled in is
free. Each task is done on both screens; screen, scheme, script and role go round by task, so that any two of
them meet. ``make test-browser`` does each task in all combinations.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from aureum.domain.ids import PLATFORM
from aureum.http.panel.navigation import EVERYONE, OFFICE, OWNERS
from tests.browser.combinations import ALL, SCHEMES, Combination
from tests.browser.visitor import DESKTOP, PHONE, Visitor, visiting
from tests.domain.test_images import png
from tests.http.api.staff.logins import PASSWORD, joined, token
from tests.http.api.webhooks.hooks import made
from tests.http.api.webhooks.test_deliveries import Hook
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.browser

MOST_CLICKS = 3
BAR = 56
"""The height of the bar at the bottom of a phone, in pixels."""

BOISE = ZoneInfo("America/Boise")
NUMBERS = count(1)
NEW_PASSWORD = "four unrelated quiet words"


@dataclass
class Office:
    """A brokerage in which everything of these tests happens, with one user of each role, and an agent besides."""

    server: Server
    operator: Operator
    tenant: Tenant
    staff: dict[str, Staff]
    other: Staff

    @classmethod
    def opened(cls, server: Server, operator: Operator) -> "Office":
        tenant = operator.brokerage()
        at = {role: PLATFORM if role == "platform_admin" else tenant.id for role in EVERYONE}
        staff = {role: operator.staff(at[role], role, f"Wanda {role.title()}") for role in EVERYONE}
        return cls(server, operator, tenant, staff, operator.staff(tenant.id, "agent", "Bert Helper"))

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.server.by_key(self.tenant, method, path, body)
        assert answer.status < 300, answer.body
        return answer.json


@dataclass
class Walker:
    """A user at Today. ``clicks`` are those since then."""

    visitor: Visitor
    office: Office
    way: Combination
    number: int = field(default_factory=lambda: next(NUMBERS))
    clicks: int = 0

    @property
    def page(self) -> Page:
        return self.visitor.page

    @property
    def name(self) -> str:
        """Of a person or thing that only this walk is about."""
        return f"Maria Gomez {self.number:03}"

    @property
    def phone(self) -> str:
        return f"208-555-{self.number:04}"

    def press(self, one: Locator) -> None:
        """One click."""
        self.clicks += 1
        one.click()

    def link(self, name: str | re.Pattern[str], within: str = "main") -> None:
        self.press(self.page.locator(within).get_by_role("link", name=name, exact=True).first)

    def button(self, name: str) -> None:
        self.press(self.page.locator("main").get_by_role("button", name=name, exact=True).locator("visible=true").first)

    def menu(self, name: str) -> None:
        """A place of the menu, which a phone shows under More."""
        link = self.page.locator("header nav").get_by_role("link", name=name, exact=True)
        if not link.is_visible():
            self.press(self.page.get_by_role("button", name="More", exact=True))
        self.press(link)

    def fill(self, label: str, text: str) -> None:
        self.page.locator("main").get_by_label(label).locator("visible=true").first.fill(text)

    def said(self, text: str) -> None:
        expect(self.page.get_by_role("status").filter(has_text=text)).to_be_visible()

    def lead(self, **fields: Any) -> str:
        """A new lead, which the user may see; its id."""
        mine = {"assignedToId": self.office.staff["agent"].id} if self.way.role == "agent" else {}
        person = {"name": self.name, "phone": self.phone, "email": f"maria{self.number}@example.com"}
        return str(self.office.ask("POST", "/api/leads", person | mine | fields)["id"])

    def today(self) -> None:
        """Where each task begins."""
        self.visitor.go("/admin")
        self.clicks = 0

    def lead_now(self, lead_id: str) -> Any:
        return self.office.ask("GET", f"/api/leads/{lead_id}")


def invite_an_agent(walker: Walker) -> None:
    walker.menu("Users")
    walker.fill("Name", walker.name)
    walker.fill("Email", f"invited{walker.number}@example.com")
    walker.button("Send invitation")
    walker.said("The invitation was sent.")
    expect(walker.page.get_by_role("heading", level=1)).to_have_text(walker.name)


def set_specialties(walker: Walker) -> None:
    walker.link("Bert Helper", "#agents")
    walker.fill("Specialties", f"horse property, lake {walker.number}")
    walker.button("Save")
    walker.said("The agent was saved.")
    expect(walker.page.get_by_label("Specialties")).to_have_value(f"horse property, lake {walker.number}")


def find_a_lead_by_phone(walker: Walker) -> None:
    walker.lead()
    walker.menu("Leads")
    # The first row of work stands on the first screen.
    first = walker.page.locator("table.leads tbody tr").first.bounding_box()
    assert first is not None and first["y"] + first["height"] < walker.way.screen["height"] - BAR
    search = walker.page.get_by_role("searchbox")
    search.fill(walker.phone[-8:].replace("-", ""))
    if not walker.way.script:
        walker.clicks += 1
        search.press("Enter")
    expect(walker.page.locator("table.leads tbody tr")).to_have_count(1)
    expect(walker.page.locator("table.leads").get_by_role("link", name=walker.name, exact=True)).to_be_visible()


def assign_a_lead(walker: Walker) -> None:
    lead = walker.lead()
    walker.today()
    walker.link(walker.name)
    walker.page.get_by_label("Assign to").select_option("Bert Helper")
    walker.button("Assign")
    walker.said("assigned" if walker.way.role != "agent" else "saved")
    assert walker.lead_now(lead)["assignedToId"] == walker.office.other.id


def call(walker: Walker) -> None:
    walker.lead()
    # A tab that was sent to a telephone does not follow the next link: this one is closed.
    tab = walker.page.context.new_page()
    tab.goto(f"{walker.visitor.site}/admin")
    dial = tab.get_by_role("link", name=f"Call {walker.name}, {walker.phone}")
    expect(dial).to_have_attribute("href", f"tel:{walker.phone.replace('-', '')}")
    walker.press(dial)
    tab.close()


def note_what_was_said(walker: Walker) -> None:
    lead = walker.lead()
    walker.today()
    walker.link(walker.name)
    walker.fill("Note, or what was said", "called, wants 3 bed")
    walker.button("Save note")
    expect(walker.page.locator(".timeline .said").first).to_have_text("called, wants 3 bed")
    assert walker.office.ask("GET", f"/api/leads/{lead}/activities")[0]["text"] == "called, wants 3 bed"


def follow_up_on_friday(walker: Walker) -> None:
    lead = walker.lead()
    walker.today()
    walker.link(walker.name)
    walker.button("Friday 9:00")
    walker.said("The task was added.")
    (task,) = walker.office.ask("GET", f"/api/tasks?leadId={lead}")
    due = datetime.fromisoformat(task["dueDate"]).astimezone(BOISE)
    assert (due.weekday(), due.hour, due.minute) == (4, 9, 0)


def schedule_a_showing_and_send_the_calendar_file(walker: Walker) -> None:
    walker.lead()
    walker.today()
    walker.link(walker.name)
    walker.link("New showing for this lead")
    walker.fill("Starts at", "2027-01-18T09:30")
    walker.button("Create and send the calendar file")
    walker.said("the calendar file is on its way to the visitor")
    expect(walker.page.locator(".timeline")).to_contain_text("Sent the visitor the calendar file")
    expect(walker.page.locator("dd").first).to_contain_text("18 Jan 2027, 09:30")


def lost_with_a_reason(walker: Walker) -> None:
    lead = walker.lead()
    walker.today()
    walker.link(walker.name)
    walker.press(walker.page.locator("details.lost summary"))
    walker.page.locator("details.lost select").select_option("timing")
    walker.button("Mark as lost")
    walker.said("The status was changed.")
    now = walker.lead_now(lead)
    assert (now["status"], now["lostReason"]) == ("lost", "timing")


def leads_nobody_has_answered(walker: Walker) -> None:
    walker.lead()
    walker.today()
    expect(walker.page.locator("#unanswered").get_by_role("link", name=walker.name, exact=True)).to_be_visible()


def showings_of_this_week(walker: Walker) -> None:
    day = datetime.now(BOISE).date()
    # Neither is another week's.
    other = day + timedelta(days=1 if day.weekday() == 0 else -1)
    mine = {"assignedToId": walker.office.staff["agent"].id} if walker.way.role == "agent" else {}
    person = {"email": f"maria{walker.number}@example.com"} | mine
    for when, name in ((day, walker.name), (other, f"{walker.name} Other")):
        walker.office.ask(
            "POST", "/api/showings", person | {"name": name, "startsAt": f"{when}T{8 + walker.number % 9:02}:00"}
        )
    walker.menu("Showings")
    if walker.way.screen == PHONE:
        walker.link("Week")
    for name in (walker.name, f"{walker.name} Other"):
        expect(walker.page.locator(".calendar").get_by_role("link", name=name, exact=True)).to_be_visible()


def export_leads(walker: Walker) -> None:
    walker.lead()
    walker.menu("Leads")
    with walker.page.expect_download() as download:
        walker.link("Export as CSV")
    assert walker.name.split()[2] in download.value.path().read_text("utf-8-sig")


def change_name_and_logo(walker: Walker) -> None:
    walker.menu("Settings")
    walker.fill("Name", f"Teton Homes {walker.number}")
    logo = FilePayload(name="logo.png", mimeType="image/png", buffer=png())
    walker.page.get_by_label("Logo").set_input_files(logo)
    walker.button("Save")
    walker.said("The brokerage was saved.")
    expect(walker.page.locator(".brand strong")).to_have_text(f"Teton Homes {walker.number}")
    expect(walker.page.get_by_role("img", name=f"The logo of Teton Homes {walker.number}")).to_be_visible()


def make_an_api_key(walker: Walker) -> None:
    walker.menu("API keys")
    walker.fill("Name", walker.name)
    walker.button("Create key")
    expect(walker.page.locator(".secret")).to_have_text(re.compile("aur_"))


def add_a_webhook(walker: Walker) -> None:
    walker.menu("Webhooks")
    walker.fill("URL", f"https://example.com/hooks/{walker.number}")
    walker.page.get_by_label("All lead events").check()
    walker.button("Create webhook")
    expect(walker.page.locator(".secret")).to_have_text(re.compile("whsec_"))


def why_a_webhook_fails(walker: Walker) -> None:
    url = f"https://example.com/broken/{walker.number}"
    webhook = made(walker.office.server, walker.office.tenant, url=url)["id"]
    hook = Hook(walker.office.server, walker.office.operator, walker.office.tenant, webhook)
    hook.told(10_000 + walker.number)
    hook.tried(10_000 + walker.number, 1, "failed", "http_5xx")
    walker.menu("Webhooks")
    walker.link(url)
    expect(walker.page.get_by_role("cell", name="500 the endpoint had an error of its own")).to_be_visible()


def change_the_password(walker: Walker) -> None:
    user = joined(walker.office.operator, walker.office.tenant.id, walker.way.role)
    session = token(walker.office.server, user)["Authorization"].removeprefix("Bearer ")
    context = walker.page.context
    before = context.cookies()
    context.add_cookies([{"name": "aureum", "value": session, "url": walker.visitor.site}])
    try:
        walker.today()
        walker.menu("Sam Somebody")
        walker.fill("Current password", PASSWORD)
        walker.page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
        walker.fill("New password again", NEW_PASSWORD)
        walker.button("Change password")
        walker.said("Your password was changed.")
    finally:
        context.add_cookies(before)  # type: ignore[arg-type]  # what the library gives it takes


def undo_a_mistake(walker: Walker) -> None:
    lead = walker.lead()
    walker.today()
    walker.link(walker.name)
    walker.button("Qualified")
    walker.said("The status was changed.")
    assert walker.lead_now(lead)["status"] == "qualified"
    walker.button("Undo")
    walker.said("The change was undone.")
    assert walker.lead_now(lead)["status"] == "new"


def who_changed_a_price(walker: Walker) -> None:
    house = {"title": walker.name, "address": "1 Palm Dr", "city": "Kuna", "state": "ID", "price": 450_000}
    made_id = walker.office.ask("POST", "/api/properties", house)["id"]
    by = walker.office.staff["broker"]
    path = f"/api/properties/{made_id}"
    assert walker.office.server.ask("PATCH", path, {"price": 440_000}, by.bearer).status == 200
    walker.menu("Properties")
    walker.link(walker.name)
    entry = walker.page.locator("#history .entry").first
    expect(entry).to_contain_text("Wanda Broker")
    expect(entry.locator("del")).to_have_text("$450,000")
    expect(entry.locator("ins")).to_have_text("$440,000")


def print_mondays_report(walker: Walker) -> None:
    walker.menu("Reports")
    walker.link("Last week")
    monday = datetime.now(BOISE).date()
    monday -= timedelta(days=monday.weekday() + 7)
    expect(walker.page.locator(".head .soft").first).to_contain_text(f"{monday} to {monday + timedelta(days=6)}")
    # The rest is the browser's: what goes to the printer is the report alone.
    walker.page.emulate_media(media="print")
    expect(walker.page.get_by_role("heading", name="Over time")).to_be_visible()
    for hidden in ("header nav", ".toolbar"):
        expect(walker.page.locator(hidden).first).to_be_hidden()
    walker.page.emulate_media(media="screen")


class Task(NamedTuple):
    """A task, and the roles that may do it."""

    roles: Sequence[str]
    do: Callable[[Walker], None]


LOGGED_IN_HERE = tuple(role for role in EVERYONE if role != "platform_admin")
"""Whose password is of a user of this brokerage."""

TASKS = (
    Task(OWNERS, invite_an_agent),
    Task(OFFICE, set_specialties),
    Task(EVERYONE, find_a_lead_by_phone),
    Task(EVERYONE, assign_a_lead),
    Task(EVERYONE, call),
    Task(EVERYONE, note_what_was_said),
    Task(EVERYONE, follow_up_on_friday),
    Task(EVERYONE, schedule_a_showing_and_send_the_calendar_file),
    Task(EVERYONE, lost_with_a_reason),
    Task(EVERYONE, leads_nobody_has_answered),
    Task(EVERYONE, showings_of_this_week),
    Task(EVERYONE, export_leads),
    Task(OWNERS, change_name_and_logo),
    Task(OWNERS, make_an_api_key),
    Task(OWNERS, add_a_webhook),
    Task(OWNERS, why_a_webhook_fails),
    Task(LOGGED_IN_HERE, change_the_password),
    Task(EVERYONE, undo_a_mistake),
    Task(EVERYONE, who_changed_a_price),
    Task(EVERYONE, print_mondays_report),
)


def ways_of(place: int, roles: Sequence[str]) -> Iterator[Combination]:
    """How the task at *place* is done."""
    if ALL:
        for role in roles:
            for screen in (DESKTOP, PHONE):
                for scheme in SCHEMES:
                    for script in (True, False):
                        yield Combination(role, screen, scheme, script)
        return
    scheme, script = SCHEMES[place % 2], place // 2 % 2 == 0
    yield Combination(roles[place % len(roles)], DESKTOP, scheme, script)
    yield Combination(roles[(place + 1) % len(roles)], PHONE, SCHEMES[1 - place % 2], not script)


@pytest.fixture(scope="module")
def office(server: Server, operator: Operator) -> Office:
    return Office.opened(server, operator)


@dataclass
class Browsers:
    """A browser for each way, logged in once."""

    browser: Browser
    office: Office
    stack: ExitStack
    open: dict[str, Visitor] = field(default_factory=dict)

    def walker(self, way: Combination) -> Walker:
        if str(way) not in self.open:
            site = f"http://{self.office.tenant.domain}:{self.office.server.port}"
            visit = visiting(self.browser, site, way.screen, way.scheme, script=way.script)
            visitor = self.open[str(way)] = self.stack.enter_context(visit)
            cookie = self.office.staff[way.role].token
            visitor.page.context.add_cookies([{"name": "aureum", "value": cookie, "url": site}])
        return Walker(self.open[str(way)], self.office, way)


@pytest.fixture(scope="module")
def browsers(browser: Browser, office: Office) -> Iterator[Browsers]:
    with ExitStack() as stack:
        yield Browsers(browser, office, stack)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.do.__name__)
def test_a_task_takes_three_clicks(browsers: Browsers, task: Task) -> None:
    for way in ways_of(TASKS.index(task), task.roles):
        walker = browsers.walker(way)
        walker.today()
        task.do(walker)
        assert walker.clicks <= MOST_CLICKS, f"{way}: {walker.clicks} clicks"
        assert walker.visitor.fits() and walker.visitor.errors == [], (str(way), walker.visitor.errors)


@dataclass
class Typist:
    """A user without a mouse."""

    page: Page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def into_the_page(self, title: str) -> None:
        """Past the menu of the page with this *title*, by the first link of the page."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)
        self.press("Tab")
        expect(self.page.get_by_role("link", name="Skip to the content")).to_be_focused()
        self.press("Enter")

    def reach(self, one: Locator) -> None:
        """On from what has the focus, until *one* has it."""
        wanted = one.element_handle()
        for _ in range(MOST_TABS):
            self.press("Tab")
            if wanted.evaluate("one => one === document.activeElement"):
                return
        raise AssertionError(f"{one} is not reached by the keyboard")

    def type(self, one: Locator, text: str) -> None:
        """Into a field, or to choose what begins so."""
        self.reach(one)
        self.page.keyboard.type(text)

    def push(self, one: Locator) -> None:
        self.reach(one)
        self.press("Enter")


MOST_TABS = 150


@pytest.fixture
def typist(browsers: Browsers) -> tuple[Walker, Typist]:
    walker = browsers.walker(Combination("brokerage_owner", DESKTOP, "light", script=True))
    walker.today()
    return walker, Typist(walker.page)


def test_the_first_ten_by_keyboard_alone(typist: tuple[Walker, Typist]) -> None:
    walker, keys = typist
    page, main = walker.page, walker.page.locator("main")

    def button(name: str) -> Locator:
        return main.get_by_role("button", name=name, exact=True).locator("visible=true").first

    # Invite an agent: by the search, which finds pages as well.
    keys.press("/")
    page.keyboard.type("users")
    expect(page.locator("#find-dialog #found a").first).to_have_attribute("href", "/admin/users")
    keys.press("Enter")
    keys.into_the_page("Users")
    keys.type(main.get_by_label("Name", exact=True), walker.name)
    keys.type(main.get_by_label("Email"), f"typed{walker.number}@example.com")
    keys.push(button("Send invitation"))
    walker.said("The invitation was sent.")

    # Set specialties.
    walker.today()
    keys.into_the_page("Today")
    keys.push(main.locator("#agents").get_by_role("link", name="Bert Helper", exact=True))
    keys.into_the_page("Bert Helper")
    keys.type(main.get_by_label("Specialties"), "lakes")
    keys.push(button("Save"))
    walker.said("The agent was saved.")

    # Find a lead by phone. It is also in the list of unanswered leads, and can be called from there.
    lead = walker.lead()
    walker.today()
    expect(main.locator("#unanswered").get_by_role("link", name=walker.name, exact=True)).to_be_visible()
    keys.into_the_page("Today")
    keys.reach(main.get_by_role("link", name=f"Call {walker.name}, {walker.phone}"))
    keys.press("Control+k")
    page.keyboard.type(walker.phone)
    expect(page.locator("#find-dialog #found a").first).to_contain_text(walker.name)
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(walker.name)

    # Assign it: "a" leads to the agent, and a typed name chooses.
    keys.press("a")
    expect(main.get_by_label("Assign to")).to_be_focused()
    page.keyboard.type("Bert")
    keys.push(button("Assign"))
    walker.said("The lead was assigned.")
    assert walker.lead_now(lead)["assignedToId"] == walker.office.other.id

    keys.press("n")
    page.keyboard.type("called, wants 3 bed")
    keys.push(button("Save note"))
    expect(main.locator(".timeline .said").first).to_have_text("called, wants 3 bed")

    keys.press("t")
    keys.push(button("Friday 9:00"))
    walker.said("The task was added.")

    # Schedule a showing and send the calendar file.
    keys.into_the_page(walker.name)
    keys.push(main.get_by_role("link", name="New showing for this lead"))
    keys.into_the_page("New showing")
    keys.type(main.get_by_label("Starts at"), "01182027")
    keys.press("ArrowRight")
    page.keyboard.type("0930AM")
    keys.push(button("Create and send the calendar file"))
    walker.said("the calendar file is on its way to the visitor")
    expect(main.locator("dd").first).to_contain_text("18 Jan 2027, 09:30")

    # Lost with a reason.
    walker.visitor.go(f"/admin/leads/{lead}")
    keys.into_the_page(walker.name)
    keys.push(main.locator("details.lost summary"))
    keys.type(main.locator("details.lost select"), "Timing")
    keys.push(button("Mark as lost"))
    walker.said("The status was changed.")
    assert walker.lead_now(lead)["lostReason"] == "timing"
    assert walker.visitor.errors == []
