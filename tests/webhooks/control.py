"""What people ask of endpoints, appended as the commands append it; and what the queue makes of it."""

from typing import Any
from uuid import UUID

from aureum.domain import ids
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.domain.webhook_ping import WebhookPing
from aureum.domain.webhook_redelivery import WebhookRedelivery
from aureum.domain.webhook_replay import WebhookReplay
from aureum.store.event_store import NO_STREAM, EventStore
from tests.webhooks.tenants import ORIGIN, head_of

DISABLED_AT = """
SELECT e.position
  FROM webhook_endpoints w
  JOIN events e ON e.tenant_id = w.tenant_id AND e.stream_id = w.endpoint_id AND e.version = w.disabled_version
 WHERE w.tenant_id = %(tenant)s AND w.endpoint_id = %(endpoint)s
"""


async def change_endpoint(store: EventStore, tenant_id: UUID, endpoint_id: UUID, **details: Any) -> None:
    """Change some of its details."""
    stream = await store.load(tenant_id, endpoint_id)
    endpoint: WebhookEndpoint = stream.aggregate()
    endpoint.change_details(details, ids.now())
    await store.append(tenant_id, endpoint, stream, command="ChangeWebhookEndpoint", origin=ORIGIN)


async def disable(store: EventStore, tenant_id: UUID, endpoint_id: UUID) -> None:
    """Send it nothing any more."""
    stream = await store.load(tenant_id, endpoint_id)
    endpoint: WebhookEndpoint = stream.aggregate()
    endpoint.disable("staff", ids.now())
    await store.append(tenant_id, endpoint, stream, command="DisableWebhookEndpoint", origin=ORIGIN)


async def enable(store: EventStore, tenant_id: UUID, endpoint_id: UUID, *, before_append: Any = None) -> UUID:
    """Send again, and replay what it has missed; the replay's id. *before_append* runs once all is decided."""
    stream = await store.load(tenant_id, endpoint_id)
    endpoint: WebhookEndpoint = stream.aggregate()
    endpoint.enable(ids.now())
    ((position,),) = await store.database.rows(DISABLED_AT, {"tenant": tenant_id, "endpoint": endpoint_id})
    missed = new_replay(endpoint_id, position + 1, await head_of(store, tenant_id), which="missing", cause="enabled")
    if before_append is not None:
        await before_append()
    await store.append(tenant_id, endpoint, stream, command="EnableWebhookEndpoint", origin=ORIGIN, also=(missed,))
    return missed.id


async def remove(store: EventStore, tenant_id: UUID, endpoint_id: UUID) -> None:
    """For good."""
    stream = await store.load(tenant_id, endpoint_id)
    endpoint: WebhookEndpoint = stream.aggregate()
    endpoint.remove(ids.now())
    await store.append(tenant_id, endpoint, stream, command="RemoveWebhookEndpoint", origin=ORIGIN)


def new_replay(endpoint_id: UUID, since: int, until: int, **fields: Any) -> WebhookReplay:
    """A replay that is not stored yet."""
    return WebhookReplay.request(ids.new_id(), ids.now(), endpoint_id=endpoint_id, since=since, until=until, **fields)


async def replay(
    store: EventStore, tenant_id: UUID, endpoint_id: UUID, since: int = 1, until: int | None = None, **fields: Any
) -> UUID:
    """A requested replay's id; up to the log's present end if *until* is None."""
    end = await head_of(store, tenant_id) if until is None else until
    requested = new_replay(endpoint_id, since, end, **fields)
    await store.append(tenant_id, requested, NO_STREAM, command="ReplayWebhooks", origin=ORIGIN)
    return requested.id


async def cancel(store: EventStore, tenant_id: UUID, replay_id: UUID) -> None:
    """Send no more of it."""
    stream = await store.load(tenant_id, replay_id)
    requested: WebhookReplay = stream.aggregate()
    requested.cancel(ids.now())
    await store.append(tenant_id, requested, stream, command="CancelWebhookReplay", origin=ORIGIN)


async def redeliver(store: EventStore, tenant_id: UUID, endpoint_id: UUID, position: int) -> None:
    """Ask for one delivery again."""
    wanted = WebhookRedelivery.request(ids.new_id(), ids.now(), endpoint_id=endpoint_id, position=position)
    await store.append(tenant_id, wanted, NO_STREAM, command="RedeliverWebhook", origin=ORIGIN)


async def ping(store: EventStore, tenant_id: UUID, endpoint_id: UUID, event: str = "lead.created") -> int:
    """Ask for a test; its position."""
    wanted = WebhookPing.request(ids.new_id(), ids.now(), endpoint_id=endpoint_id, event=event)
    appended = await store.append(tenant_id, wanted, NO_STREAM, command="TestWebhook", origin=ORIGIN)
    assert appended.position is not None
    return appended.position


async def state_of(store: EventStore, tenant_id: UUID, replay_id: UUID) -> tuple[str, int, int, int]:
    """A replay's state, cursor and until, and how many deliveries it queued."""
    rows = await store.database.rows(
        "SELECT state, cursor, until, queued FROM webhook_replays WHERE tenant_id = %(tenant)s AND replay_id = %(id)s",
        {"tenant": tenant_id, "id": replay_id},
    )
    state, cursor, until, queued = rows[0]
    return state, cursor, until, queued


FINISH = """
WITH done AS (
    DELETE FROM webhook_deliveries d
     WHERE d.tenant_id = %(tenant)s AND d.state = 'due' AND NOT d.position = ANY (%(keep)s)
    RETURNING d.endpoint_id, d.position, d.attempt
), logged AS (
    INSERT INTO webhook_attempts (tenant_id, endpoint_id, position, attempt, started_at, duration_ms, answer, outcome,
                                  lease_owner)
    SELECT %(tenant)s, d.endpoint_id, d.position, d.attempt + 1, clock_timestamp(), 1, '', %(outcome)s,
           gen_random_uuid()
      FROM done d
)
SELECT endpoint_id, position FROM done ORDER BY position, endpoint_id
"""


async def finish(
    store: EventStore, tenant_id: UUID, outcome: str = "delivered", keep: tuple[int, ...] = ()
) -> list[tuple[UUID, int]]:
    """Attempt all that is queued, but for the positions to *keep*, with this *outcome*; what it was."""
    about = {"tenant": tenant_id, "outcome": outcome, "keep": list(keep)}
    return [tuple(row) for row in await store.database.rows(FINISH, about)]
