"""What came of comparing an enquiry with a roster, as values that can be stored and shown."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class How(StrEnum):
    """What decided, or why nothing did."""

    ONLY = "only"
    """One agent competed."""
    LITERAL = "literal"
    """The enquiry names a specialty of one agent, in the agent's own words."""
    LETTERS = "letters"
    """The likeness by letters was clear, so the model was not asked."""
    MEANING = "meaning"
    """Likeness by letters and by meaning together was clear."""
    NEAR_TIE = "near_tie"
    """Several agents are as good: ``near_ties`` names them."""
    NOTHING_SAID = "nothing_said"
    """The enquiry says nothing that a profile could answer."""
    NOBODY = "nobody"
    """No agent competes."""


DECIDED = frozenset((How.ONLY, How.LITERAL, How.LETTERS, How.MEANING))


class Ranked(NamedTuple):
    """An agent with the score, in standard deviations; ``out`` says why the agent does not compete."""

    user_id: UUID
    score: float | None
    out: str | None = None


@dataclass(frozen=True, slots=True)
class Because:
    """The clause of the enquiry, masked, and the phrase of the profile that met."""

    said: str
    profile: str


@dataclass(frozen=True, slots=True)
class Decision:
    """``ranked`` has those who compete first, the best first. ``margin`` is how far the best is above the second.
    ``model`` is None where no model took part; ``model_missing`` says why, if one should have ("late", "away", "busy").
    ``language`` is the one for whose sake only some agents compete."""

    how: How
    ranked: tuple[Ranked, ...]
    margin: float | None = None
    near_ties: tuple[UUID, ...] = ()
    because: tuple[Because, ...] = ()
    model: str | None = None
    model_missing: str | None = None
    language: str | None = None

    @property
    def decided(self) -> bool:
        """Whether the first in ``ranked`` gets the lead; otherwise the fallback decides, or among near ties the least
        busy."""
        return self.how in DECIDED

    @property
    def chosen(self) -> UUID | None:
        """The agent who gets the lead, if that is decided."""
        return self.ranked[0].user_id if self.decided else None
