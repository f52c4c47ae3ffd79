"""Decisions of the cheap signals alone: who competes, what decides, and what is said of it."""

from uuid import UUID

import pytest

from aureum.routing.comparison import compared
from aureum.routing.decision import Decision, How
from aureum.routing.enquiry import Enquiry
from aureum.routing.profile import Profile
from aureum.routing.roster import Roster, roster
from tests.routing.enquiries import profiles, user_id


def decided(message: str, agents: Roster, **about: str) -> Decision:
    comparison = compared(Enquiry(message, **about), agents)  # type: ignore[arg-type]  # only texts are given here
    return comparison.early() or comparison.without_model(None)


def agent(number: int, *specialties: str, languages: tuple[str, ...] = ("en",), bio: str = "") -> Profile:
    return Profile(UUID(int=number), specialties, bio, (), languages)


TWO = roster([agent(1, "horse property"), agent(2, "downtown condos")])


def test_no_agent_competes_where_there_is_none() -> None:
    for agents, eligible in ((roster([]), None), (TWO, frozenset[UUID]())):
        comparison = compared(Enquiry("horses"), agents, eligible)
        decision = comparison.early()
        assert decision is not None and decision.how is How.NOBODY
        assert (decision.ranked, decision.chosen, decision.margin) == ((), None, None)


def test_one_agent_gets_whatever_comes() -> None:
    for profile in (agent(1, "condos"), agent(1)):
        decision = decided("horses", roster([profile]))
        assert (decision.how, decision.chosen, decision.margin) == (How.ONLY, UUID(int=1), None)


def test_two_agents_are_told_apart_and_only_by_what_is_said() -> None:
    decision = decided("We need stalls and pasture for our mares and an arena", TWO)
    assert decision.how is How.LETTERS and decision.chosen == UUID(int=1)
    assert decision.because[0].profile == "horse property"
    for message in ("Hello?", "Is this still available?", "Please call me on Saturday", "", "😀", "12345"):
        assert decided(message, TWO).how is How.NOTHING_SAID, message
        assert decided(message, TWO).because == ()


def test_equal_agents_are_near_ties() -> None:
    agents = roster([agent(n, "horse property") for n in (3, 1, 2)] + [agent(4, "condos")])
    decision = decided("We need stalls and pasture for our mares and an arena", agents)
    assert decision.how is How.NEAR_TIE and not decision.decided and decision.chosen is None
    assert decision.near_ties == (UUID(int=1), UUID(int=2), UUID(int=3))
    assert decision.ranked[3].user_id == UUID(int=4) and decision.because == ()


def test_who_says_nothing_is_neither_first_nor_in_the_way() -> None:
    decision = decided("stalls and pasture for mares", roster([agent(1), agent(2, "horse property"), agent(3)]))
    assert decision.chosen == UUID(int=2) and decision.ranked[1].score == 0.0
    assert decided("stalls and pasture for mares", roster([agent(1), agent(2)])).how is How.NOTHING_SAID


def test_what_names_a_specialty_is_assigned_to_it() -> None:
    decision = decided("A downtown condo, close to horses and a barn with stalls", TWO)
    assert (decision.how, decision.chosen) == (How.LITERAL, UUID(int=2))
    assert decision.because[0].profile == "downtown condos" and decision.ranked[0].user_id == UUID(int=2)
    # What is quoted is what was written.
    assert decision.because[0].said == "A downtown condo"
    (shouted,) = decided("DO YOU HAVE ANY DOWNTOWN CONDO?? CALL ME", TWO).because
    assert (shouted.said, shouted.profile) == ("DO YOU HAVE ANY DOWNTOWN CONDO", "downtown condos")


def test_the_language_of_the_enquiry_narrows_the_pool() -> None:
    agents = roster(
        [
            agent(1, "horse property"),
            agent(2, "condos", languages=("en", "es-MX")),
            agent(3, "farms", languages=("zh",)),
        ]
    )
    spanish = decided("Busco un rancho con corrales para mis caballos", agents)
    assert (spanish.chosen, spanish.how, spanish.language) == (UUID(int=2), How.ONLY, "es")
    assert [(one.user_id.int, one.out) for one in spanish.ranked[1:]] == [(1, "language"), (3, "language")]
    assert decided("你好，我想买房子", agents).chosen == UUID(int=3)
    asked = decided("Is there an agent who speaks Spanish? We have horses", agents)
    assert (asked.chosen, asked.language) == (UUID(int=2), "es")
    french = decided("Nous cherchons une maison avec des chevaux", agents)
    assert french.language is None and len(french.ranked) == 3


def test_page_and_listing_count() -> None:
    decision = decided("Is it still available?", TWO, page="/listings/barn-pasture-stalls-arena")
    assert decision.ranked[0].user_id == UUID(int=1) and decision.how is not How.NOTHING_SAID


def test_words_that_a_brokerage_adds_are_masked_in_profiles_too() -> None:
    plain = roster([agent(1, "Bronco fans"), agent(2, "condos")])
    masking = roster(plain.profiles, ["bronco"])
    assert decided("We are Bronco fans", plain).chosen == UUID(int=1)
    assert decided("We are Bronco fans", masking).chosen is None
    assert roster(reversed(plain.profiles)) is plain


def test_two_hundred_agents() -> None:
    agents = [
        Profile(UUID(int=1_000 * n + one.user_id.int), one.specialties, one.bio, one.areas, one.languages)
        for n in range(15)
        for one in profiles()
    ]
    decision = decided("We need stalls and pasture for our mares and an arena", roster(agents))
    assert decision.how is How.NEAR_TIE and len(decision.near_ties) == 15 and len(decision.ranked) == 210
    assert {one.int % 1_000 for one in decision.near_ties} == {user_id("a05").int}


@pytest.mark.parametrize("message", ["", "\0", "\ud800", "你好", "😀", "horse " * 4_000, "x" * 20_000])
def test_any_text_gives_a_decision(message: str) -> None:
    assert len(decided(message, TWO).ranked) == 2
