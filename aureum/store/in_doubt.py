"""Asks what became of appends whose call was never answered, so that none is done twice and none is lost.

The connection was lost, or given up because the database was silent. The call may have been carried out, may still be
under way, or may yet arrive. So the writer is named as given up first: from then on ``append_events`` refuses all that
comes from it. Then the heads are taken, which waits for a call that is under way. What is in the log now is all that
ever will be.
"""

from collections.abc import Sequence
from uuid import UUID

from psycopg import sql

from aureum.store.append import Append, Outcome
from aureum.store.guards import Turn
from aureum.store.postgres.arrays import packed
from aureum.store.postgres.connection import Connection
from aureum.store.postgres.database import SET_TENANT
from aureum.store.postgres.functions import named

GIVE_UP = "INSERT INTO given_up_writers (writer) VALUES (%s) ON CONFLICT (writer) DO NOTHING"

HOLD = "SELECT FROM hold_heads(%b::uuid[])"
"""Not in plain SQL: a login that answers requests may not lock the rows of the heads."""

APPENDED = """
SELECT a.item, e.position
  FROM unnest(%b::uuid[], %b::uuid[], %b::integer[], %b::bytea[], %b::bytea[])
       WITH ORDINALITY AS a (tenant_id, stream_id, version, data, metadata, item)
  JOIN events e
       ON e.tenant_id = a.tenant_id AND e.stream_id = a.stream_id AND e.version = a.version
          AND (e.data = a.data OR a.data = '') AND e.metadata = a.metadata
"""
"""By the last event of each: all of an append's are stored or none. Its bytes hold who did it, when and in which
request: another's would differ. Of what was chosen by the append itself the data is not known here."""

REMEMBERED = """
SELECT a.item, h.position
  FROM unnest(%b::uuid[], %b::bytea[], %b::bytea[]) WITH ORDINALITY AS a (tenant_id, key, answer, item)
  JOIN idempotency_keys k ON k.tenant_id = a.tenant_id AND k.key = a.key AND k.answer = a.answer
  JOIN heads h ON h.tenant_id = a.tenant_id
"""
"""What decided nothing is remembered all the same. A sealed answer is never sealed alike twice."""


async def ask(
    connection: Connection, writer: UUID, appends: Sequence[Append], lock_timeout: str
) -> list[Outcome | None]:
    """What became of each of *appends*, all of one tenant: ``appended``, or None for what is not done and never will be
    by *writer*.

    *connection* is another one than the writer's. Raises the driver's errors; then nothing is known.
    """
    # Committed before the heads are taken: a call that takes them later sees it.
    await connection.execute(GIVE_UP, [writer])
    async with connection.transaction():
        await connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(lock_timeout)))
        await connection.execute(SET_TENANT.format(sql.Literal(str(appends[0].tenant_id))))
        await connection.execute(named(HOLD), [packed(UUID, [append.tenant_id for append in appends])])
        found: dict[int, int] = {}
        for some, statement, kinds, row in (
            ([a for a in appends if with_events(a)], APPENDED, (UUID, UUID, int, bytes, bytes), last_event),
            ([a for a in appends if not with_events(a) and a.remember], REMEMBERED, (UUID, bytes, bytes), remembered),
        ):
            if some:
                columns = zip(*map(row, some), strict=True)
                arrays = [packed(kind, column) for kind, column in zip(kinds, columns, strict=True)]
                cursor = await connection.cursor(binary=True).execute(statement, arrays)
                found |= {id(some[item - 1]): position for item, position in await cursor.fetchall()}
    return [Outcome("appended", found[id(append)], None, None) if id(append) in found else None for append in appends]


def with_events(append: Append) -> Append | None:
    """The append itself, or the first of those that go together with it, that has events. One without any may go first
    so that its stream's version is judged."""
    return next((one for one in (append, *append.also) if one.events), None)


def last_event(append: Append) -> tuple[UUID, UUID, int, bytes, bytes]:
    """What is looked for in the log."""
    found = with_events(append)
    assert found is not None
    last = found.events[-1]
    chosen = any(isinstance(guard, Turn) for guard in found.guards)
    return (
        *(found.tenant_id, found.stream_id, last.originator_version),
        *(b"" if chosen else last.state, found.metadata[-1]),
    )


def remembered(append: Append) -> tuple[UUID, bytes, bytes]:
    """What is looked for among the idempotency keys."""
    assert append.remember is not None
    return append.tenant_id, append.remember.key, append.remember.answer
