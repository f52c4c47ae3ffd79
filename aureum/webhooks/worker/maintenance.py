"""What a worker does now and then, besides following, dispatching and completing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from aureum.background.waiting import wait_for
from aureum.commands.importing.keeping import prune_imports
from aureum.commands.routing_rehearsals import prune_rehearsals
from aureum.store.postgres.database import Database
from aureum.store.search import Searched
from aureum.store.security_entries import KEPT_DAYS
from aureum.store.security_entries import prune as prune_security_log
from aureum.store.sweep import sweep
from aureum.webhooks.queue.observing import Observations, observe
from aureum.webhooks.queue.partitions import keep_partitions
from aureum.webhooks.queue.reconciliation import mend_lanes
from aureum.webhooks.queue.retention import clear_removed, prune_messages

SWEEP_SECONDS = 600.0
MEND_SECONDS = 60.0
OBSERVE_SECONDS = 10.0
SEARCH_SECONDS = 5.0


def maintenance(
    database: Database,
    counters: Observations,
    hint: Callable[[UUID], None],
    stop: asyncio.Event,
    security_log_days: int = KEPT_DAYS,
) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """Each chore's name and one round of it, which ends with the wait for the next. *hint*: something is due there."""

    async def sweep_all() -> None:
        await keep_partitions(database)
        await sweep(database)
        await prune_messages(database)
        await prune_rehearsals(database)
        await prune_imports(database)
        await prune_security_log(database, security_log_days)
        await wait_for(stop, SWEEP_SECONDS)

    async def mend() -> None:
        for tenant_id, lanes in (await mend_lanes(database)).items():
            counters.mended(lanes)
            hint(tenant_id)
        await clear_removed(database)
        await wait_for(stop, MEND_SECONDS)

    async def look() -> None:
        counters.observed(await observe(database))
        await wait_for(stop, OBSERVE_SECONDS)

    searched = Searched()

    async def copy_for_search() -> None:
        await searched.round(database)
        await wait_for(stop, SEARCH_SECONDS)

    return {"search": copy_for_search, "sweep": sweep_all, "mend": mend, "observe": look}
