"""Tours in the Leads API: requested on a page, listed, read as they are and as they were, changed."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from tests.http.api.tours.tour_requests import (
    TOUR,
    as_listed,
    changed,
    form,
    listed_property,
    requested,
    showing_of,
    tour_of,
)
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
STARTS_AT = "starts_at"
NO_TOUR = "There is no such tour."


def refused(answer: Answer) -> tuple[str, str]:
    """The only problem of a 422: where, and its text."""
    assert answer.status == 422, answer.body
    (item,) = answer.detail
    place, name = item["loc"]
    assert place in ("body", "query", "path") and item["type"], item
    return name, item["msg"]


def test_the_documents_example_gets_the_documents_six_keys(server: Server, tenant: Tenant) -> None:
    answer = server.ask("POST", "/api/tours", TOUR, host=tenant.domain)

    assert answer.status == 200
    made = answer.json
    assert list(made) == ["id", "listing_id", "name", "email", "status", "created_at"]
    assert type(made["id"]) is int and TIME.fullmatch(made["created_at"])
    assert made == made | {"listing_id": "202412345", "name": "Jane Doe", "email": "jane@example.com"}
    assert made["status"] == "pending"
    found = server.by_key(tenant, "GET", f"/api/tours/{made['id']}")
    assert found.etag == '"v1"'
    assert found.json["routing"]["reason"].startswith("No agent can take leads now")
    shown = as_listed(found.json)
    assert shown == TOUR | made | {
        "starts_at": None,
        "time_zone": None,
        "property_id": None,
        "updated_at": made["created_at"],
        "assigned_agent_id": None,
        "lead_id": None,
    }
    assert server.by_key(tenant, "GET", "/api/tours").json == [shown]


def test_only_what_the_document_requires_is_required(server: Server, tenant: Tenant) -> None:
    required = ("listing_id", "name", "email")
    null = requested(server, tenant, **dict.fromkeys(TOUR.keys() - set(required)))
    answer = server.ask("POST", "/api/tours", {name: TOUR[name] for name in required}, host=tenant.domain)

    for number in (null, answer.json["id"]):
        tour = tour_of(server, tenant, number)
        assert (tour["phone"], tour["preferred_date"], tour["preferred_time"], tour["message"]) == (None,) * 4


@pytest.mark.parametrize(
    ("fields", "name", "text"),
    [
        ({"listing_id": None}, "listing_id", "none is not an allowed value"),
        ({"listing_id": True}, "listing_id", "str type expected"),
        ({"listing_id": " "}, "listing_id", "ensure this value has at least 1 characters"),
        ({"listing_id": "x" * 101}, "listing_id", "ensure this value has at most 100 characters"),
        ({"name": ""}, "name", "ensure this value has at least 1 characters"),
        ({"email": "jane"}, "email", "value is not a valid email address"),
        ({"preferred_date": "2025-02-29"}, "preferred_date", "invalid date format"),
        ({"preferred_date": "20241230"}, "preferred_date", "invalid date format"),
        ({"preferred_date": "2024-W52-1"}, "preferred_date", "invalid date format"),
        ({"preferred_date": "tomorrow"}, "preferred_date", "invalid date format"),
        ({"preferred_date": 20241230}, "preferred_date", "str type expected"),
        (
            {"preferred_date": "1969-12-31"},
            "preferred_date",
            "preferred_date must be a date such as 2024-12-30, in the years 1970 to 2200.",
        ),
        ({"message": "x" * 20_001}, "message", "ensure this value has at most 20000 characters"),
    ],
)
def test_a_refused_form_names_the_field_and_leaves_nothing_behind(
    server: Server, tenant: Tenant, operator: Operator, fields: dict[str, Any], name: str, text: str
) -> None:
    before = operator.head(tenant)

    assert refused(form(server, tenant, **fields)) == (name, text)

    assert operator.head(tenant) == before


@pytest.mark.parametrize(("phone", "kept"), [(2085550456, "2085550456"), ([], None), ("call me", "call me")])
def test_a_bad_phone_never_refuses_a_tour(server: Server, tenant: Tenant, phone: Any, kept: str | None) -> None:
    assert tour_of(server, tenant, requested(server, tenant, phone=phone))["phone"] == kept


def test_words_for_a_time_and_any_listing_are_kept_as_given(server: Server, tenant: Tenant) -> None:
    words, listing = " after work, 5-ish — or «later» ", "0 01'; --"

    number = requested(server, tenant, preferred_time=words, listing_id=listing)

    assert tour_of(server, tenant, number)["preferred_time"] == words
    assert [tour["id"] for tour in listed(server, tenant, f"?listing_id={quote(listing)}")] == [number]


def test_a_listing_that_is_one_property_of_the_brokerage_is_linked_to_it(
    server: Server, tenant: Tenant, operator: Operator
) -> None:
    house = listed_property(server, tenant, mlsId="202412345", mls="imls")
    listed_property(server, operator.brokerage(), mlsId="7")
    for mls in ("imls", "other"):
        listed_property(server, tenant, mlsId="0202412345", mls=mls)

    linked = {listing: requested(server, tenant, listing_id=listing) for listing in ("202412345", "0202412345", "7")}

    found = {listing: tour_of(server, tenant, number)["property_id"] for listing, number in linked.items()}
    assert found == {"202412345": house, "0202412345": None, "7": None}


def test_a_form_sent_twice_with_one_key_is_one_tour(server: Server, tenant: Tenant) -> None:
    key = {"Idempotency-Key": "once"}

    first, again = (form(server, tenant, key) for _ in range(2))
    other = form(server, tenant, key, name="John Doe")

    assert again.body == first.body and again.headers["idempotent-replayed"] == "true"
    assert other.json["id"] != first.json["id"]
    assert len(listed(server, tenant)) == 2


def listed(server: Server, tenant: Tenant, query: str = "") -> list[dict[str, Any]]:
    """A list of tours."""
    answer = server.by_key(tenant, "GET", f"/api/tours{query}")
    assert answer.status == 200, answer.body
    tours: list[dict[str, Any]] = answer.json
    return tours


def test_the_list_has_filters_and_pages_like_every_list(server: Server, tenant: Tenant, operator: Operator) -> None:
    made = [requested(server, tenant, listing_id=f"{number % 2}") for number in range(4)]
    changed(server, tenant, made[0], status="cancelled")
    agent = operator.staff(tenant.id, "agent")
    changed(server, tenant, made[1], assigned_agent_id=agent.number)

    whole = listed(server, tenant)

    assert [tour["id"] for tour in whole] == made[::-1]
    alone = [as_listed(tour_of(server, tenant, number)) for number in made[::-1]]
    assert whole == alone == listed(server, tenant, "?limit=500")
    assert [tour["assigned_agent_id"] for tour in whole] == [None, None, agent.number, None]
    assert [tour["id"] for tour in listed(server, tenant, "?status=cancelled")] == [made[0]]
    assert [tour["id"] for tour in listed(server, tenant, "?listing_id=1")] == [made[3], made[1]]
    assert listed(server, tenant, "?updatedSince=2200-01-01") == []
    first = server.by_key(tenant, "GET", "/api/tours?limit=1&listing_id=1")
    path = first.headers["link"].partition(">")[0].removeprefix("<")
    assert [tour["id"] for tour in first.json + server.by_key(tenant, "GET", path).json] == [made[3], made[1]]
    known = {"If-None-Match": first.etag}
    assert server.by_key(tenant, "GET", "/api/tours?limit=1&listing_id=1", headers=known).status == 304


@pytest.mark.parametrize(
    "query", ["status=done", "status=%20", "listing_id=%00", "limit=0", "cursor=x", "updatedSince=x"]
)
def test_a_bad_parameter_is_named(server: Server, operator: Operator, query: str) -> None:
    name, _ = refused(server.by_key(operator.shared, "GET", f"/api/tours?{query}"))

    assert name == query.partition("=")[0]


def test_who_may_ask(server: Server, tenant: Tenant, operator: Operator) -> None:
    number = requested(server, tenant)
    starter = operator.brokerage("Starter")
    for path in ("/api/tours", f"/api/tours/{number}", f"/api/tours/{number}.ics"):
        assert server.ask("GET", path, host=tenant.domain).status == 401
        assert server.by_key(starter, "GET", path).status == 403
    broker = operator.staff(starter.id, "broker")
    own = requested(server, starter)
    assert server.ask("GET", f"/api/tours/{own}", headers=broker.bearer).json["id"] == own
    for path in (f"/api/tours/{number}", f"/api/tours/{number}.ics"):
        answer = server.ask("GET", path, headers=broker.bearer)
        assert (answer.status, answer.detail) == (404, NO_TOUR)


def test_an_agent_sees_and_changes_only_his_or_her_own(server: Server, tenant: Tenant, operator: Operator) -> None:
    own, other = requested(server, tenant), requested(server, tenant)
    agent = operator.staff(tenant.id, "agent")
    changed(server, tenant, own, assigned_agent_id=agent.number)

    assert [tour["id"] for tour in server.ask("GET", "/api/tours", headers=agent.bearer).json] == [own]
    assert server.ask("GET", f"/api/tours/{own}", headers=agent.bearer).json["assigned_agent_id"] == agent.number
    for method, path, body in (
        ("GET", f"/api/tours/{other}", None),
        ("GET", f"/api/tours/{other}.ics", None),
        ("PATCH", f"/api/tours/{other}", {STARTS_AT: "2025-03-09T02:30:00"}),
    ):
        answer = server.ask(method, path, body, agent.bearer)
        assert (answer.status, answer.detail) == (404, NO_TOUR), path
    assert server.ask("PATCH", f"/api/tours/{own}", {"status": "confirmed"}, agent.bearer).status == 200


@pytest.mark.parametrize(("number", "status"), [("0", 404), (str(2**63), 404), ("x", 422), ("-1", 422), ("1.5", 422)])
def test_a_number_of_no_tour(server: Server, operator: Operator, number: str, status: int) -> None:
    for path in (f"/api/tours/{number}", f"/api/tours/{number}.ics"):
        assert server.by_key(operator.shared, "GET", path).status == status


def test_a_tour_is_confirmed_without_a_time_and_takes_place(server: Server, tenant: Tenant) -> None:
    number = requested(server, tenant)

    for status in ("pending", "confirmed", "confirmed", "completed"):
        tour = changed(server, tenant, number, status=status)

    assert (tour["status"], tour[STARTS_AT]) == ("completed", None)
    assert server.by_key(tenant, "GET", f"/api/tours/{number}").etag == '"v3"'
    for status in ("pending", "confirmed", "cancelled"):
        answer = server.by_key(tenant, "PATCH", f"/api/tours/{number}", {"status": status})
        assert (answer.status, answer.detail) == (
            409,
            f"A completed tour cannot become {status}: completed is final.",
        )


def test_one_save_is_one_append_and_is_seen_in_both_dialects(
    server: Server, tenant: Tenant, operator: Operator
) -> None:
    number = requested(server, tenant)
    agent = operator.staff(tenant.id, "agent")
    before = tour_of(server, tenant, number)
    change = {
        "status": "confirmed",
        "preferred_date": "2025-03-09",
        "preferred_time": None,
        STARTS_AT: "2025-03-09T10:00",
        "assigned_agent_id": agent.number,
        "name": "ignored",
    }

    answer = server.by_key(tenant, "PATCH", f"/api/tours/{number}", change)

    assert (answer.status, answer.etag) == (200, '"v4"')
    tour = answer.json
    assert list(tour) == list(before)
    assert tour == before | change | {
        STARTS_AT: "2025-03-09T16:00:00Z",
        "time_zone": "America/Boise",
        "name": "Jane Doe",
        "updated_at": tour["updated_at"],
    }
    assert tour == tour_of(server, tenant, number)
    showing = showing_of(server, tenant)
    assert (showing["startsAt"], showing["assignedToId"]) == ("2025-03-09T16:00:00.000Z", agent.id)
    head = operator.head(tenant)
    same = server.by_key(tenant, "PATCH", f"/api/tours/{number}", change | {STARTS_AT: tour[STARTS_AT]})
    assert (same.status, same.json, operator.head(tenant)) == (200, tour, head)


def test_a_tour_may_be_moved_and_called_off_at_once_but_not_moved_afterwards(server: Server, tenant: Tenant) -> None:
    number = requested(server, tenant)

    tour = changed(server, tenant, number, status="cancelled", preferred_date="2025-01-02")

    assert (tour["status"], tour["preferred_date"]) == ("cancelled", "2025-01-02")
    answer = server.by_key(tenant, "PATCH", f"/api/tours/{number}", {"preferred_date": None})
    assert (answer.status, answer.detail) == (409, "A cancelled tour cannot be rescheduled: cancelled is final.")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"status": None}, "status"),
        ({"status": "done"}, "status"),
        ({"preferred_date": "2025-13-01"}, "preferred_date"),
        ({STARTS_AT: "tomorrow"}, STARTS_AT),
        ({STARTS_AT: "1969-12-31T10:00:00"}, STARTS_AT),
        ({STARTS_AT: "2025-02-30T10:00:00"}, STARTS_AT),
        ({STARTS_AT: "2025-03-09T10:00:00+15:00"}, STARTS_AT),
        ({STARTS_AT: "1" * 41}, STARTS_AT),
        ({STARTS_AT: 1}, STARTS_AT),
        ({"assigned_agent_id": "1"}, "assigned_agent_id"),
        ({"assigned_agent_id": True}, "assigned_agent_id"),
        ({"assigned_agent_id": 2**63}, "assigned_agent_id"),
        ({"assigned_agent_id": 10**30}, "assigned_agent_id"),
    ],
)
def test_a_refused_change_names_the_field(
    server: Server, tenant: Tenant, operator: Operator, change: dict[str, Any], name: str
) -> None:
    number = requested(server, tenant)
    before = operator.head(tenant)

    assert refused(server.by_key(tenant, "PATCH", f"/api/tours/{number}", change))[0] == name

    assert operator.head(tenant) == before


def test_an_unknown_agent_is_refused_like_a_foreign_one(server: Server, tenant: Tenant, operator: Operator) -> None:
    number, foreign = requested(server, tenant), operator.staff(operator.brokerage().id, "agent")
    ((brokerage,),) = operator.rows("SELECT number FROM brokerages WHERE tenant_id = %(tenant)s", tenant=tenant.id)

    for agent in (foreign.number, 0, -1, 10**15, -(10**15)):
        answer = server.by_key(tenant, "PATCH", f"/api/tours/{number}", {"assigned_agent_id": agent})
        assert answer.status == 400
        assert answer.detail == f"Agent {agent} does not belong to brokerage {brokerage}"


def test_no_agent_shows_it_any_more(server: Server, tenant: Tenant, operator: Operator) -> None:
    number = requested(server, tenant)
    changed(server, tenant, number, assigned_agent_id=operator.staff(tenant.id, "broker").number)

    assert changed(server, tenant, number, assigned_agent_id=None)["assigned_agent_id"] is None


def test_a_tour_as_it_was(server: Server, tenant: Tenant, operator: Operator) -> None:
    agent, number = operator.staff(tenant.id, "agent"), requested(server, tenant)
    changed(server, tenant, number, assigned_agent_id=agent.number)
    was = tour_of(server, tenant, number)
    moment = showing_of(server, tenant)["updatedAt"]
    while showing_of(server, tenant)["updatedAt"] == moment:
        # Within one millisecond there is no telling the moments apart.
        changed(server, tenant, number, preferred_time=f"{operator.head(tenant)}", assigned_agent_id=None)

    answer = server.by_key(tenant, "GET", f"/api/tours/{number}?asOf={moment}")

    assert (answer.status, answer.json["assigned_agent_id"]) == (200, agent.number)
    assert list(answer.json) == list(was)
    assert tour_of(server, tenant, number)["assigned_agent_id"] is None
    assert server.by_key(tenant, "GET", f"/api/tours/{number}?asOf=2020-01-01").status == 404


def test_only_the_version_that_was_seen_is_changed(server: Server, tenant: Tenant) -> None:
    path = f"/api/tours/{requested(server, tenant)}"
    seen = server.by_key(tenant, "GET", path).etag

    first = server.by_key(tenant, "PATCH", path, {"status": "confirmed"}, {"If-Match": seen})
    second = server.by_key(tenant, "PATCH", path, {"status": "cancelled"}, {"If-Match": seen})

    assert (first.status, second.status) == (200, 412)
    assert server.by_key(tenant, "GET", path, headers={"If-None-Match": first.etag}).status == 304


def test_two_who_decide_at_once_do_not_both_win(server: Server, proxied: Server, tenant: Tenant) -> None:
    path = f"/api/tours/{requested(server, tenant)}"
    changed(server, tenant, int(path.rpartition("/")[2]), status="confirmed")

    def step(number: int) -> int:
        status = ("completed", "cancelled")[number % 2]
        return (server, proxied)[number % 2].by_key(tenant, "PATCH", path, {"status": status}).status

    with ThreadPoolExecutor(2) as clients:
        assert sorted(clients.map(step, range(2))) == [200, 409]


def test_a_page_of_the_brokerages_own_may_ask_from_a_browser(server: Server, tenant: Tenant) -> None:
    origin = {"Origin": f"https://{tenant.domain}"}

    assert form(server, tenant, origin).headers["access-control-allow-origin"] == origin["Origin"]
    assert (
        "access-control-allow-origin" not in form(server, tenant, {"Origin": "https://elsewhere.example.com"}).headers
    )
