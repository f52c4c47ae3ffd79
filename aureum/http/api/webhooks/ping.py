"""``POST /api/webhooks/{id}/test``: a signed sample goes to the webhook, and what came back is shown."""

import asyncio
import time
from uuid import UUID

from starlette.responses import Response

from aureum.commands.webhook_deliveries import TESTS_A_MINUTE, request_webhook_test
from aureum.commands.webhook_endpoints import NO_WEBHOOK
from aureum.domain.errors import TooMany
from aureum.domain.ids import from_wire, to_wire
from aureum.domain.webhook_ping import WebhookPing
from aureum.http.access.callers import origin
from aureum.http.api.webhooks.deliveries import PATH as DELIVERIES
from aureum.http.api.webhooks.deliveries import WholeDeliveryResponse, whole
from aureum.http.api.webhooks.webhook_fields import WebhookTest
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import INTEGRATOR, Context, Endpoint, Id
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.resource import once
from aureum.http.wire.errors import HttpError
from aureum.webhooks.queue import delivery_log

TOO_MANY = "Too many tests of this webhook. The limit is {limit} per minute. Try again in {seconds} seconds."

POLL_SECONDS = 0.05
WAIT_SECONDS = 7.0
"""Less than clients, and what stands between, usually wait for an answer. An attempt may take twice as long."""

PATIENCE_SECONDS = 4.0
"""If no worker has looked at a test for so long, none is running."""

STILL_SECONDS = 0.5
"""For so long at least a worker that follows the log of this brokerage is given to get on with it."""

POSITION = "SELECT position FROM events WHERE tenant_id = %(tenant)s AND stream_id = %(stream)s AND version = 1"


async def post_test(context: Context, endpoint_id: UUID, test: WebhookTest) -> Response:
    """Sends a sample event, and returns the delivery with its attempt. If there is no attempt after 7 seconds, or no
    worker is running, the response is 202 with the pending delivery, and ``Location`` has its address. The endpoint has
    15 seconds to answer. The limit is ten tests per minute."""
    headers = {}
    try:
        position = await requested(context, endpoint_id, test.event)
    except Replayed as kept:
        # The same test in its current state: a client that lost the first response wants to know the outcome.
        position = await position_of(context, kept.answer)
        headers = {"Idempotent-Replayed": "true"}
    if not await attempted(context, endpoint_id, position):
        headers["Location"] = f"{DELIVERIES}/{delivery_log.delivery_id(endpoint_id, position)}"
    shown = await whole(context, endpoint_id, position)
    return answer(encoded(shown), status=202 if "Location" in headers else 200, headers=headers)


async def requested(context: Context, endpoint_id: UUID, event: str) -> int:
    """The position of the new test. Raises Replayed with the id of the test that was asked for first, HttpError 429."""

    def kept(ping: WebhookPing) -> bytes:
        return to_wire(ping.id).encode()

    try:
        appended = await request_webhook_test(
            context.app.store,
            context.tenant_id,
            endpoint_id,
            event,
            origin(context.request, context.caller),
            idempotency=await once(context, kept, tagged=False),
        )
    except TooMany as error:
        seconds = max(1, int(error.retry_at.timestamp() - time.time()) + 1)
        text = TOO_MANY.format(limit=TESTS_A_MINUTE, seconds=seconds)
        raise HttpError("rate_limited", text, {"Retry-After": str(seconds)}) from error
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    assert appended.position is not None
    return appended.position


async def position_of(context: Context, kept: bytes) -> int:
    """Where the test stands in the log, of what was kept of the request."""
    parameters = {"tenant": context.tenant_id, "stream": from_wire(kept.partition(b"\n")[2].decode())}
    ((position,),) = await context.app.database.tenant_rows(context.tenant_id, POSITION, parameters)
    return int(position)


async def attempted(context: Context, endpoint_id: UUID, position: int) -> bool:
    """Whether the delivery was tried before the time is up. Gives up early if no worker seems to run."""
    parameters = {
        "tenant": context.tenant_id,
        "endpoint": endpoint_id,
        "position": position,
        "patience": PATIENCE_SECONDS,
    }
    moved = begun = time.monotonic()
    projected = None
    while True:
        ((tried, so_far, waits_long),) = await context.app.database.tenant_rows(
            context.tenant_id, delivery_log.SO_FAR, parameters
        )
        now = time.monotonic()
        if tried:
            return True
        if so_far != projected:
            projected, moved = so_far, now
        if now >= begun + WAIT_SECONDS or (waits_long and now >= moved + STILL_SECONDS):
            return False
        await asyncio.sleep(POLL_SECONDS)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/webhooks/{id}/test",
        post_test,
        "Send a test",
        access=INTEGRATOR,
        id=Id(NO_WEBHOOK),
        body=WebhookTest,
        bodiless=True,
        answers=WholeDeliveryResponse,
        status=202,
        statuses=(200,),
        headers={"Location": "With 202: the address of the delivery."},
    ),
)
