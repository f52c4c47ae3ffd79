"""The showings of a calendar: those of a span of time in its order, those without a time, and the no-show."""

from typing import Any

from tests.http.api.tours.test_showings import entered
from tests.http.api.tours.tour_requests import HOUSE, listed_property, requested, showing_of
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

WEEK = "from=2025-03-03&before=2025-03-10"


def calendar(server: Server, tenant: Tenant, query: str = WEEK, **headers: str) -> dict[str, Any]:
    answer = server.ask("GET", f"/api/showings/calendar?{query}", headers=headers or tenant.bearer)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def names(showings: list[dict[str, Any]]) -> list[str]:
    return [showing["name"] for showing in showings]


def test_the_showings_of_a_week_stand_in_the_order_of_their_times(server: Server, tenant: Tenant) -> None:
    house = listed_property(server, tenant, timeZone="America/New_York")
    for name, start in {
        "Late": "2025-03-09T21:59:59",
        "After": "2025-03-10T00:00:00",
        "First": "2025-03-03",
        "Before": "2025-03-02T23:59:59",
    }.items():
        entered(server, tenant, name=name, startsAt=start)
    entered(server, tenant, name="East", startsAt="2025-03-09T10:00:00", propertyId=house)

    found = calendar(server, tenant)

    assert names(found["showings"]) == ["First", "East", "Late"]
    assert [one["place"] for one in found["showings"]] == [None, f"{HOUSE['address']}, {HOUSE['city']}", None]
    assert (found["more"], found["unscheduled"]) == (False, [])
    first = found["showings"][0]
    moved = server.by_key(tenant, "PATCH", f"/api/showings/{first['id']}", {"startsAt": "2025-03-04T09:00"})
    assert moved.status == 200
    refused = server.by_key(
        tenant, "PATCH", f"/api/showings/{first['id']}", {"startsAt": "2025-03-05T09:00"}, {"If-Match": first["etag"]}
    )
    assert refused.status == 412


def test_what_has_no_time_waits_until_it_is_over(server: Server, tenant: Tenant) -> None:
    requested(server, tenant, name="Form")
    showing = showing_of(server, tenant)
    confirmed = entered(server, tenant, name="Confirmed", status="confirmed")
    entered(server, tenant, name="Done", status="completed")

    assert names(calendar(server, tenant)["unscheduled"]) == ["Confirmed", "Form"]
    for one, change in ((showing, {"startsAt": "2025-03-04T09:00"}), (confirmed, {"status": "cancelled"})):
        assert server.by_key(tenant, "PATCH", f"/api/showings/{one['id']}", change).status == 200

    found = calendar(server, tenant)
    assert (names(found["showings"]), found["unscheduled"]) == (["Form"], [])


def test_an_agent_sees_no_showing_of_a_colleague(server: Server, tenant: Tenant, operator: Operator) -> None:
    ana, abe = (operator.staff(tenant.id, "agent", name) for name in ("Ana", "Abe"))
    for name, agent in {"Of Ana": ana, "Of Abe": abe}.items():
        entered(server, tenant, name=name, startsAt="2025-03-04T09:00", assignedToId=agent.id)
        entered(server, tenant, name=f"{name} too", assignedToId=agent.id)

    own = calendar(server, tenant, **ana.bearer)
    foreign = calendar(server, tenant, f"{WEEK}&assignedToId={abe.id}", **ana.bearer)
    by_key = calendar(server, tenant, f"{WEEK}&assignedToId={abe.id}")

    assert (names(own["showings"]), names(own["unscheduled"])) == (["Of Ana"], ["Of Ana too"])
    assert (foreign["showings"], foreign["unscheduled"]) == ([], [])
    assert names(by_key["showings"]) == ["Of Abe"]


def test_a_visitor_who_did_not_come(server: Server, tenant: Tenant) -> None:
    showing = entered(server, tenant, startsAt="2025-03-04T09:00", status="confirmed")
    path = f"/api/showings/{showing['id']}"

    once, twice = (server.by_key(tenant, "POST", f"{path}/no-show") for _ in range(2))

    assert (once.status, once.json["status"], once.json["noShow"]) == (200, "cancelled", True)
    assert (twice.status, twice.etag, once.etag) == (200, '"v2"', '"v2"')
    assert server.by_key(tenant, "GET", path).json == once.json
    assert server.by_key(tenant, "GET", "/api/showings?status=cancelled").json == [once.json]
    (tour,) = server.by_key(tenant, "GET", "/api/tours").json
    assert (tour["status"], tour["no_show"]) == ("cancelled", True)
    over = entered(server, tenant, status="completed")
    refused = server.by_key(tenant, "POST", f"/api/showings/{over['id']}/no-show")
    assert (refused.status, refused.error) == (
        409,
        "A completed tour cannot become a no-show: completed is final.",
    )
