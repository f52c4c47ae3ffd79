"""Records the domains at which requests arrive. Links in mails lead only to those, and owners get a mail about a domain
at which nothing arrives.

A process remembers the domains that it has seen, and stores each once. So this costs a request one look into a
dictionary, and no request waits for it.
"""

import asyncio
from uuid import UUID

import psycopg
import structlog

from aureum.domain.errors import Unavailable
from aureum.http.access.gate import Admission, Lookup
from aureum.store.postgres.database import Database

AGAIN_SECONDS = 5.0

WRITE = """
INSERT INTO domains_seen (tenant_id, domain)
SELECT r.tenant_id, r.domain FROM unnest(%(tenants)s::uuid[], %(domains)s::text[]) AS r (tenant_id, domain)
ON CONFLICT (tenant_id, domain) DO NOTHING
"""

log = structlog.get_logger("aureum.http")


class Arrivals:
    """One a process. Open it with ``async with``."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.known: dict[str, UUID] = {}
        self.unwritten: dict[str, UUID] = {}
        """Brokerages by domain."""
        self.wake = asyncio.Event()

    async def __aenter__(self) -> "Arrivals":
        self.task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def came(self, lookup: Lookup, admission: Admission | None) -> None:
        """Note the domain of a request that the gate has admitted. Returns at once."""
        if admission is None or lookup.slug:
            return
        tenant_id = admission.caller.host_tenant
        if tenant_id is not None and self.known.get(lookup.host) != tenant_id:
            self.known[lookup.host] = self.unwritten[lookup.host] = tenant_id
            self.wake.set()

    async def _run(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            writing, self.unwritten = self.unwritten, {}
            try:
                await self.database.rows(WRITE, {"tenants": list(writing.values()), "domains": list(writing)})
            except (Unavailable, psycopg.Error) as error:
                log.warning("arrivals_not_written", domains=len(writing), error=type(error).__name__)
                self.unwritten = writing | self.unwritten
                self.wake.set()
                await asyncio.sleep(AGAIN_SECONDS)
