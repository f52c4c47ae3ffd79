"""Who may be the same person: why, and how sure; couples told apart, whatever the order and spelling of names."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.duplicates import Likeness, Person, likeness
from aureum.domain.people import words_of

JOHN = Person("John", "Smith", ("john@example.com",), ("+12085550123",))


def score(one: Person, other: Person) -> float:
    found = likeness(one, other)
    return 0 if found is None else found.score


def test_the_order_of_certainty() -> None:
    descending = [
        Person("Smith", "JOHN", (" John@Example.com",), ("+12085550123",)),
        Person("Smith", "JOHN", (" John@Example.com",)),
        Person("J.", "Smith", ("john@example.com",)),
        Person("Peter", "Kowalski", ("john@example.com",)),
        Person("John", "Smith", ("other@example.com",), ("+12085550123",)),
        Person("John Q.", "Smith", (), ("+12085550123",)),
        Person("John", "Smith"),
        Person("Mary", "Smith", ("john@example.com",), ("+12085550123",)),
        Person("Peter", "Kowalski", (), ("+12085550123",)),
        Person("Mary", "Smith", (), ("+12085550123",)),
        Person("Mary", "Smith"),
    ]
    scores = [score(JOHN, other) for other in descending]
    assert scores == sorted(scores, reverse=True) and len({*scores}) == len(scores)
    assert scores[-1] == 0
    found = [likeness(JOHN, other) for other in descending[:-1]]
    assert [one.certainty for one in found if one] == ["high"] * 3 + ["medium"] * 3 + ["low"] * 4
    assert [one.couple for one in found if one] == [False] * 7 + [True, False, True]
    assert found[0] == Likeness(("email", "phone", "name"), 0.99, False)
    assert found[3] == Likeness(("email",), 0.75, False)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Zoë", "van Dam"), ("VAN DAM", "zoe")),
        (("Anne-Marie", "Li"), ("Annemarie", "Li")),
        (("Anne-Marie", "Li"), ("li", "ANNE MARIE")),
        (("Pat", "O'Neil"), ("pat", "ONEIL")),
        (("小明", "王"), ("王小明", "")),
        (("민준", "김"), ("김", "민준")),
    ],
)
def test_one_name(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert likeness(Person(*one), Person(*other)) == Likeness(("name",), 0.4, False)


@pytest.mark.parametrize(
    ("one", "other", "couple"),
    [
        (("John", "Smith"), ("John Q.", "Smith"), False),
        (("J.", "Smith"), ("John", "Smith"), False),
        (("John", ""), ("John", "Smith"), False),
        (("", ""), ("John", "Smith"), False),
        (("John", "Smith"), ("Mary", "Smith"), True),
        (("M.", "Smith"), ("John", "Smith"), True),
        (("John", "Smith"), ("John and Mary", "Smith"), True),
        (("John", "Smith"), ("John & Mary", "Smith"), True),
        (("Juan", "García"), ("Juan y María", "Garcia"), True),
        (("John", "Smith"), ("John E.", "Smith"), False),
        (("小明", "王"), ("芳", "王"), True),
    ],
)
def test_one_address_and_names_that_differ(one: tuple[str, str], other: tuple[str, str], couple: bool) -> None:
    found = likeness(Person(*one, ("a@example.com",)), Person(*other, ("A@example.com",)))
    assert found is not None and found.reasons == ("email",)
    assert found.couple is couple and found.score == (0.3 if couple else 0.85)


def test_a_single_word_says_too_little() -> None:
    assert likeness(Person("Maria", ""), Person("Maria", "")) is None
    assert likeness(Person("", ""), Person("", "")) is None
    assert likeness(Person("", "", ("no address",)), Person("", "", ("no address",))) is None


texts = st.text(max_size=12)
words = st.text(st.characters(categories=("Lu", "Ll", "Lo"), max_codepoint=0x2FF), min_size=2, max_size=8)
people = st.builds(
    Person,
    st.one_of(texts, st.sampled_from(("John", "J.", "Mary", "Zoë", "小明"))),
    st.one_of(texts, st.sampled_from(("Smith", "Smith-Li", "王"))),
    st.lists(st.one_of(texts, st.sampled_from(("a@example.com", "A@Example.com", "b@example.com"))), max_size=2).map(
        tuple
    ),
    st.lists(st.sampled_from(("+12085550123", "+12085550124")), max_size=2).map(tuple),
)


@given(people, people)
def test_it_goes_both_ways_and_takes_anything(one: Person, other: Person) -> None:
    found = likeness(one, other)
    assert found == likeness(other, one)
    assert found is None or (0 < found.score < 1 and found.reasons)
    # The order of first and last name says nothing.
    assert found == likeness(one._replace(first_name=one.last_name, last_name=one.first_name), other)


@given(
    st.lists(words, min_size=2, max_size=4),
    st.randoms(use_true_random=False),
    st.sampled_from(("\u0301", "\u0308", "")),
)
def test_order_case_and_accents_make_no_difference(name: list[str], chance: Random, mark: str) -> None:
    shuffled = sorted(name, key=lambda _: chance.random())
    marked = " ".join(word[0] + mark + word[1:].upper() for word in shuffled)
    found = likeness(Person(" ".join(name), "", ("a@example.com",)), Person("", marked, ("a@example.com",)))
    assert found == Likeness(("email", "name"), 0.95, False)


@given(st.tuples(words, words, words).filter(lambda names: len({word[:1] for word in words_of(" ".join(names))}) == 3))
def test_couples_are_told_apart(names: tuple[str, str, str]) -> None:
    his, hers, family = names
    shared: tuple[tuple[str, ...], tuple[str, ...]] = (("a@example.com",), ("+12085550123",))
    found = likeness(Person(his, family, *shared), Person(hers, family, *shared))
    assert found is not None and found.couple and found.certainty == "low"
