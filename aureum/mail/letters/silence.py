"""Domains of brokerages at which nothing has arrived a day after they were added. Their owners get one letter each."""

from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.domain.ids import PLATFORM
from aureum.mail.letter import Letter
from aureum.mail.letters import links
from aureum.mail.letters.about import LetterSettings, about_brokerage
from aureum.mail.letters.links import LOCAL
from aureum.mail.letters.recipients import OWNERS, letter_to
from aureum.store.postgres.database import Database

TENANTS = """
SELECT DISTINCT d.tenant_id
  FROM domains d
  JOIN brokerages b ON b.tenant_id = d.tenant_id AND NOT b.disabled
 WHERE d.added_at < now() - interval '24 hours' AND d.silence_told_at IS NULL AND d.domain <> %(local)s
   AND NOT EXISTS (SELECT FROM domains_seen s WHERE s.tenant_id = d.tenant_id AND s.domain = d.domain)
"""

TAKE = """
UPDATE domains d
   SET silence_told_at = now()
 WHERE d.tenant_id = %(tenant)s AND d.added_at < now() - interval '24 hours' AND d.silence_told_at IS NULL
   AND d.domain <> %(local)s
   AND NOT EXISTS (SELECT FROM domains_seen s WHERE s.tenant_id = d.tenant_id AND s.domain = d.domain)
RETURNING d.domain
"""

ADDED = """
SELECT max(e.position) FROM events e
 WHERE e.tenant_id = %(platform)s AND e.stream_id = %(tenant)s
   AND e.type IN ('brokerage.opened', 'brokerage.domains_changed')
"""
"""The event that added the last domain; it stands in the platform's log."""


async def tenants_with_silence(database: Database) -> list[UUID]:
    """Brokerages whose owners are to get a letter about a domain. Raises Unavailable."""
    return [tenant_id for (tenant_id,) in await database.rows(TENANTS, {"local": LOCAL})]


async def silence(connection: AsyncConnection[Any], tenant_id: UUID, settings: LetterSettings) -> list[Letter]:
    """Letters to the owners about domains at which nothing arrives. The transaction of *connection* marks the domains,
    so that they are named once."""
    of = {"tenant": tenant_id, "platform": PLATFORM, "local": LOCAL}
    domains = sorted(domain for (domain,) in await (await connection.execute(TAKE, of)).fetchall())
    about = await about_brokerage(connection, tenant_id, settings)
    added = await (await connection.execute(ADDED, of)).fetchone()
    if not domains or about is None or added is None or added[0] is None:
        return []
    fields = {"domain": ", ".join(domains), "link": links.page(about.link, "settings")}
    owners = [member for member in about.staff.values() if member.role in OWNERS]
    return [letter_to(owner, "domain_silent", fields, added[0]) for owner in owners]
