"""Leads that were lost long ago are erased, a week after the owners were told (``mail/letters/retention.py``).

The notice stands in a table, with the moment from which on its leads are erased. A worker that dies loses nothing, and
none erases what no owner was told of. A lead that is not lost any more by then stays. Erased are the lead, its showings
and its tasks. A contact of the person stays, and so do other leads.
"""

from pathlib import Path
from uuid import UUID

from aureum.commands.erasures import carry_out
from aureum.commands.person import LINKS, NUMBERS, by_id
from aureum.domain import ids
from aureum.domain.erasure import RETENTION, Erasure
from aureum.mail.letters.retention import LOST, MOST
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import Actor, Origin

DUE = "SELECT tenant_id, leads FROM retention_notices WHERE erase_at <= now() ORDER BY erase_at LIMIT 20"

DONE = "DELETE FROM retention_notices WHERE tenant_id = %(tenant)s AND erase_at <= now()"

ORIGIN = Actor("system", "retention")


async def erase_lost(store: EventStore, mails: Path | None = None) -> int:
    """Erase what was noted a week ago and is still lost; how many leads. Raises what ``carry_out`` raises."""
    erased = 0
    for tenant_id, noted in await store.database.rows(DUE):
        about = {"tenant": tenant_id, "ahead": 0, "leads": noted, "most": MOST}
        for (lead_id,) in await store.database.rows(LOST, about):
            await erase_lead(store, tenant_id, lead_id, mails)
            erased += 1
        await store.database.rows(DONE, about)
    return erased


async def erase_lead(store: EventStore, tenant_id: UUID, lead_id: UUID, mails: Path | None) -> None:
    """Erase one lead with its showings and tasks. Raises what ``carry_out`` raises."""
    found = [
        stream_id
        for kind, column, of in LINKS
        if of == ("lead",) and column == "lead_id" and kind in ("showing", "task")
        for _, stream_id, _ in await by_id(store, tenant_id, kind, column, [lead_id])
    ]
    rows = await store.database.tenant_rows(tenant_id, NUMBERS, {"tenant": tenant_id, "leads": [lead_id]})
    erasure = Erasure.request(
        ids.new_id(),
        ids.now(),
        subjects=[lead_id, *found],
        numbers=[number for (number,) in rows],
        reason=RETENTION,
    )
    await store.append(tenant_id, erasure, NO_STREAM, command="EraseLost", origin=Origin(ORIGIN))
    await carry_out(store, tenant_id, erasure.id, mails)
