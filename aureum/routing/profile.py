"""Agents as routing sees them, and what of a profile is compared: masked as enquiries are."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from uuid import UUID

from aureum.routing import protected
from aureum.routing.glossary import topics_of
from aureum.routing.text import clean, shortened

BIO_LIMIT = 3_000
"""How many characters of a bio are read."""

SPECIALTIES_LIMIT = 40

SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True)
class Profile:
    """An agent's own words. ``languages`` are BCP 47 tags."""

    user_id: UUID
    specialties: tuple[str, ...] = ()
    bio: str = ""
    areas: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a profile that an enquiry is compared with. ``shown`` is what the agent wrote: for what clients say,
    the specialty whose topic it is."""

    text: str
    shown: str
    own: bool


@dataclass(frozen=True)
class Words:
    """What of a profile is compared; equal for equal profiles, of any agents."""

    specialties: tuple[str, ...]
    sentences: tuple[str, ...]
    areas: tuple[str, ...]
    said: tuple[tuple[str, str], ...]
    """What clients say, each with the specialty that it stands for."""

    @cached_property
    def digest(self) -> bytes:
        """Names the content, for caches."""
        parts = (*self.specialties, "", *self.sentences, "", *self.areas, "", *(text for text, _ in self.said))
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()

    @property
    def letters(self) -> str:
        """All of it, to be compared by letters."""
        return " ".join((*self.specialties, *self.sentences, *self.areas, *(text for text, _ in self.said)))

    @property
    def whole(self) -> str:
        """The profile as one text."""
        return " ".join(filter(None, (", ".join(self.specialties), *self.sentences)))

    def phrases(self) -> Iterator[Phrase]:
        """Every part, the agent's own ones first."""
        yield from (Phrase(text, text, True) for text in (*self.specialties, *self.sentences))
        yield from (Phrase(text, shown, False) for text, shown in self.said)

    def __bool__(self) -> bool:
        return bool(self.specialties or self.sentences)


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
    )
