"""Where a delivery goes and what signs it: read from the endpoint's own stream, since no table has the secret."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from aureum.commands.webhook_endpoints import disable_webhook_endpoint
from aureum.domain.errors import NotFound
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.lru import ReadThrough
from aureum.store.event_store import EventStore
from aureum.store.metadata import WORKER, Origin

REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Destination:
    """What an attempt needs to know. Secrets are never shown in a log."""

    url: str
    aggregate: WebhookEndpoint = field(repr=False)

    def secrets(self, at: datetime) -> tuple[str, ...]:
        """Those that are live at that moment, oldest first, as ``signing.sign`` wants them."""
        return self.aggregate.secrets(at)


Key = tuple[UUID, UUID, int]
"""Tenant, endpoint, version of the endpoint's stream."""


class Endpoints:
    """The endpoints that this process has met lately, each as its stream's version says."""

    def __init__(self, store: EventStore, limit: int = REMEMBERED) -> None:
        self.store = store
        self.remembered: ReadThrough[Key, Destination] = ReadThrough(limit)

    async def get(self, tenant_id: UUID, endpoint_id: UUID, stream_version: int) -> Destination:
        """The endpoint at *stream_version*, or at a later one. Raises NotFound, Unavailable, what the mapper raises."""
        # All of an endpoint's deliveries come at the same moment: they are read for once.
        return await self.remembered.get(
            (tenant_id, endpoint_id, stream_version), partial(self._load, tenant_id, endpoint_id)
        )

    async def _load(self, tenant_id: UUID, endpoint_id: UUID) -> Destination:
        aggregate: WebhookEndpoint | None = (await self.store.load(tenant_id, endpoint_id)).aggregate()
        if aggregate is None or aggregate.removed:
            raise NotFound
        return Destination(aggregate.url, aggregate)

    async def disable(self, tenant_id: UUID, endpoint_id: UUID, reason: str) -> None:
        """Record that nothing is sent to an endpoint any more. Raises what the command raises."""
        await disable_webhook_endpoint(self.store, tenant_id, endpoint_id, reason, Origin(WORKER))
