"""Whose turn it is. The append decides it in ``store/append.sql``, under the lock of the brokerage's log; here the same
rule is for those who have to know beforehand, and for rehearsals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Taken:
    """The last turn of an agent: its place in the order of all turns, and how many the agent has had on its ``day``."""

    place: int
    day: str
    times: int

    def on(self, day: str) -> int:
        """How many turns the agent has had on *day*."""
        return self.times if self.day == day else 0


NEVER = Taken(0, "", 0)


def whose_turn(choices: Sequence[UUID], turns: Mapping[UUID, Taken], day: str, *, fewest: bool) -> UUID:
    """The one of *choices* who has waited longest, or with *fewest* the one with the fewest turns on *day*. Of those
    who never had a turn, the first in their order."""

    def order(place: int) -> tuple[int, int, int]:
        taken = turns.get(choices[place], NEVER)
        return (taken.on(day) if fewest else 0, taken.place, place)

    return choices[min(range(len(choices)), key=order)]
