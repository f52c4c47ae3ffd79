"""Times on the brokerage's clock, there and back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.ids import aureum_time
from aureum.http.panel.times import sent_time, shown_time, typed_time
from tests.http.panel.test_fields import ZONES

BOISE = ZoneInfo("America/Boise")

zones = st.sampled_from(ZONES).map(ZoneInfo)
seconds = st.datetimes(
    datetime(1, 1, 3),  # noqa: DTZ001  what a clock shows
    datetime(9999, 12, 29),  # noqa: DTZ001  the same
).map(lambda moment: moment.replace(microsecond=0))


@given(moment=seconds, zone=zones)
def test_an_instant_is_typed_and_sent_back(moment: datetime, zone: ZoneInfo) -> None:
    instant = moment.replace(tzinfo=UTC)
    again = sent_time(typed_time(aureum_time(instant), zone), zone)
    # In the second of two hours that look alike the first is meant.
    repeated = instant.astimezone(zone).fold
    assert again == aureum_time(instant) or (repeated and again is not None and again < aureum_time(instant))


@given(moment=seconds, zone=zones)
def test_what_is_typed_is_shown_again(moment: datetime, zone: ZoneInfo) -> None:
    text = moment.isoformat()
    instant = sent_time(text, zone)
    # Where the clock jumps, it shows as much later.
    jumped = moment.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment
    shown = typed_time(instant, zone)
    assert (shown > text) if jumped else (shown == text)


@given(text=st.text() | st.datetimes().map(lambda moment: moment.isoformat()[:19]), zone=zones)
def test_nothing_raises_for_any_text(text: str, zone: ZoneInfo) -> None:
    sent = sent_time(text, zone)
    assert (sent is None) == (text == "")


@given(moment=st.datetimes(timezones=st.just(ZoneInfo("UTC"))), zone=zones)
def test_any_instant_is_shown(moment: datetime, zone: ZoneInfo) -> None:
    assert shown_time(aureum_time(moment), zone) and len(typed_time(aureum_time(moment), zone)) == 19


@pytest.mark.parametrize(
    ("text", "instant", "shown"),
    [
        ("2025-01-15T03:30", "2025-01-15T10:30:00.000Z", "15 Jan 2025, 03:30 MST"),
        ("2025-07-15T03:30:05", "2025-07-15T09:30:05.000Z", "15 Jul 2025, 03:30 MDT"),
        ("2025-03-09T01:59:59", "2025-03-09T08:59:59.000Z", "9 Mar 2025, 01:59 MST"),
        # Jumped over.
        ("2025-03-09T02:30", "2025-03-09T09:30:00.000Z", "9 Mar 2025, 03:30 MDT"),
        # Twice.
        ("2025-11-02T01:30", "2025-11-02T07:30:00.000Z", "2 Nov 2025, 01:30 MDT"),
        ("2025-11-02T02:00", "2025-11-02T09:00:00.000Z", "2 Nov 2025, 02:00 MST"),
    ],
)
def test_across_daylight_saving(text: str, instant: str, shown: str) -> None:
    assert sent_time(text, BOISE) == instant and shown_time(instant, BOISE) == shown


def test_beyond_what_can_be_converted_the_api_decides() -> None:
    assert sent_time("9999-12-31T23:59", BOISE) == "9999-12-31T23:59Z"
    assert sent_time("0001-01-01T00:00:00", ZoneInfo("Asia/Kathmandu")) == "0001-01-01T00:00:00Z"
    assert typed_time("9999-12-31T23:59:59.000Z", ZoneInfo("Asia/Kathmandu")) == "9999-12-31T23:59:59"


def test_the_second_of_two_hours_is_shown_as_such() -> None:
    first = datetime(2025, 11, 2, 7, 30, tzinfo=UTC)
    shown = [shown_time(aureum_time(first + timedelta(hours=hours)), BOISE) for hours in (0, 1)]
    assert shown == ["2 Nov 2025, 01:30 MDT", "2 Nov 2025, 01:30 MST"]


@pytest.mark.parametrize(
    "text", ["2025-02-30T10:00", "0000-01-01T00:00", "2025-01-01", "2025-01-01T24:00", "soon", "2025-01-01T10:00Z"]
)
def test_what_is_no_time_stays_for_the_api_to_refuse(text: str) -> None:
    assert sent_time(text, BOISE) == text
