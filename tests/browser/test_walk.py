"""Every page of the panel in Chromium: axe-core finds nothing, the console stays silent, nothing is scrolled sideways,
the first row of work is on the first screen, what is pressed on a phone is large enough, and the page is light."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Response

from aureum.domain.ids import PLATFORM
from aureum.http.panel.navigation import OWNERS, PLACES
from aureum.http.panel.page import Page
from aureum.http.panel.pages import PAGES
from tests.browser.combinations import ALL, SHOWN, Combination, ways
from tests.browser.visitor import PHONE, Visitor, visiting
from tests.clients.tools import installed
from tests.http.operator import Operator
from tests.http.panel.test_every_page import OWNERS_STEP, Brokerage
from tests.http.serving import Server

pytestmark = pytest.mark.browser

MOST_BYTES = 100_000

TARGET = 44
BAR = 56
"""The height of the bar at the bottom of a phone, in pixels."""

OWN_OF_AGENTS = ("/admin/leads/{", "/admin/tasks/{", "/admin/showings/{", "/admin/activities/{", "/admin/pond/{")
"""What begins like these is another user's here, and so not an agent's."""

AXE = """
async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.flatMap(
  ({id, nodes}) => nodes.map(({html}) => `${id}: ${html.slice(0, 160)}`))
"""

WORK = """
main :is(tbody tr, .items > li, [data-key], .empty, .timeline li, .free, .waiting > li, .showing, .field, dl, .tile,
.card, section)
"""

FIRST_ROW = """
(selector) => {
  const first = [...document.querySelectorAll(selector)].find((one) => one.checkVisibility());
  return first ? first.getBoundingClientRect().top + scrollY : null;
}
"""

SMALL = """
(target) => [...document.querySelectorAll(
    'button, .button, input:not([type=hidden], [type=checkbox], [type=radio], [type=range]), select, nav a, .chip')]
  .filter((one) => one.checkVisibility({visibilityProperty: true}) && one.getBoundingClientRect().width > 1)
  .filter((one) => Math.round(one.getBoundingClientRect().height) < target)
  .map((one) => `${Math.round(one.getBoundingClientRect().height)}px: ${one.outerHTML.slice(0, 120)}`)
"""

BYTES = """
() => performance.getEntriesByType("navigation").concat(performance.getEntriesByType("resource"))
  .reduce((sum, one) => sum + one.encodedBodySize, 0)
"""


@pytest.fixture(scope="module")
def here(server: Server, operator: Operator) -> Brokerage:
    return Brokerage.opened(server, operator)


@pytest.fixture(scope="module")
def axe() -> str:
    return (installed().folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


def roles_of(one: Page) -> list[str]:
    """Who may open a page: as the menu says of the place that it belongs to."""
    allowed = {place.path: place.roles for place in PLACES}
    of = max((path for path in allowed if one.path.startswith(path)), key=len)
    roles = OWNERS if one.path.startswith("/admin/settings") or one.path.endswith(OWNERS_STEP) else allowed[of]
    return [role for role in roles if role != "agent" or not one.path.startswith(OWN_OF_AGENTS)]


class Case(NamedTuple):
    """A page, and how it is looked at in one test."""

    page: Page
    ways: Sequence[Combination]
    name: str


@dataclass
class Walk:
    """Visitors by the way they look at pages, each logged in once."""

    browser: Browser
    here: Brokerage
    stack: ExitStack
    visitors: dict[str, Visitor] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def visitor(self, way: Combination) -> Visitor:
        if str(way) not in self.visitors:
            site = f"http://{self.here.tenant.domain}:{self.here.server.port}"
            visit = visiting(self.browser, site, way.screen, way.scheme, script=way.script)
            visitor = self.visitors[str(way)] = self.stack.enter_context(visit)
            visitor.page.context.add_cookies([{"name": "aureum", "value": self.token(way.role), "url": site}])
        return self.visitors[str(way)]

    def token(self, role: str) -> str:
        if role not in self.tokens:
            at = PLATFORM if role == "platform_admin" else self.here.tenant.id
            self.tokens[role] = self.here.operator.staff(at, role, f"Wanda {role.title()}").token
        return self.tokens[role]


@pytest.fixture(scope="module")
def walk(browser: Browser, here: Brokerage) -> Iterator[Walk]:
    with ExitStack() as stack:
        yield Walk(browser, here, stack)


def problems(visitor: Visitor, answer: Response | None, way: Combination, axe: str) -> Iterator[str]:
    """What is wrong with the page that *visitor* sees."""
    page = visitor.page
    if answer is None or answer.status != 200:
        yield f"status {answer and answer.status}"
        return
    if way.script:
        page.evaluate(axe)
        found: list[str] = page.evaluate(AXE)
        yield from found
    if not visitor.fits():
        yield f"{page.evaluate('document.documentElement.scrollWidth')} pixels wide"
    if way.screen == PHONE:
        top: float | None = page.evaluate(FIRST_ROW, WORK)
        if top is None or top + TARGET > PHONE["height"] - BAR:
            yield f"the first row of work begins at {top}"
        yield from page.evaluate(SMALL, TARGET)
    size = page.evaluate(BYTES)
    if size > MOST_BYTES:
        yield f"{size} bytes"
    yield from visitor.errors
    visitor.errors.clear()


def cases() -> Sequence[Case]:
    """Each page that needs a login. Where it is looked at in all ways, those of each role are a test of their own, so
    that none takes long."""
    found: list[Case] = []
    for one in SHOWN:
        if not one.anyone:
            by_role: dict[str, list[Combination]] = {}
            for way in ways(PAGES.index(one), roles_of(one)):
                by_role.setdefault(f" {way.role}" if ALL else "", []).append(way)
            found += (Case(one, chosen, one.path + role) for role, chosen in by_role.items())
    return found


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_every_page(walk: Walk, here: Brokerage, axe: str, case: Case) -> None:
    path = here.path(case.page)
    wrong: list[str] = []
    for way in case.ways:
        visitor = walk.visitor(way)
        answer = visitor.page.goto(visitor.site + path)
        wrong += [f"{way}: {problem}" for problem in problems(visitor, answer, way, axe)]
    assert not wrong, "\n".join([path, *wrong])
