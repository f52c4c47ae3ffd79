"""Decisions by the model, in a process of its own: the tests' own process never loads it."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from aureum.routing.decision import Decision
from aureum.routing.enquiry import Enquiry
from aureum.routing.model_client import ModelClient
from aureum.routing.roster import Roster
from aureum.routing.router import SemanticRouter

PATIENT = 60.0
"""Tests about results wait for the model however busy the machine is."""

Decide = Callable[[Sequence[Enquiry], Roster], list[Decision]]


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
