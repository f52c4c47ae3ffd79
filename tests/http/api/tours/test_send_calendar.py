"""The calendar file is sent to the visitor: what the log says, and when it is refused."""

from typing import Any

from icalendar import Calendar

from aureum.domain.ids import from_wire
from aureum.domain.tour import IS_OVER, NEVER_SENT, NO_ADDRESS, NOT_FIXED, SENT_OFTEN
from aureum.store.event_store import EventStore
from tests.http.api.tours.test_showings import entered
from tests.http.api.tours.tour_requests import form, listed_property, showing_of
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server


def send(server: Server, tenant: Tenant, showing: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.by_key(tenant, "POST", f"/api/showings/{showing}/send-calendar", headers=named)


def event_of(file: bytes) -> Any:
    """The event of a file that is to be taken in."""
    calendar = Calendar.from_ical(file)
    assert isinstance(calendar, Calendar) and calendar["METHOD"] == "PUBLISH"
    (event,) = calendar.events
    return event


def test_it_is_sent_three_times_a_day_with_nothing_that_the_visitor_typed(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    house = listed_property(server, tenant)
    form(server, tenant, listing_id="<b>buy</b>", preferred_time="http://evil.example", name="Jane http://evil.example")
    showing = showing_of(server, tenant)["id"]
    path = f"/api/showings/{showing}"
    assert send(server, tenant, showing).error == NOT_FIXED
    fixed = {"startsAt": "2027-01-18T09:30", "propertyId": house, "status": "confirmed"}
    assert server.by_key(tenant, "PATCH", path, fixed).status == 200

    sent = send(server, tenant, showing, Idempotency_Key="once")
    again = send(server, tenant, showing, Idempotency_Key="once")

    assert sent.status == 200 and again.headers["idempotent-replayed"] == "true"
    last = server.by_key(tenant, "GET", f"{path}/history").json[-1]
    assert (last["type"], last["undoable"]) == ("tour.calendar_sent", False)
    found = from_wire(showing)
    assert found is not None

    async def last_event(store: EventStore) -> Any:
        return (await store.load(tenant.id, found)).events[-1].event

    event = operator.run(last_event)
    assert (event.sent_to, event.place, event.start) == (
        "jane@example.com",
        "123 Palm Dr, Beverly Hills, CA",
        "2027-01-18T09:30:00",
    )
    for typed in ("evil", "buy", "Jane"):
        assert typed not in event.file
    told, own = event_of(event.file.encode()), event_of(server.by_key(tenant, "GET", f"{path}.ics").body)
    # The showing's own file, read later, updates what the visitor has.
    assert told["UID"] == own["UID"] and told["SEQUENCE"] < own["SEQUENCE"] and told["DTSTART"].dt == own["DTSTART"].dt
    assert [send(server, tenant, showing).status for _ in range(2)] == [200, 200]
    assert send(server, tenant, showing).error == SENT_OFTEN
    assert [one["event"] for one in server.by_key(tenant, "GET", "/api/events").json].count("showing.updated") == 1


def test_what_cannot_be_sent(server: Server, operator: Operator, tenant: Tenant) -> None:
    by_phone = entered(server, tenant, email=None, phone="208-555-0199", startsAt="2027-01-18T09:30")["id"]
    assert send(server, tenant, by_phone).error == NO_ADDRESS
    over = entered(server, tenant, startsAt="2025-01-18T09:30", status="completed")["id"]
    assert send(server, tenant, over).error == IS_OVER
    off = entered(server, tenant, startsAt="2027-01-18T09:30")["id"]
    assert server.by_key(tenant, "PATCH", f"/api/showings/{off}", {"status": "cancelled"}).status == 200
    assert send(server, tenant, off).error == NEVER_SENT
    agent = operator.staff(tenant.id, "agent")
    path = f"/api/showings/{over}/send-calendar"
    assert server.ask("POST", path, headers=agent.bearer).status == 404, "another agent's"


def test_a_cancelled_one_leaves_the_calendar(server: Server, tenant: Tenant) -> None:
    showing = entered(server, tenant, startsAt="2027-01-18T09:30")["id"]
    assert send(server, tenant, showing).status == 200
    assert server.by_key(tenant, "PATCH", f"/api/showings/{showing}", {"status": "cancelled"}).status == 200
    assert send(server, tenant, showing).status == 200
