"""Makes one attempt of a claimed delivery: where to, signed with what, and when to try again if it fails."""

import time
from datetime import timedelta

import structlog

from aureum.domain.errors import NotFound, Unavailable
from aureum.log import places
from aureum.webhooks.queue.completions import Completion
from aureum.webhooks.queue.lanes import Claim
from aureum.webhooks.sending.results import SendResult
from aureum.webhooks.sending.sender import Sender
from aureum.webhooks.sending.signing import sign
from aureum.webhooks.worker.counters import Counters
from aureum.webhooks.worker.endpoints import Endpoints
from aureum.webhooks.worker.worker_settings import WorkerSettings

log = structlog.get_logger()

ORDERED_TRIES = 4
"""Where deliveries have an order, the first of a row holds up those behind it: for 35 minutes, then it is given up."""

TEST = "test_"
"""How the id of a test message begins, which is attempted once."""

NOT_SENT = SendResult(None, None, 0, b"", None)


class Attempts:
    """Of one worker."""

    def __init__(self, endpoints: Endpoints, sender: Sender, settings: WorkerSettings, counters: Counters) -> None:
        self.endpoints = endpoints
        self.sender = sender
        self.settings = settings
        self.counters = counters

    async def make(self, claim: Claim, claimed: float) -> Completion | None:
        """One attempt; None if a fault of ours kept it from being made, or the endpoint has just been removed."""
        started_at = claim.claimed_at
        try:
            endpoint = await self.endpoints.get(claim.tenant_id, claim.endpoint_id, claim.stream_version)
            # The database's clock, as for everything else that is timed here, and what has passed since it was asked.
            started_at += timedelta(seconds=time.monotonic() - claimed)
            if claim.attempt == 1 + claim.base:
                self.counters.attempted_first(started_at - claim.recorded_at)
            headers = sign(
                claim.body,
                message_id=claim.message_id,
                event=claim.event,
                secrets=endpoint.secrets(started_at),
                timestamp=int(started_at.timestamp()),
            )
            result = await self.sender.send(endpoint.url, headers, claim.body)
        except NotFound:
            return None
        except (Unavailable, OSError) as error:
            log.warning("webhook_own_fault", error=type(error).__name__, **ids_of(claim))
            return None
        except Exception as error:
            # Any error is charged to the delivery, so that it ends some day.
            log.error("webhook_not_sent", error=type(error).__name__, trace=places(error), **ids_of(claim))
            return Completion(claim, started_at, 0, None, "internal", b"", self._pause(claim, NOT_SENT))
        return Completion(
            claim,
            started_at,
            result.duration_ms,
            result.status,
            result.error,
            result.response_excerpt,
            None if result.error is None else self._pause(claim, result),
        )

    def _pause(self, claim: Claim, result: SendResult) -> timedelta | None:
        if claim.message_id.startswith(TEST):
            return None
        tries = claim.attempt - claim.base
        in_order = claim.mode != "parallel"
        pause = None if in_order and tries >= ORDERED_TRIES else self.settings.pause_after(tries, result)
        if pause is None:
            log.error("webhook_exhausted", attempts=tries, **ids_of(claim))
        return pause


def ids_of(claim: Claim) -> dict[str, object]:
    """What a log may say of a delivery."""
    return {"tenant": str(claim.tenant_id), "endpoint": str(claim.endpoint_id), "position": claim.position}
