"""Specialties that an enquiry names in the agent's own words: "bungalows", where one agent wrote just that.

What counts is that no other agent is meant as well: another agent whose specialty is named, or one of whose
specialties' topics are named with as many words, makes it ambiguous, and the likenesses decide.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from aureum.routing.glossary import Words, phrase, topics_of
from aureum.routing.text import FUNCTION_WORDS, GENERIC_WORDS

SET_PHRASES = {
    "lot": (("a", "whole"), ("of",)),
    "estate": (("real",), ()),
}
"""Words that mean something else behind, or before, some others: "a lot", "lots of", "real estate"."""


@dataclass(frozen=True, slots=True)
class Named:
    """The agent, by place in the roster, whose *specialty* was named, and the words that named it."""

    agent: int
    specialty: str


class LiteralIndex:
    """Which agent is meant by which phrase."""

    def __init__(self, specialties: Sequence[Sequence[str]]) -> None:
        self.own: dict[Words, dict[int, str]] = {}
        self.topical: dict[Words, set[int]] = {}
        for agent, written in enumerate(specialties):
            for specialty in written:
                words = phrase(specialty)
                if tells_something(words):
                    self.own.setdefault(words, {})[agent] = specialty
                for name in (phrase(name) for topic in topics_of(specialty) for name in topic.names):
                    if tells_something(name):
                        self.topical.setdefault(name, set()).add(agent)
        self.longest = max(map(len, (*self.own, *self.topical)), default=0)

    def named(self, text: str, candidates: Sequence[int]) -> Named | None:
        """The one of *candidates* whose specialty *text* names; None if none or not only one."""
        words, allowed = phrase(text), frozenset(candidates)
        specialties: dict[int, str] = {}
        named_words: Counter[int] = Counter()
        at = 0
        while at < len(words):
            length = next((n for n in range(self.longest, 0, -1) if self._known(words, at, n)), 0)
            named = words[at : at + length]
            own = {agent: said for agent, said in self.own.get(named, {}).items() if agent in allowed}
            for agent in own or allowed.intersection(self.topical.get(named, ())):
                named_words[agent] += length
            for agent, said in own.items():
                specialties.setdefault(agent, said)
            at += length or 1
        if len(specialties) != 1:
            return None
        ((agent, specialty),) = specialties.items()
        alone = all(count < named_words[agent] for other, count in named_words.items() if other != agent)
        return Named(agent, specialty) if alone else None

    def _known(self, words: Words, at: int, length: int) -> bool:
        named = words[at : at + length]
        if len(named) < length or (named not in self.own and named not in self.topical):
            return False
        before, behind = SET_PHRASES.get(named[0], ((), ())) if length == 1 else ((), ())
        return not (words[max(0, at - 1) : at] and words[at - 1] in before) and (
            at + length >= len(words) or words[at + length] not in behind
        )


def tells_something(words: Words) -> bool:
    """Whether there is a word among them that not every enquiry has."""
    return any((word not in GENERIC_WORDS and word not in FUNCTION_WORDS) or word == "lot" for word in words)


def stands_in(named: Words, words: Words) -> bool:
    """Whether *named* are some of the *words*, one behind the other."""
    return any(words[at : at + len(named)] == named for at in range(len(words) - len(named) + 1))
