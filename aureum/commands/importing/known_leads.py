"""The addresses of the leads that are there before an import begins, noted beside it: no index has them."""

from uuid import UUID

from aureum.commands.importing.imports import Import
from aureum.domain.people import email_key
from aureum.store.event_store import EventStore

NOTE = """
INSERT INTO import_keys (tenant_id, import_id, key, stream_id)
SELECT %(tenant)s, %(import)s, n.key, n.stream_id
  FROM unnest(%(keys)s::uuid[], %(streams)s::uuid[]) AS n (key, stream_id)
ON CONFLICT DO NOTHING
"""

LEADS = """
SELECT l.lead_id, l.doc::json ->> 'email' FROM lead_list l
 WHERE l.tenant_id = %(tenant)s AND l.lead_id < %(before)s
   AND l.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = l.tenant_id AND k.subject_id = l.lead_id)
 ORDER BY l.lead_id DESC LIMIT %(limit)s
"""
"""The newest leads first. No index has their addresses, because a form must not cost more for it."""

LEADS_AT_ONCE = 5_000

ABOVE_ALL = UUID(int=(1 << 128) - 1)


async def note_leads(store: EventStore, job: Import) -> None:
    """Note the addresses of the leads that are there, the newest lead of each. Raises Unavailable."""
    before = ABOVE_ALL
    while True:
        about = {"tenant": job.tenant_id, "import": job.import_id, "before": before, "limit": LEADS_AT_ONCE}
        rows = await store.database.tenant_rows(job.tenant_id, LEADS, about)
        keys: dict[UUID, UUID] = {}
        for lead_id, email in rows:
            if (key := email_key(email)) is not None:
                keys.setdefault(key, lead_id)
        if keys:
            await store.database.rows(NOTE, about | {"keys": list(keys), "streams": list(keys.values())})
        if len(rows) < LEADS_AT_ONCE:
            return
        before = rows[-1][0]
