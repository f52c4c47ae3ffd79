"""The calendar file of a tour, read by ical.js and node-ical: both find the moments that were meant, on every side of a
change of the clock, and take the file in that comes with a cancellation."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aureum.domain.wall_time import Start, start_of
from aureum.http.api.tours.feed_file import feed_file
from aureum.http.api.tours.icalendar import CalendarTour, calendar_of
from tests.clients.tools import HERE, Tools

pytestmark = pytest.mark.clients

AT = datetime(2024, 12, 28, 15, 30, tzinfo=UTC)
TOUR = CalendarTour("c0123456789abcdefghijklmno", 3, "confirmed", AT, AT, "Boise Homes")
CHANGES = {
    "America/Boise": ("2025-03-09T09:00:00", "2025-11-02T08:00:00"),
    "Europe/Berlin": ("2025-03-30T01:00:00", "2025-10-26T01:00:00"),
    "Europe/Dublin": ("2025-03-30T01:00:00", "2025-10-26T01:00:00"),
    "Australia/Lord_Howe": ("2025-04-05T15:00:00", "2025-10-04T15:30:00"),
    "America/Havana": ("2025-03-09T05:00:00", "2025-11-02T05:00:00"),
}
"""When clocks change (in UTC), and where."""

HOURS = 4


def starts() -> list[Start]:
    """Every quarter of an hour around each change."""
    return [
        start_of((datetime.fromisoformat(f"{change}Z") + timedelta(minutes=15 * quarter)).isoformat(), zone)
        for zone, changes in CHANGES.items()
        for change in changes
        for quarter in range(-4 * HOURS, 4 * HOURS + 1)
    ]


def read(tools: Tools, folder: Path, tours: list[CalendarTour]) -> list[list[list[str | int | None]]]:
    """What the libraries make of each tour's file."""
    return read_files(tools, folder, [calendar_of(tour) for tour in tours])


def read_files(tools: Tools, folder: Path, contents: list[bytes]) -> list[list[list[str | int | None]]]:
    """What the libraries make of each file: start, end, sequence."""
    files = [folder / f"{number}.ics" for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    shutil.copy(HERE / "calendars.mjs", folder)
    (folder / "node_modules").symlink_to(tools.folder / "node_modules")
    return [json.loads(line) for line in tools.run("node", "calendars.mjs", *files, cwd=folder).splitlines()]


def test_a_feed_is_read_by_all_calendars(tools: Tools, tmp_path: Path) -> None:
    showing = {
        "id": "c0123456789abcdefghijklmno",
        "name": 'Jane; Doe, of "Boise"',
        "phone": "208-555-0123",
        "email": None,
        "propertyId": None,
        "listingId": "202412345",
        "status": "confirmed",
        "startsAt": "2025-11-02T08:30:00.000Z",
        "updatedAt": "2024-12-28T15:30:00.123Z",
    }
    files = [feed_file([(showing, 3)], {}, details=details) for details in (False, True)]

    found = read_files(tools, tmp_path, files)

    assert found == [[["2025-11-02T08:30:00Z", "2025-11-02T09:30:00Z", 2]] * 2] * 2


def shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def test_all_calendars_find_the_moment_that_was_meant(tools: Tools, tmp_path: Path) -> None:
    every = starts()
    found = read(tools, tmp_path, [replace(TOUR, start=start) for start in every])
    expected = [[shown(start.instant), shown(start.instant + timedelta(hours=1)), 2] for start in every]
    wrong = [(start, one) for start, one, right in zip(every, found, expected, strict=True) if one != [right, right]]
    assert wrong == []


def test_a_cancellation_without_a_date_is_read(tools: Tools, tmp_path: Path) -> None:
    (found,) = read(tools, tmp_path, [replace(TOUR, status="cancelled")])
    assert [sequence for *_, sequence in found] == [2, 2]
