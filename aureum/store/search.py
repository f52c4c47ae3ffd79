"""Keeps what lists are searched by up to date, behind the log. ``projections/search.sql`` says how, and reads what is
newer itself.

Copied by the hundred, since that costs a row a fifth of what it costs alone; nothing of it is within an append.
"""

from uuid import UUID

from aureum.projections.document_list import DocumentList
from aureum.registry import LISTS
from aureum.store.postgres.database import Database

WORTH = 500
"""Newer rows than this are worth being copied: as many are looked at one by one in no time."""

ROWS = 250
"""Rows of one transaction, which holds the head row: some milliseconds."""

PENDING = 4_000
"""Rows after which the index sorts in what is pending: it is read from the beginning by every search."""

POSITIONS = "SELECT tenant_id, position FROM heads"

DUE = """
SELECT h.tenant_id FROM heads h
 WHERE h.tenant_id = ANY (%(tenants)s) AND EXISTS (
           SELECT FROM {table} x
            WHERE x.tenant_id = h.tenant_id AND x.read_version = h.{table}_version AND x.{id} > h.{table}_searched
           OFFSET %(worth)s - 1
       )
 UNION
SELECT x.tenant_id FROM {table} x
  JOIN heads h ON h.tenant_id = x.tenant_id AND h.{table}_version = x.read_version
 WHERE x.unsearched
"""

COPY = "SELECT search_copy('{table}', '{id}', %(tenant)s, %(rows)s)"

SORT_IN = "SELECT gin_clean_pending_list('searched_texts_parts')"


class Searched:
    """One worker's view of how far each tenant's lists are copied."""

    def __init__(self) -> None:
        self.seen: dict[UUID, int] = {}

    async def round(self, database: Database, worth: int = WORTH) -> int:
        """Copy what is worth it; how many rows. Raises Unavailable."""
        positions = dict(await database.rows(POSITIONS))
        tenants = [
            tenant
            for tenant, position in positions.items()
            if tenant not in self.seen or position - self.seen[tenant] >= worth
        ]
        copied = 0
        for model in (one for one in LISTS if one.searched):
            parameters = {"tenants": tenants, "worth": worth}
            for (tenant,) in await database.rows(model.statement(DUE), parameters):
                copied += await copy(database, model, tenant)
        self.seen |= {tenant: positions[tenant] for tenant in tenants}
        return copied


async def copy(database: Database, model: DocumentList, tenant_id: UUID) -> int:
    """All of one list that is newer than its copy, or has changed since. Raises Unavailable."""
    copied: int = 0
    pending: int = 0
    while True:
        ((rows,),) = await database.rows(model.statement(COPY), {"tenant": tenant_id, "rows": ROWS})
        copied += rows
        pending += rows
        if pending >= PENDING or (pending and rows < ROWS):
            await database.rows(SORT_IN)
            pending = 0
        if rows < ROWS:
            return copied
