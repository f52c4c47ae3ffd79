"""Checks of timers: whether leads go on to another agent when their time is over."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aureum.cli.checks.check import Doctor, Finding

LATE = """
SELECT b.slug, count(*), max(extract(epoch FROM now() - t.due_at))::float8, max(t.failures) > 0
  FROM timers t
  JOIN brokerages b ON b.tenant_id = t.tenant_id AND NOT b.disabled
 WHERE t.due_at < now() - interval '5 minutes' OR t.failures >= 3
 GROUP BY b.number, b.slug
 ORDER BY b.number
"""
"""Timers that no worker has taken up, and those that fail again and again."""

NO_WORKER = (
    "{count} leads of {slug} should have gone on to another agent, the first of them {minutes} minutes ago. Either no "
    "worker runs, or it cannot keep up: 'aureum serve' has one unless it is told --no-worker, and 'aureum worker' is "
    "one."
)
FAILING = (
    "{count} leads of {slug} could not go on to another agent, and are tried again. The worker's log says why, as "
    "timer_failed: please report it."
)


async def timers(doctor: Doctor) -> AsyncIterator[Finding]:
    """Leads that should have gone on some time ago."""
    for slug, count, seconds, failing in await doctor.store.database.rows(LATE):
        text = (FAILING if failing else NO_WORKER).format(count=count, slug=slug, minutes=round(seconds / 60))
        yield Finding("timers", text, {"brokerage": slug, "leads": count})
