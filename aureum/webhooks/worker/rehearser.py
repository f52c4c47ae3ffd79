"""Does the rehearsals of routing that all tenants have asked for, a slice each in turn."""

import asyncio

import structlog

from aureum.background.waiting import wait_for
from aureum.commands.routing_rehearsals import broke_off, claim, go_on
from aureum.domain.errors import Unavailable
from aureum.log import places
from aureum.store.event_store import EventStore

log = structlog.get_logger()

LOOK_SECONDS = 1.0
"""How soon to look for another one where there was none."""


async def rehearsal_round(store: EventStore, model: str, stop: asyncio.Event) -> None:
    """A slice of one rehearsal; if there is none, wait. What is wrong with one holds up no other. *model* ranks
    agents.

    Raises Unavailable.
    """
    job = await claim(store.database)
    if job is None:
        await wait_for(stop, LOOK_SECONDS)
        return
    try:
        await go_on(store, job, model)
    except Unavailable:
        raise
    except Exception as error:
        log.error("rehearsal_failed", tenant=str(job.tenant_id), error=type(error).__name__, trace=places(error))
        await broke_off(store.database, job)
