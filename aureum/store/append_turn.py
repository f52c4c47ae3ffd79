"""Between whom an append chooses, as PostgreSQL takes it: an ``append_turn`` (``migrations/0023_turns.sql``)."""

import struct
from collections.abc import Sequence

from aureum.lru import Lru
from aureum.store.append_item import COLUMN, INTEGER, ITS_OWN, UUID, integer, nulls, text
from aureum.store.guards import Choice, Turn
from aureum.store.postgres.arrays import array_of, measured, packed

BOOLEAN, TEXTS = 16, 1009
TURN_COLUMNS, CHOICE_COLUMNS = 8, 3

ID = struct.Struct("!ii16s")
UNLIMITED = nulls(INTEGER)


def turn(item: int, guard: Turn, models: Sequence[str], rows: Sequence[str]) -> bytes:
    """*guard* of an *item*, behind its length; *rows* of *models* are those in which the placeholder stands."""
    choices = packed_choices(guard.choices)
    return measured(
        b"".join(
            (
                struct.pack("!i", TURN_COLUMNS),
                integer(item),
                ID.pack(UUID, 16, guard.placeholder.bytes),
                text(guard.placeholder_shown),
                text(guard.window),
                struct.pack("!ii?", BOOLEAN, 1, guard.fewest),
                COLUMN.pack(ITS_OWN, len(choices)),
                choices,
                texts(models),
                texts(rows),
            )
        )
    )


LIMIT = 256

packed_ones: Lru[int, tuple[tuple[Choice, ...], bytes]] = Lru(LIMIT)
"""Choices that were packed, by their identity: appends of a tenant choose between the same again and again. What is
kept with the bytes keeps that identity from being another's."""


def packed_choices(choices: tuple[Choice, ...]) -> bytes:
    """*choices* as an array."""
    known = packed_ones.find(id(choices))
    if known is not None:
        return known[1]
    array = array_of(ITS_OWN, [choice(one) for one in choices])
    packed_ones.keep(id(choices), (choices, array))
    return array


def choice(one: Choice) -> bytes:
    """A value of ``append_choice`` behind its length."""
    most = UNLIMITED if one.most is None else integer(one.most)
    return measured(struct.pack("!i", CHOICE_COLUMNS) + ID.pack(UUID, 16, one.id.bytes) + text(one.shown) + most)


def texts(values: Sequence[str]) -> bytes:
    """A column of several texts."""
    array = packed(str, values)
    return COLUMN.pack(TEXTS, len(array)) + array
