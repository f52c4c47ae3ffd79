"""Between whom an append chooses, as PostgreSQL takes it: an ``append_turn`` (``migrations/0023_turns.sql``)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from aureum.lru import Lru
from aureum.store.append_item import COLUMN, INTEGER, ITS_OWN, UUID, integer, nulls, text
from aureum.store.guards import Choice, Turn
from aureum.store.postgres.arrays import array_of, measured, packed

BOOLEAN, TEXTS = 16, 1009
TURN_COLUMNS, CHOICE_COLUMNS = struct.pack("!i", 8), struct.pack("!i", 3)

ID = struct.Struct("!ii16s")
UNLIMITED, SAME = nulls(INTEGER), nulls(ITS_OWN)


LIMIT = 1_024


@dataclass(frozen=True, slots=True)
class PackedTurn:
    """What of a turn is the same for every append, and how the placeholder stands in rows."""

    turn: Turn
    columns: bytes
    choices: bytes
    marks: tuple[bytes, bytes]

    def is_of(self, guard: Turn) -> bool:
        """Whether *guard* is the same but for what is prior."""
        own = self.turn
        return (
            own.choices is guard.choices
            and own.placeholder is guard.placeholder
            and own.window is guard.window
            and own.fewest is guard.fewest
        )

    def stands_in(self, row: bytes) -> bool:
        """Whether the placeholder stands in a *row*."""
        return self.marks[0] in row or self.marks[1] in row


packed_ones: Lru[int, PackedTurn] = Lru(LIMIT)
"""By the identity of the choices: appends of a tenant choose between the same again and again. What is kept has the
choices themselves, so that no others get that identity."""


def packed_turn(guard: Turn) -> PackedTurn:
    """*guard*, packed once."""
    found = packed_ones.find(id(guard.choices))
    if found is None or not found.is_of(guard):
        choices = array_of(ITS_OWN, [choice(one) for one in guard.choices])
        columns = (
            ID.pack(UUID, 16, guard.placeholder.bytes),
            text(guard.placeholder_shown),
            text(guard.window),
            struct.pack("!ii?", BOOLEAN, 1, guard.fewest),
        )
        marks = str(guard.placeholder).encode(), guard.placeholder_shown.encode()
        found = PackedTurn(guard, b"".join(columns), COLUMN.pack(ITS_OWN, len(choices)) + choices, marks)
        packed_ones.keep(id(guard.choices), found)
    return found


def turn(
    item: int, guard: PackedTurn, models: Sequence[str], rows: Sequence[str], before: PackedTurn | None = None
) -> bytes:
    """*guard* of an *item*, behind its length; *rows* of *models* are those in which the placeholder stands. The
    choices are left out if they are those of the tenant's turn *before*."""
    choices = SAME if before is guard else guard.choices
    return measured(b"".join((TURN_COLUMNS, integer(item), guard.columns, choices, texts(models), texts(rows))))


def choice(one: Choice) -> bytes:
    """A value of ``append_choice`` behind its length."""
    most = UNLIMITED if one.most is None else integer(one.most)
    return measured(CHOICE_COLUMNS + ID.pack(UUID, 16, one.id.bytes) + text(one.shown) + most)


def texts(values: Sequence[str]) -> bytes:
    """A column of several texts."""
    array = packed(str, values)
    return COLUMN.pack(TEXTS, len(array)) + array
