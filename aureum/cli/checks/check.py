"""What ``aureum doctor`` looks at, and what it finds. The checks stand in ``machine.py`` and
``tenants.py``; ``cli/doctor.py`` lists them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from aureum.settings import Settings
    from aureum.store.event_store import EventStore


class Doctor(NamedTuple):
    """What a check of a database that answers may look at."""

    settings: Settings
    store: EventStore


@dataclass(frozen=True)
class Finding:
    """What a check found. ``about`` are the fields that a program gets beside the text; ``decide`` says whether it
    needs a person, or is only told."""

    check: str
    text: str
    about: dict[str, Any] = field(default_factory=dict)
    decide: bool = True

    def document(self) -> dict[str, Any]:
        """The finding as ``--json`` prints it."""
        return {"check": self.check, "text": self.text, "wrong": self.decide} | self.about


Check = Callable[[Doctor], AsyncIterator[Finding]]
