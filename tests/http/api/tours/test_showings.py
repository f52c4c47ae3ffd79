"""Showings: tours in the Aureum API. Entered, listed, read, changed; every refusal in this API's own words."""

from typing import Any

import pytest

from aureum.domain.ids import aureum_time, from_wire
from aureum.domain.wall_time import start_of
from tests.http.api.tours.tour_requests import as_listed, changed, form, listed_property, requested, showing_of, tour_of
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server

JANE = {"name": "Jane Doe", "email": "jane@example.com"}
"""The least that a showing needs."""

STATUSES = "pending, confirmed, completed, cancelled"
NO_PROPERTY = "propertyId must be the id of a property of this brokerage."
NO_USER = "assignedToId must be the id of a user of this brokerage."
NO_START = (
    "startsAt must be a date and a time such as 2025-03-09T10:00:00, in the property's local time, or "
    "2025-03-09T16:00:00Z, or a date such as 2025-03-09, which means midnight there."
)


def entered(server: Server, tenant: Tenant, **fields: Any) -> dict[str, Any]:
    """A new showing, as it was answered."""
    answer = server.by_key(tenant, "POST", "/api/showings", JANE | fields)
    assert answer.status == 201, answer.body
    showing: dict[str, Any] = answer.json
    return showing


def refused(answer: Answer) -> str:
    """The sentence of a 400."""
    assert answer.status == 400, answer.body
    return answer.error


def test_a_showing_is_answered_whole_and_is_a_tour_too(server: Server, tenant: Tenant, operator: Operator) -> None:
    agent, house = operator.staff(tenant.id, "agent"), listed_property(server, tenant, timeZone="America/New_York")
    fields = {
        "listingId": "202412345",
        "propertyId": house,
        "name": "Jane Doe",
        "email": "jane@example.com",
        "phone": "208-555-0456",
        "preferredDate": "2025-03-09",
        "preferredTime": "morning",
        "startsAt": "2025-03-09T10:00:00",
        "assignedToId": agent.id,
        "status": "confirmed",
        "message": "Both of us",
    }

    answer = server.by_key(tenant, "POST", "/api/showings", fields)

    assert (answer.status, answer.etag) == (201, '"v1"')
    showing = answer.json
    assert showing == fields | {
        "id": showing["id"],
        "startsAt": "2025-03-09T14:00:00.000Z",
        "timeZone": "America/New_York",
        "createdAt": showing["createdAt"],
        "updatedAt": showing["createdAt"],
    }
    path = f"/api/showings/{showing['id']}"
    assert server.by_key(tenant, "GET", path).json == showing == showing_of(server, tenant)
    (tour,) = server.by_key(tenant, "GET", "/api/tours").json
    assert (tour["starts_at"], tour["time_zone"]) == ("2025-03-09T14:00:00Z", "America/New_York")
    assert (tour["assigned_agent_id"], tour["property_id"]) == (agent.number, house)
    moment = showing["createdAt"]
    assert server.by_key(tenant, "GET", f"{path}?asOf={moment}").json == showing
    assert server.by_key(tenant, "GET", f"{path}?asOf=2020-01-01").status == 404


def test_the_least_that_a_showing_needs(server: Server, tenant: Tenant) -> None:
    null = ("listingId", "propertyId", "preferredDate", "preferredTime", "startsAt", "assignedToId", "message")

    showing = entered(server, tenant, **dict.fromkeys(null), status=None, email=None, phone="208-555-0456")

    assert showing["status"] == "pending"
    assert {name: showing[name] for name in (*null, "timeZone")} == dict.fromkeys((*null, "timeZone"))
    (tour,) = server.by_key(tenant, "GET", "/api/tours").json
    assert (tour["listing_id"], tour["email"]) == (None, None)


def test_a_form_and_its_showing_are_one(server: Server, tenant: Tenant) -> None:
    number = requested(server, tenant)
    showing = showing_of(server, tenant)

    answer = server.by_key(tenant, "PATCH", f"/api/showings/{showing['id']}", {"listingId": "7", "email": None})

    shown = as_listed(answer.json)
    assert shown == showing | {"listingId": "7", "email": None, "updatedAt": answer.json["updatedAt"]}
    tour = tour_of(server, tenant, number)
    assert (tour["listing_id"], tour["email"]) == ("7", None)
    assert server.by_key(tenant, "GET", "/api/showings?listingId=7").json == [shown]
    assert server.by_key(tenant, "GET", "/api/showings?listingId=202412345").json == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": None}, "name is required and must not be null."),
        ({"email": None}, "email or phone is required."),
        ({"email": None, "phone": " "}, "email or phone is required."),
        ({"phone": 2085550456}, "phone must be a string."),
        ({"listingId": 7}, "listingId must be a string."),
        ({"propertyId": "nothing"}, NO_PROPERTY),
        ({"propertyId": "c" + "0" * 25}, NO_PROPERTY),
        ({"assignedToId": "nobody"}, NO_USER),
        ({"status": "done"}, f'status must be one of: {STATUSES}; got "done".'),
        ({"preferredDate": "2025-02-29"}, "preferredDate must be a date such as 2025-01-15."),
        (
            {"preferredDate": "2201-01-01"},
            "preferredDate must be a date such as 2024-12-30, in the years 1970 to 2200.",
        ),
        ({"startsAt": "soon"}, NO_START),
        ({"startsAt": "2201-01-01T00:00:00Z"}, "startsAt must be in the years 1970 to 2200."),
        ({"startsAt": "2025-01-01T24:01"}, "startsAt must be a day and a time of day that exist."),
        (
            {"startsAt": "2025-03-09T02:30:00"},
            "startsAt is a time that does not exist: clocks in America/Boise skip 2025-03-09T02:30:00 on that "
            "day. The next valid time is 2025-03-09T03:00:00.",
        ),
    ],
)
def test_a_refusal_names_the_field_as_it_is_called_here(
    server: Server, tenant: Tenant, operator: Operator, fields: dict[str, Any], sentence: str
) -> None:
    showing = entered(server, tenant)
    before = operator.head(tenant)

    assert refused(server.by_key(tenant, "POST", "/api/showings", JANE | fields)) == sentence
    if not fields.keys() & {"name", "email"}:
        assert refused(server.by_key(tenant, "PATCH", f"/api/showings/{showing['id']}", fields)) == sentence

    assert operator.head(tenant) == before


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"name": None}, 400, "name must not be null. Leave it out to keep its value."),
        ({"status": None}, 400, "status must not be null. Leave it out to keep its value."),
        (
            {"email": None},
            400,
            "email and phone cannot both be removed.",
        ),
        ({"status": "completed"}, 409, "A pending tour can become confirmed or cancelled, not completed."),
    ],
)
def test_a_change_may_be_refused(
    server: Server, tenant: Tenant, operator: Operator, change: dict[str, Any], status: int, sentence: str
) -> None:
    path = f"/api/showings/{entered(server, tenant)['id']}"
    before = operator.head(tenant)

    answer = server.by_key(tenant, "PATCH", path, change | {"message": "not kept either"})

    assert (answer.status, answer.error, operator.head(tenant)) == (status, sentence, before)


def test_what_is_of_another_brokerage_is_not_there(server: Server, tenant: Tenant, operator: Operator) -> None:
    other = operator.brokerage()
    foreign = entered(server, other)
    house, agent = listed_property(server, other), operator.agent(other, "Max")

    for method, body in (("GET", None), ("PATCH", {"startsAt": "soon"}), ("PATCH", {})):
        answer = server.by_key(tenant, method, f"/api/showings/{foreign['id']}", body)
        assert (answer.status, answer.error) == (404, "There is no such showing.")
    for fields, sentence in (({"propertyId": house}, NO_PROPERTY), ({"assignedToId": agent}, NO_USER)):
        assert refused(server.by_key(tenant, "POST", "/api/showings", JANE | fields)) == sentence


def test_an_agent_enters_and_finds_what_is_his_or_hers(server: Server, tenant: Tenant, operator: Operator) -> None:
    agent = operator.staff(tenant.id, "agent")
    other = entered(server, tenant)

    own = server.ask("POST", "/api/showings", JANE, agent.bearer).json["id"]
    given = entered(server, tenant, assignedToId=agent.id)["id"]

    assert server.ask("GET", "/api/showings", headers=agent.bearer).ids == [given, own]
    assert server.ask("GET", f"/api/showings?assignedToId={agent.id}", headers=agent.bearer).ids == [given]
    assert server.ask("GET", f"/api/showings/{own}", headers=agent.bearer).status == 200
    # What is wrong with the change must not tell that there is something to change.
    for method, body in (("GET", None), ("PATCH", {"startsAt": "soon"})):
        answer = server.ask(method, f"/api/showings/{other['id']}", body, agent.bearer)
        assert (answer.status, answer.error) == (404, "There is no such showing.")


def test_a_showing_that_was_entered_once_is_not_entered_again(server: Server, tenant: Tenant) -> None:
    key = {"Idempotency-Key": "once"}

    first, again = (server.by_key(tenant, "POST", "/api/showings", JANE, key) for _ in range(2))
    other = server.by_key(tenant, "POST", "/api/showings", JANE | {"message": "x"}, key)

    assert (first.status, again.status, again.json, again.etag) == (201, 201, first.json, '"v1"')
    assert other.status == 409
    assert server.by_key(tenant, "GET", "/api/showings").ids == [first.json["id"]]


def test_pages_and_status(server: Server, tenant: Tenant) -> None:
    made = [entered(server, tenant, status=status)["id"] for status in STATUSES.split(", ")]

    for place, status in enumerate(STATUSES.split(", ")):
        assert server.by_key(tenant, "GET", f"/api/showings?status={status}&limit=5").ids == [made[place]]
    page = server.by_key(tenant, "GET", "/api/showings?limit=3")
    path = page.headers["link"].partition(">")[0].removeprefix("<")
    assert page.ids + server.by_key(tenant, "GET", path).ids == made[::-1]
    assert refused(server.by_key(tenant, "GET", "/api/showings?status=x")).startswith(
        f"status must be one of: {STATUSES}"
    )


def test_a_stale_change_is_refused(server: Server, tenant: Tenant) -> None:
    path = f"/api/showings/{entered(server, tenant)['id']}"

    first = server.by_key(tenant, "PATCH", path, {"status": "confirmed"}, {"If-Match": '"v1"'})

    assert (first.status, first.etag) == (200, '"v2"')
    assert server.by_key(tenant, "PATCH", path, {"status": "cancelled"}, {"If-Match": '"v1"'}).status == 412
    assert server.by_key(tenant, "GET", path, headers={"If-None-Match": '"v2"'}).status == 304


def test_the_phone_is_kept_as_a_number_too(server: Server, tenant: Tenant, operator: Operator) -> None:
    showing = entered(server, tenant, phone="(208) 555-0456")
    tour_id = from_wire(showing["id"])
    assert tour_id is not None

    server.by_key(tenant, "PATCH", f"/api/showings/{showing['id']}", {"phone": "208.555.0457"})

    async def phones(store: Any) -> list[str]:
        stream = await store.load(tenant.id, tour_id)
        return [stream.events[0].event.phone_e164, stream.aggregate().phone_e164]

    assert operator.run(phones) == ["+12085550456", "+12085550457"]


class TestFixedTimes:
    """``startsAt``: wall time where the property is, or an instant."""

    def test_the_zone_is_the_propertys_or_else_the_brokerages(self, server: Server, tenant: Tenant) -> None:
        east = listed_property(server, tenant, timeZone="America/New_York")
        here = listed_property(server, tenant)
        wall = "2025-07-01T10:00"

        zones = {zone: entered(server, tenant, startsAt=wall, propertyId=zone) for zone in (east, here, None)}

        assert [(one["startsAt"], one["timeZone"]) for one in zones.values()] == [
            ("2025-07-01T14:00:00.000Z", "America/New_York"),
            ("2025-07-01T16:00:00.000Z", "America/Boise"),
            ("2025-07-01T16:00:00.000Z", "America/Boise"),
        ]

    def test_a_new_property_counts_at_once_and_a_fixed_time_stays(self, server: Server, tenant: Tenant) -> None:
        east = listed_property(server, tenant, timeZone="America/New_York")
        showing = entered(server, tenant, startsAt="2025-07-01T10:00")
        path = f"/api/showings/{showing['id']}"

        moved = server.by_key(tenant, "PATCH", path, {"propertyId": east}).json
        fixed = server.by_key(tenant, "PATCH", path, {"startsAt": "2025-07-01T10:00"}).json
        both = server.by_key(tenant, "PATCH", path, {"startsAt": "2025-07-01T11:00", "propertyId": None}).json

        assert [(one["startsAt"], one["timeZone"]) for one in (moved, fixed, both)] == [
            ("2025-07-01T16:00:00.000Z", "America/Boise"),
            ("2025-07-01T14:00:00.000Z", "America/New_York"),
            ("2025-07-01T17:00:00.000Z", "America/Boise"),
        ]

    def test_null_clears_it(self, server: Server, tenant: Tenant) -> None:
        showing = entered(server, tenant, startsAt="2025-07-01T10:00", preferredDate="2025-07-01")

        cleared = server.by_key(tenant, "PATCH", f"/api/showings/{showing['id']}", {"startsAt": None}).json

        assert (cleared["startsAt"], cleared["timeZone"], cleared["preferredDate"]) == (None, None, "2025-07-01")

    @pytest.mark.parametrize(
        ("text", "instant"),
        [
            ("2025-03-09T01:59:59", "2025-03-09T08:59:59.000Z"),
            ("2025-03-09T03:00", "2025-03-09T09:00:00.000Z"),
            ("2025-03-09T09:00:00Z", "2025-03-09T09:00:00.000Z"),
            # The hour that happens twice: the first, unless the offset says otherwise.
            ("2025-11-02T01:30:00", "2025-11-02T07:30:00.000Z"),
            ("2025-11-02T01:30:00-07:00", "2025-11-02T08:30:00.000Z"),
            ("2025-11-02T02:00:00", "2025-11-02T09:00:00.000Z"),
        ],
    )
    def test_both_sides_of_a_change_of_the_clock(self, server: Server, tenant: Tenant, text: str, instant: str) -> None:
        number = requested(server, tenant)

        tour = changed(server, tenant, number, starts_at=text)

        assert showing_of(server, tenant)["startsAt"] == instant
        assert tour["starts_at"] == instant.replace(".000Z", "Z")
        assert aureum_time(start_of(text, tour["time_zone"]).instant) == instant
        # What is shown may be sent back.
        assert changed(server, tenant, number, starts_at=tour["starts_at"]) == tour

    def test_a_time_that_clocks_jump_over_is_refused_in_the_leads_api_too(self, server: Server, tenant: Tenant) -> None:
        number = form(server, tenant).json["id"]

        answer = server.by_key(tenant, "PATCH", f"/api/tours/{number}", {"starts_at": "2025-03-09T02:30:00"})

        assert answer.status == 422
        (item,) = answer.detail
        assert (item["loc"], item["type"]) == (["body", "starts_at"], "value_error")
        assert item["msg"].startswith("starts_at is a time that does not exist")
        assert item["msg"].endswith("The next valid time is 2025-03-09T03:00:00.")
