"""``GET /api/tours/{id}.ics``: what a calendar gets, and what makes it update what it has."""

from typing import Any

from icalendar import Calendar

from tests.http.api.tours.tour_requests import changed, listed_property, requested, showing_of
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server


def file_of(server: Server, tenant: Tenant, number: int, headers: dict[str, str] | None = None) -> Answer:
    """The calendar file of a tour, or a refusal."""
    return server.by_key(tenant, "GET", f"/api/tours/{number}.ics", headers=headers)


def event_of(answer: Answer) -> tuple[Calendar, Any]:
    """The file read again: the calendar and its only event."""
    assert answer.status == 200, answer.body
    calendar = Calendar.from_ical(answer.body)
    assert isinstance(calendar, Calendar) and not calendar.errors
    (event,) = calendar.events
    return calendar, event


def test_a_tour_with_a_fixed_time(server: Server, tenant: Tenant) -> None:
    listed_property(server, tenant, mlsId="202412345", zip="90210")
    number = requested(server, tenant)
    changed(server, tenant, number, status="confirmed", starts_at="2025-03-09T10:00")

    answer = file_of(server, tenant, number)

    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["content-disposition"] == f'inline; filename="tour-{number}.ics"'
    assert answer.headers["x-ratelimit-limit"] == "1000000"
    calendar, event = event_of(answer)
    assert calendar["METHOD"] == "PUBLISH"
    assert event["UID"] == f"{showing_of(server, tenant)['id']}@aureum.invalid"
    assert event["LOCATION"] == "123 Palm Dr, Beverly Hills, CA 90210"
    assert event["SUMMARY"] == "Tour of 123 Palm Dr, Beverly Hills, CA 90210 with Jane Doe"
    assert event["ORGANIZER"].params["CN"] == "Snake River Realty"
    assert (event["STATUS"], event["SEQUENCE"]) == ("CONFIRMED", 2)
    updated = showing_of(server, tenant)["updatedAt"]
    stamp = updated[:19].replace("-", "").replace(":", "")
    assert event["DTSTAMP"].to_ical().decode() == event["LAST-MODIFIED"].to_ical().decode() == f"{stamp}Z"
    assert b"\r\nDTSTART;TZID=America/Boise:20250309T100000\r\nDURATION:PT1H\r\n" in answer.body


def test_both_sides_of_a_change_of_the_clock(server: Server, tenant: Tenant) -> None:
    number = requested(server, tenant)
    starts = {
        "2025-03-09T00:30:00": b"DTSTART;TZID=America/Boise:20250309T003000",
        # The end would be read as a time that the clock jumps over.
        "2025-03-09T01:30:00": b"DTSTART:20250309T083000Z",
        "2025-03-09T03:30:00": b"DTSTART;TZID=America/Boise:20250309T033000",
        "2025-03-09T09:30:00Z": b"DTSTART;TZID=America/Boise:20250309T033000",
        # Calendars do not agree which of the two a wall time is.
        "2025-11-02T00:30:00": b"DTSTART:20251102T063000Z",
        "2025-11-02T01:30:00": b"DTSTART:20251102T073000Z",
        "2025-11-02T01:30:00-07:00": b"DTSTART:20251102T083000Z",
        "2025-11-02T02:30:00": b"DTSTART;TZID=America/Boise:20251102T023000",
    }

    for text, line in starts.items():
        changed(server, tenant, number, starts_at=text)
        answer = file_of(server, tenant, number)
        assert b"\r\n" + line + b"\r\n" in answer.body, text
        calendar, _ = event_of(answer)
        assert calendar.get_missing_tzids() == set()


def test_what_changes_raises_the_sequence_under_one_uid_until_it_is_called_off(server: Server, tenant: Tenant) -> None:
    number = requested(server, tenant)
    changes: tuple[dict[str, str], ...] = (
        {},
        {"preferred_date": "2025-01-02"},
        {"starts_at": "2025-01-02T10:00"},
        {"status": "confirmed"},
        {"status": "cancelled"},
    )
    files = []
    for change in changes:
        changed(server, tenant, number, **change)
        files.append(event_of(file_of(server, tenant, number)))

    assert [event["SEQUENCE"] for _, event in files] == [0, 1, 2, 3, 4]
    assert len({event["UID"] for _, event in files}) == 1
    assert [event["STATUS"] for _, event in files] == ["TENTATIVE"] * 3 + ["CONFIRMED", "CANCELLED"]
    assert [calendar["METHOD"] for calendar, _ in files] == ["PUBLISH"] * 4 + ["CANCEL"]


def test_without_a_fixed_time_it_takes_the_day_and_without_a_day_there_is_no_file(
    server: Server, tenant: Tenant
) -> None:
    number = requested(server, tenant)

    all_day = file_of(server, tenant, number)
    changed(server, tenant, number, preferred_date=None)
    refused = file_of(server, tenant, number)

    assert b"\r\nDTSTART;VALUE=DATE:20241230\r\nDTEND;VALUE=DATE:20241231\r\n" in all_day.body
    assert event_of(all_day)[1]["SUMMARY"] == "Tour of listing 202412345 with Jane Doe"
    assert (refused.status, refused.detail) == (
        409,
        "This tour has no date yet: set preferred_date or starts_at first.",
    )


def test_a_file_that_is_known_already_is_not_sent_again(server: Server, proxied: Server, tenant: Tenant) -> None:
    house = listed_property(server, tenant, mlsId="202412345")
    number = requested(server, tenant)
    first = file_of(server, tenant, number)

    same = file_of(proxied, tenant, number, {"If-None-Match": first.etag})
    head = server.by_key(tenant, "HEAD", f"/api/tours/{number}.ics")
    server.by_key(tenant, "PATCH", f"/api/properties/{house}", {"address": "125 Palm Dr"})
    server.by_key(tenant, "PATCH", f"/api/properties/{house}", {"price": 5})
    moved = file_of(server, tenant, number, {"If-None-Match": first.etag})

    assert (same.status, same.body, same.etag) == (304, b"", first.etag)
    assert (head.status, head.body, head.etag) == (200, b"", first.etag)
    assert (moved.status, event_of(moved)[1]["LOCATION"]) == (200, "125 Palm Dr, Beverly Hills, CA")


def test_what_a_visitor_wrote_adds_no_line_of_its_own(server: Server, tenant: Tenant) -> None:
    name = "Jane\r\nATTENDEE:mailto:x@example.com\r\nEND:VEVENT; \\, \u2028\x7f\x1b Doe"
    number = requested(server, tenant, name=name, preferred_time=name, listing_id="1\r\nX:2")

    _, event = event_of(file_of(server, tenant, number))

    assert "ATTENDEE" not in event and "X" not in event
    assert "Jane ATTENDEE:mailto:x@example.com END:VEVENT; \\," in event["SUMMARY"]


def test_the_address_takes_nothing_but_a_number_and_get(server: Server, tenant: Tenant, operator: Operator) -> None:
    number = requested(server, tenant)

    assert server.by_key(tenant, "GET", "/api/tours/x.ics").status == 422
    assert server.by_key(operator.brokerage(), "GET", f"/api/tours/{number}.ics").status == 404
    answer = server.by_key(tenant, "PATCH", f"/api/tours/{number}.ics", {})
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def newer(before: Any, after: Any) -> bool:
    """Whether a calendar that has *before* takes *after* in its place."""
    assert before["UID"] == after["UID"]
    stamps = [(event["DTSTAMP"].dt, event["LAST-MODIFIED"].dt) for event in (before, after)]
    return bool(after["SEQUENCE"] > before["SEQUENCE"] and stamps[1] >= stamps[0])


def test_whatever_the_file_shows_raises_the_sequence_when_it_changes(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    house = listed_property(server, tenant, mlsId="202412345")
    other = listed_property(server, tenant, mlsId="2", address="9 Elm St")
    for address in ("1 Elm St", "2 Elm St", "3 Elm St"):
        server.by_key(tenant, "PATCH", f"/api/properties/{house}", {"address": address})
    number = requested(server, tenant)
    showing = f"/api/showings/{showing_of(server, tenant)['id']}"
    owner = operator.staff(tenant.id, "brokerage_owner")
    _, event = event_of(file_of(server, tenant, number))
    assert event["SEQUENCE"] == 0, "what was before the tour does not count"

    def move(body: dict[str, Any], shown: str) -> None:
        nonlocal event
        before = event
        path = showing if "propertyId" in body else f"/api/properties/{body.pop('of')}"
        assert server.by_key(tenant, "PATCH", path, body).status == 200
        _, event = event_of(file_of(server, tenant, number))
        assert event.get("LOCATION", "") == shown
        assert newer(before, event), body

    move({"of": house, "address": "125 Palm Dr"}, "125 Palm Dr, Beverly Hills, CA")
    move({"of": house, "city": "Boise", "state": "ID", "zip": "83702"}, "125 Palm Dr, Boise, ID 83702")
    move({"propertyId": other}, "9 Elm St, Beverly Hills, CA")
    move({"of": other, "address": "10 Elm St"}, "10 Elm St, Beverly Hills, CA")
    move({"propertyId": None}, "")
    move({"propertyId": house}, "125 Palm Dr, Boise, ID 83702")

    ((brokerage,),) = operator.rows("SELECT number FROM brokerages WHERE tenant_id = %(id)s", id=tenant.id)
    before, path = event, f"/api/v1/admin/brokerages/{brokerage}"
    assert server.ask("PATCH", path, {"name": "Snake River Homes"}, owner.bearer).status == 200
    _, event = event_of(file_of(server, tenant, number))
    assert event["ORGANIZER"].params["CN"] == "Snake River Homes" and newer(before, event)

    same = event_of(file_of(server, tenant, number))[1]
    server.by_key(tenant, "PATCH", f"/api/properties/{house}", {"price": 5, "status": "PENDING"})
    server.by_key(tenant, "PATCH", f"/api/properties/{other}", {"address": "11 Elm St"})
    assert event_of(file_of(server, tenant, number))[1] == same, "what the file does not show leaves it as it is"


def test_what_is_called_off_after_its_date_was_removed_still_has_a_file(server: Server, tenant: Tenant) -> None:
    number = requested(server, tenant)
    changed(server, tenant, number, starts_at="2025-06-02T10:00")
    dated = event_of(file_of(server, tenant, number))[1]
    changed(server, tenant, number, starts_at=None, preferred_date=None)
    assert file_of(server, tenant, number).status == 409

    changed(server, tenant, number, status="cancelled")

    calendar, event = event_of(file_of(server, tenant, number))
    assert (calendar["METHOD"], event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert event["DTSTART"].dt == dated["DTSTART"].dt and newer(dated, event)

    never = requested(server, tenant, preferred_date=None, email="j@example.com")
    changed(server, tenant, never, status="cancelled")
    calendar, event = event_of(file_of(server, tenant, never))
    assert calendar["METHOD"] == "CANCEL" and "DTSTART" not in event
