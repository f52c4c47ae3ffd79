"""One call of ``append_events`` (append.sql): what several commands decided, as arrays, and what became of each."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any
from uuid import UUID

import orjson
from eventsourcing.persistence import StoredEvent
from psycopg import AsyncConnection

from aureum.domain.clock import CLOCK
from aureum.store import append_turn
from aureum.store.append_item import ITS_OWN, item
from aureum.store.append_turn import PackedTurn
from aureum.store.guards import Guard, Turn
from aureum.store.postgres.arrays import Json, array_of, packed
from aureum.store.postgres.functions import named

GROUP_LIMIT = 64
"""Appends in one call."""

NIL = UUID(int=0)
"""A writer that is never given up, and a turn without anything prior."""

TOO_LATE = "AU001"
"""The SQLSTATE of a call that came after its client had given it up. Nothing of it was done."""

CALL = """
SELECT item, outcome, position, version, answer, retry_at, told_at FROM append_events(
    p_tenants => %(tenants)b::uuid[], p_items => %(items)b::append_item[],
    p_models => %(models)b::text[], p_rows => %(rows)b::json[],
    p_writer => %(writer)s::uuid, p_until => %(until)s::float8,
    p_lock_timeout => %(lock_timeout)s, p_skip_locked => %(skip_locked)s,
    p_turns => %(turns)b::append_turn[], p_priors => %(priors)b::uuid[])
"""

CALL_OF_TENANT = """
SELECT item, outcome, position, version, answer, retry_at, told_at FROM append_events(
    %(tenant)s::uuid, %(items)b::append_item[], %(models)b::text[], %(rows)b::json[],
    %(writer)s::uuid, %(until)s::float8, %(lock_timeout)s::text, %(skip_locked)s::boolean,
    %(turns)b::append_turn[], %(priors)b::uuid[])
"""
"""On Citus: all of one tenant's, by whom the call finds its node."""


@dataclass(frozen=True, slots=True)
class Remember:
    """An idempotency key, what was asked under it (both hashed), and the answer to keep (encrypted)."""

    key: bytes
    request: bytes
    answer: bytes


@dataclass(slots=True)
class Append:
    """The events that one command decided for one stream, ready to be stored.

    ``also`` are events of other streams of the tenant: all are appended or none.
    """

    tenant_id: UUID
    stream_id: UUID
    expected_version: int
    events: Sequence[StoredEvent]
    metadata: Sequence[bytes]
    rows: dict[str, list[dict[str, Any]]]
    subject_key: bytes = b""
    remember: Remember | None = None
    guards: Sequence[Guard] = ()
    also: tuple["Append", ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an append; the words are explained in append.sql."""

    outcome: str
    position: int | None
    version: int | None
    answer: bytes | None
    retry_at: datetime | None = None
    told_at: datetime | None = None


def arguments(
    leaders: Sequence[Append],
    lock_timeout: str,
    skip_locked: bool,
    writer: UUID = NIL,
    until: float = math.inf,
) -> dict[str, Any]:
    """The arguments of ``append_events``. Arrays are sent in binary: as text they cost five times as much."""
    items: list[bytes] = []
    turns: list[bytes] = []
    priors: list[UUID] = []
    rows: dict[str, list[Any]] = {}
    turns_before: dict[UUID, PackedTurn] = {}
    for leader in leaders:
        place = 0
        for append in (leader, *leader.also):
            items.append(item(append, place))
            turn = next((guard for guard in append.guards if isinstance(guard, Turn)), None)
            late: list[tuple[str, str]] = []
            packed_turn = None if turn is None else append_turn.packed_turn(turn)
            for model, made in append.rows.items():
                for row in made:
                    row["item"] = len(items)
                if turn is None or packed_turn is None or turn.is_fixed:
                    rows.setdefault(model, []).extend(made)
                    continue
                for text in map(orjson.dumps, made):
                    if packed_turn.stands_in(text):
                        late.append((model, text.decode()))
                    else:
                        rows.setdefault(model, []).append(orjson.Fragment(text))
            if turn is not None and packed_turn is not None:
                models, texts = [model for model, _ in late], [text for _, text in late]
                before = turns_before.get(append.tenant_id)
                turns.append(append_turn.turn(len(items), packed_turn, models, texts, before))
                turns_before[append.tenant_id] = packed_turn
                priors.append(turn.prior or NIL)
            place = place or len(items)
    return {
        "tenants": packed(UUID, list({append.tenant_id for append in leaders})),
        "items": array_of(ITS_OWN, items),
        "models": packed(str, list(rows)),
        "rows": packed(Json, [orjson.dumps(made) for made in rows.values()]),
        "writer": writer,
        "until": until,
        "lock_timeout": lock_timeout,
        "skip_locked": skip_locked,
        "turns": array_of(ITS_OWN, turns),
        "priors": packed(UUID, priors),
    }


async def call(
    connection: AsyncConnection[Any],
    appends: Sequence[Append],
    lock_timeout: str,
    *,
    skip_locked: bool = False,
    writer: UUID = NIL,
    until: float = math.inf,
    of_tenant: bool = False,
) -> list[Outcome]:
    """Append, in one round trip; one outcome for each, in order. *writer* names the connection; nothing is appended
    after *until* on the database's clock (seconds since 1970), or once the writer was given up. On Citus a call is
    *of_tenant*: all its appends are of one.

    Raises the driver's errors.
    """
    cursor = connection.cursor(binary=True)
    parameters, asked = arguments(appends, lock_timeout, skip_locked, writer, until), time.monotonic()
    if of_tenant:
        await cursor.execute(named(CALL_OF_TENANT), parameters | {"tenant": appends[0].tenant_id})
    else:
        await cursor.execute(named(CALL), parameters)
    rows = await cursor.fetchall()
    if rows and rows[0][-1] is not None:
        CLOCK.heard(rows[0][-1], asked, time.monotonic())
    outcomes = {item: Outcome(*outcome) for item, *outcome in rows}
    items = accumulate((1 + len(append.also) for append in appends[:-1]), initial=1)
    return [outcomes[item] for item in items]
