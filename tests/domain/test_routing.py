"""Which agent a lead goes to."""

from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.routing.literal import WORD, agent, route

ANA, BEN, CORA = (UUID(int=number) for number in (1, 2, 3))
AGENTS = (agent(ANA, ("downtown", "river condo")), agent(BEN, ("Yard", "school")), agent(CORA, ()))
LEAD = UUID(int=99)


def test_the_most_specialties_named_win() -> None:
    chosen, why = route(LEAD, "A house with a YARD, near a school, or downtown", AGENTS)
    assert chosen == BEN
    assert why == {"method": "specialty", "matched": ["yard", "school"]}


def test_a_phrase_needs_all_of_its_words() -> None:
    assert route(LEAD, "condo by the river", AGENTS)[0] == ANA
    assert route(LEAD, "condo", AGENTS)[1] == {"method": "even", "matched": []}


@given(st.text("aß_1-é .İ"), st.text("aß_1-é .İ", max_size=6))
def test_a_word_is_found_whole_or_not_at_all(text: str, phrase: str) -> None:
    _, why = route(LEAD, text, (agent(ANA, (phrase,)),))
    words = WORD.findall(phrase.casefold())
    named = bool(words) and set(words) <= set(WORD.findall(text.casefold()))
    assert why == {"method": "specialty" if named else "even", "matched": [" ".join(words)] if named else []}


def test_nobody_takes_leads() -> None:
    assert route(LEAD, "anything", ()) == (None, None)


def test_equals_share_evenly() -> None:
    counts = Counter(route(ids.new_id(), "hello", AGENTS)[0] for _ in range(3_000))
    assert set(counts) == {ANA, BEN, CORA}
    # Six standard deviations around a third.
    assert all(845 < count < 1155 for count in counts.values())


@given(st.uuids(), st.text(), st.lists(st.tuples(st.uuids(), st.lists(st.text(max_size=20), max_size=4)), min_size=1))
def test_always_one_of_the_agents_and_always_the_same(
    lead_id: UUID, text: str, staff: list[tuple[UUID, list[str]]]
) -> None:
    agents = [agent(user_id, specialties) for user_id, specialties in staff]
    chosen, why = route(lead_id, text, agents)
    assert chosen in {user_id for user_id, _ in staff}
    assert (chosen, why) == route(lead_id, text, list(reversed(agents)))
