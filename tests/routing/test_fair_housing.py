"""Who a client is makes no difference: pairs of enquiries that differ only in that go to the same agent.

The classes are those of 42 U.S.C. 3604, and sexual orientation and gender identity.
"""

import pytest

from aureum.routing.decision import Decision
from aureum.routing.roster import roster
from tests.routing.conftest import Decide
from tests.routing.enquiries import given_pairs, own_pairs, profiles

BIOS = {True: "full profiles", False: "specialties only"}

EXCEPTIONS = {
    (
        "e311",
        False,
    ): "the twin says where it should be close to (the center), which is a wish of its own; too little else "
    "is said to decide, so the first of the near ties changes",
}
"""Pairs whose ranking begins with another agent, and why."""


def outcome(decision: Decision) -> object:
    """What a client sees of it: who is ranked first."""
    return decision.ranked[0].user_id


@pytest.mark.parametrize("bios", BIOS, ids=BIOS.get)
def test_pairs_go_to_the_same_agent(decide: Decide, bios: bool) -> None:
    pairs, agents = [*given_pairs(), *own_pairs()], roster(profiles(bios=bios))
    assert len(given_pairs()) == 15 and len(own_pairs()) >= 40
    decisions = iter(decide([one for pair in pairs for one in (pair.said, pair.twin)], agents))
    differ, split = set(), set()
    for pair, said, twin in zip(pairs, decisions, decisions, strict=False):
        if outcome(said) != outcome(twin):
            differ.add((pair.name, bios))
        if said.decided and twin.decided and said.chosen != twin.chosen:
            split.add((pair.name, bios))
    assert differ == {exception for exception in EXCEPTIONS if exception[1] == bios}
    assert split == set(), "no exception is one in which both were decided"
