"""A contact: a person the brokerage knows, with type, tags and score."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from aureum.domain.activities import HasActivities
from aureum.domain.aggregate import Aggregate, Created, PersonErased
from aureum.domain.contact_card import Card, Phone, as_json, card_of, combined, differences, read
from aureum.domain.errors import Invalid

TYPES = ("BUYER", "SELLER", "INVESTOR", "VENDOR", "OTHER")
"""Of the Aureum API document."""

DETAILS = ("first_name", "last_name", "email", "phone", "phone_e164")
"""What staff may correct later. All of it is personal."""

HIGHEST_SCORE = 100


class Contact(HasActivities):
    """The aggregate. ``phone`` is as given, ``phone_e164`` beside it where it can be normalised.

    ``lead_id`` is the lead that the contact was made from. ``merges`` are the contacts that were merged into this one,
    each with those that had been merged into it before; ``merged_into`` is the contact that this one was merged into.
    """

    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    phone_e164: str | None
    type: str
    tags: tuple[str, ...]
    score: int
    lead_id: UUID | None
    created_by: UUID | None
    other_names: tuple[str, ...]
    other_emails: tuple[str, ...]
    other_phones: tuple[Phone, ...]
    distinct_from: tuple[UUID, ...]
    merges: dict[UUID, tuple[UUID, ...]]
    merged_into: UUID | None

    def __init__(self) -> None:
        """Added.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a contact's events."""

    class Added(Event, Created):
        """The contact was added. ``created_by`` is the user who added it, None for a key."""

        TOPIC: ClassVar[str] = "contact.added"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(DETAILS)

        first_name: str
        last_name: str
        email: str | None
        phone: str | None
        phone_e164: str | None
        type: str
        tags: tuple[str, ...]
        score: int
        lead_id: UUID | None
        created_by: UUID | None

        def apply(self, aggregate: "Contact") -> None:
            aggregate.first_name = self.first_name
            aggregate.last_name = self.last_name
            aggregate.email = self.email
            aggregate.phone = self.phone
            aggregate.phone_e164 = self.phone_e164
            aggregate.type = self.type
            aggregate.tags = self.tags
            aggregate.score = self.score
            aggregate.lead_id = self.lead_id
            aggregate.created_by = self.created_by
            aggregate.other_names = aggregate.other_emails = ()
            aggregate.other_phones = ()
            aggregate.distinct_from = ()
            aggregate.merges = {}
            aggregate.merged_into = None

    class DetailsChanged(Event):
        """Some of ``DETAILS`` were corrected; ``details`` holds only those that changed."""

        TOPIC: ClassVar[str] = "contact.details_changed"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("details",))

        details: dict[str, str | None]

        def apply(self, aggregate: "Contact") -> None:
            # An erased person's details are a placeholder, not a mapping.
            for name, value in self.details.items() if isinstance(self.details, dict) else ():
                setattr(aggregate, name, value)

    class Classified(Event):
        """The contact was classified again; ``changes`` holds those of type, tags and score that changed."""

        TOPIC: ClassVar[str] = "contact.classified"

        changes: dict[str, str | int | list[str]]

        def apply(self, aggregate: "Contact") -> None:
            for name, value in self.changes.items():
                # JSON knows no tuples.
                setattr(aggregate, name, tuple(value) if isinstance(value, list) else value)

    class ActivityLogged(Event, HasActivities.ActivityLogged):
        """Staff or a program noted what happened with the person."""

        TOPIC: ClassVar[str] = "contact.activity_logged"

    class ActivityCorrected(Event, HasActivities.ActivityCorrected):
        """An activity was not as it was logged."""

        TOPIC: ClassVar[str] = "contact.activity_corrected"

    class ActivityRemoved(Event, HasActivities.ActivityRemoved):
        """An activity was logged by mistake."""

        TOPIC: ClassVar[str] = "contact.activity_removed"

    class ToldApart(Event):
        """A user said that another contact, or the person of a lead, is not the same person."""

        TOPIC: ClassVar[str] = "contact.told_apart"

        other: UUID

        def apply(self, aggregate: "Contact") -> None:
            aggregate.distinct_from = (*aggregate.distinct_from, self.other)

    class Merged(Event):
        """Another contact was merged into this one. ``card`` is the other's, with all fields of a ``Card``;
        ``gained`` and ``changes`` are what this contact has because of it, personal and not. ``others`` were merged
        into the other one before, as hex digits."""

        TOPIC: ClassVar[str] = "contact.merged"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("card", "gained"))

        other: UUID
        others: tuple[str, ...]
        card: dict[str, Any]
        gained: dict[str, Any]
        changes: dict[str, Any]

        def apply(self, aggregate: "Contact") -> None:
            assign(aggregate, self.gained, self.changes)
            aggregate.merges = aggregate.merges | {self.other: tuple(map(UUID, self.others))}

    class Unmerged(Event):
        """A merge into this contact was undone. ``restored`` and ``changes`` are the fields that are as they would be
        without it."""

        TOPIC: ClassVar[str] = "contact.unmerged"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("restored",))

        other: UUID
        others: tuple[str, ...]
        restored: dict[str, Any]
        changes: dict[str, Any]

        def apply(self, aggregate: "Contact") -> None:
            assign(aggregate, self.restored, self.changes)
            aggregate.merges = {one: others for one, others in aggregate.merges.items() if one != self.other}

    class MergedInto(Event):
        """This contact was merged into another one, or that one into a third."""

        TOPIC: ClassVar[str] = "contact.merged_into"

        previous: UUID | None
        into: UUID

        def apply(self, aggregate: "Contact") -> None:
            aggregate.merged_into = self.into

    class Separated(Event):
        """This contact stands for itself again."""

        TOPIC: ClassVar[str] = "contact.separated"

        previous: UUID

        def apply(self, aggregate: "Contact") -> None:
            aggregate.merged_into = None

    class Erased(Event, PersonErased):
        """The person was erased."""

        TOPIC: ClassVar[str] = "contact.erased"

    @classmethod
    def add(
        cls,
        contact_id: UUID,
        at: datetime,
        *,
        first_name: str,
        last_name: str,
        email: str | None,
        phone: str | None,
        phone_e164: str | None,
        type: str = "BUYER",
        tags: Iterable[str] = (),
        score: int = 0,
        lead_id: UUID | None,
        created_by: UUID | None,
    ) -> "Contact":
        """A new contact; one of the names may be empty, as a lead's may. Raises Invalid."""
        check_name(first_name, last_name)
        check_type(type)
        check_score(score)
        return cls._create(
            cls.Added,
            id=contact_id,
            timestamp=at,
            first_name=first_name,
            last_name=last_name,
            email=email,
            phone=phone,
            phone_e164=phone_e164,
            type=type,
            tags=distinct_tags(tags),
            score=score,
            lead_id=lead_id,
            created_by=created_by,
        )

    def change_details(self, details: dict[str, str | None], at: datetime) -> None:
        """Correct some of ``DETAILS``. Raises Invalid if no name would remain."""
        changed = {name: value for name, value in details.items() if value != getattr(self, name)}
        if not changed:
            return
        if "first_name" in changed or "last_name" in changed:
            check_name(changed.get("first_name", self.first_name), changed.get("last_name", self.last_name))
        self.trigger_event(self.DetailsChanged, timestamp=at, details=changed)

    def classify(
        self, at: datetime, *, type: str | None = None, tags: Iterable[str] | None = None, score: int | None = None
    ) -> None:
        """Change the type, all tags, or the score; None leaves them as they are. Raises Invalid."""
        changes: dict[str, str | int | list[str]] = {}
        if type is not None:
            check_type(type)
            if type != self.type:
                changes["type"] = type
        if tags is not None:
            wanted = distinct_tags(tags)
            if wanted != self.tags:
                changes["tags"] = list(wanted)
        if score is not None:
            check_score(score)
            if score != self.score:
                changes["score"] = score
        if changes:
            self.trigger_event(self.Classified, timestamp=at, changes=changes)

    def tell_apart(self, other: UUID, at: datetime) -> None:
        """*other*, a contact or a lead, is not this person. Saying it again records nothing."""
        if other not in self.distinct_from:
            self.trigger_event(self.ToldApart, timestamp=at, other=other)

    @property
    def merged_with(self) -> tuple[UUID, ...]:
        """All contacts that answer as this one."""
        return tuple(one for other, others in self.merges.items() for one in (other, *others))

    def absorb(self, other: "Contact", at: datetime) -> None:
        """Take over the fields of *other*, which is merged into this contact in the same append."""
        before, card = card_of(self), card_of(other)
        gained, changed = differences(before, combined(before, card))
        self.trigger_event(
            self.Merged,
            timestamp=at,
            other=other.id,
            others=tuple(one.hex for one in other.merged_with),
            card=as_json(card, Card._fields),
            gained=gained,
            changes=changed,
        )

    def release(self, other: UUID, wanted: Card, at: datetime) -> None:
        """Undo the merge of *other*: *wanted* is this contact's card without it (``unmerging``)."""
        restored, changed = differences(card_of(self), wanted)
        others = tuple(one.hex for one in self.merges[other])
        self.trigger_event(self.Unmerged, timestamp=at, other=other, others=others, restored=restored, changes=changed)

    def merge_into(self, survivor: UUID, at: datetime) -> None:
        """Answer as *survivor* from now on."""
        self.trigger_event(self.MergedInto, timestamp=at, previous=self.merged_into, into=survivor)

    def separate(self, at: datetime) -> None:
        """Stand for itself again."""
        self.trigger_event(self.Separated, timestamp=at, previous=self.merged_into)

    def erase(self, at: datetime) -> None:
        """The person is erased; once."""
        if not self.erased:
            self.trigger_event(self.Erased, timestamp=at)


def assign(aggregate: Contact, personal: dict[str, Any], changed: dict[str, Any]) -> None:
    """Assign fields of a card. An erased person's are a placeholder, not a mapping."""
    for name, value in {**(personal if isinstance(personal, dict) else {}), **changed}.items():
        setattr(aggregate, name, read(name, value))


def check_name(first_name: str | None, last_name: str | None) -> None:
    """Raises Invalid if neither of them holds anything."""
    if not (first_name or "").strip() and not (last_name or "").strip():
        raise Invalid("firstName", "firstName or lastName must not be blank.")


def check_type(kind: str) -> None:
    """Raises Invalid for a type that the document does not have."""
    if kind not in TYPES:
        raise Invalid("type", f"type must be one of: {', '.join(TYPES)}.")


def check_score(score: int) -> None:
    """Raises Invalid for a score beyond its scale."""
    if not 0 <= score <= HIGHEST_SCORE:
        raise Invalid("score", f"score must be from 0 to {HIGHEST_SCORE}.")


def distinct_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Each tag once, stripped, in the order given. Raises Invalid for a blank one."""
    distinct = tuple(dict.fromkeys(tag.strip() for tag in tags))
    if "" in distinct:
        raise Invalid("tags", "tags must not be blank.")
    return distinct
