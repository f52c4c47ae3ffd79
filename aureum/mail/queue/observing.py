"""The state of the queue for the metrics, read every ten seconds: cheaply, however long the queue is."""

from dataclasses import dataclass

from aureum.store.postgres.database import Database

COUNT_AT_MOST = 10_000

STATE = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM mails WHERE state = 'due' LIMIT %(most)s) AS d),
       (SELECT count(*) FROM mails WHERE state = 'leased'),
       (SELECT coalesce(extract(epoch FROM now() - min(m.due_at)), 0)::float8
          FROM mails m
         WHERE m.state = 'due' AND m.due_at <= now()
           AND NOT EXISTS (SELECT FROM brokerages b WHERE b.tenant_id = m.tenant_id AND b.disabled))
"""


@dataclass(frozen=True, slots=True)
class Observed:
    """The mails that wait (at most 10,000), those that workers hold, and for how many seconds the oldest has been
    due."""

    due: int
    leased: int
    oldest_due: float


async def observe(database: Database) -> Observed:
    """Ask. Raises Unavailable."""
    ((due, leased, oldest),) = await database.rows(STATE, {"most": COUNT_AT_MOST})
    return Observed(due, leased, oldest)
