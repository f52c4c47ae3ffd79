"""The agents of a brokerage as routing compares them: made once when a profile changes, kept by content."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from aureum.routing.glossary import topics
from aureum.routing.literal import LiteralIndex
from aureum.routing.ngrams import Counted, NgramIndex, counted
from aureum.routing.profile import Profile, Words, plain, words_of

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Roster:
    """Agents in the order of their ids, whatever order they were given in. ``masked`` are the words that the brokerage
    adds to those of protected classes."""

    profiles: tuple[Profile, ...]
    masked: frozenset[str]
    words: tuple[Words, ...]
    index: NgramIndex
    literal: LiteralIndex

    @cached_property
    def digest(self) -> str:
        """Names the content: what the model's process keeps vectors by."""
        return hashlib.blake2b(b"".join(words.digest for words in self.words), digest_size=16).hexdigest()

    @cached_property
    def user_ids(self) -> list[UUID]:
        """The agents, by place."""
        return [profile.user_id for profile in self.profiles]

    @cached_property
    def wordless(self) -> NDArray[np.bool_]:
        """Who says nothing of themselves."""
        return np.array([not words for words in self.words], dtype=bool)


def roster(profiles: Iterable[Profile], masked: Iterable[str] = ()) -> Roster:
    """The roster of *profiles*; the same object for the same content, as long as it is remembered."""
    return _roster(tuple(sorted(profiles, key=lambda profile: profile.user_id)), frozenset(masked))


@lru_cache(maxsize=64)
def _roster(profiles: tuple[Profile, ...], masked: frozenset[str]) -> Roster:
    words = tuple(words_of(profile, masked) for profile in profiles)
    index = NgramIndex([_counted(one.letters) for one in words], topic_index(masked))
    return Roster(profiles, masked, words, index, LiteralIndex([one.specialties for one in words]))


@lru_cache(maxsize=1_024)
def _counted(text: str) -> Counted:
    """``counted``, remembered: of a changed roster most agents are as they were."""
    return counted(text)


@lru_cache(maxsize=16)
def topic_index(masked: frozenset[str] = NOTHING) -> NgramIndex:
    """The glossary's topics by their letters: what agents are compared against, and how rare n-grams are."""
    texts = (" ".join(plain(text, masked) for text in (*topic.names, *topic.said)) for topic in topics())
    return NgramIndex([counted(text) for text in texts])
