"""Takes up the timers that are due, and passes leads on. A lead that fails holds up no other."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from aureum.background.follower import BATCH, Follower
from aureum.background.waiting import all_of, wait_for
from aureum.commands.passing_on import Teams, pass_on
from aureum.domain.errors import NodeAway, Unavailable
from aureum.log import places
from aureum.store.event_store import EventStore
from aureum.store.postgres.citus.by_tenant import Everywhere
from aureum.store.postgres.database import Database
from aureum.timers.setting import TIMERS

log = structlog.get_logger()

AT_ONCE = 3
TAKEN = 30
"""How many timers are taken up in one go, and how many of them at the same moment."""

TAKE = Everywhere(
    """
UPDATE timers t
   SET due_at = d.again_at,
       failures = least(t.failures + 1, 1000)
  FROM (
           SELECT d.tenant_id, d.lead_id,
                  now() + make_interval(secs => least(3600, %(pause)s * 2 ^ least(d.failures, 10))) AS again_at
             FROM timers d
            WHERE d.due_at <= now()
            ORDER BY d.due_at
            LIMIT %(limit)s
              FOR NO KEY UPDATE SKIP LOCKED
       ) AS d
 WHERE t.tenant_id = d.tenant_id AND t.lead_id = d.lead_id
RETURNING t.tenant_id, t.lead_id, t.version
""",
    "timers d",
    "d.due_at <= now()",
)
"""By the database's now(), because an index cannot be used with clock_timestamp(). If the worker dies over a timer, or
fails, the timer is due again after a pause of an hour at most."""

PUT_OFF = """
UPDATE timers SET due_at = %(due)s, failures = 0
 WHERE tenant_id = %(tenant)s AND lead_id = %(lead)s AND version = %(version)s
"""

END = "DELETE FROM timers WHERE tenant_id = %(tenant)s AND lead_id = %(lead)s AND version = %(version)s"
"""Like ``PUT_OFF``, it leaves alone a timer that was set for a later version meanwhile."""


@dataclass(frozen=True, slots=True)
class Timer:
    """One that is due."""

    tenant_id: UUID
    lead_id: UUID
    version: int


class Setter:
    """Follows the logs and sets timers, with a pause of *poll_seconds*, so that all events of a pause cost a brokerage
    one transaction."""

    def __init__(self, store: EventStore, poll_seconds: float, stop: asyncio.Event) -> None:
        self.follower = Follower(store, TIMERS, self.heard, 0)
        self.poll_seconds = poll_seconds
        self.stop = stop
        self.more = False

    def heard(self, _: UUID, events: int) -> None:
        """There is more in the log if the batch was full."""
        self.more = self.more or events >= BATCH

    async def round(self) -> None:
        """A batch of each tenant that is behind. Raises Unavailable."""
        self.more = False
        await self.follower.round()
        if not self.more:
            await wait_for(self.stop, self.poll_seconds)


async def fire_round(store: EventStore, pause: float, poll_seconds: float, stop: asyncio.Event) -> None:
    """Fire what is due now; if nothing is, wait for *poll_seconds*. *pause* is the first pause of a failed timer, in
    seconds. Raises Unavailable."""
    taken = await take(store.database, pause)
    teams: Teams = {}
    for start in range(0, len(taken), AT_ONCE):
        await all_of(fire(store, timer, teams) for timer in taken[start : start + AT_ONCE])
    if not taken:
        await wait_for(stop, poll_seconds)


async def take(database: Database, pause: float) -> list[Timer]:
    """Timers that are due. Raises Unavailable."""
    return [Timer(*row) for row in await database.everywhere(TAKE, {"pause": pause, "limit": TAKEN})]


async def fire(store: EventStore, timer: Timer, teams: Teams) -> None:
    """Pass the lead on, or look again later. Raises Unavailable."""
    try:
        again = await pass_on(store, timer.tenant_id, timer.lead_id, teams)
    except NodeAway:
        # It is due again after its pause.
        return
    except Unavailable:
        raise
    except Exception as error:
        log.error("timer_failed", tenant=str(timer.tenant_id), error=type(error).__name__, trace=places(error))
        return
    await settle(store.database, timer, again)


async def settle(database: Database, timer: Timer, again: datetime | None) -> None:
    """End the timer, or put it off until *again*. An append has set the next one. Raises Unavailable."""
    about = {"tenant": timer.tenant_id, "lead": timer.lead_id, "version": timer.version}
    await database.rows(END if again is None else PUT_OFF, about | {"due": again})
