"""The menu: each entry is a page that its roles may open, and the entry of the page that is open is marked."""

import pytest

from aureum.domain.ids import PLATFORM
from aureum.http.panel.navigation import EVERYONE, PLACES, menu, place_of
from aureum.http.panel.pages import PAGES
from aureum.http.panel.statuses import STATUSES, initials, status_of
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import as_staff
from tests.http.serving import Server


@pytest.mark.parametrize("role", EVERYONE)
def test_each_entry_is_a_page_that_the_role_may_open(
    server: Server, operator: Operator, tenant: Tenant, role: str
) -> None:
    at = PLATFORM if role == "platform_admin" else tenant.id
    reader = as_staff(server, operator.staff(at, role), tenant.domain)
    offered = [entry.place for part in menu(role, "/admin") for entry in part.entries]
    assert len(offered) >= 8 and {place.path for place in PLACES} <= {page.path for page in PAGES}
    overview = reader.read("/admin")
    for place in offered:
        assert place.path in overview.links
        reading = reader.read(place.path)
        assert reading.said("a", **{"aria-current": "page"})[:1] == [place.label], place
    assert [place for place in PLACES if place not in offered and place.path in overview.links] == []


def test_the_page_of_one_thing_belongs_to_its_list() -> None:
    for path, label in (
        ("/admin", "Today"),
        ("/admin/leads/c1", "Leads"),
        ("/admin/settings", "Settings"),
        ("/admin/settings/api-keys/c1", "API keys"),
    ):
        place = place_of(path)
        assert place is not None and place.label == label
    assert place_of("/admin/account") is None


def test_no_two_statuses_of_a_kind_look_the_same() -> None:
    for shown in STATUSES.values():
        assert len({one.icon for one in shown.values()}) == len(shown) == len({one.word for one in shown.values()})
    assert status_of("lead", "no_such").word == "No such"


def test_initials_of_any_name() -> None:
    assert [initials(name) for name in ("Ana Maria Agent", "jo", "", "-", "élan ß")] == ["AA", "J", "?", "?", "ÉSS"]
