"""What routing learns from, if ``learn_from_reassignments`` is set: leads that staff gave to another agent.

An example is of the agent whose the lead became by its last assignment, if a user decided that: neither a program, nor
an agent who claimed it. It is read from the log with the person's key. So it is gone when the person is erased; and
when the lead is assigned again, it is another one, or none. Of an agent the newest ``OF_AGENT`` count, of a brokerage
``MOST``. Teams that processes remember learn of all that within ``SECONDS``.
"""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import structlog

from aureum.commands.enquiries import said_of_lead
from aureum.domain.aggregate import ERASED, replay
from aureum.domain.lead import Lead
from aureum.domain.routing.examples import Example
from aureum.log import places
from aureum.lru import Lru
from aureum.projections.routing_examples import NEWEST, STREAMS
from aureum.store.cipher import TenantKey
from aureum.store.event_store import EventStore, recorded

OF_AGENT = 50
MOST = 1_000

SECONDS = 60.0
"""How long a process remembers examples without looking whether they are still that."""

SLICE = 100
"""Leads that are read at once."""

TENANTS = 1_000

log = structlog.get_logger()

Version = tuple[UUID, int]
"""A lead, and the number of its last event."""

known: Lru[UUID, Mapping[Version, Example | None]] = Lru(TENANTS)
"""Of each brokerage the examples that there were when it was last looked, so that only what has changed is read; None
stands for a lead that is none."""


async def examples_of(store: EventStore, tenant_id: UUID) -> tuple[Example, ...]:
    """The examples of a brokerage, the newest first. Raises Unavailable, WrongMasterKey."""
    about = {"tenant": tenant_id, "of_agent": OF_AGENT, "limit": MOST}
    rows = await store.database.tenant_rows(tenant_id, NEWEST, about)
    before = known.find(tenant_id) or {}
    now: dict[Version, Example | None] = {
        (lead_id, version): before.get((lead_id, version)) for lead_id, _, _, version in rows
    }
    unread = [lead_id for lead_id, version in now if (lead_id, version) not in before]
    read: dict[UUID, Example | None] = {}
    for start in range(0, len(unread), SLICE):
        read |= await examples_in(store, tenant_id, unread[start : start + SLICE])
    now |= {(lead_id, version): read[lead_id] for lead_id, version in now if lead_id in read}
    known.keep(tenant_id, now)
    return tuple(example for example in now.values() if example is not None)


async def examples_in(store: EventStore, tenant_id: UUID, leads: Sequence[UUID]) -> dict[UUID, Example | None]:
    """What of *leads* is an example."""
    key = await store.tenant_key(tenant_id)
    rows = await store.database.tenant_rows(tenant_id, STREAMS, {"tenant": tenant_id, "leads": list(leads)})
    found: dict[UUID, Example | None] = {}
    for lead_id, group in groupby(rows, key=itemgetter(0)):
        try:
            found[lead_id] = example_in(key, lead_id, list(group))
        except Exception as error:
            # Bytes may be broken in any way; forms are routed without what they say.
            log.error(
                "routing_example_unreadable", tenant=str(tenant_id), error=type(error).__name__, trace=places(error)
            )
            found[lead_id] = None
    await asyncio.sleep(0)
    return found


def example_in(key: TenantKey, lead_id: UUID, rows: Sequence[Any]) -> Example | None:
    """What is to be learnt from a lead, if anything is."""
    stream = recorded(key, lead_id, [row[1:] for row in rows])
    assigned = [one for one in stream.events if isinstance(one.event, Lead.Assigned)]
    lead: Lead = replay(one.event for one in stream.events)
    if not assigned or lead.assigned_to is None or lead.suspect or lead.first_name == ERASED:
        return None
    last = assigned[-1]
    if last.event.previous is None or last.metadata["actor"]["type"] != "user":
        return None
    return Example(lead_id, lead.number, lead.assigned_to, last.event.timestamp, said_of_lead(lead))
