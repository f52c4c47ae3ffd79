"""Does the imports that all brokerages have asked for, a slice each in turn."""

import asyncio

import structlog

from aureum.background.waiting import wait_for
from aureum.commands.importing.claiming import broke_off, claim
from aureum.commands.importing.running import go_on
from aureum.commands.importing.undoing import undo_job
from aureum.domain.errors import Busy, Invalid, NotFound
from aureum.log import places
from aureum.settings import NO_MODEL
from aureum.store.event_store import EventStore

log = structlog.get_logger()

LOOK_SECONDS = 1.0
"""How soon to look for another one where there was none."""

WENT_WRONG = "Something went wrong with this import. Undo it, and import the file again."


async def import_round(store: EventStore, stop: asyncio.Event, model: str = NO_MODEL) -> None:
    """A slice of one import; if there is none, wait. *model* takes part where leads are routed. What is wrong with one
    holds up no other. Raises Busy."""
    job = await claim(store)
    if job is None:
        await wait_for(stop, LOOK_SECONDS)
        return
    try:
        await (undo_job(store, job) if job.state == "undoing" else go_on(store, job, model))
    except Busy:
        raise
    except (Invalid, NotFound) as error:
        await broke_off(store.database, job, str(error), final=True)
    except Exception as error:
        log.error("import_failed", tenant=str(job.tenant_id), error=type(error).__name__, trace=places(error))
        await broke_off(store.database, job, WENT_WRONG)
