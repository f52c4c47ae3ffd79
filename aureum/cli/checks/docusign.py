"""Checks of DocuSign: whether envelopes wait for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aureum.cli.checks.check import Doctor, Finding

LATE = """
SELECT b.slug, count(*), max(d.failures) >= 3
  FROM docusign_envelopes d
  JOIN brokerages b ON b.tenant_id = d.tenant_id
 WHERE d.due_at IS NOT NULL AND (d.failures >= 3 OR d.due_at < now() - interval '5 minutes')
 GROUP BY b.number, b.slug
 ORDER BY b.number
"""
"""Those that no worker has taken up, and those that fail again and again."""

FAILING = (
    "{count} envelopes of {slug} wait for DocuSign, and are tried again. 'aureum esign check --brokerage {slug}' tries "
    "the connection; the worker's log says why each waits, as docusign_refused, docusign_not_connected or "
    "docusign_failed."
)
NO_WORKER = (
    "{count} envelopes of {slug} wait to be sent to DocuSign or fetched there, and no worker does it: 'aureum serve' "
    "has one unless it is told --no-worker, and 'aureum worker' is one."
)


async def docusign(doctor: Doctor) -> AsyncIterator[Finding]:
    """Envelopes that should have gone on at DocuSign some time ago."""
    for slug, count, failing in await doctor.store.database.rows(LATE):
        text = (FAILING if failing else NO_WORKER).format(count=count, slug=slug)
        yield Finding("docusign", text, {"brokerage": slug, "envelopes": count})
