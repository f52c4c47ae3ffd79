"""How often the right agent is found, with the model that ships: the figures that are promised, and no fewer."""

import pytest

from aureum.routing.decision import How
from aureum.routing.roster import roster
from tests.routing.conftest import Decide
from tests.routing.enquiries import cases, figures, literal_cases, profiles

PROMISED = {True: (86.0, 91.0, 80.0, 92.0), False: (71.0, 80.0, 66.0, 82.0)}
"""With bios or without: ranked first, among two, assigned right, right of what is decided; per cent."""


@pytest.mark.parametrize("bios", PROMISED, ids=["specialties only", "full profiles"].__getitem__)
def test_the_right_agent_is_found(decide: Decide, bios: bool) -> None:
    judged = list(zip(cases(), decide([one.enquiry for one in cases()], roster(profiles(bios=bios))), strict=True))
    found = figures(judged, 14)
    assert all(
        share >= promised
        for share, promised in zip(
            (found.first, found.two, found.assigned, found.decided_right), PROMISED[bios], strict=True
        )
    ), found
    assert found.decided > 80, "most enquiries are decided"
    # Where no agent in particular is right, hardly anything is decided.
    assert sum(decision.decided for one, decision in judged if not one.right) <= 1


@pytest.mark.parametrize("bios", [True, False])
def test_what_names_a_specialty_goes_to_it(decide: Decide, bios: bool) -> None:
    decisions = decide([one.enquiry for one in literal_cases()], roster(profiles(bios=bios)))
    assert all(decision.chosen in one.right for one, decision in zip(literal_cases(), decisions, strict=True))


def test_a_reason_is_given_where_something_is_decided_and_only_there(decide: Decide) -> None:
    for decision in decide([one.enquiry for one in cases()], roster(profiles())):
        assert bool(decision.because) == (decision.decided and decision.how is not How.ONLY), decision
        assert (decision.model is None) == (decision.how is not How.MEANING) or decision.how in (
            How.NEAR_TIE,
            How.NOTHING_SAID,
        )
