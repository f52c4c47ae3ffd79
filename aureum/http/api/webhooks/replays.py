"""Replays of webhooks: durable jobs that send again what happened from any time or sequence on, without a cap."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from aureum.commands.webhook_endpoints import NO_WEBHOOK
from aureum.commands.webhook_replays import (
    NO_REPLAY,
    RequestWebhookReplay,
    cancel_webhook_replay,
    request_webhook_replay,
)
from aureum.domain.errors import NotFound
from aureum.domain.webhook_replay import WebhookReplay
from aureum.http.access.callers import origin
from aureum.http.api.webhooks.endpoints import row_of
from aureum.http.api.webhooks.webhook_fields import Events, Wanted
from aureum.http.api.webhooks.webhook_lists import listed, page, unless_same
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import INTEGRATOR, Context, Endpoint, Id
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.lists import Paging
from aureum.http.contract.resource import once
from aureum.http.wire.nulls import NULL_IS_ABSENT
from aureum.http.wire.numbers import LARGEST_NUMBER
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Timestamp, Wire
from aureum.http.wire.times import parse_time
from aureum.projections import webhook_replays

PATH = "/api/webhooks/replays"

Only = Literal["all", "failed", "missing"]


def _place(value: Any) -> int | datetime:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_NUMBER:
        return value
    try:
        return parse_time(value if isinstance(value, str) else "")
    except ValueError as error:
        raise PydanticCustomError("place", "value is neither a sequence nor a time") from error


Place = Annotated[
    int | datetime,
    PlainValidator(_place),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": LARGEST_NUMBER},
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
            ]
        }
    ),
]
"""A place in the brokerage's log: a sequence, or a time."""


class ReplayCreate(Body):
    """The range of events to send again. It begins and ends at a sequence or a time."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"since": "2025-01-15T10:30:00Z", "only": "missing"}}
    )

    since: Annotated[Place, Field(description="The first sequence, or a time.")]
    until: Annotated[
        Place | None, Field(description="The last sequence, or a time. Default: everything up to now.")
    ] = None
    events: Annotated[
        Events | None, Field(description="Which of the webhook's events to send. Default: all of them.")
    ] = None
    only: Annotated[
        Only,
        NULL_IS_ABSENT,
        Field(
            description="`all`: every event. `failed`: events whose delivery failed. `missing`: events that were never "
            "delivered, for any reason."
        ),
    ] = "all"


class ReplayResponse(Shape):
    """A replay."""

    id: Wire
    webhookId: Wire
    since: Annotated[int, Field(description="The first sequence that the replay covers.")]
    until: Annotated[int, Field(description="The last sequence that the replay covers.")]
    events: Annotated[
        list[Wanted], Field(description="The events that the replay sends. Empty: all of the webhook's events.")
    ]
    only: Only
    status: Literal["running", "completed", "cancelled"]
    progress: Annotated[float, Field(ge=0, le=1, description="How much of the log has been read, from 0 to 1.")]
    queued: Annotated[int, Field(description="How many deliveries the replay has created.")]
    remaining: Annotated[int, Field(description="How many of these deliveries are still pending.")]
    requestedAt: Timestamp
    endedAt: Timestamp | None


async def get_replays(context: Context, endpoint_id: UUID, paging: Paging) -> Response:
    """Lists the webhook's replays, newest first. Enabling a disabled webhook also starts a replay."""
    webhook = await row_of(context, endpoint_id)
    rows = await page(context, webhook_replays.PAGE, webhook_replays.NAMES, paging, endpoint=endpoint_id)
    path = context.request.url.path
    return listed(context, path, paging, rows, "replay_id", webhook_replays.document, webhook["stream_version"])


async def post_replay(context: Context, endpoint_id: UUID, new: ReplayCreate) -> Response:
    """Starts a job that sends earlier events again. New events have priority over the replay."""
    command = RequestWebhookReplay(
        tenant_id=context.tenant_id,
        endpoint_id=endpoint_id,
        since=new.since,
        until=new.until,
        events=tuple(new.events or ()),
        which=new.only,
    )
    remember = await once(context, new_body, tagged=False)
    replay, appended = await request_webhook_replay(
        context.app.store, command, origin(context.request, context.caller), idempotency=remember
    )
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    return answer(new_body(replay), status=202)


def new_body(replay: WebhookReplay) -> bytes:
    """A replay that has not begun."""
    row = {name: getattr(replay, name) for name in ("endpoint_id", "since", "until", "events", "which")} | {
        "replay_id": replay.id,
        "state": "running",
        "cursor": replay.since - 1,
        "queued": 0,
        "remaining": 0,
        "requested_at": replay.created_on,
        "ended_at": None,
    }
    return encoded(webhook_replays.document(row))


async def get_replay(context: Context, replay_id: UUID) -> Response:
    """Returns the replay and its progress."""
    return unless_same(context, encoded(webhook_replays.document(await row(context, replay_id))))


async def post_cancel(context: Context, replay_id: UUID) -> Response:
    """Stops the replay and drops its pending deliveries. A replay that has ended does not change."""
    now = await row(context, replay_id)

    def body(replay: WebhookReplay) -> bytes:
        after = now | {"state": "cancelled", "ended_at": now["ended_at"] or replay.modified_on}
        return encoded(webhook_replays.document(after))

    remember = await once(context, body, tagged=False)
    if now["state"] == "completed":
        return answer(encoded(webhook_replays.document(now)))
    replay, appended = await cancel_webhook_replay(
        context.app.store, context.tenant_id, replay_id, origin(context.request, context.caller), idempotency=remember
    )
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    return answer(body(replay))


async def row(context: Context, replay_id: UUID) -> dict[str, Any]:
    """The replay's row. Raises NotFound, for one of a removed webhook too."""
    parameters = {"tenant": context.tenant_id, "id": replay_id}
    found = await context.app.database.tenant_rows(context.tenant_id, webhook_replays.ONE, parameters)
    if not found:
        raise NotFound(NO_REPLAY)
    return dict(zip(webhook_replays.NAMES, found[0], strict=True))


one = partial(Endpoint, access=INTEGRATOR, id=Id(NO_REPLAY), answers=ReplayResponse)
of_webhook = partial(Endpoint, access=INTEGRATOR, id=Id(NO_WEBHOOK))

ENDPOINTS = (
    of_webhook(
        method="POST",
        path="/api/webhooks/{id}/replay",
        run=post_replay,
        summary="Replay earlier events",
        body=ReplayCreate,
        answers=ReplayResponse,
        status=202,
    ),
    of_webhook(
        method="GET",
        path="/api/webhooks/{id}/replays",
        run=get_replays,
        summary="List a webhook's replays",
        query=Paging,
        answers=list[ReplayResponse],
    ),
    one(method="GET", path=PATH + "/{id}", run=get_replay, summary="Get a replay"),
    one(method="POST", path=PATH + "/{id}/cancel", run=post_cancel, summary="Cancel a replay"),
)
