"""The model's process, once for all tests of routing; the tests' own process never loads a model."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from aureum.routing.decision import Decision
from aureum.routing.enquiry import Enquiry
from aureum.routing.model_client import ModelClient
from aureum.routing.model_process import listen, start
from aureum.routing.roster import Roster
from aureum.routing.router import SemanticRouter

PATIENT = 60.0
"""Tests about results wait for the model however busy the machine is."""

Decide = Callable[[Sequence[Enquiry], Roster], list[Decision]]


@pytest.fixture(scope="session")
def model_path() -> Iterator[Path]:
    """Where the model's process answers."""
    with tempfile.TemporaryDirectory(prefix="aureum-model-") as folder:
        path = Path(folder) / "socket"
        with listen(path) as listener:
            process = start(listener)
            yield path
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(30) == 0


@pytest.fixture(scope="session")
def decide(model_path: Path) -> Decide:
    """Decisions with the model."""

    async def run(enquiries: Sequence[Enquiry], roster: Roster) -> list[Decision]:
        async with ModelClient(model_path, seconds=PATIENT) as client:
            assert await client.ready(PATIENT)
            router = SemanticRouter(client)
            return [await router.decide(enquiry, roster) for enquiry in enquiries]

    def wait(enquiries: Sequence[Enquiry], roster: Roster) -> list[Decision]:
        return asyncio.run(run(enquiries, roster))

    return wait
