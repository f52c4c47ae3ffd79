"""Attempts are a log, in a partition a day: those of the next days are made ahead, those of days long past dropped.

What is attempted on a day without a partition stands in the default one, and is moved when the day's is made. No lock
is waited for longer than half a second, since the writers of attempts wait behind it; what does not succeed is tried
again ten minutes later.
"""

import re
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import psycopg
import structlog
from psycopg import AsyncConnection, sql

from aureum.store.postgres.database import Database

log = structlog.get_logger()

KEEP_DAYS = 30
AHEAD_DAYS = 2
NAME = "webhook_attempts_{:%Y%m%d}"
NAMED = re.compile(r"webhook_attempts_(\d{4})(\d\d)(\d\d)")

MOVE_AT_MOST = 50_000
"""Rows that are moved under a lock, in a fraction of a second. A day with more in the default partition gets none."""

ADVISORY_LOCK = 4_851_023_118
"""Two workers make partitions one after the other, and do not get into each other's way; nothing else depends on it."""

IN_THE_WAY = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    # Another worker was quicker.
    psycopg.errors.DuplicateTable,
    psycopg.errors.UndefinedTable,
)

TODAY = "SELECT (now() AT TIME ZONE 'UTC')::date"

PARTITIONS = """
SELECT c.relname::text
  FROM pg_inherits i
  JOIN pg_class c ON c.oid = i.inhrelid
 WHERE i.inhparent = 'webhook_attempts'::regclass
"""

IN_DEFAULT = """
SELECT count(*)
  FROM (SELECT 1 FROM webhook_attempts_default
         WHERE started_at >= %(day)s::date AND started_at < %(day)s::date + 1 LIMIT %(limit)s) AS d
"""

BEGIN = (
    sql.SQL("BEGIN"),
    sql.SQL("SET LOCAL lock_timeout = '500ms'"),
    sql.SQL("SET LOCAL statement_timeout = '10s'"),
    # The writers of attempts wait for a worker that is cut off in here.
    sql.SQL("SET LOCAL idle_in_transaction_session_timeout = '3s'"),
)

TAKE_TURN = "SELECT pg_advisory_xact_lock(%(lock)s)"

MAKE = (
    # The strongest lock, before anything else: a writer that had already chosen the default partition would be refused
    # later, and a reader would miss what is moved.
    "LOCK TABLE ONLY webhook_attempts IN ACCESS EXCLUSIVE MODE",
    "CREATE TABLE {name} (LIKE webhook_attempts INCLUDING ALL)",
    # A partition is read through its parent only.
    "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
    """
WITH moved AS (
    DELETE FROM webhook_attempts_default WHERE started_at >= {day} AND started_at < {next} RETURNING *
)
INSERT INTO {name} SELECT * FROM moved
""",
    "ALTER TABLE webhook_attempts ATTACH PARTITION {name} FOR VALUES FROM ({day}) TO ({next})",
)

DROP = "DROP TABLE {name}"

OLD_IN_DEFAULT = """
DELETE FROM webhook_attempts_default
 WHERE (tenant_id, endpoint_id, position, started_at, lease_owner) IN (
           SELECT tenant_id, endpoint_id, position, started_at, lease_owner
             FROM webhook_attempts_default
            WHERE started_at < %(today)s::date - %(days)s
            LIMIT %(limit)s
       )
RETURNING 1
"""


def to_make(today: date, there: Collection[date]) -> list[date]:
    """The days that need a partition now. Pure."""
    return [day for ahead in range(AHEAD_DAYS + 1) if (day := today + timedelta(ahead)) not in there]


def to_drop(today: date, there: Collection[date]) -> list[date]:
    """The days whose attempts are all older than ``KEEP_DAYS``. Pure."""
    return sorted(day for day in there if day < today - timedelta(KEEP_DAYS))


def day_of(name: str) -> date | None:
    """The day of a partition; None for the default one."""
    found = NAMED.fullmatch(name)
    return date(*map(int, found.groups())) if found else None


async def keep_partitions(database: Database, today: date | None = None, batch: int = 5_000) -> list[str]:
    """Make and drop what *today* demands, which is the database's day if it is None; the names of the partitions.

    What another session is in the way of is left for the next time. Raises Unavailable.
    """
    if today is None:
        ((today,),) = await database.rows(TODAY)
    there = {day for (name,) in await database.rows(PARTITIONS) if (day := day_of(name)) is not None}
    done = []
    async with database.connection() as connection:
        for day in to_make(today, there):
            done += await make(connection, day)
        for day in to_drop(today, there):
            done += await run(connection, day, [DROP])
    while len(await database.rows(OLD_IN_DEFAULT, {"today": today, "days": KEEP_DAYS, "limit": batch})) == batch:
        pass
    return done


async def make(connection: AsyncConnection[Any], day: date) -> list[str]:
    """Make the partition of *day*, unless there is too much to be moved into it."""
    counted = await connection.execute(IN_DEFAULT, {"day": day, "limit": MOVE_AT_MOST + 1})
    row = await counted.fetchone()
    if row is not None and row[0] > MOVE_AT_MOST:
        log.info("webhook_attempts_stay_in_default_partition", day=str(day))
        return []
    return await run(connection, day, MAKE)


async def run(connection: AsyncConnection[Any], day: date, statements: Collection[str]) -> list[str]:
    """Run *statements* about the partition of *day* in a transaction, if no other worker does and no lock is in the
    way."""
    name = NAME.format(day)
    try:
        for begin in BEGIN:
            await connection.execute(begin)
        await connection.execute(TAKE_TURN, {"lock": ADVISORY_LOCK})
        for statement in statements:
            await connection.execute(filled(statement, name, day))
        await connection.execute("COMMIT")
    except IN_THE_WAY as error:
        await connection.execute("ROLLBACK")
        log.info("webhook_partition_left", partition=name, reason=type(error).__name__)
        return []
    return [name]


def filled(statement: str, name: str, day: date) -> sql.Composed:
    """*statement* about the partition called *name*."""
    bounds = (f"{at:%Y-%m-%d} 00:00:00+00" for at in (day, day + timedelta(1)))
    first, after = (sql.Literal(bound) for bound in bounds)
    return sql.SQL(statement).format(name=sql.Identifier(name), day=first, next=after)
