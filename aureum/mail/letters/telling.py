"""Which letters the events of one batch of a tenant's log make."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from aureum.background.reading import STREAM, TYPE, VERSION, WRAPPED, read
from aureum.domain.lead import Lead
from aureum.mail.letter import Letter, Recipient
from aureum.store.cipher import TenantKey
from aureum.store.event_store import EventStore

AGENT = "SELECT shown_email, name FROM users WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND NOT disabled"


async def letters_of(
    store: EventStore, tenant_key: TenantKey, connection: AsyncConnection[Any], rows: Sequence[Any]
) -> list[Letter]:
    """The letters of *rows*, which are the next of the tenant's log: a lead's agent is told of the new lead."""
    letters = []
    suspects = {row[STREAM] for row in rows if row[TYPE] == Lead.Suspected.TOPIC}
    for row in rows:
        if row[TYPE] != Lead.Captured.TOPIC or row[VERSION] != 1 or row[STREAM] in suspects:
            continue
        for record in read(tenant_key, row[STREAM], row[WRAPPED], [row]):
            lead = record.event
            if not isinstance(lead, Lead.Captured) or lead.assigned_to is None:
                continue
            about = {"tenant": tenant_key.tenant_id, "user": lead.assigned_to}
            for address, name in await (await connection.execute(AGENT, about)).fetchall():
                recipient = Recipient(address, name, lead.assigned_to, row[STREAM])
                fields = {"lead": f"{lead.first_name} {lead.last_name}".strip()}
                letters.append(Letter("lead_assigned", recipient, lead.email, "en", fields, record.position))
    return letters
