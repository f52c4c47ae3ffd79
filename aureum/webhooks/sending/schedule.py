"""When a delivery that failed is tried again. Pure: the clock and the dice are the caller's."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from aureum.background.pauses import pause_of

SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The pause before each of the ten attempts: about three days in all, so that a weekend's outage loses nothing."""

RETRY_AFTER_LIMIT = timedelta(hours=24)

_DATE_LENGTH = 64  # the longest HTTP-date has 33 characters


def next_attempt_after(attempt: int, *, jitter: float, retry_after: timedelta | None) -> timedelta | None:
    """How long to wait after *attempt* attempts have failed; None when that was the last one.

    *jitter* is a random number from 0 to 1, as ``random.random()`` gives it. *retry_after* is what the endpoint asked
    for: it may lengthen the pause, to 24 hours at most, and never shortens it. Nothing else does: an endpoint that is
    overloaded says so with it. Raises ValueError when *attempt* or *jitter* is out of range.
    """
    pause = pause_of(SCHEDULE, attempt, jitter)
    return pause if pause is None or retry_after is None else max(pause, min(retry_after, RETRY_AFTER_LIMIT))


def parse_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """What a ``Retry-After`` header asks for, from 0 to 24 hours; None when there is none or it makes no sense.

    Both forms of RFC 9110 §10.2.3: a number of seconds, or an HTTP-date, which is measured from *now* (aware). A date
    in the past is 0. Raises nothing for any text that the endpoint may send.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        # Longer than a timedelta or an int can be read from is only a very long time.
        digits = text.lstrip("0") or "0"
        return min(timedelta(seconds=int(digits)), RETRY_AFTER_LIMIT) if len(digits) <= 9 else RETRY_AFTER_LIMIT
    if len(text) > _DATE_LENGTH:
        return None
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # RFC 9110: HTTP-dates are always UTC, also in the form that does not say so
            moment = moment.replace(tzinfo=UTC)
        return min(max(moment - now, timedelta(0)), RETRY_AFTER_LIMIT)
    except (ValueError, OverflowError):
        return None
