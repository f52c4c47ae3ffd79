"""Leads that were lost long ago and are to be erased: the owners get a letter a week before.

lost for so many months ──▶ notice to the owners ──a week──▶ erased (``commands/retention.py``)
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.mail.letter import Letter
from aureum.mail.letters import links
from aureum.mail.letters.about import LetterSettings, about_brokerage
from aureum.mail.letters.recipients import OWNERS, letter_to
from aureum.store.postgres.database import Database

MOST = 1_000
"""Leads of one notice. The rest follows with the next one."""

DAYS = 7

LOST = """
SELECT l.lead_id
  FROM brokerages b
  JOIN heads h ON h.tenant_id = b.tenant_id
  JOIN lead_list l ON l.tenant_id = h.tenant_id AND l.read_version = h.lead_list_version AND l.status = 'lost'
 WHERE b.tenant_id = %(tenant)s AND NOT b.disabled AND b.erase_lost_after_months IS NOT NULL
   AND coalesce(
           (
               SELECT max(e.recorded_at) FROM events e
                WHERE e.tenant_id = l.tenant_id AND e.stream_id = l.lead_id AND e.type = 'lead.status_changed'
           ),
           (l.doc::json ->> 'createdAt')::timestamptz
       ) < now() + make_interval(days => %(ahead)s) - make_interval(months => b.erase_lost_after_months)
   AND (%(leads)s::uuid[] IS NULL OR l.lead_id = ANY (%(leads)s))
 ORDER BY l.lead_id LIMIT %(most)s
"""
"""The leads that will have been lost for long enough in so many days."""

TENANTS = """
SELECT b.tenant_id FROM brokerages b
 WHERE b.erase_lost_after_months IS NOT NULL AND NOT b.disabled
   AND NOT EXISTS (SELECT FROM retention_notices n WHERE n.tenant_id = b.tenant_id)
"""

NOTE = """
INSERT INTO retention_notices (tenant_id, leads, erase_at)
VALUES (%(tenant)s, %(leads)s, now() + make_interval(days => %(ahead)s))
ON CONFLICT (tenant_id) DO NOTHING
RETURNING erase_at
"""

HEAD = "SELECT position FROM heads WHERE tenant_id = %(tenant)s"


async def tenants_with_retention(database: Database) -> list[UUID]:
    """Brokerages that erase lost leads and whose owners wait for no notice. Raises Unavailable."""
    return [tenant_id for (tenant_id,) in await database.rows(TENANTS)]


async def note(connection: AsyncConnection[Any], tenant_id: UUID) -> tuple[int, datetime] | None:
    """Note the leads that are to be erased, in the transaction of *connection*: how many, and when. None if there are
    none, or another worker has noted them."""
    about = {"tenant": tenant_id, "ahead": DAYS, "leads": None, "most": MOST}
    leads = [lead_id for (lead_id,) in await (await connection.execute(LOST, about)).fetchall()]
    if not leads:
        return None
    noted = await (await connection.execute(NOTE, about | {"leads": leads})).fetchone()
    return None if noted is None else (len(leads), noted[0])


async def retention(connection: AsyncConnection[Any], tenant_id: UUID, settings: LetterSettings) -> list[Letter]:
    """Letters to the owners about leads that will be erased. The transaction of *connection* notes the leads, so that
    they are erased only if the letters are queued."""
    about = await about_brokerage(connection, tenant_id, settings)
    head = await (await connection.execute(HEAD, {"tenant": tenant_id})).fetchone()
    owners = [] if about is None else [member for member in about.staff.values() if member.role in OWNERS]
    if about is None or head is None or not owners:
        # What no owner can be told of is not erased.
        return []
    noted = await note(connection, tenant_id)
    if noted is None:
        return []
    count, erase_at = noted
    fields = {
        "lead_count": count,
        "day": erase_at.date().isoformat(),
        "link": links.page(about.link, "leads?status=lost"),
    }
    return [letter_to(owner, "leads_expire", fields, head[0]) for owner in owners]
