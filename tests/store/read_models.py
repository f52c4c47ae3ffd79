"""What people read of the lead list and the lead counts, what the events say it should be, and which versions exist."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import reduce
from typing import Any
from uuid import UUID

import orjson

from aureum.domain.ids import from_wire
from aureum.domain.lead import Lead
from aureum.projections import lead_counts, lead_list
from aureum.projections.document_list import ABOVE_ALL
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin

LIVE = "SELECT lead_list_version, lead_counts_version FROM heads WHERE tenant_id = %(tenant)s"

LIST = f"""
SELECT {", ".join(f"l.{column}" for column in lead_list.LIST.columns)}
  FROM lead_list l
  JOIN heads h ON h.tenant_id = l.tenant_id AND h.lead_list_version = l.read_version
 WHERE l.tenant_id = %(tenant)s
 ORDER BY l.lead_id
"""

COUNTS = """
SELECT c.status, c.leads
  FROM lead_counts c
  JOIN heads h ON h.tenant_id = c.tenant_id AND h.lead_counts_version = c.read_version
 WHERE c.tenant_id = %(tenant)s
"""

VERSIONS = """
SELECT 'lead_list', read_version FROM lead_list WHERE tenant_id = %(tenant)s
 UNION
SELECT 'lead_counts', read_version FROM lead_counts WHERE tenant_id = %(tenant)s
"""

BEFORE = "SELECT recorded_at FROM events WHERE tenant_id = %(tenant)s AND position = %(position)s - 1"

LEADS = "SELECT stream_id FROM events WHERE tenant_id = %(tenant)s AND type = 'lead.captured' ORDER BY stream_id"

Shown = tuple[list[Any], dict[str, int]]


async def shown(store: EventStore, tenant_id: UUID) -> Shown:
    """What people read now: all columns of the lead list, and the counts."""
    found = await store.database.rows(LIST, {"tenant": tenant_id})
    return found, lead_counts.summary(await store.database.rows(COUNTS, {"tenant": tenant_id}))


async def folded(store: EventStore, tenant_id: UUID) -> Shown:
    """The same as the events have it, each stream folded from its beginning."""
    rows, counts = [], Counter[str]()
    for (lead_id,) in await store.database.rows(LEADS, {"tenant": tenant_id}):
        stream = (await store.load(tenant_id, lead_id)).events
        events = [recorded.event for recorded in stream]
        ((row),) = lead_list.LIST.rows((), events)
        before = await store.database.rows(BEFORE, {"tenant": tenant_id, "position": stream[-1].position})
        row = lead_list.LIST.counted(row, before[0][0] if before else None)
        rows.append(tuple(row[column] for column in lead_list.LIST.columns))
        counts = reduce(lead_counts.step, events, counts)
    return rows, lead_counts.summary(counts.items())


async def live(store: EventStore, tenant_id: UUID) -> dict[str, int]:
    """The versions that the head row names."""
    ((leads, counts),) = await store.database.rows(LIVE, {"tenant": tenant_id})
    return {"lead_list": leads, "lead_counts": counts}


async def versions(store: EventStore, tenant_id: UUID) -> dict[str, set[int]]:
    """The versions of which there are rows."""
    found: dict[str, set[int]] = {"lead_list": set(), "lead_counts": set()}
    for name, version in await store.database.rows(VERSIONS, {"tenant": tenant_id}):
        found[name].add(version)
    return found


async def page(store: EventStore, tenant_id: UUID) -> set[UUID]:
    """The leads in the list that ``GET /api/leads`` reads."""
    parameters = dict.fromkeys(one.name for one in lead_list.LEADS.filters)
    place = {"tenant": tenant_id, "before": ABOVE_ALL, "limit": 10_000}
    ((docs, _, _),) = await store.database.rows(lead_list.LEADS.page, parameters | place)
    found = {from_wire(doc["id"]) for doc in orjson.loads(f"[{docs or ''}]")}
    return {lead_id for lead_id in found if lead_id is not None}


async def change(store: EventStore, tenant_id: UUID, lead_id: UUID, decide: Callable[[Lead], None]) -> None:
    """Let a lead decide, and append what it decided."""
    before = await store.load(tenant_id, lead_id)
    lead = before.aggregate()
    decide(lead)
    await store.append(tenant_id, lead, before, command="ChangeLead", origin=Origin(COMMAND_LINE))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until *condition* holds, forty seconds at most."""
    async with asyncio.timeout(40):
        while not await condition():  # noqa: ASYNC110 - what it waits for happens in the database
            await asyncio.sleep(0.005)
