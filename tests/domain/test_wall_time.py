"""Wall times and instants: examples at changes of the clock, and that no text is another error than Invalid."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.errors import Invalid
from aureum.domain.ids import aureum_time
from aureum.domain.wall_time import YEARS, Start, change_between, day_of, midnight, start_of, zone_of

ZONES = (
    "America/Boise",
    "America/New_York",
    "America/Havana",  # midnight itself is jumped over
    "Europe/Berlin",
    "Europe/Dublin",
    "Australia/Lord_Howe",  # half an hour
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Africa/Monrovia",  # seconds in its offset until 1972
    "Pacific/Apia",  # a whole day was jumped over
    "Pacific/Kiritimati",
    "UTC",
)

zones = st.sampled_from(ZONES)
FIRST, LAST = datetime.fromisoformat("1970-01-01"), datetime.fromisoformat("2200-12-31T23:59:59")
walls = st.datetimes(FIRST, LAST).map(lambda wall: wall.replace(microsecond=0))
instants = walls.map(lambda t: t.replace(tzinfo=UTC))


@st.composite
def near_changes(draw: st.DrawFn) -> tuple[datetime, str]:
    """An instant within two hours of a change of the clock, which arbitrary instants hardly ever are."""
    zone = draw(
        st.sampled_from([zone for zone in ZONES if zone not in ("UTC", "Pacific/Kiritimati", "Asia/Kathmandu")])
    )
    place = zone_of(zone)
    year = {"Pacific/Apia": 2011, "Africa/Monrovia": 1972}.get(zone) or draw(st.integers(2000, 2060))
    days = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(366)]
    offsets = [day.astimezone(place).utcoffset() for day in days]
    changes = [n for n in range(365) if offsets[n] != offsets[n + 1]]
    if not changes:  # as in Apia, which gave daylight-saving time up
        return days[0], zone
    day = draw(st.sampled_from(changes))
    change = change_between(days[day], days[day + 1], place)
    return change + timedelta(seconds=draw(st.integers(-7200, 7200))), zone


@pytest.mark.parametrize(
    ("text", "zone", "local", "instant"),
    [
        ("2025-03-09T10:00:00", "America/Boise", "2025-03-09T10:00:00", "2025-03-09T16:00:00.000Z"),
        ("2025-03-08T10:00", "America/Boise", "2025-03-08T10:00:00", "2025-03-08T17:00:00.000Z"),
        ("2025-03-09T16:00:00Z", "America/Boise", "2025-03-09T10:00:00", "2025-03-09T16:00:00.000Z"),
        ("2025-03-09t16:00z", "America/Boise", "2025-03-09T10:00:00", "2025-03-09T16:00:00.000Z"),
        ("2025-03-09 17:00:00.999+01:00", "America/Boise", "2025-03-09T10:00:00", "2025-03-09T16:00:00.000Z"),
        ("2025-03-09T11:30:00-0430", "America/Boise", "2025-03-09T10:00:00", "2025-03-09T16:00:00.000Z"),
        ("2025-11-02T01:30:00", "America/Boise", "2025-11-02T01:30:00", "2025-11-02T07:30:00.000Z"),  # first of two
        ("2025-11-02T01:30:00-07:00", "America/Boise", "2025-11-02T01:30:00", "2025-11-02T08:30:00.000Z"),
        ("2025-03-09T03:00:00", "America/Boise", "2025-03-09T03:00:00", "2025-03-09T09:00:00.000Z"),
        ("2025-03-09", "America/Boise", "2025-03-09T00:00:00", "2025-03-09T07:00:00.000Z"),
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T01:00:00", "2018-11-04T03:00:00.000Z"),  # no midnight
        ("2025-11-02", "America/Havana", "2025-11-02T00:00:00", "2025-11-02T04:00:00.000Z"),  # first of two
        ("2025-01-01T12:00:00", "Asia/Kathmandu", "2025-01-01T12:00:00", "2025-01-01T06:15:00.000Z"),
        ("2200-12-31T23:59:59-12:00", "Pacific/Kiritimati", "2201-01-02T01:59:59", "2201-01-01T11:59:59.000Z"),
    ],
)
def test_examples(text: str, zone: str, local: str, instant: str) -> None:
    start = start_of(text, zone)
    assert (start.local.isoformat(), start.zone, aureum_time(start.instant)) == (local, zone, instant)


@pytest.mark.parametrize(
    ("text", "zone", "following"),
    [
        ("2025-03-09T02:00:00", "America/Boise", "2025-03-09T03:00:00"),
        ("2025-03-09T02:59:59", "America/Boise", "2025-03-09T03:00:00"),
        ("2025-03-30T02:30", "Europe/Berlin", "2025-03-30T03:00:00"),
        ("2025-10-05T02:15", "Australia/Lord_Howe", "2025-10-05T02:30:00"),
        ("2025-03-09T00:30", "America/Havana", "2025-03-09T01:00:00"),
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-31T00:00:00"),
    ],
)
def test_a_time_that_does_not_exist_names_the_next_that_does(text: str, zone: str, following: str) -> None:
    with pytest.raises(Invalid, match=f"{zone} skip .* next valid time is {following}") as refused:
        start_of(text, zone)
    assert refused.value.field == "starts_at"
    assert start_of(following, zone).local == datetime.fromisoformat(following)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025-02-29",
        "10:00",
        "tomorrow at ten",
        "2025-02-29T10:00:00",
        "2025-13-01T10:00:00",
        "2025-03-09T24:00:00",
        "2025-03-09T10:60",
        "2025-03-09T10:00:60",
        "2025-03-09T10",
        "2025-03-09T10:00.5",
        "2025-03-09T10:00:00+14:01",
        "2025-03-09T10:00:00-12:01",
        "2025-03-09T10:00:00+99:00",
        "2025-03-09T10:00:00+01:60",
        "2025-03-09T10:00:00 America/Boise",
        "2025-03-09T10:00:00\n",
        "2025-03-09T10:00:00\0",
        "２０２５-03-09T10:00:00",
        "٢٠٢٥-03-09T10:00:00",
        "2025-03-09T10:00:00+０1:00",
        "0000-01-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "2201-01-01T00:00:00",
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_what_is_no_start(text: str) -> None:
    with pytest.raises(Invalid, match="starts_at must") as refused:
        start_of(text, "America/Boise")
    assert refused.value.field == "starts_at"


@pytest.mark.parametrize(
    "zone", ["", "Boise", "America", "../etc/passwd", "/etc/passwd", "UTC\0", "\ud800", "Z" * 5000]
)
def test_what_is_no_zone(zone: str) -> None:
    with pytest.raises(Invalid, match="IANA") as refused:
        start_of("2025-03-09T10:00:00", zone)
    assert refused.value.field == "time_zone"


@given(st.one_of(instants.flatmap(lambda i: zones.map(lambda z: (i, z))), near_changes()))
def test_an_instant_comes_back_from_its_wall_time_outside_folds(case: tuple[datetime, str]) -> None:
    instant, zone = case
    start = start_of(instant.isoformat(), zone)
    assert start.instant == instant
    if start.local.year not in YEARS:
        # The last day of all that are taken is, elsewhere, in a year that is not.
        return
    again = start_of(start.local.isoformat(), zone)
    assert again.local == start.local
    second = start.local.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC)
    # In a fold the first of the two is meant, so the second comes back earlier by what the clock was set back.
    assert again.instant == instant or (instant == second and again.instant < instant)


@given(walls, zones)
def test_a_wall_time_outside_gaps_comes_back_from_its_instant(wall: datetime, zone: str) -> None:
    try:
        start = start_of(wall.isoformat(), zone)
    except Invalid as refused:
        assert "does not exist" in str(refused)
        readings = (wall.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
        assert all(moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != wall for moment in readings)
    else:
        assert start == Start(wall, zone, start.instant)
        # The first and the last day of all that are taken, elsewhere, are in a year that is not.
        if start.instant.year in YEARS:
            assert start_of(aureum_time(start.instant), zone) == start


@given(st.one_of(st.text(), st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")), zones)
def test_no_text_is_another_error(text: str, zone: str) -> None:
    try:
        start = start_of(text, zone)
    except Invalid:
        return
    assert start.local.microsecond == start.instant.microsecond == 0
    assert abs(start.instant.replace(tzinfo=None) - start.local) <= timedelta(hours=15)


@pytest.mark.parametrize(
    "text", ["", "2024-02-30", "2024-1-1", "20240101", "2024-W01-1", "９999-01-01", "9999-12-31", "x\0"]
)
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(Invalid, match="preferred_date must be a date such as"):
        day_of(text)


@given(st.dates(date(1970, 1, 1), date(2200, 12, 31)))
def test_a_day_is_read_as_it_is_written(day: date) -> None:
    assert day_of(day.isoformat()) == day


@pytest.mark.parametrize(
    ("day", "zone", "instant"),
    [
        ("2026-12-01", "America/Boise", "2026-12-01T07:00:00.000Z"),
        ("2026-07-01", "America/Boise", "2026-07-01T06:00:00.000Z"),
        ("2026-12-01", "Asia/Kathmandu", "2026-11-30T18:15:00.000Z"),
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00.000Z"),
        ("2025-03-30", "Asia/Beirut", "2025-03-29T22:00:00.000Z"),
        ("2025-04-25", "Africa/Cairo", "2025-04-24T22:00:00.000Z"),
        ("2025-10-31", "Africa/Cairo", "2025-10-30T22:00:00.000Z"),
        ("2025-11-02", "America/Havana", "2025-11-02T04:00:00.000Z"),
        ("2006-10-29", "America/St_Johns", "2006-10-29T02:30:00.000Z"),
        ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00.000Z"),
        ("1919-03-31", "America/Toronto", "1919-03-31T04:30:00.000Z"),
        ("0001-01-01", "Asia/Tokyo", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31", "Asia/Tokyo", "9999-12-30T15:00:00.000Z"),
    ],
)
def test_when_a_day_begins(day: str, zone: str, instant: str) -> None:
    assert aureum_time(midnight(date.fromisoformat(day), zone)) == instant


@given(st.dates(date(1970, 1, 1), date(2100, 1, 1)), st.sampled_from(sorted(available_timezones())))
def test_a_day_begins_when_the_clock_first_shows_it(day: date, zone: str) -> None:
    place, begins = ZoneInfo(zone), midnight(day, zone)
    before, at = ((begins - timedelta(seconds=less)).astimezone(place).date() for less in (1, 0))
    assert before < day <= at
