"""Tenants with endpoints and leads, and a look at what the worker's tables hold of them."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from aureum.commands.webhook_endpoints import ChangeWebhookEndpoint, change_webhook_endpoint
from aureum.domain import ids
from aureum.domain.brokerage import Brokerage
from aureum.domain.lead import Lead
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Origin

ORIGIN = Origin(COMMAND_LINE)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BOTH = ("lead.created", "lead.updated")


async def register(
    store: EventStore, tenant_id: UUID, url: str = "http://127.0.0.1:9/hooks", events: tuple[str, ...] = BOTH
) -> UUID:
    """A registered endpoint's id."""
    endpoint = WebhookEndpoint.register(ids.new_id(), ids.now(), url=url, events=events, secret=SECRET)
    await store.append(tenant_id, endpoint, NO_STREAM, command="RegisterWebhookEndpoint", origin=ORIGIN)
    return endpoint.id


async def change(store: EventStore, tenant_id: UUID, lead_id: UUID, *statuses: str) -> None:
    """Move a lead through *statuses*, in one append."""
    stream = await store.load(tenant_id, lead_id)
    lead: Lead = stream.aggregate()
    for status in statuses:
        lead.change_status(status, ids.now())
    await store.append(tenant_id, lead, stream, command="ChangeLead", origin=ORIGIN)


async def change_brokerage(store: EventStore, tenant_id: UUID, *, plan: str = "", disabled: bool = False) -> None:
    """Another plan (none: the one it has), disabled or enabled."""
    stream = await store.load(ids.PLATFORM, tenant_id)
    brokerage: Brokerage = stream.aggregate()
    brokerage.change_plan(plan or brokerage.plan, ids.now())
    if disabled:
        brokerage.disable(ids.now())
    else:
        brokerage.enable(ids.now())
    await store.append(ids.PLATFORM, brokerage, stream, command="ChangeBrokerage", origin=ORIGIN)


async def deliveries(store: EventStore, tenant_id: UUID) -> list[tuple[UUID, int]]:
    """Endpoint and position of each delivery in the queue."""
    query = "SELECT endpoint_id, position FROM webhook_deliveries WHERE tenant_id = %(tenant)s ORDER BY position, 1"
    return [tuple(row) for row in await store.database.rows(query, {"tenant": tenant_id})]


async def attempts(store: EventStore, tenant_id: UUID) -> Sequence[Any]:
    """Position, attempt, outcome, status and error of each attempt that was logged, in the order they were made."""
    return await store.database.rows(
        "SELECT position, attempt, outcome, status, error FROM webhook_attempts WHERE tenant_id = %(tenant)s"
        " ORDER BY started_at",
        {"tenant": tenant_id},
    )


async def head_of(store: EventStore, tenant_id: UUID) -> int:
    """The position of the tenant's last event."""
    ((position,),) = await store.database.rows(
        "SELECT position FROM heads WHERE tenant_id = %(tenant)s", {"tenant": tenant_id}
    )
    return int(position)


async def checkpoint_of(store: EventStore, tenant_id: UUID) -> int | None:
    """Where the projector is, if it has begun."""
    rows = await store.database.rows(
        "SELECT position FROM checkpoints WHERE tenant_id = %(tenant)s AND consumer = 'webhooks'",
        {"tenant": tenant_id},
    )
    return rows[0][0] if rows else None


async def change_endpoint(
    store: EventStore, tenant_id: UUID, endpoint_id: UUID, decide: Callable[[WebhookEndpoint], None]
) -> None:
    """Let *decide* change an endpoint."""
    stream = await store.load(tenant_id, endpoint_id)
    endpoint: WebhookEndpoint = stream.aggregate()
    decide(endpoint)
    await store.append(tenant_id, endpoint, stream, command="ChangeWebhookEndpoint", origin=ORIGIN)


async def enable(store: EventStore, tenant_id: UUID, endpoint_id: UUID) -> None:
    """Send to an endpoint again, also what it has missed."""
    command = ChangeWebhookEndpoint(tenant_id=tenant_id, endpoint_id=endpoint_id, disabled=False)
    await change_webhook_endpoint(store, command, ORIGIN)
