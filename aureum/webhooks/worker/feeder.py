"""Feeds the replays of all tenants, a step each in turn, until there is nothing to do but wait."""

import asyncio
import random
import time
from collections.abc import Callable
from uuid import UUID

import structlog

from aureum.background.waiting import wait_for
from aureum.domain.errors import NodeAway, Unavailable
from aureum.log import places
from aureum.store.event_store import EventStore
from aureum.webhooks.telling.replays import Fed, feed, tenants_replaying

log = structlog.get_logger()

ROOM_SECONDS = 0.1
"""How soon to look whether the queue has room again."""

ASIDE_SECONDS = 30.0
"""How long a tenant is left alone whose replays break off."""


class Feeder:
    """One a worker, which runs its rounds, and sets *wake* when a replay may have been asked for; *hint* hears
    whose deliveries were made."""

    def __init__(
        self, store: EventStore, hint: Callable[[UUID], None], poll_seconds: float, wake: asyncio.Event
    ) -> None:
        self.store = store
        self.hint = hint
        self.poll_seconds = poll_seconds
        self.aside: dict[UUID, float] = {}
        self.wake = wake

    async def round(self) -> None:
        """A step for each tenant with replays; if none came further, wait. Raises Unavailable."""
        self.wake.clear()
        tenants = await tenants_replaying(self.store)
        random.shuffle(tenants)
        moved = False
        for tenant_id in tenants:
            fed = await self._feed(tenant_id)
            moved = moved or fed != Fed()
            if fed.deliveries:
                self.hint(tenant_id)
        if not moved:
            await wait_for(self.wake, ROOM_SECONDS if tenants else self.poll_seconds)

    async def _feed(self, tenant_id: UUID) -> Fed:
        """What is wrong with one tenant holds up no other."""
        if time.monotonic() < self.aside.get(tenant_id, 0.0):
            return Fed()
        try:
            fed = await feed(self.store, tenant_id)
        except NodeAway:
            return Fed()
        except Unavailable:
            raise
        except Exception as error:
            self.aside[tenant_id] = time.monotonic() + ASIDE_SECONDS
            log.error("webhook_replay_failed", tenant=str(tenant_id), error=type(error).__name__, trace=places(error))
            return Fed()
        self.aside.pop(tenant_id, None)
        return fed
