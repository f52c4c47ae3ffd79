"""A rehearsal: past leads are routed again, by other settings, and nothing comes of it. What it knows on its way: whose
turn it would be, and how the load shifts. It is small however many leads there were, and can be stored at any point.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.routing.turns import NEVER, Taken

POND = "pond"
"""The key of the pond among agents, where ``Rehearsal`` is kept as JSON."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A lead or tour that was routed, and who would have got it. None is the pond. ``routing`` and ``because`` are what
    ``reasons`` keeps of a decision; of an erased person there is neither."""

    kind: str
    stream_id: UUID
    number: int
    at: datetime
    had: UUID | None
    would: UUID | None
    routing: dict[str, Any] | None = None
    because: list[list[str]] | None = None
    erased: bool = False

    @property
    def moved(self) -> bool:
        """Whether another agent would have got it, or the pond."""
        return not self.erased and self.had != self.would


@dataclass(slots=True)
class Rehearsal:
    """``shift`` counts by agent (None: the pond) what each had and would have had. ``turns`` are those of the
    rehearsal, which begins with the turns that there were."""

    turns: dict[UUID, Taken] = field(default_factory=dict)
    place: int = 0
    shift: dict[UUID | None, tuple[int, int]] = field(default_factory=dict)
    leads: int = 0
    moved: int = 0
    erased: int = 0

    def take(self, agent: UUID, day: str) -> None:
        """The *agent* gets a lead on that *day*."""
        self.place += 1
        self.turns[agent] = Taken(self.place, day, self.turns.get(agent, NEVER).on(day) + 1)

    def count(self, one: Rehearsed) -> None:
        """Another lead."""
        self.leads += 1
        if one.erased:
            self.erased += 1
            return
        self.moved += one.moved
        had, would = self.shift.get(one.had, (0, 0))
        self.shift[one.had] = (had + 1, would)
        had, would = self.shift.get(one.would, (0, 0))
        self.shift[one.would] = (had, would + 1)


def to_json(rehearsal: Rehearsal) -> dict[str, Any]:
    """It as jobs keep it."""
    return {
        "turns": {str(agent): [taken.place, taken.day, taken.times] for agent, taken in rehearsal.turns.items()},
        "place": rehearsal.place,
        "shift": {POND if agent is None else str(agent): counts for agent, counts in rehearsal.shift.items()},
        "leads": rehearsal.leads,
        "moved": rehearsal.moved,
        "erased": rehearsal.erased,
    }


def from_json(kept: Mapping[str, Any]) -> Rehearsal:
    """What ``to_json`` has written."""
    return Rehearsal(
        turns={UUID(agent): Taken(*taken) for agent, taken in kept["turns"].items()},
        place=kept["place"],
        shift={None if agent == POND else UUID(agent): (had, would) for agent, (had, would) in kept["shift"].items()},
        leads=kept["leads"],
        moved=kept["moved"],
        erased=kept["erased"],
    )
