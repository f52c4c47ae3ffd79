"""What an operator, or a test, may choose about a worker."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aureum.settings import NO_MODEL
from aureum.store.postgres.watch import PATIENT_SECONDS
from aureum.store.security_entries import KEPT_DAYS
from aureum.webhooks.queue.lanes import LEASE_SECONDS
from aureum.webhooks.sending.addresses import Network
from aureum.webhooks.sending.results import SendResult
from aureum.webhooks.sending.schedule import next_attempt_after, parse_retry_after
from aureum.webhooks.sending.sender import TIMEOUT

PauseAfter = Callable[[int, SendResult], timedelta | None]
"""How long to wait after so many attempts, of which the last had this result; None when no other follows."""


def pause_after(attempt: int, result: SendResult) -> timedelta | None:
    """The schedule, with today's clock and dice."""
    return next_attempt_after(
        attempt,
        jitter=random.random(),  # noqa: S311  it spreads load, and keeps no secret
        retry_after=parse_retry_after(result.retry_after, datetime.now(UTC)),
    )


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """``slots`` are the attempts that may be under way at once, ``allow_networks`` what else than the public Internet.

    ``timeout_seconds`` is for one attempt; the lease must be longer, so that its outcome can be written.
    ``database_timeout`` is for one wait for the database, ``routing_model`` what rehearsals of routing ask,
    ``security_log_days`` how long the security log keeps what it says, ``documents_url`` the bucket that documents are
    in, ``tsa_url`` the time-stamping authority of seals, ``docusign_url`` a server that plays DocuSign in tests.
    """

    allow_networks: tuple[Network, ...] = ()
    slots: int = 256
    timeout_seconds: float = TIMEOUT
    lease_seconds: float = LEASE_SECONDS
    poll_seconds: float = 0.5
    pool_size: int = 6
    prepared: bool | None = None
    database_timeout: float = PATIENT_SECONDS
    pause_after: PauseAfter = pause_after
    routing_model: str = NO_MODEL
    security_log_days: int = KEPT_DAYS
    documents_url: str | None = None
    tsa_url: str | None = None
    docusign_url: str | None = None

    def __post_init__(self) -> None:
        if self.lease_seconds <= self.timeout_seconds:
            raise ValueError("A lease must last longer than an attempt.")
