"""What the database knows when all is over: what should have been told, and what was tried."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aureum.domain.ids import to_wire
from aureum.webhooks.queue.message import message_id
from tests.chaos.oracle import Attempt, Delivery
from tests.chaos.scene import Scene

CAPTURED = """
SELECT e.tenant_id, e.position, extract(epoch FROM e.recorded_at)::float8, e.stream_id
  FROM events e WHERE e.type = 'lead.captured'
"""
REGISTERED = """
SELECT e.tenant_id, e.position, e.stream_id FROM events e WHERE e.type = 'webhook_endpoint.registered'
"""
TRIED = """
SELECT a.tenant_id, a.position, a.endpoint_id, extract(epoch FROM a.started_at)::float8, a.status, a.outcome
  FROM webhook_attempts a
"""
OVERDUE = """
SELECT count(*) FROM webhook_deliveries WHERE state = 'leased' AND lease_until < now() - interval '25 seconds'
"""
"""Leased, though the lease ended long ago. A worker that is paused in a transaction holds its rows for 20 s."""


async def recorded(scene: Scene) -> dict[str, float]:
    """When each message's event was recorded (seconds since 1970), straight from the log of events."""
    return {message_id(tenant, position): at for tenant, position, at, _ in await scene.rows(CAPTURED)}


async def expected(scene: Scene) -> set[Delivery]:
    """Each lead, for each endpoint that its tenant had then."""
    since: Mapping[UUID, list[Any]] = {tenant: [] for tenant in scene.tenants}
    for tenant, position, endpoint in await scene.rows(REGISTERED):
        since[tenant].append((position, scene.endpoints[endpoint]))
    return {
        (path, message_id(tenant, position))
        for tenant, position, _, _ in await scene.rows(CAPTURED)
        for registered, path in since[tenant]
        if registered < position
    }


async def forgotten(scene: Scene) -> list[str]:
    """What was acknowledged and is not in the log."""
    stored = {(tenant, lead) for tenant, _, _, lead in await scene.rows(CAPTURED)}
    return [f"forgotten: lead {to_wire(lead)} was acknowledged" for _, lead in set(scene.acknowledged) - stored]


async def tried(scene: Scene) -> list[Attempt]:
    """The log of attempts."""
    return [
        Attempt(scene.endpoints[endpoint], message_id(tenant, position), started, status, outcome)
        for tenant, position, endpoint, started, status, outcome in await scene.rows(TRIED)
    ]
