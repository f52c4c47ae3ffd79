"""The routing model of a rehearsal or an import: a process of its own while that lasts, so that forms never wait behind
a hundred thousand leads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aureum.domain.routing.deciding import needs_ranking
from aureum.domain.routing.settings import Routing
from aureum.settings import NO_MODEL

PATIENT_SECONDS = 30.0
"""How long such work waits for an answer: no visitor does."""

LOOK_SECONDS = 0.2


@asynccontextmanager
async def model_for(routing: Routing, model: str) -> AsyncIterator[None]:
    """While this lasts, rankings of this task ask *model*, if settings like these need any."""
    if model == NO_MODEL or not needs_ranking(routing):
        yield
        return
    # Numpy comes with them.
    from aureum.commands.ranking import asking_alone
    from aureum.routing.model_client import ModelClient
    from aureum.routing.model_process import model_process

    async with model_process(model) as process, ModelClient(process.path, seconds=PATIENT_SECONDS) as client:
        while client.loading() and not await client.ready(LOOK_SECONDS):
            pass
        with asking_alone(client):
            yield
