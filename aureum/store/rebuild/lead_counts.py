"""How the lead counts are rebuilt: counted by position from the beginning, a batch at a time. See rebuild.py."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce

import orjson

from aureum.domain.lead import Lead
from aureum.projections import lead_counts
from aureum.store.event_log import EventLog, Logged
from aureum.store.rebuild.claim import RebuildClaim

NAME = lead_counts.NAME
TYPES: tuple[str, ...] = tuple(
    event.TOPIC for event in (Lead.Captured, Lead.StatusChanged, Lead.Suspected, Lead.Cleared, Lead.Erased)
)
STEP_VERSION = lead_counts.STEP_VERSION
PERSONAL = False

NEXT_VERSION = """
UPDATE rebuilds r SET read_version = greatest(r.read_version, h.lead_counts_version) + 1
  FROM heads h
 WHERE r.tenant_id = %(tenant)s AND r.read_model = 'lead_counts' AND h.tenant_id = r.tenant_id
RETURNING r.read_version, h.lead_counts_version
"""

FLIP = f"""
UPDATE heads SET lead_counts_version = %(version)s, lead_counts_step = {lead_counts.STEP_VERSION}
 WHERE tenant_id = %(tenant)s
"""  # noqa: S608  # of constants

COUNT = "SELECT count(*) FROM lead_counts WHERE tenant_id = %(tenant)s AND read_version = %(version)s"

# A status that no lead has any more may have a row with 0, or none.
DIGESTS = """
SELECT status, md5(leads::text) FROM lead_counts
 WHERE tenant_id = %(tenant)s AND read_version = %(version)s AND leads <> 0
 ORDER BY status COLLATE "C"
"""

ONE = """
SELECT jsonb_build_object('leads', leads) FROM lead_counts
 WHERE tenant_id = %(tenant)s AND read_version = %(version)s AND status = %(key)s
"""

ADD = """
INSERT INTO lead_counts AS c (tenant_id, read_version, status, leads)
SELECT %(tenant)s, %(version)s, r.status, r.leads
  FROM json_to_recordset(%(rows)s::json) AS r (status text, leads bigint)
ON CONFLICT (tenant_id, read_version, status) DO UPDATE SET leads = c.leads + excluded.leads
"""

REMOVE = "DELETE FROM lead_counts WHERE tenant_id = %(tenant)s AND read_version <> ALL (%(keep)s)"


async def copy(log: EventLog, claim: RebuildClaim, until: int, folded: Callable[[int], None]) -> int:
    """Nothing to do in another way than by position: returns where following begins."""
    return 0


async def apply(claim: RebuildClaim, events: Sequence[Logged]) -> None:
    """Add what *events* change, in the caller's transaction."""
    changes: Counter[str] = reduce(lead_counts.step, (one.event for one in events), Counter())
    rows = [{"status": status, "leads": leads} for status, leads in changes.items() if leads]
    await claim.connection.execute(ADD, claim.parameters(rows=orjson.dumps(rows).decode()))


async def remove(claim: RebuildClaim, *keep: int) -> None:
    """Remove the rows of every version but those to *keep*: a handful each."""
    async with claim.transaction():
        await claim.connection.execute(REMOVE, claim.parameters(keep=list(keep)))
