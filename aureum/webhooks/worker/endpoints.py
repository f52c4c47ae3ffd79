"""Where a delivery goes and what signs it: read from the endpoint's own stream, since no table has the secret."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from aureum.commands.webhook_endpoints import disable_webhook_endpoint
from aureum.domain.errors import NotFound
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.store.event_store import EventStore
from aureum.store.metadata import WORKER, Origin

REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Endpoint:
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
        self.limit = limit
        self.remembered: OrderedDict[Key, Endpoint] = OrderedDict()
        self.loading: dict[Key, asyncio.Task[Endpoint]] = {}

    async def get(self, tenant_id: UUID, endpoint_id: UUID, stream_version: int) -> Endpoint:
        """The endpoint at *stream_version*, or at a later one. Raises NotFound, Unavailable, what the mapper raises."""
        key = tenant_id, endpoint_id, stream_version
        endpoint = self.remembered.get(key)
        if endpoint is not None:
            self.remembered.move_to_end(key)
            return endpoint
        # All of an endpoint's deliveries come at the same moment: they are read for once.
        task = self.loading.get(key)
        if task is None:
            task = self.loading[key] = asyncio.create_task(self._load(key))
            task.add_done_callback(lambda _: self.loading.pop(key))
        return await asyncio.shield(task)

    async def _load(self, key: Key) -> Endpoint:
        tenant_id, endpoint_id, _ = key
        aggregate: WebhookEndpoint | None = (await self.store.load(tenant_id, endpoint_id)).aggregate()
        if aggregate is None or aggregate.removed:
            raise NotFound
        endpoint = self.remembered[key] = Endpoint(aggregate.url, aggregate)
        if len(self.remembered) > self.limit:
            self.remembered.popitem(last=False)
        return endpoint

    async def disable(self, tenant_id: UUID, endpoint_id: UUID, reason: str) -> None:
        """Record that nothing is sent to an endpoint any more. Raises what the command raises."""
        await disable_webhook_endpoint(self.store, tenant_id, endpoint_id, reason, Origin(WORKER))
