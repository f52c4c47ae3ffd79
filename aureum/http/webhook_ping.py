"""``POST /api/webhooks/{id}/test``: a signed sample goes to the webhook, and what came back is shown."""

import asyncio
import time
from typing import Any
from uuid import UUID

from starlette.responses import Response

from aureum.commands.webhook_deliveries import TESTS_A_MINUTE, request_webhook_test
from aureum.commands.webhook_endpoints import NO_WEBHOOK
from aureum.domain.errors import TooMany
from aureum.domain.ids import from_wire, to_wire
from aureum.domain.webhook_ping import WebhookPing
from aureum.http.access import origin
from aureum.http.answers import answer, encoded
from aureum.http.endpoint import INTEGRATOR, Asked, Endpoint, Id
from aureum.http.errors import HttpError
from aureum.http.idempotency import Replayed
from aureum.http.resources import once
from aureum.http.webhook_deliveries import ShownWholeDelivery, whole
from aureum.http.webhook_fields import WebhookTest
from aureum.webhooks import delivery_log
from aureum.webhooks.sender import TIMEOUT

TOO_MANY = "Too many tests of this webhook: the limit is {limit} a minute. Try again in {seconds} seconds."

POLL_SECONDS = 0.05
WAIT_SECONDS = TIMEOUT + 1
PATIENCE_SECONDS = 2.0
"""What the projector has not looked at for so long, nobody works at."""

POSITION = "SELECT position FROM events WHERE tenant_id = %(tenant)s AND stream_id = %(stream)s AND version = 1"


async def post_test(asked: Asked, endpoint_id: UUID, test: WebhookTest) -> Response:
    """200 with the delivery and its attempt, as soon as it was made; 202 while it is still pending, which it stays as
    long as nobody delivers. Ten a minute."""
    headers = {}
    try:
        position = await requested(asked, endpoint_id, test.event)
    except Replayed as kept:
        # The same test, as it stands by now: whoever lost the answer wants to know what became of it.
        position = await position_of(asked, kept.answer)
        headers = {"Idempotent-Replayed": "true"}
    tried = await attempted(asked, endpoint_id, position)
    shown = await whole(asked, endpoint_id, position) if tried else pending(asked, endpoint_id, position, test.event)
    return answer(encoded(shown), status=200 if tried else 202, headers=headers)


async def requested(asked: Asked, endpoint_id: UUID, event: str) -> int:
    """The position of the new test. Raises Replayed with the id of the test that was asked for first, HttpError 429."""

    def kept(ping: WebhookPing) -> bytes:
        return to_wire(ping.id).encode()

    try:
        appended = await request_webhook_test(
            asked.app.store,
            asked.tenant_id,
            endpoint_id,
            event,
            origin(asked.request, asked.about),
            idempotency=await once(asked, kept, tagged=False),
        )
    except TooMany as error:
        seconds = max(1, int(error.retry_at.timestamp() - time.time()) + 1)
        text = TOO_MANY.format(limit=TESTS_A_MINUTE, seconds=seconds)
        raise HttpError("rate_limited", text, {"Retry-After": str(seconds)}) from error
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    assert appended.position is not None
    return appended.position


async def position_of(asked: Asked, kept: bytes) -> int:
    """Where the test stands in the log, of what was kept of the request."""
    about = {"tenant": asked.tenant_id, "stream": from_wire(kept.partition(b"\n")[2].decode())}
    ((position,),) = await asked.app.database.tenant_rows(asked.tenant_id, POSITION, about)
    return int(position)


async def attempted(asked: Asked, endpoint_id: UUID, position: int) -> bool:
    """Whether the delivery was tried before the time is up. Gives up early if nobody seems to work."""
    about = {
        "tenant": asked.tenant_id,
        "endpoint": endpoint_id,
        "position": position,
        "patience": PATIENCE_SECONDS,
    }
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        ((tried, projected, waits_long),) = await asked.app.database.tenant_rows(
            asked.tenant_id, delivery_log.SO_FAR, about
        )
        if tried:
            return True
        if waits_long and not projected:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return False


def pending(asked: Asked, endpoint_id: UUID, position: int, event: str) -> dict[str, Any]:
    """The delivery as long as nobody has tried it."""
    row = delivery_log.asked_for(position, event)
    shown = delivery_log.document(asked.tenant_id, endpoint_id, row)
    # The id of a sample tells that it is one.
    return shown | {"eventId": shown["eventId"].replace("msg_", "test_", 1), "attemptLog": [], "body": None}


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
        answers=ShownWholeDelivery,
        status=202,
        statuses=(200,),
    ),
)
