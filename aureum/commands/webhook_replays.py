"""Replays of webhooks: asked for from any time or position on, and cancelled."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands.changes import change
from aureum.commands.webhook_endpoints import check_delivering
from aureum.domain import ids
from aureum.domain.webhook_replay import WebhookReplay
from aureum.registry import check_events
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.metadata import Origin

NO_REPLAY = "There is no such replay."

HEAD = "SELECT position FROM heads WHERE tenant_id = %(tenant)s"

FIRST_SINCE = """
WITH RECURSIVE halves AS (
    SELECT 1::bigint AS low, h.position + 1 AS high FROM heads h WHERE h.tenant_id = %(tenant)s
    UNION ALL
    SELECT CASE WHEN n.later THEN h.low ELSE (h.low + h.high) / 2 + 1 END,
           CASE WHEN n.later THEN (h.low + h.high) / 2 ELSE h.high END
      FROM halves h
     CROSS JOIN LATERAL (
               SELECT CASE WHEN %(included)s THEN e.recorded_at >= %(at)s ELSE e.recorded_at > %(at)s END AS later
                 FROM events e
                WHERE e.tenant_id = %(tenant)s AND e.position = (h.low + h.high) / 2
           ) AS n
     WHERE h.low < h.high
)
SELECT low FROM halves WHERE low = high
"""
"""The position of the first event at a moment or, unless that is included, behind it; behind the head if there is none.

Positions have no gaps and times never run backwards: halving finds it with a few probes, without an index of times.
"""


class RequestWebhookReplay(BaseModel):
    """Send an endpoint again what happened from ``since`` to ``until`` (None: now), both included.

    Each is a position, or a moment: then of what was recorded from it on, or up to it. ``which`` and ``events`` as the
    domain has them.
    """

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    endpoint_id: UUID
    since: int | datetime
    until: int | datetime | None = None
    events: tuple[str, ...] = ()
    which: str = "all"


async def request_webhook_replay(
    store: EventStore, command: RequestWebhookReplay, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[WebhookReplay, Appended]:
    """The job. Raises NotFound, WrongState (it is disabled), Invalid, and what ``EventStore.append`` raises."""
    tenant_id = command.tenant_id
    await check_delivering(store, tenant_id, command.endpoint_id)
    ((head,),) = await store.database.tenant_rows(tenant_id, HEAD, {"tenant": tenant_id})
    since, until = command.since, command.until
    if isinstance(since, datetime):
        since = await first_since(store, tenant_id, since, included=True)
    if isinstance(until, datetime):
        until = await first_since(store, tenant_id, until, included=False) - 1
    if command.events:
        check_events(command.events)
    replay = WebhookReplay.request(
        ids.new_id(),
        ids.now(),
        endpoint_id=command.endpoint_id,
        since=since,
        until=head if until is None else min(until, head),
        events=command.events,
        which=command.which,
    )
    appended = await store.append(
        tenant_id, replay, NO_STREAM, command="RequestWebhookReplay", origin=origin, idempotency=idempotency
    )
    return replay, appended


async def first_since(store: EventStore, tenant_id: UUID, at: datetime, *, included: bool) -> int:
    """The position of the tenant's first event recorded at *at* or later, or later than that; behind its last if there
    is none. Raises Unavailable."""
    about = {"tenant": tenant_id, "at": at, "included": included}
    ((position,),) = await store.database.tenant_rows(tenant_id, FIRST_SINCE, about)
    return int(position)


async def cancel_webhook_replay(
    store: EventStore, tenant_id: UUID, replay_id: UUID, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[WebhookReplay, Appended]:
    """What has not been sent is not sent; twice is the same success, and so is one that has ended by itself.

    Raises NotFound, Conflict, and what ``EventStore.append`` raises.
    """
    return await change(
        store,
        tenant_id,
        replay_id,
        WebhookReplay,
        WebhookReplay.cancel,
        command="CancelWebhookReplay",
        origin=origin,
        missing=NO_REPLAY,
        idempotency=idempotency,
    )
