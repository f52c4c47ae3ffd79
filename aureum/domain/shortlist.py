"""The listings that the brokerage sent to a client, or that the client saved, with what the client says of them.

An entry's number is the version of the event that put the listing there.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, PersonErased
from aureum.domain.errors import Invalid, NotAllowed, NotFound, WrongState
from aureum.domain.of_contact import CLIENT, STAFF, OfContact

REACTIONS = ("love", "maybe", "no")

MOST = 500
"""Listings of one client."""

LONGEST = 2_000
"""Characters of a note or comment."""

NO_ENTRY = "This listing is not on the client's list."
FULL = f"There are {MOST} listings on the client's list, which is the limit. Take some of them back first."
SAVED = "The client saved this listing, so only the client can remove it."
SENT = "The agent sent this listing, so only the agent can take it back."


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A listing on the list. ``by`` is the side that put it there, ``sent_by`` the user who sent it, None for a key."""

    number: int
    property_id: UUID
    by: str
    sent_by: UUID | None
    note: str | None
    at: datetime
    reaction: str | None = None
    comment: str | None = None
    reacted_at: datetime | None = None


class Shortlist(OfContact):
    """The aggregate. ``entries`` are by property, in the order in which they came."""

    NAME: ClassVar[str] = "shortlist"

    entries: dict[UUID, Entry]

    def __init__(self) -> None:
        """Begun.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a shortlist's events."""

    class Begun(Event, OfContact.Begun):
        """The first listing was sent or saved."""

        TOPIC: ClassVar[str] = "shortlist.begun"

    class ListingSent(Event):
        """Staff or a program sent a listing, or sent it again with another note."""

        TOPIC: ClassVar[str] = "shortlist.listing_sent"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("note",))

        property_id: UUID
        note: str | None
        sent_by: UUID | None

        def apply(self, aggregate: "Shortlist") -> None:
            known = aggregate.entries.get(self.property_id)
            if known is None:
                known = Entry(
                    number=self.originator_version,
                    property_id=self.property_id,
                    by=STAFF,
                    sent_by=self.sent_by,
                    note=self.note,
                    at=self.timestamp,
                )
            aggregate.entries[self.property_id] = replace(known, by=STAFF, sent_by=self.sent_by, note=self.note)

    class ListingSaved(Event):
        """The client saved a listing."""

        TOPIC: ClassVar[str] = "shortlist.listing_saved"

        property_id: UUID

        def apply(self, aggregate: "Shortlist") -> None:
            aggregate.entries[self.property_id] = Entry(
                number=self.originator_version,
                property_id=self.property_id,
                by=CLIENT,
                sent_by=None,
                note=None,
                at=self.timestamp,
            )

    class Reacted(Event):
        """The client said what a listing is like. Each such event has all that the client says of it."""

        TOPIC: ClassVar[str] = "shortlist.reacted"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("reaction", "comment"))

        property_id: UUID
        reaction: str | None
        comment: str | None

        def apply(self, aggregate: "Shortlist") -> None:
            aggregate.entries[self.property_id] = replace(
                aggregate.entries[self.property_id],
                reaction=self.reaction,
                comment=self.comment,
                reacted_at=self.timestamp,
            )

    class ListingRemoved(Event):
        """Staff took a listing back, or the client removed one that the client had saved."""

        TOPIC: ClassVar[str] = "shortlist.listing_removed"

        property_id: UUID
        by: str

        def apply(self, aggregate: "Shortlist") -> None:
            del aggregate.entries[self.property_id]

    class Erased(Event, PersonErased):
        """The person was erased."""

        TOPIC: ClassVar[str] = "shortlist.erased"

    def begun(self) -> None:
        self.entries = {}

    def send(self, property_id: UUID, note: str | None, at: datetime, sent_by: UUID | None) -> None:
        """Send a listing. The same note again records nothing. Raises Invalid, WrongState."""
        check_length("note", note)
        known = self.entries.get(property_id)
        if known is not None and (known.by, known.note) == (STAFF, note):
            return
        self.check_room(property_id)
        self.trigger_event(self.ListingSent, timestamp=at, property_id=property_id, note=note, sent_by=sent_by)

    def save(self, property_id: UUID, at: datetime) -> None:
        """The client saves a listing. One that is on the list already records nothing. Raises WrongState."""
        if property_id not in self.entries:
            self.check_room(property_id)
            self.trigger_event(self.ListingSaved, timestamp=at, property_id=property_id)

    def react(self, property_id: UUID, reaction: str | None, comment: str | None, at: datetime) -> None:
        """The client says what a listing is like; None takes it back. The same again records nothing. Raises Invalid,
        NotFound."""
        if reaction is not None and reaction not in REACTIONS:
            raise Invalid("reaction", f"reaction must be one of: {', '.join(REACTIONS)}.")
        check_length("comment", comment)
        known = self.entry(property_id)
        if (known.reaction, known.comment) != (reaction, comment):
            self.trigger_event(self.Reacted, timestamp=at, property_id=property_id, reaction=reaction, comment=comment)

    def remove(self, property_id: UUID, by: str, at: datetime) -> None:
        """Each side removes what it put there. Raises NotAllowed, NotFound."""
        if self.entry(property_id).by != by:
            raise NotAllowed(SAVED if by == STAFF else SENT)
        self.trigger_event(self.ListingRemoved, timestamp=at, property_id=property_id, by=by)

    def entry(self, property_id: UUID) -> Entry:
        """The entry of a listing. Raises NotFound."""
        found = self.entries.get(property_id)
        if found is None:
            raise NotFound(NO_ENTRY)
        return found

    def check_room(self, property_id: UUID) -> None:
        """Raises WrongState if there is no room for another listing."""
        if property_id not in self.entries and len(self.entries) >= MOST:
            raise WrongState(FULL)

    def erase(self, at: datetime) -> None:
        """The person is erased; once."""
        if not self.erased:
            self.trigger_event(self.Erased, timestamp=at)


def check_length(name: str, text: str | None) -> None:
    """Raises Invalid for a text that is too long."""
    if text is not None and len(text) > LONGEST:
        raise Invalid(name, f"{name} must have at most {LONGEST:,} characters.")
