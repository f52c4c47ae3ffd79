"""The calendar file of a tour, read again: by the library, and its time zone's rules by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from aureum.domain.errors import WrongState
from aureum.domain.wall_time import start_of
from aureum.http.api.tours.icalendar import CalendarTour, calendar_of, one_line, plain

BOISE = "America/Boise"

TOUR = CalendarTour(
    uid="c0123456789abcdefghijklmno",
    version=3,
    status="confirmed",
    created_at=datetime(2024, 12, 28, 15, 30, tzinfo=UTC),
    updated_at=datetime(2024, 12, 29, 9, 0, 1, 234000, tzinfo=UTC),
    brokerage="Boise Homes",
    domain="boise.example.com",
    listing_id="202412345",
    visitor="Jane Doe",
    start=start_of("2025-03-09T10:00:00", BOISE),
    preferred_date=date(2024, 12, 30),
    preferred_time="10:00 AM",
)


def parsed(tour: CalendarTour) -> tuple[Calendar, Any]:
    """The file read again, which must be well-formed: CRLF, at most 75 octets a line, no stray control character."""
    content = calendar_of(tour)
    assert content.endswith(b"\r\n") and content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert not any(byte < 32 and byte not in b"\r\n\t" for byte in content) and b"\x7f" not in content
    content.decode()
    calendar = Calendar.from_ical(content)
    assert isinstance(calendar, Calendar)
    assert not calendar.errors
    (event,) = calendar.events
    assert not event.errors
    return calendar, event


def offset_by_the_rules(calendar: Calendar, instant: datetime) -> timedelta:
    """What the file's VTIMEZONE says of *instant*: TZOFFSETTO of the last onset, each read by its TZOFFSETFROM."""
    (zone,) = calendar.timezones
    onsets = [(rule.DTSTART - rule.TZOFFSETFROM, rule.TZOFFSETTO) for rule in zone.subcomponents]
    before: list[tuple[datetime, timedelta]] = [onset for onset in onsets if onset[0] <= instant.replace(tzinfo=None)]
    return max(before)[1]


def test_what_the_file_says() -> None:
    calendar, event = parsed(TOUR)
    assert (calendar["VERSION"], calendar["METHOD"], calendar["PRODID"]) == ("2.0", "PUBLISH", "-//Aureum//Tours//EN")
    assert event["UID"] == "c0123456789abcdefghijklmno@boise.example.com"
    assert (event["SEQUENCE"], event["STATUS"]) == (2, "CONFIRMED")
    assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt == datetime(2024, 12, 29, 9, 0, 1, tzinfo=UTC)
    assert event["CREATED"].dt == datetime(2024, 12, 28, 15, 30, tzinfo=UTC)
    assert event["SUMMARY"] == "Tour of listing 202412345 with Jane Doe"
    assert event["DESCRIPTION"] == "Preferred time: 10:00 AM"
    assert event["ORGANIZER"] == "mailto:tours@aureum.invalid" and event["ORGANIZER"].params["CN"] == "Boise Homes"
    assert "ATTENDEE" not in event
    assert b"DTSTART;TZID=America/Boise:20250309T100000\r\nDURATION:PT1H\r\n" in calendar_of(TOUR)
    assert calendar.get_missing_tzids() == set()


def test_the_least_that_is_known() -> None:
    tour = CalendarTour(
        TOUR.uid, 1, "pending", TOUR.created_at, TOUR.created_at, "B", preferred_date=date(2024, 12, 31)
    )
    calendar, event = parsed(tour)
    assert (event["UID"], event["SEQUENCE"]) == (f"{TOUR.uid}@aureum.invalid", 0)
    assert event["SUMMARY"] == "Tour of a property"
    assert "DESCRIPTION" not in event and "LOCATION" not in event
    assert b"DTSTART;VALUE=DATE:20241231\r\nDTEND;VALUE=DATE:20250101\r\n" in calendar_of(tour)
    assert calendar.timezones == []


def test_an_address_is_the_place() -> None:
    _, event = parsed(replace(TOUR, address="123 Main St, Boise", duration=45))
    assert event["SUMMARY"] == "Tour of 123 Main St, Boise with Jane Doe"
    assert event["LOCATION"] == "123 Main St, Boise"
    assert event["DURATION"].dt == timedelta(minutes=45)


def test_what_was_called_off_needs_no_date() -> None:
    calendar, event = parsed(replace(TOUR, start=None, preferred_date=None, status="cancelled"))
    assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 2)
    assert "DTSTART" not in event and "DURATION" not in event


def test_without_start_and_date_there_is_no_file() -> None:
    with pytest.raises(WrongState) as refused:
        calendar_of(replace(TOUR, start=None, preferred_date=None))
    assert str(refused.value) == "This tour has no date yet: set preferred_date or starts_at first."


@pytest.mark.parametrize(
    ("status", "expected", "method"),
    [
        ("pending", "TENTATIVE", "PUBLISH"),
        ("confirmed", "CONFIRMED", "PUBLISH"),
        ("completed", "CONFIRMED", "PUBLISH"),
        ("cancelled", "CANCELLED", "CANCEL"),
    ],
)
def test_status_and_method(status: str, expected: str, method: str) -> None:
    calendar, event = parsed(replace(TOUR, status=status))
    assert (event["STATUS"], calendar["METHOD"]) == (expected, method)


def test_cancelling_keeps_the_uid_and_raises_the_sequence() -> None:
    _, before = parsed(TOUR)
    _, after = parsed(replace(TOUR, status="cancelled", version=4))
    assert after["UID"] == before["UID"] and after["ORGANIZER"] == before["ORGANIZER"]
    assert after["SEQUENCE"] == before["SEQUENCE"] + 1


@pytest.mark.parametrize("zone", [BOISE, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"])
@pytest.mark.parametrize(
    "text",
    [
        "2025-01-01T00:00:00",
        "2025-03-08T10:00:00",
        "2025-03-09T01:59:59",
        "2025-03-09T03:00:00",
        "2025-03-09T10:00:00",
        "2025-03-30T03:00:00",
        "2025-04-06T01:15:00",
        "2025-10-05T02:30:00",
        "2025-10-26T02:30:00",
        "2025-11-02T00:59:59",
        "2025-11-02T01:30:00",
        "2025-11-02T02:00:00",
        "2025-12-31T23:59:59",
    ],
)
def test_the_files_own_rules_give_the_instant(text: str, zone: str) -> None:
    assert_readers_agree(replace(TOUR, start=start_of(text, zone)))


CHANGES = (
    ("2025-03-09T09:00:00", BOISE),
    ("2025-11-02T08:00:00", BOISE),
    ("2025-03-30T01:00:00", "Europe/Dublin"),
    ("2025-10-26T01:00:00", "Europe/Dublin"),
    ("2025-04-05T15:00:00", "Australia/Lord_Howe"),
    ("2025-10-04T15:30:00", "Australia/Lord_Howe"),
    ("2025-02-23T02:00:00", "Africa/Casablanca"),
    ("2025-04-06T02:00:00", "Africa/Casablanca"),
    ("2025-11-02T05:00:00", "America/Havana"),
    ("2199-03-10T09:00:00", BOISE),
)
"""When clocks change (in UTC), and where."""


@given(st.sampled_from(CHANGES), st.one_of(st.integers(-7200, 7200), st.integers(-31_000_000, 31_000_000)))
def test_the_files_own_rules_give_any_instant(change: tuple[str, str], seconds: int) -> None:
    text, zone = change
    instant = datetime.fromisoformat(f"{text}Z") + timedelta(seconds=seconds)
    assert_readers_agree(replace(TOUR, start=start_of(instant.isoformat(), zone)))


def assert_readers_agree(tour: CalendarTour) -> None:
    """In wall time only where start and end mean one instant each, whichever way a reader counts; else in UTC."""
    assert tour.start is not None
    calendar, event = parsed(tour)
    instant, lasts, place = tour.start.instant, timedelta(minutes=tour.duration), ZoneInfo(tour.start.zone)
    local = tour.start.local
    walls = [local.replace(tzinfo=place), (local + lasts).replace(tzinfo=place)]
    meant = [[wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)] for wall in walls]
    if meant == [[instant] * 2, [instant + lasts] * 2]:
        assert_rules_give(tour)
    else:
        assert event["DTSTART"].dt == instant and calendar.timezones == []
        assert f"DTSTART:{instant:%Y%m%dT%H%M%SZ}\r\n".encode() in calendar_of(tour)


def assert_rules_give(tour: CalendarTour) -> None:
    """The wall time is the tour's, and the VTIMEZONE alone, read in two ways, turns it into the tour's instant."""
    assert tour.start is not None
    calendar, event = parsed(tour)
    wall = event["DTSTART"].dt.replace(tzinfo=None)
    assert wall == tour.start.local and event["DTSTART"].params["TZID"] == tour.start.zone
    assert wall - offset_by_the_rules(calendar, tour.start.instant) == tour.start.instant.replace(tzinfo=None)
    (zone,) = calendar.timezones
    by_dateutil = zone.to_tz(lookup_tzid=False)
    assert wall.replace(tzinfo=by_dateutil).astimezone(UTC) == tour.start.instant


@pytest.mark.parametrize(
    ("text", "zone", "line"),
    [
        # Both of two equal wall times.
        ("2025-11-02T01:30:00-06:00", BOISE, b"DTSTART:20251102T073000Z"),
        ("2025-11-02T01:30:00-07:00", BOISE, b"DTSTART:20251102T083000Z"),
        ("2025-10-26T02:30:00+02:00", "Europe/Berlin", b"DTSTART:20251026T003000Z"),
        # The end is one of the two, or behind a change.
        ("2025-11-02T00:30:00", BOISE, b"DTSTART:20251102T063000Z"),
        ("2025-03-09T01:30:00", BOISE, b"DTSTART:20250309T083000Z"),
        # Neither.
        ("2025-11-01T23:59:59", BOISE, b"DTSTART;TZID=America/Boise:20251101T235959"),
        ("2025-11-02T02:00:00", BOISE, b"DTSTART;TZID=America/Boise:20251102T020000"),
        ("2025-03-09T00:59:59", BOISE, b"DTSTART;TZID=America/Boise:20250309T005959"),
        ("2025-03-09T03:00:00", BOISE, b"DTSTART;TZID=America/Boise:20250309T030000"),
    ],
)
def test_what_readers_would_take_for_another_time_is_in_utc(text: str, zone: str, line: bytes) -> None:
    content = calendar_of(replace(TOUR, start=start_of(text, zone)))
    assert b"\r\n" + line + b"\r\nDURATION:PT1H\r\n" in content
    assert (b"BEGIN:VTIMEZONE" in content) is (b"TZID" in line)


def test_utc_needs_no_rules() -> None:
    calendar, event = parsed(replace(TOUR, start=start_of("2025-03-09T10:00:00", "UTC")))
    assert event["DTSTART"].dt == datetime(2025, 3, 9, 10, tzinfo=UTC)
    assert calendar.timezones == []


INJECTIONS = (
    "Jane\r\nATTENDEE:mailto:eve@example.com",
    "Jane\nATTENDEE:mailto:eve@example.com",
    "Jane\rEND:VEVENT",
    "Jane\u2028BEGIN:VALARM\x85x\x0bx",
    'Jane";X=1:mailto:eve@example.com',
    "Jane\\;,:\\n\\",
    "\x00\x07\x1b\x7f\x9f",
    "é" * 200,
)


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("field", ["visitor", "listing_id", "address", "preferred_time", "brokerage"])
def test_no_text_becomes_a_property(field: str, text: str) -> None:
    fields: dict[str, Any] = {field: text}
    _, event = parsed(replace(TOUR, **fields))
    allowed = {"UID", "SEQUENCE", "DTSTAMP", "CREATED", "LAST-MODIFIED", "STATUS", "DTSTART", "DURATION"}
    assert set(event) - {"DESCRIPTION", "LOCATION"} == allowed | {"SUMMARY", "ORGANIZER"}
    assert event.subcomponents == []
    assert set(event["ORGANIZER"].params) == {"CN"} and event["ORGANIZER"] == "mailto:tours@aureum.invalid"


texts = st.text(st.characters(codec="utf-8") | st.sampled_from('\r\n\\,;:"^nN%\u2028 '), max_size=200)


@given(texts, texts, texts, texts)
def test_any_text_comes_back(visitor: str, listing: str, words: str, brokerage: str) -> None:
    _, event = parsed(
        replace(TOUR, visitor=visitor, listing_id=listing, preferred_time=words, brokerage=brokerage),
    )
    expected = f"Tour of {f'listing {one_line(listing)}' if listing else 'a property'}"
    assert event["SUMMARY"] == read_back(f"{expected} with {one_line(visitor)}" if one_line(visitor) else expected)
    assert event.get("DESCRIPTION") == (read_back(f"Preferred time: {plain(words)}") if plain(words) else None)


def read_back(text: str) -> str:
    """The library takes ``\\N`` for a line break already when it writes."""
    return text.replace("\\N", "\n")


@pytest.mark.parametrize("change", [{"status": "pending"}, {"start": None}, {"visitor": "J"}])
def test_the_same_tour_is_the_same_file(change: dict[str, Any]) -> None:
    tour = replace(TOUR, **change)
    assert calendar_of(tour) == calendar_of(tour) != calendar_of(TOUR)
