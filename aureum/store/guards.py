"""What must hold for an append, checked under its tenant's head lock; where it does not, the outcome says so.

    guard        where it does not hold
    Unchanged    stale
    Once         again, with the stream that the same has begun
    AtMost       limited, with when it may again
    Unique       taken
    Turn         full, with those who are

The store knows nothing of what they are for: a brokerage's settings, a form, a client's address, a slug. An append has
one of each kind at most. They are checked in this order; an idempotency key that was used counts before ``AtMost``.
"""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The tenant's lines in the directories are still those of this version: its names and hosts, who may log in."""

    directory_version: int


@dataclass(frozen=True, slots=True)
class Once:
    """*key* says what begins the stream, and of whom. The same within so many *seconds* is the same one, unless the
    stream had grown before the call, or its person was erased. Only for streams of persons."""

    key: bytes
    seconds: int


@dataclass(frozen=True, slots=True)
class AtMost:
    """*most* of the tenant's appends with this *counter* in a minute, which begins with the first one. What is not
    appended because it is the same again does not count."""

    counter: str
    most: int


@dataclass(frozen=True, slots=True)
class Unique:
    """No other stream of the tenant has this *name* for this *purpose*. The stream keeps it for good, unless what was
    added is taken back."""

    purpose: str
    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of those among whom an append chooses: *id*, how read models show it, and how often it may be chosen in a
    window (None: as often as need be)."""

    id: UUID
    shown: str
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """The append chooses one of *choices*: the one that was longest not chosen by any append of the tenant, or with
    *fewest* the one chosen fewest times in this *window* (the day, say), the longest not chosen of equals. Of what was
    never chosen, the first in their order.

    *placeholder* stands for the chosen one in the events, and as *placeholder_shown* in rows of read models. It must be
    unmistakable, and no personal field: those are sealed before. Nothing is appended while one of the choices has been
    chosen in this window as often as it may: the caller decides again, and leaves it out. Without choices null stands
    in the placeholder's place.

    *prior* is what earlier streams are found by, if any is. Under the lock the read models say of it whom the append
    chooses after all, without a turn, and what else is written (``aureum/projections/people.py``). Two appends with the
    same one are never in one call.
    """

    placeholder: UUID
    placeholder_shown: str
    choices: tuple[Choice, ...]
    window: str
    fewest: bool = False
    prior: UUID | None = None

    @property
    def is_fixed(self) -> bool:
        """Whether it is known before whom the append chooses."""
        return len(self.choices) == 1 and self.prior is None


Guard = Unchanged | Once | AtMost | Unique | Turn
