"""The glossary: which topics an agent's specialty is about, and what clients say who want that (``glossary.toml``)."""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from aureum.routing.text import folded, singular

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """``names`` are what agents call it, ``said`` what clients say."""

    names: tuple[str, ...]
    said: tuple[str, ...]


def phrase(written: str) -> Words:
    """*written* as words to compare names by: folded, without plurals, hyphens being spaces."""
    return tuple(singular(folded(word)) for word in re.findall(r"\w+\+?(?:['’]\w+)?", written))


@lru_cache(maxsize=1)
def topics() -> tuple[Topic, ...]:
    """Every topic."""
    data = tomllib.loads(files("aureum.routing").joinpath("glossary.toml").read_text())
    return tuple(Topic(tuple(one["names"]), tuple(one["said"])) for one in data["topic"])


@lru_cache(maxsize=1)
def by_name() -> dict[Words, Topic]:
    """The topic of each name."""
    return {phrase(name): topic for topic in topics() for name in topic.names}


@lru_cache(maxsize=4_096)
def topics_of(specialty: str) -> tuple[Topic, ...]:
    """The topics that *specialty* names, the longest names first read: of "luxury lake homes", luxury and the lake."""
    words, named, found = phrase(specialty), by_name(), []
    at = 0
    while at < len(words):
        length = next((n for n in range(len(words) - at, 0, -1) if words[at : at + n] in named), 0)
        if length and (topic := named[words[at : at + length]]) not in found:
            found.append(topic)
        at += length or 1
    return tuple(found)
