"""The worker's part that signs the head of every log on a schedule, and sends it away: to a file, which may stand on
another machine's disk, and to an endpoint. Only what has left the machine proves anything."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import aiohttp
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from aureum.background.waiting import wait_for
from aureum.store.postgres.database import Database
from aureum.store.signed_checkpoints import SignedHead, signed_heads

MEDIA = "application/x-ndjson"
TIMEOUT = aiohttp.ClientTimeout(total=20)
RETRY_SECONDS = 60.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CheckpointSettings:
    """Where checkpoints go, and how often; without file and URL there are none."""

    key: Ed25519PrivateKey
    file: Path | None
    url: str | None
    seconds: float


@dataclass(slots=True)
class Checkpointing:
    """Signs only logs whose head has moved since. Signs again after a minute if a checkpoint was not received."""

    database: Database
    settings: CheckpointSettings
    stop: asyncio.Event
    arrived: dict[str, dict[UUID, int]] = field(default_factory=dict)

    async def round(self) -> None:
        """Sign and send once, then wait for the next time."""
        heads = await signed_heads(self.database, self.settings.key)
        whole = True
        if self.settings.file is not None:
            whole &= await self.to_file(self.settings.file, self.grown("file", heads))
        if self.settings.url is not None:
            whole &= await self.to_endpoint(self.settings.url, self.grown("url", heads))
        await wait_for(self.stop, self.settings.seconds if whole else min(RETRY_SECONDS, self.settings.seconds))

    def grown(self, place: str, heads: Sequence[SignedHead]) -> list[SignedHead]:
        """The heads that this place has not got."""
        known = self.arrived.setdefault(place, {})
        return [head for head in heads if known.get(head.tenant_id) != head.position]

    async def to_file(self, file: Path, heads: Sequence[SignedHead]) -> bool:
        """Whether they are on the disk."""
        try:
            await asyncio.to_thread(add_lines, file, [head.line for head in heads])
        except OSError as error:
            log.error("checkpoints_not_written", file=str(file), reason=error.strerror)
            return False
        self.remember("file", heads)
        return True

    async def to_endpoint(self, url: str, heads: Sequence[SignedHead]) -> bool:
        """Whether the endpoint took them: any 2xx. It is called where the operator says; redirects are not followed."""
        if not heads:
            return True
        body = b"".join(head.line for head in heads)
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT) as client,
                client.post(url, data=body, headers={"Content-Type": MEDIA}, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.error("checkpoints_not_sent", reason=type(error).__name__)
            return False
        if not 200 <= status < 300:
            log.error("checkpoints_not_sent", reason=f"status {status}")
            return False
        self.remember("url", heads)
        return True

    def remember(self, place: str, heads: Sequence[SignedHead]) -> None:
        """They have arrived there."""
        self.arrived[place].update((head.tenant_id, head.position) for head in heads)


def add_lines(file: Path, lines: Sequence[bytes]) -> None:
    """Add whole lines to *file*, which is created if need be, and see that they are on the disk. Raises OSError."""
    if not lines:
        return
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    with os.fdopen(descriptor, "ab", buffering=0) as out:
        left = memoryview(b"".join(lines))
        while left:
            left = left[out.write(left) :]
        os.fsync(descriptor)
