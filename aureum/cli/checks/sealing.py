"""Checks of sealing: whether what all have signed is completed."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aureum.cli.checks.check import Doctor, Finding
from aureum.domain.ids import to_wire

LATE = """
SELECT b.slug, s.envelope_id, s.parked, s.error, s.failures, extract(epoch FROM now() - s.due_at)::float8
  FROM sealings s
  JOIN brokerages b ON b.tenant_id = s.tenant_id
 WHERE s.due_at IS NOT NULL AND (s.parked OR s.failures >= 3 OR s.due_at < now() - interval '5 minutes')
 ORDER BY b.number, s.envelope_id
"""

PARKED = (
    "The envelope {envelope} of {slug} is signed by all and cannot be sealed ({error}). The worker's log says where, "
    "as envelope_not_sealed. Mend the cause, then run 'aureum esign retry-sealing'."
)
FAILING = (
    "The envelope {envelope} of {slug} is signed by all, and sealing it has failed {failures} times ({error}). The "
    "worker will try again."
)
NO_WORKER = (
    "The envelope {envelope} of {slug} is signed by all, and no worker seals it: 'aureum serve' has one unless it is "
    "told --no-worker, and 'aureum worker' is one."
)


async def sealing(doctor: Doctor) -> AsyncIterator[Finding]:
    """Envelopes that should have been completed some time ago."""
    for slug, envelope_id, parked, error, failures, _ in await doctor.store.database.rows(LATE):
        said = PARKED if parked else FAILING if failures >= 3 else NO_WORKER
        envelope = to_wire(envelope_id)
        text = said.format(slug=slug, envelope=envelope, error=error or "its worker died", failures=failures)
        yield Finding("sealing", text, {"brokerage": slug, "envelope": envelope, "error": error})
