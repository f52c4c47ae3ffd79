"""Does with envelopes what is due: reminders, deadlines, the end of the time for which they are kept, and that they go
along with their lead to another agent. An envelope that fails holds up no other.

The append sets the timer of an envelope (``projections/envelope_timers.py``). As with those of leads, it only says when
to look (docs/decisions/timers.md): ``aureum.commands.envelopes.clock`` decides from the log.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from aureum.background.waiting import all_of, wait_for
from aureum.commands.envelopes.clock import act_on_time
from aureum.domain.errors import NodeAway, Unavailable
from aureum.domain.lead import Lead
from aureum.log import places
from aureum.store.event_store import EventStore
from aureum.store.postgres.citus.by_tenant import Everywhere
from aureum.store.postgres.database import Database

log = structlog.get_logger()

AT_ONCE = 3
TAKEN = 30

TAKE = Everywhere(
    """
UPDATE envelope_timers t
   SET due_at = d.again_at,
       failures = least(t.failures + 1, 1000)
  FROM (
           SELECT d.tenant_id, d.envelope_id,
                  now() + make_interval(secs => least(3600, %(pause)s * 2 ^ least(d.failures, 10))) AS again_at
             FROM envelope_timers d
            WHERE d.due_at <= now()
            ORDER BY d.due_at
            LIMIT %(limit)s
              FOR NO KEY UPDATE SKIP LOCKED
       ) AS d
 WHERE t.tenant_id = d.tenant_id AND t.envelope_id = d.envelope_id
RETURNING t.tenant_id, t.envelope_id, t.version, t.due_at
""",
    "envelope_timers d",
    "d.due_at <= now()",
)
"""As of the timers of leads. A timer that was taken up is due again after a pause if the worker dies over it."""

PUT_OFF = """
UPDATE envelope_timers SET due_at = %(due)s, failures = 0
 WHERE tenant_id = %(tenant)s AND envelope_id = %(envelope)s AND version = %(version)s AND due_at = %(taken)s
"""
"""It leaves alone what an append, or a lead that was assigned to another agent, has set meanwhile."""

MOVED = frozenset((Lead.Assigned.TOPIC, Lead.Cleared.TOPIC, Lead.PassedOn.TOPIC))
"""After which a lead may have another agent."""

LOOK_AGAIN = """
UPDATE envelope_timers t SET due_at = now(), failures = 0
  FROM envelope_list e
  JOIN heads h ON h.tenant_id = e.tenant_id AND h.envelope_list_version = e.read_version
 WHERE e.tenant_id = %(tenant)s AND e.lead_id = ANY (%(leads)s)
   AND t.tenant_id = e.tenant_id AND t.envelope_id = e.envelope_id
"""


@dataclass(frozen=True, slots=True)
class EnvelopeTimer:
    """One that is due. It was put off until *taken*."""

    tenant_id: UUID
    envelope_id: UUID
    version: int
    taken: datetime


async def envelope_round(store: EventStore, pause: float, poll_seconds: float, stop: asyncio.Event) -> None:
    """Do what is due now; if nothing is, wait for *poll_seconds*. *pause* is the first pause of a failed timer, in
    seconds. Raises Unavailable."""
    taken = await take(store.database, pause)
    for start in range(0, len(taken), AT_ONCE):
        await all_of(fire(store, timer) for timer in taken[start : start + AT_ONCE])
    if not taken:
        await wait_for(stop, poll_seconds)


async def take(database: Database, pause: float) -> list[EnvelopeTimer]:
    """Timers that are due. Raises Unavailable."""
    return [EnvelopeTimer(*row) for row in await database.everywhere(TAKE, {"pause": pause, "limit": TAKEN})]


async def fire(store: EventStore, timer: EnvelopeTimer) -> None:
    """Do what is due, then look again when the next is. Raises Unavailable."""
    try:
        again = await act_on_time(store, timer.tenant_id, timer.envelope_id)
    except NodeAway:
        # It is due again after its pause.
        return
    except Unavailable:
        raise
    except Exception as error:
        log.error("envelope_timer_failed", tenant=str(timer.tenant_id), error=type(error).__name__, trace=places(error))
        return
    about = {"tenant": timer.tenant_id, "envelope": timer.envelope_id, "version": timer.version, "taken": timer.taken}
    await store.database.rows(PUT_OFF, about | {"due": again})
