"""Deliveries of webhooks: what became of each, and how one is made again."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from aureum.commands.webhook_deliveries import request_webhook_redelivery
from aureum.commands.webhook_endpoints import NO_WEBHOOK
from aureum.domain.errors import NotFound
from aureum.domain.webhook_ping import WebhookPing
from aureum.http.access.callers import origin
from aureum.http.api.webhooks.endpoints import row_of
from aureum.http.api.webhooks.webhook_fields import EVENT_TYPES, LAST_POSITION, Event, Named
from aureum.http.api.webhooks.webhook_lists import begins, unless_same
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import INTEGRATOR, Context, Endpoint, Id
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.paging import Cursor, Limit, Place, link, write_cursor
from aureum.http.contract.resource import once
from aureum.http.wire.shapes import Shape, Timestamp, Wire
from aureum.registry import expand
from aureum.webhooks.queue import delivery_log
from aureum.webhooks.queue.delivery_log import PATTERN, parse_delivery_id
from aureum.webhooks.queue.message import message_id

PATH = "/api/webhooks/deliveries"
NO_DELIVERY = "There is no such delivery."

PAGE = 100

Status = Literal["pending", "delivered", "failed"]


class DeliveryFilters(BaseModel):
    """Which deliveries, and how many of them."""

    model_config = ConfigDict(frozen=True)

    status: Annotated[
        Status | None,
        Field(description="`failed`: all attempts have failed. `pending`: an attempt is scheduled or in progress."),
    ] = None
    event: Annotated[Named | None, Field(description=EVENT_TYPES)] = None
    limit: Annotated[Limit | None, Field(description=f"The length of a page. Default: {PAGE}.")] = None
    cursor: Annotated[
        Cursor | None, Field(description="The position of the page, from the `Link` header of the previous page.")
    ] = None


class DeliveryResponse(Shape):
    """One event for one webhook, with the state of its attempts."""

    id: Annotated[str, Field(pattern=PATTERN)]
    webhookId: Wire
    event: Annotated[
        Event | None, Field(description="The type of the event. `null` if the message is no longer stored.")
    ]
    eventId: Annotated[str, Field(description="The `id` of the message, which is also its `webhook-id`.")]
    sequence: Annotated[int, Field(description="The `sequence` of the message.")]
    status: Status
    attempts: Annotated[int, Field(description="The number of attempts so far.")]
    lastAttemptAt: Timestamp | None
    lastStatus: Annotated[int | None, Field(description="The HTTP status of the last response.")]
    lastError: Annotated[str | None, Field(description="Why the last attempt failed.")]
    nextAttemptAt: Annotated[
        Timestamp | None,
        Field(
            description="When the next attempt is due. `null` if none is scheduled, or while an attempt is in progress."
        ),
    ]
    replayId: Annotated[
        Wire | None, Field(description="The replay that created the delivery, while the delivery is pending.")
    ]


class AttemptResponse(Shape):
    """One attempt."""

    number: int
    startedAt: Timestamp
    durationMs: int
    status: Annotated[int | None, Field(description="The HTTP status of the response. `null` if there was none.")]
    error: Annotated[
        str | None,
        Field(
            description="`dns`, `refused`, `reset`, `timeout`, `tls`, `blocked_address`, `too_large`, `protocol`, "
            "`http_3xx`, `http_4xx`, `http_5xx`. `null` for a success."
        ),
    ]
    outcome: Annotated[
        Literal["delivered", "failed", "exhausted", "superseded"],
        Field(description="`exhausted`: it was the last attempt. `superseded`: another attempt replaced it."),
    ]
    answer: Annotated[str, Field(description="The first 4 KiB of the response's body.")]


class WholeDeliveryResponse(DeliveryResponse):
    """A delivery with its attempts, newest first, and the body that was sent."""

    attemptLog: list[AttemptResponse]
    body: Annotated[str | None, Field(description="The exact body that is sent and signed.")]


class DayResponse(Shape):
    """The attempts of one day."""

    day: Annotated[str, Field(json_schema_extra={"format": "date"}, examples=["2025-01-15"])]
    attempts: int
    succeeded: int


class SuccessRateResponse(Shape):
    """How a webhook's attempts went."""

    days: Annotated[list[DayResponse], Field(description="The last 30 days, the oldest first.")]


async def get_success(context: Context, endpoint_id: UUID) -> Response:
    """Counts the webhook's attempts and how many of them succeeded, for each of the last 30 days in the brokerage's
    time zone, oldest day first."""
    webhook = await row_of(context, endpoint_id)
    of = {"tenant": context.tenant_id, "endpoint": endpoint_id, "days": delivery_log.DAYS}
    rows = await context.app.database.tenant_rows(context.tenant_id, delivery_log.BY_DAY, of)
    shown = [{"day": day, "attempts": attempts, "succeeded": succeeded} for day, attempts, succeeded in rows]
    return unless_same(context, encoded({"days": shown}), "", webhook["stream_version"])


async def get_deliveries(context: Context, endpoint_id: UUID, filters: DeliveryFilters) -> Response:
    """Lists the webhook's deliveries, newest first. Finished deliveries are kept for 30 days. With filters a page may
    be shorter than its limit, or empty, and still have a next page."""
    webhook = await row_of(context, endpoint_id)
    limit = filters.limit or PAGE
    path = context.request.url.path
    events = None if filters.event is None else sorted(expand(filters.event))
    bound = (path, context.tenant_id.int, filters.status, events)
    before = begins(context, filters.cursor, bound)
    page = await delivery_log.page(
        context.app.database,
        context.tenant_id,
        endpoint_id,
        before=LAST_POSITION if before is None else min(before.int, LAST_POSITION),
        limit=limit,
        status=filters.status,
        events=events,
    )
    following = ""
    if page.until is not None:
        query = context.request.query_params
        kept = {name: query[name] for name in ("status", "event") if name in query}
        cursor = write_cursor(bound, Place(UUID(int=page.until), 0))
        following = link(path, kept | {"limit": limit, "cursor": cursor}, "next")
    shown = [delivery_log.document(context.tenant_id, endpoint_id, row) for row in page.rows]
    return unless_same(context, encoded(shown), following, webhook["stream_version"])


async def get_delivery(context: Context, delivery: tuple[UUID, int]) -> Response:
    """Returns the delivery with its attempts, and the body of the message while it is stored."""
    return unless_same(context, encoded(await whole(context, *delivery)))


async def post_redelivery(context: Context, delivery: tuple[UUID, int]) -> Response:
    """Sends the same message again at once, with a new schedule of attempts."""
    endpoint_id, position = delivery
    row = await known(context, endpoint_id, position)
    shown = delivery_log.document(context.tenant_id, endpoint_id, {**row, "status": "pending"})

    def body(_: Any) -> bytes:
        return encoded(shown)

    appended = await request_webhook_redelivery(
        context.app.store,
        context.tenant_id,
        endpoint_id,
        position,
        origin(context.request, context.caller),
        idempotency=await once(context, body, tagged=False),
    )
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    return answer(body(None), status=202)


async def known(context: Context, endpoint_id: UUID, position: int) -> Mapping[str, Any]:
    """The row of a delivery, or of a message that could be one. Raises NotFound, for one of a removed webhook too."""
    await there(context, endpoint_id)
    found = await delivery_log.one(context.app.database, context.tenant_id, endpoint_id, position)
    if found is not None:
        return found
    parameters = {"tenant": context.tenant_id, "position": position}
    message = await context.app.database.tenant_rows(context.tenant_id, delivery_log.EVENT, parameters)
    if not message:
        raise NotFound(NO_DELIVERY)
    return delivery_log.asked_for(position, message[0][0])


async def there(context: Context, endpoint_id: UUID) -> None:
    """Raises NotFound, in the words for deliveries, unless there is such a webhook."""
    try:
        await row_of(context, endpoint_id)
    except NotFound as error:
        raise NotFound(NO_DELIVERY) from error


async def whole(context: Context, endpoint_id: UUID, position: int) -> dict[str, Any]:
    """The delivery with its attempts; of a test also before a worker has looked at it. Raises NotFound."""
    await there(context, endpoint_id)
    database, tenant_id = context.app.database, context.tenant_id
    row = await delivery_log.one(database, tenant_id, endpoint_id, position)
    if row is None:
        return await requested_test(context, endpoint_id, position)
    parameters = {"tenant": tenant_id, "endpoint": endpoint_id, "position": position}
    attempts = await database.tenant_rows(tenant_id, delivery_log.ATTEMPTS, parameters)
    return delivery_log.document(tenant_id, endpoint_id, row) | {
        "attemptLog": [delivery_log.attempt(one) for one in attempts],
        "body": None if row["body"] is None else row["body"].decode(),
    }


async def requested_test(context: Context, endpoint_id: UUID, position: int) -> dict[str, Any]:
    """The delivery that a worker will make of the test at *position*. Raises NotFound if there is none."""
    parameters = {"tenant": context.tenant_id, "position": position}
    for (stream_id,) in await context.app.database.tenant_rows(context.tenant_id, delivery_log.TESTED, parameters):
        test = (await context.app.store.load(context.tenant_id, stream_id)).aggregate()
        if isinstance(test, WebhookPing) and test.endpoint_id == endpoint_id:
            row = delivery_log.asked_for(position, test.event)
            row["message_id"] = message_id(context.tenant_id, position, "test")
            return delivery_log.document(context.tenant_id, endpoint_id, row) | {"attemptLog": [], "body": None}
    raise NotFound(NO_DELIVERY)


one = partial(
    Endpoint,
    path=PATH + "/{id}",
    access=INTEGRATOR,
    id=Id(NO_DELIVERY, parse=parse_delivery_id, pattern=PATTERN),
)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/webhooks/{id}/deliveries",
        get_deliveries,
        "List a webhook's deliveries",
        access=INTEGRATOR,
        id=Id(NO_WEBHOOK),
        query=DeliveryFilters,
        answers=list[DeliveryResponse],
    ),
    Endpoint(
        "GET",
        "/api/webhooks/{id}/success",
        get_success,
        "Get how a webhook's attempts went",
        access=INTEGRATOR,
        id=Id(NO_WEBHOOK),
        answers=SuccessRateResponse,
    ),
    one(method="GET", run=get_delivery, summary="Get a delivery with its attempts", answers=WholeDeliveryResponse),
    one(
        method="POST",
        path=PATH + "/{id}/redeliver",
        run=post_redelivery,
        summary="Redeliver a message",
        answers=DeliveryResponse,
        status=202,
    ),
)
