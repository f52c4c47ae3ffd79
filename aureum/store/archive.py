"""Moves the older part of a tenant's log into a table of its own, ``archived_events``, which inherits from ``events``.

So whatever reads ``events`` reads both, in every version of the program, and appends go to ``events`` alone. What is
moved is the beginning of a log, in steps. A step is one transaction: it verifies the chain of what it moves, and writes
down where that ends and which hash the chain has there. A verification compares these hashes (``chain.py``).

The table is made when something is archived for the first time: until then it costs nothing
(docs/decisions/archive.md).
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import structlog

from aureum.domain.errors import Busy, DomainError
from aureum.store.chain import ARCHIVES, EVENTS, Broken, Walk
from aureum.store.postgres.connection import Connection

STEP = 10_000
"""Events of one transaction, at most."""

log = structlog.get_logger()

IS_MADE = "SELECT to_regclass('archived_events') IS NOT NULL"

# A session plans its statements with the new table once it takes a lock on events again. No session holds one at the
# moment this is committed, so no statement that began before misses what is moved afterwards.
MAKE = """
SET LOCAL lock_timeout = '200ms';
LOCK TABLE events IN ACCESS EXCLUSIVE MODE;
CREATE TABLE IF NOT EXISTS archived_events (
    PRIMARY KEY (tenant_id, stream_id, version),
    UNIQUE (tenant_id, position)
) INHERITS (events) WITH (fillfactor = 100);
ALTER TABLE archived_events ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own_tenant ON archived_events;
CREATE POLICY own_tenant ON archived_events TO aureum_service
       USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
CREATE OR REPLACE FUNCTION refuse_archived_stream() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    IF EXISTS (
        SELECT FROM archived_events a
         WHERE a.tenant_id = NEW.tenant_id AND a.stream_id = NEW.stream_id AND a.version = 1
    ) THEN
        RAISE EXCEPTION 'duplicate key value violates unique constraint "events_pkey"'
              USING ERRCODE = 'unique_violation', CONSTRAINT = 'events_pkey';
    END IF;
    RETURN NULL;
END
$function$;
DROP TRIGGER IF EXISTS refuse_archived_stream ON events;
CREATE TRIGGER refuse_archived_stream AFTER INSERT ON events FOR EACH ROW WHEN (NEW.version = 1)
       EXECUTE FUNCTION refuse_archived_stream();
"""
"""An append that begins a stream leaves it to the primary key that it is the first one (append.sql). That key ends with
the table, so the trigger looks in the other one. Later versions of a stream are compared under the lock of the head."""

MAKE_TRIES = 150
MAKE_PAUSE_SECONDS = 0.2

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(4851023118)"
"""Of archiving; an append takes no such lock."""

LAST_BEFORE = """
WITH RECURSIVE begun AS (
    SELECT coalesce((SELECT max(a.last_position) FROM archives a WHERE a.tenant_id = h.tenant_id), 0) AS low,
           h.position AS high
      FROM heads h
     WHERE h.tenant_id = %(tenant)s
), halves AS (
    SELECT low AS archived, low, high FROM begun
    UNION ALL
    SELECT archived, CASE WHEN older THEN middle ELSE low END, CASE WHEN older THEN high ELSE middle - 1 END
      FROM (
          SELECT n.archived, n.low, n.high, n.middle, coalesce((
                     SELECT e.recorded_at < %(until)s FROM events e
                      WHERE e.tenant_id = %(tenant)s AND e.position = n.middle
                 ), false) AS older
            FROM (SELECT *, (low + high + 1) / 2 AS middle FROM halves WHERE low < high) AS n
      ) AS looked
)
SELECT archived, low FROM halves WHERE low = high
"""
"""Times of a log never go back, so its part before a moment is found by halves."""

MOVE = """
WITH moved AS (
    DELETE FROM ONLY events WHERE tenant_id = %(tenant)s AND position BETWEEN %(first)s AND %(last)s RETURNING *
)
INSERT INTO archived_events
       (tenant_id, stream_id, version, position, type, schema_version, data, metadata, recorded_at, hash)
SELECT tenant_id, stream_id, version, position, type, schema_version, data, metadata, recorded_at, hash
  FROM moved
 ORDER BY position
"""

WRITE_DOWN = """
INSERT INTO archives (tenant_id, first_position, last_position, hash) VALUES (%(tenant)s, %(first)s, %(last)s, %(hash)s)
"""

# Not in a transaction, and beside appends: without it the planner knows nothing of the new table.
AFTERWARDS = ("SET statement_timeout = 0", "VACUUM (ANALYZE) events", "VACUUM (ANALYZE) archived_events")
VACUUM_SECONDS = 86_400.0


class NotOnCitus(DomainError):
    """Citus distributes no table that inherits from another one, so nothing can be archived there."""

    def __init__(self) -> None:
        super().__init__(" ".join((type(self).__doc__ or "").split()))


class NotWhole(DomainError):
    """A log is not as it was written, so it is not moved."""

    def __init__(self, broken: Broken) -> None:
        super().__init__(
            f"The log is broken at position {broken.position}: {broken.what}. Nothing more was archived of it."
        )


def refuse_citus(connection: Connection) -> None:
    """Raises NotOnCitus where the database is a coordinator of it."""
    if connection.citus:
        raise NotOnCitus


async def make_table(connection: Connection) -> None:
    """Make the table of the archived events, unless it is there. Raises Busy, and the driver's errors."""
    for _ in range(MAKE_TRIES):
        if await (await connection.execute(IS_MADE)).fetchone() == (True,):
            return
        try:
            async with connection.transaction():
                await connection.execute(MAKE)
            return
        except psycopg.errors.LockNotAvailable:
            # A statement that takes long, such as a backup's. Appends go on between the tries.
            await asyncio.sleep(MAKE_PAUSE_SECONDS)
    raise Busy(message="A backup or another long statement reads the events. Archive again when it has ended.")


async def older_part(connection: Connection, tenant_id: UUID, until: datetime) -> tuple[int, int]:
    """Up to which position the tenant's log is archived, and the position of its last event from before *until*."""
    row = await (await connection.execute(LAST_BEFORE, {"tenant": tenant_id, "until": until})).fetchone()
    return (0, 0) if row is None else row


async def move(connection: Connection, tenant_id: UUID, last: int, step: int = STEP) -> AsyncIterator[int]:
    """Move the tenant's log up to position *last*; yields after each step up to where it is archived.

    Each step stands by itself: what is stopped after any of them can go on later. Raises NotWhole, and the driver's
    errors.
    """
    while True:
        async with connection.transaction():
            await connection.execute(ONE_AT_A_TIME)
            archived, found = await step_of(connection, tenant_id, last, step)
        yield archived
        if not found:
            return


async def vacuum(connection: Connection) -> bool:
    """Make room in both tables, where one is made, for as long as that takes: whether it was finished."""
    if await (await connection.execute(IS_MADE)).fetchone() != (True,):
        return True
    connection.bound = VACUUM_SECONDS
    try:
        for statement in AFTERWARDS:
            await connection.execute(statement)
    except psycopg.Error as error:
        log.warning("archive_not_vacuumed", sqlstate=error.sqlstate)
        return False
    return True


async def step_of(connection: Connection, tenant_id: UUID, last: int, step: int) -> tuple[int, bool]:
    """One step, in the caller's transaction: up to where the log is archived now, and whether that is new."""
    named: dict[str, Any] = {"tenant": tenant_id}
    archives = await (await connection.execute(ARCHIVES, named)).fetchall()
    _, archived, hash_ = archives[-1] if archives else (0, 0, b"")
    named |= {"first": archived + 1, "last": min(archived + step, last), "limit": step}
    if named["first"] > named["last"]:
        return archived, False
    cursor = connection.cursor(binary=True)
    await cursor.execute(EVENTS, named)
    walk = Walk(tenant_id, position=archived, hash=bytes(hash_))
    if broken := walk.over(await cursor.fetchall()):
        raise NotWhole(broken)
    moved = (await connection.execute(MOVE, named)).rowcount
    if walk.position != named["last"] or moved != named["last"] - archived:
        raise NotWhole(Broken(archived + 1, f"there are not all events up to position {named['last']}"))
    await connection.execute(WRITE_DOWN, named | {"hash": walk.hash})
    return walk.position, True
