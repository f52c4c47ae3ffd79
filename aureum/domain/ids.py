"""Identifiers and times as they stand on the wire.

A stream's id is a UUID of version 7: its first 48 bits are milliseconds, so ids sort by time. On the wire it is an
opaque string that looks like the ``clx...`` of the documents: ``c`` and the UUID as 25 digits of base 36, which keeps
the order and needs no table to translate. Times have milliseconds in the Aureum API and seconds in the Leads API. Both
are kept for a while: one request writes the same id and time up to five times.
"""

import secrets
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID, uuid5

from uuid_utils.compat import uuid7

from aureum.domain.clock import CLOCK, EPOCH

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
PAIRS = [high + low for high in DIGITS for low in DIGITS]
LENGTH = 26

MILLISECOND = timedelta(milliseconds=1)

PLATFORM = UUID(int=0)
"""The reserved tenant that owns the streams of brokerages and of users without a brokerage."""


def now() -> datetime:
    """The present moment in UTC by the database's clock, cut to the millisecond: the precision that every event has."""
    return EPOCH + int(CLOCK.seconds() * 1000) * MILLISECOND


class NewIds:
    """Ids that this process gives out: by the database's clock, and none below the one before unless that clock was
    set back."""

    def __init__(self) -> None:
        self.last = 0
        self.tail = 0

    def after(self, milliseconds: int) -> UUID:
        """A UUID of version 7. Behind its time stand 74 random bits, those of the id before and some more within one
        millisecond."""
        if self.last - ASTRAY_MS < milliseconds <= self.last:
            self.tail += secrets.randbits(32) + 1
        else:
            self.last, self.tail = milliseconds, secrets.randbits(73)
        random_a, random_b = divmod(self.tail, 1 << 62)
        return UUID(int=self.last << 80 | 7 << 76 | random_a << 64 | 2 << 62 | random_b)


ASTRAY_MS = 1_000
"""What the clock is behind the last id is made up for by waiting for it, up to here; more, and it was set back."""

NEW_IDS = NewIds()


def new_id(at: datetime | None = None) -> UUID:
    """A new stream id; *at* places it in the past, for data that did not arise just now."""
    if at is None:
        return NEW_IDS.after(int(CLOCK.seconds() * 1000))
    return uuid7(nanoseconds=int(at.timestamp() * 1000) * 1_000_000)


@lru_cache(maxsize=4_096)
def to_wire(stream_id: UUID) -> str:
    """``c`` and 25 digits: 36 ** 25 is just above 2 ** 128.

    Python divides numbers below 2 ** 30 fast, so what is left is cut into fours of digits as early as it can be.
    """
    high, low = divmod(stream_id.int, 36**12)
    high, third = divmod(high, 36**4)
    high, second = divmod(high, 36**4)
    zeroth, first = divmod(high, 36**4)
    low, sixth = divmod(low, 36**4)
    fourth, fifth = divmod(low, 36**4)
    return (
        f"c{DIGITS[zeroth]}{PAIRS[first // 1296]}{PAIRS[first % 1296]}{PAIRS[second // 1296]}{PAIRS[second % 1296]}"
        f"{PAIRS[third // 1296]}{PAIRS[third % 1296]}{PAIRS[fourth // 1296]}{PAIRS[fourth % 1296]}"
        f"{PAIRS[fifth // 1296]}{PAIRS[fifth % 1296]}{PAIRS[sixth // 1296]}{PAIRS[sixth % 1296]}"
    )


def from_wire(text: str) -> UUID | None:
    """The stream id of a wire id, or None for anything that never was one."""
    if len(text) != LENGTH or text[0] != "c" or not text.isascii() or text != text.lower() or not text.isalnum():
        return None
    number = int(text[1:], 36)
    return UUID(int=number) if number < 1 << 128 else None


@lru_cache(maxsize=1_024)
def aureum_time(moment: datetime) -> str:
    """``2025-01-15T10:30:00.000Z``, as the Aureum API writes times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def leads_time(moment: datetime) -> str:
    """``2024-12-28T15:30:00Z``, as the Leads API writes times."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:-6] + "Z"


def id_of_bytes(owner_id: UUID, sha256: str) -> UUID:
    """The id under which bytes are stored that belong to *owner_id* and have that hash: the sealed file of a document,
    the picture of a recipient's signature. So an event that has the hash names the bytes too, and two attempts to make
    them never meet."""
    return uuid5(owner_id, sha256)
