"""Agents as routing sees them, and what of a profile is compared: masked as enquiries are."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from uuid import UUID

from aureum.routing import protected
from aureum.routing.enquiry import Enquiry, prepared
from aureum.routing.glossary import topics_of
from aureum.routing.text import clean, shortened, telling_words

BIO_LIMIT = 3_000
"""How many characters of a bio are read."""

SPECIALTIES_LIMIT = 40

SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


EXAMPLES_SHARE = 0.5
"""How much all examples of an agent count at most, beside all phrases of the agent's own profile."""

FEW_PHRASES = 4
"""As how many phrases a shorter profile counts in that; an agent who says nothing is known by the examples alone."""


@dataclass(frozen=True)
class Example:
    """A past enquiry that staff gave to the agent. ``shown`` names it in a reason, which quotes no other person's
    words."""

    enquiry: Enquiry
    shown: str


@dataclass(frozen=True)
class Profile:
    """An agent's own words. ``languages`` are BCP 47 tags."""

    user_id: UUID
    specialties: tuple[str, ...] = ()
    bio: str = ""
    areas: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a profile that an enquiry is compared with. ``shown`` is what the agent wrote: for what clients say,
    the specialty whose topic it is. ``weight`` is how much it counts in the middle of all."""

    text: str
    shown: str
    own: bool
    weight: float = 1.0


@dataclass(frozen=True)
class Words:
    """What of a profile is compared; equal for equal profiles, of any agents."""

    specialties: tuple[str, ...]
    sentences: tuple[str, ...]
    areas: tuple[str, ...]
    said: tuple[tuple[str, str], ...]
    """What clients say, each with the specialty that it stands for."""
    examples: tuple[tuple[str, str], ...] = ()
    """What those said whom staff gave to the agent, each with what names it."""

    @cached_property
    def digest(self) -> bytes:
        """Names the content, for caches."""
        texts = (*self.specialties, "", *self.sentences, "", *self.areas, "", *(text for text, _ in self.said))
        parts = (*texts, "", *(part for example in self.examples for part in example))
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()

    @property
    def letters(self) -> str:
        """All of it, to be compared by letters. Examples are left out beside an agent's own words: they make profiles
        alike that letters told apart."""
        if not self.specialties and not self.sentences:
            return " ".join((*self.areas, *(text for text, _ in self.examples)))
        return " ".join((*self.specialties, *self.sentences, *self.areas, *(text for text, _ in self.said)))

    @property
    def whole(self) -> str:
        """The profile as one text."""
        return " ".join(filter(None, (", ".join(self.specialties), *self.sentences)))

    def phrases(self) -> Iterator[Phrase]:
        """Every part, the agent's own ones first."""
        yield from (Phrase(text, text, True) for text in (*self.specialties, *self.sentences))
        yield from (Phrase(text, shown, False) for text, shown in self.said)
        yield from (Phrase(text, shown, False, self.example_weight) for text, shown in self.examples)

    @property
    def example_weight(self) -> float:
        """How much an example counts beside a phrase of the profile: no more than that, and less the more there are."""
        phrases = max(len(self.specialties) + len(self.sentences) + len(self.said), FEW_PHRASES)
        return min(1.0, EXAMPLES_SHARE * phrases / max(len(self.examples), 1))

    def __bool__(self) -> bool:
        return bool(self.specialties or self.sentences or self.examples)


@lru_cache(maxsize=4_096)
def plain(text: str, added: frozenset[str]) -> str:
    """A part of a profile as it is compared."""
    return protected.without_marks(protected.masked(clean(text), protected.protected(added)))


def words_of(profile: Profile, added: frozenset[str] = frozenset()) -> Words:
    """What of *profile* is compared, where a brokerage masks the *added* words too."""

    def compared(texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(filter(None, (plain(text, added) for text in texts)))

    specialties = compared(profile.specialties[:SPECIALTIES_LIMIT])
    bio = shortened(clean(profile.bio), BIO_LIMIT)
    said = {
        text: specialty for specialty in reversed(specialties) for topic in topics_of(specialty) for text in topic.said
    }
    return Words(
        specialties,
        compared(SENTENCE.split(bio)),
        compared(profile.areas),
        tuple((cleaned, specialty) for text, specialty in said.items() if (cleaned := plain(text, added))),
        tuple(
            (text, one.shown)
            for one in profile.examples
            if telling_words(text := prepared(one.enquiry, protected.protected(added)).text)
        ),
    )
