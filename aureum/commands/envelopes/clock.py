"""What the worker does when its time has come: reminders, the deadline, the end of the time for which an envelope is
kept. An envelope also goes along with its lead to another agent. All of it is decided from the log: a timer only tells
the worker when to look."""

from datetime import datetime
from uuid import UUID

from aureum.commands.envelopes.drafting import EnvelopeRef, agent_of, changed
from aureum.commands.envelopes.ending import PurgeEnvelope, purge_envelope
from aureum.domain import ids
from aureum.domain.envelope import Envelope
from aureum.domain.errors import NotFound
from aureum.store.event_store import EventStore
from aureum.store.metadata import Actor, Origin

CLOCK = Actor("system", "clock")


async def act_on_time(store: EventStore, tenant_id: UUID, envelope_id: UUID) -> datetime | None:
    """Do what is due now; returns when to look again, if ever. Raises Conflict, Busy, Unavailable."""
    envelope = (await store.load(tenant_id, envelope_id)).aggregate()
    if not isinstance(envelope, Envelope) or envelope.erased:
        return None
    if envelope.state == "completed" and envelope.can_be_purged(ids.now()):
        command = PurgeEnvelope(tenant_id=tenant_id, envelope_id=envelope_id)
        purged, _ = await purge_envelope(store, command, Origin(CLOCK))
        return purged.due_at() if not purged.erased else None
    agent = await agent_of(store, tenant_id, envelope.lead_id)

    def decide(one: Envelope, at: datetime) -> None:
        if one.lead_id is not None and one.lead_id == envelope.lead_id:
            one.assign(agent, at)
        one.act_by_the_clock(at)

    try:
        envelope, _ = await changed(
            store, EnvelopeRef(tenant_id=tenant_id, envelope_id=envelope_id), decide, "ActOnTime", Origin(CLOCK)
        )
    except NotFound:
        # Purged meanwhile.
        return None
    return envelope.due_at()
