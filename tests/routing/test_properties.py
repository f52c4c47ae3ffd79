"""What holds for any text, any agents and any name."""

from random import Random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.routing.comparison import compared
from aureum.routing.decision import Decision
from aureum.routing.enquiry import Enquiry, Listing
from aureum.routing.profile import Profile
from aureum.routing.protected import masked, protected
from aureum.routing.roster import roster
from aureum.routing.text import words
from tests.examples import examples
from tests.routing.enquiries import Case, cases, profiles

SAID = [word for one in cases() for word in words(one.enquiry.message)]
PROTECTED = [" ".join(phrase) for phrases in protected().phrases.values() for phrase, _ in phrases]

any_text = st.text(st.characters(), max_size=300)  # lone surrogates too
word = st.sampled_from(SAID) | st.sampled_from(PROTECTED) | st.sampled_from([",", ".", "and", "not a", "(", "█", "\n"])
worded = st.lists(word, max_size=30).map(" ".join)
texts = any_text | worded

agents = st.lists(
    st.builds(
        Profile,
        st.integers(1, 10**6).map(lambda number: UUID(int=number)),
        st.lists(st.sampled_from(["condos", "land", "horses", "55+"]) | any_text, max_size=3).map(tuple),
        texts,
        st.lists(any_text, max_size=2).map(tuple),
        st.lists(st.sampled_from(["en", "es", "zh", ""]) | any_text, max_size=2).map(tuple),
    ),
    max_size=6,
    unique_by=lambda profile: profile.user_id,
)

LETTERS = st.characters(categories=["Ll", "Lu"], max_codepoint=0x24F)
letters = LETTERS.filter(lambda c: c.isalpha() and c.upper().lower() == c.lower() and len(c.upper()) == 1)
names = st.text(letters, min_size=2, max_size=12).filter(lambda name: name.casefold() not in {*SAID, *PROTECTED})

FOURTEEN = roster(profiles())


def decided(enquiry: Enquiry, given_agents: list[Profile]) -> Decision:
    comparison = compared(enquiry, roster(given_agents))
    return comparison.early() or comparison.without_model("away")


@settings(deadline=None, max_examples=examples(60))
@given(texts, texts, texts, texts, agents)
def test_any_text_gives_a_decision(message: str, subject: str, page: str, title: str, team: list[Profile]) -> None:
    decision = decided(Enquiry(message, subject, page, Listing(title, title), (subject,)), team)
    assert {one.user_id for one in decision.ranked} == {one.user_id for one in team}
    assert decision.decided == (decision.chosen is not None)
    str(decision.because).encode()


@given(texts, st.lists(texts, max_size=2))
def test_masking_twice_is_masking_once(text: str, own_names: list[str]) -> None:
    once = masked(text, protected(), own_names)
    assert masked(once, protected(), own_names) == once


@settings(deadline=None, max_examples=examples(40))
@given(texts, agents, st.randoms())
def test_the_order_of_agents_does_not_matter(message: str, team: list[Profile], dice: Random) -> None:
    shuffled = list(team)
    dice.shuffle(shuffled)
    assert decided(Enquiry(message), team) == decided(Enquiry(message), shuffled)


@settings(deadline=None)
@given(st.sampled_from(cases()), names, names)
def test_the_clients_name_does_not_matter(one: Case, first: str, second: str) -> None:
    template = "My name is {}, {} for short. " + one.enquiry.message + " Regards, {}"

    def of(name: str) -> Decision:
        comparison = compared(Enquiry(template.format(name, name.upper(), name), names=(f"{name} X",)), FOURTEEN)
        return comparison.early() or comparison.without_model(None)

    assert of(first) == of(second)
