"""The brokerages, their endpoints of both kinds, and the leads that keep coming."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aureum.domain import ids
from aureum.domain.errors import Busy, Unavailable
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.webhooks.sending.signing import new_secret
from tests.chaos.receiver import BEHAVIOURS
from tests.chaos.talker import Talker
from tests.stores import capture, open_brokerage
from tests.webhooks.tenants import ORIGIN, enable

TENANTS = 8
HEALTHY = 3
"""Of each tenant; beside them one of each evil behaviour, spread over the tenants: about a third of all."""

EVIL = [behaviour for behaviour in BEHAVIOURS if behaviour != "ok"]

HURRY = (
    """
    UPDATE webhook_deliveries d SET due_at = now()
      FROM (SELECT x.tenant_id, x.endpoint_id, x.position FROM webhook_deliveries x
             WHERE x.state = 'due' AND x.due_at > now() FOR NO KEY UPDATE SKIP LOCKED) AS x
     WHERE d.tenant_id = x.tenant_id AND d.endpoint_id = x.endpoint_id AND d.position = x.position
    """,
    """
    UPDATE webhook_lanes l SET next_due = now(), openings = 0, open_until = NULL, slots = 8
      FROM (SELECT x.tenant_id, x.endpoint_id FROM webhook_lanes x
             WHERE x.next_due < 'infinity' FOR NO KEY UPDATE SKIP LOCKED) AS x
     WHERE l.tenant_id = x.tenant_id AND l.endpoint_id = x.endpoint_id
    """,
)
"""Who would wait for hours is due now, and no breaker of an endpoint stands in the way. Whatever a worker holds at the
moment is left for the next time."""

LEFT = """
SELECT (SELECT count(*) FROM heads h
          LEFT JOIN checkpoints c ON c.tenant_id = h.tenant_id AND c.consumer = 'webhooks'
         WHERE h.tenant_id = ANY (%(tenants)s) AND h.position IS DISTINCT FROM c.position)
     + (SELECT count(*) FROM webhook_replays WHERE state = 'running')
     + (SELECT count(*) FROM webhook_deliveries)
"""


@dataclass
class Scene:
    """``endpoints``: the path of each. ``acknowledged``: the ids of the leads that were stored, by tenant."""

    store: EventStore
    receiver: Talker
    port: int
    dead: int
    tenants: list[UUID] = field(default_factory=list)
    endpoints: dict[UUID, str] = field(default_factory=dict)
    acknowledged: list[tuple[UUID, UUID]] = field(default_factory=list)
    refused: int = 0

    async def open(self) -> None:
        """Brokerages with healthy endpoints only."""
        self.tenants = [await open_brokerage(self.store) for _ in range(TENANTS)]
        for tenant in self.tenants:
            for _ in range(HEALTHY):
                await self.register(tenant, "ok")

    async def spoil(self) -> None:
        """Endpoints of every evil behaviour come to them."""
        for place, behaviour in enumerate(EVIL):
            await self.register(self.tenants[place % TENANTS], behaviour)

    async def register(self, tenant: UUID, behaviour: str) -> None:
        path = f"/{behaviour}/{len(self.endpoints)}"
        url = f"http://127.0.0.1:{self.dead if behaviour == 'dead' else self.port}{path}"
        secret = new_secret()
        await self.receiver.ask({"secrets": {path: secret}})
        one = WebhookEndpoint.register(ids.new_id(), ids.now(), url=url, events=("lead.created",), secret=secret)
        await self.store.append(tenant, one, NO_STREAM, command="RegisterWebhookEndpoint", origin=ORIGIN)
        self.endpoints[one.id] = path

    async def load(self, seconds: float, rate: float, at_once: int = 1) -> tuple[float, float]:
        """Leads at a steady pace, whatever each takes, to all tenants in turn, so many *at_once*; when it began and
        ended."""
        loop, began, tasks = asyncio.get_running_loop(), time.time(), set()
        started = loop.time()
        for place in range(int(seconds * rate)):
            if place % at_once == 0:
                await asyncio.sleep(max(0.0, started + place / rate - loop.time()))
            tasks.add(loop.create_task(self.capture(self.tenants[place % TENANTS])))
        await asyncio.gather(*tasks)
        return began, time.time()

    async def capture(self, tenant: UUID) -> None:
        try:
            lead = await capture(self.store, tenant)
        except (Unavailable, Busy):
            # Who is told so tries again later; whether it was stored after all, the log says.
            self.refused += 1
        else:
            self.acknowledged.append((tenant, lead.id))

    async def heal(self) -> None:
        """Everybody behaves from now on, and who was disabled wants to hear again."""
        await self.receiver.ask({"heal": True})
        disabled = await self.rows("SELECT tenant_id, endpoint_id FROM webhook_endpoints WHERE disabled IS NOT NULL")
        for tenant, endpoint in disabled:
            await enable(self.store, tenant, endpoint)

    async def drain(self, seconds: float) -> int:
        """Hurry what waits until nothing is left, so many seconds at most; what is left."""
        deadline, left = time.monotonic() + seconds, 1
        while left and time.monotonic() < deadline:
            for statement in HURRY:
                await self.rows(statement)
            await asyncio.sleep(1)
            ((left,),) = await self.rows(LEFT, tenants=self.tenants)
        return int(left)

    async def rows(self, query: str, **parameters: Any) -> Sequence[Any]:
        return await self.store.database.rows(query, parameters or None)
