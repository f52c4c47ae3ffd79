"""The one rule for failures of all the worker's loops: log it, wait a little, go on."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import psycopg
import structlog

from aureum.background.waiting import wait_for
from aureum.domain.errors import Unavailable
from aureum.log import places

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


async def persevere(part: str, work: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
    """Do *work* again and again until *stop* is set; after a failure wait, longer each time, with jitter."""
    failures = 0
    while not stop.is_set():
        try:
            await work()
            failures = 0
        except Exception as error:
            longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**failures)
            pause = longest * random.uniform(0.5, 1)  # noqa: S311  it spreads load
            failures = min(failures + 1, 10)
            # An unavailable database needs no explanation; any other error is logged with its place in the code.
            trace = {} if isinstance(error, (Unavailable, psycopg.OperationalError)) else {"trace": places(error)}
            log.warning("worker_pauses", part=part, error=type(error).__name__, seconds=round(pause, 2), **trace)
            await wait_for(stop, pause)
