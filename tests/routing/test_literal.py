"""What names a specialty literally, and what only seems to; the glossary's names for topics."""

import pytest

from aureum.routing.glossary import topics, topics_of
from aureum.routing.literal import LiteralIndex

SPECIALTIES = (
    ("downtown condos", "lofts"),
    ("lots", "land"),
    ("lake homes", "views"),
    ("lake", "homes"),
    ("estate sales", "golf"),
    ("golf", "first-time buyers"),
)
INDEX = LiteralIndex(SPECIALTIES)
ALL = range(len(SPECIALTIES))


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("A downtown condo please", 0),
        ("Do you have LOFTS?", 0),
        ("We need a lot to build on", None),
        ("We want one lot on a hill", 1),
        ("with a lot of light and lots of storage", None),
        ("two lake homes", 2),
        ("a home at the lake", 3),
        ("real estate", None),
        ("golf", None),
        ("I am a first time buyer", 5),
        ("a loft or some land", None),
        ("", None),
    ],
)
def test_one_agent_is_named(text: str, agent: int | None) -> None:
    named = INDEX.named(text, ALL)
    assert (named and named.agent) == agent


def test_who_does_not_compete_is_not_named() -> None:
    assert INDEX.named("golf", [0, 5]) is not None
    assert INDEX.named("lofts", [1, 2]) is None


def test_specialties_have_topics() -> None:
    assert [topic.names[0] for topic in topics_of("Luxury lake homes & condos")] == ["luxury", "waterfront", "condos"]
    assert topics_of("55+ Communities")[0].names[0] == "55+"
    assert topics_of("unheard-of") == topics_of("") == ()


def test_every_name_stands_for_one_topic() -> None:
    names = [name for topic in topics() for name in topic.names]
    assert len(names) == len(set(names)) > 500
    assert all(topics_of(name) for name in names)
    assert all(len(topic.said) >= 2 for topic in topics())
