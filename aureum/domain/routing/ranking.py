"""Which agents suit an enquiry best: what any ranking says.

Scores order agents and nothing else: they are no probabilities. ``margin`` is how far the first is above the second.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

How = Literal["only", "literal", "letters", "meaning", "near_tie", "nothing_said", "nobody", "late", "broken"]
"""What decided, or why nothing did: only one agent was asked about; a specialty was named in the agent's own words;
likeness by letters, or by meaning, was clear; several suit as well; the enquiry says nothing of the kind; there was
no agent; the ranking came too late, or failed."""

DECIDED = frozenset(("only", "literal", "letters", "meaning"))


@dataclass(frozen=True, slots=True)
class Met:
    """The clause of the enquiry, and the phrase of the profile that it met."""

    said: str
    profile: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """``ranked`` are the agents who compete with their scores, the best first. ``near`` are those who suit as well as
    the best, if that is undecided. ``other_language`` are those out for the sake of the enquiry's ``language``.
    ``missing`` says why no model took part, though it was asked: "late", "busy" or "away"."""

    how: How
    ranked: tuple[tuple[UUID, float | None], ...] = ()
    near: tuple[UUID, ...] = ()
    margin: float | None = None
    because: tuple[Met, ...] = ()
    model: str | None = None
    language: str | None = None
    other_language: tuple[UUID, ...] = ()
    missing: str | None = None

    @property
    def chosen(self) -> UUID | None:
        """Whom the enquiry suits clearly best, if it does."""
        return self.ranked[0][0] if self.how in DECIDED and self.ranked else None

    @property
    def best(self) -> tuple[UUID, ...]:
        """The chosen agent, or those who suit as well as the best; none if nothing is known."""
        chosen = self.chosen
        return self.near if chosen is None else (chosen,)
