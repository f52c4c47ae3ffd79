"""A request to erase a person: which streams hold what is known of the person. The streams are erased by events of
their own. This one says who asked for it, when, and what belongs to it, so that an interrupted erasure goes on.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, Created

ASKED = "asked"
RETENTION = "retention"
REASONS = (ASKED, RETENTION)
"""A user asked for it, or the brokerage's retention did."""


class Erasure(Aggregate):
    """The aggregate. It has no other event than its first: how far it has come stands with the job."""

    subjects: tuple[UUID, ...]
    reason: str

    def __init__(self) -> None:
        """Requested.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of an erasure's events."""

    class Requested(Event, Created):
        """A person is to be erased. ``subjects`` are the streams, as hex digits, and ``numbers`` those that the Leads
        API has for the leads among them; nothing here is personal."""

        TOPIC: ClassVar[str] = "erasure.requested"

        subjects: tuple[str, ...]
        numbers: list[int]
        reason: str

        def apply(self, aggregate: "Erasure") -> None:
            aggregate.subjects = tuple(map(UUID, self.subjects))
            aggregate.reason = self.reason

    @classmethod
    def request(
        cls,
        erasure_id: UUID,
        at: datetime,
        *,
        subjects: Iterable[UUID],
        numbers: Iterable[int] = (),
        reason: str = ASKED,
    ) -> "Erasure":
        """A new job."""
        return cls._create(
            cls.Requested,
            id=erasure_id,
            timestamp=at,
            subjects=tuple(one.hex for one in subjects),
            numbers=sorted(numbers),
            reason=reason,
        )
