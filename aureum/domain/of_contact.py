"""What stands around a contact in streams of its own: the conversation, the shortlist and the key dates.

A contact has one stream of each, whose id follows from the contact's: two requests at the same moment begin one. Each
is a subject with a key of its own, which is destroyed when the person is erased.
"""

from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID, uuid5

from aureum.domain.aggregate import Aggregate, Created

CLIENT, STAFF = SIDES = ("client", "staff")


class OfContact(Aggregate):
    """The base of the three. ``NAME`` is what the id of the stream is made of."""

    NAME: ClassVar[str]

    contact_id: UUID
    begun_by: str

    class Begun(Created):
        """The first of it was written. ``begun_by`` is the side that wrote it. It is personal so that the stream has a
        key from its first event on: what comes later may be personal where the next event is not."""

        PERSONAL: ClassVar[frozenset[str]] = frozenset(("begun_by",))

        contact_id: UUID
        begun_by: str

        def apply(self, aggregate: Any) -> None:
            aggregate.contact_id = self.contact_id
            aggregate.begun_by = self.begun_by
            aggregate.begun()

    @classmethod
    def stream_of(cls, contact_id: UUID) -> UUID:
        """The id of the contact's stream."""
        return uuid5(contact_id, cls.NAME)

    @classmethod
    def begin(cls, contact_id: UUID, at: datetime, by: str = STAFF) -> Self:
        """That of a contact which has none yet; *by* is one of ``SIDES``."""
        stream_id = cls.stream_of(contact_id)
        return cls._create(cls.Begun, id=stream_id, timestamp=at, contact_id=contact_id, begun_by=by)

    def begun(self) -> None:
        """Assign what a stream begins with."""
        raise NotImplementedError
