"""Examples of an agent: past enquiries as phrases of a profile, with little weight beside the agent's own words."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from aureum.routing.comparison import compared
from aureum.routing.decision import How
from aureum.routing.enquiry import Enquiry
from aureum.routing.profile import EXAMPLES_SHARE, FEW_PHRASES, Example, Profile, words_of
from aureum.routing.roster import roster
from aureum.routing.vectors import middle

ANA, BEN = UUID(int=1), UUID(int=2)
HANGAR = Enquiry("We need an airplane hangar beside the runway", names=("Jane", "Doe"))


def example(message: str, number: int = 1) -> Example:
    return Example(Enquiry(message), f"lead {number}")


def test_they_are_prepared_as_enquiries_are() -> None:
    message = "I am Jane, a Catholic mother, not a condo, but a barn with a hay loft please"
    said = Enquiry(message, names=("Jane", "Doe"))
    words = words_of(Profile(BEN, examples=(Example(said, "lead 7"),)))
    ((text, shown),) = words.examples
    assert shown == "lead 7" and "barn" in text
    assert not any(word in text for word in ("Jane", "Catholic", "mother", "condo"))
    assert words_of(Profile(BEN, examples=(example("Is this still available?"),))).examples == ()


@pytest.mark.parametrize("phrases", [0, 1, 3, 10])
@pytest.mark.parametrize("number", [1, 2, 50])
def test_all_of_them_weigh_half_of_the_profile_at_most(phrases: int, number: int) -> None:
    specialties = tuple(f"quux{n} zork{n}" for n in range(phrases))
    examples = tuple(example(f"An airplane hangar {'abcdefghij'[n % 10]}{n}", n) for n in range(number))
    words = words_of(Profile(BEN, specialties, examples=examples))
    weights = [phrase.weight for phrase in words.phrases()]
    assert weights[:phrases] == [1.0] * phrases and len(weights) == phrases + number
    assert max(weights[phrases:]) <= 1.0
    assert sum(weights[phrases:]) <= EXAMPLES_SHARE * max(phrases, FEW_PHRASES) + 1e-9


def test_the_middle_is_weighed() -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    assert middle(vectors, (1.0, 0.0)).tolist() == [1.0, 0.0]
    assert np.allclose(middle(vectors, (1.0, 1.0)), middle(vectors))


def test_who_says_nothing_is_known_by_them() -> None:
    agents = [Profile(ANA, ("downtown condos",)), Profile(BEN)]
    enquiry = Enquiry("Is there an airplane hangar?")
    assert compared(enquiry, roster(agents)).without_model(None).how is How.NOTHING_SAID
    taught = [agents[0], replace(agents[1], examples=(Example(HANGAR, "lead 7"),))]
    decision = compared(enquiry, roster(taught)).without_model(None)
    assert (decision.how, decision.chosen) == (How.LETTERS, BEN)
    assert [one.profile for one in decision.because] == ["lead 7"]


def test_a_profile_of_ones_own_is_compared_by_letters_as_without() -> None:
    agent = Profile(ANA, ("downtown condos",), "I sell lofts.")
    plain, taught = words_of(agent), words_of(replace(agent, examples=(Example(HANGAR, "lead 7"),)))
    assert taught.letters == plain.letters and taught.whole == plain.whole
    assert taught.digest != plain.digest
    assert roster([replace(agent, examples=(Example(HANGAR, "lead 7"),))]).digest != roster([agent]).digest
