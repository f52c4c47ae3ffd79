"""Which agent a lead goes to, decided from the agents' own words and nothing else.

An agent's specialties are words for places and kinds of homes. The agent with the most specialties named in what the
visitor wrote gets the lead; among equals the lead's id decides, evenly and the same way each time. Who wrote it
(name, address) never takes part.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who takes leads. ``specialties`` are split into words, folded."""

    user_id: UUID
    specialties: tuple[tuple[str, ...], ...]


def agent(user_id: UUID, specialties: Sequence[str]) -> Agent:
    """An agent with his or her specialties as they were written."""
    return Agent(user_id, tuple(words for phrase in specialties if (words := tuple(WORD.findall(phrase.casefold())))))


def route(lead_id: UUID, text: str, agents: Sequence[Agent]) -> tuple[UUID | None, dict[str, Any] | None]:
    """The agent for a lead about *text*, and why; nobody if no agent takes leads."""
    if not agents:
        return None, None
    text = text.casefold()
    named = [[" ".join(phrase) for phrase in a.specialties if is_named(phrase, text)] for a in agents]
    best = max(map(len, named))
    equals = [(a.user_id, phrases) for a, phrases in zip(agents, named, strict=True) if len(phrases) == best]
    chosen, matched = equals[0] if len(equals) == 1 else max(equals, key=lambda equal: share(lead_id, equal[0]))
    return chosen, {"method": "specialty" if best else "even", "matched": matched}


def is_named(phrase: Sequence[str], text: str) -> bool:
    """Whether each word of *phrase* stands in *text*, wherever. Most do not, and that costs little to find out."""
    return all(word in text and alone(word).search(text) for word in phrase)


@lru_cache(maxsize=10_000)
def alone(word: str) -> re.Pattern[str]:
    """*word*, not as a part of a longer one."""
    return re.compile(rf"\b{word}\b")


def share(lead_id: UUID, user_id: UUID) -> bytes:
    """A number that is as good as random but always the same for this lead and agent."""
    return hashlib.blake2b(lead_id.bytes + user_id.bytes, digest_size=8).digest()
