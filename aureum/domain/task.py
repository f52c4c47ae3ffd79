"""A task: something for staff to do, perhaps about a lead, a contact or a property. Its texts name persons, so they are
encrypted like those of a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from aureum.domain import aggregate as base
from aureum.domain.aggregate import Aggregate, PersonErased
from aureum.domain.errors import Invalid
from aureum.domain.moved import Path, moved

TYPES = ("call", "email", "meeting", "follow_up", "other")
PRIORITIES = ("LOW", "MEDIUM", "HIGH", "URGENT")
STATUSES = ("pending", "in_progress", "completed")
"""Of the Aureum API document; any change between them is legal, since what was done may turn out not to be."""

LINKS = ("lead_id", "contact_id", "property_id")
DETAILS = ("title", "type", "priority", "due_date", "description", *LINKS)
"""What staff may change later."""


@dataclass(frozen=True, kw_only=True)
class TaskFields:
    """What a task is created with; each caller says all of it. ``created_by`` is None for a key."""

    title: str
    type: str
    priority: str
    status: str
    due_date: str | None
    description: str | None
    assigned_to: UUID | None
    lead_id: UUID | None
    contact_id: UUID | None
    property_id: UUID | None
    created_by: UUID | None


class Task(Aggregate):
    """The aggregate. ``due_date`` is a time as the Aureum API writes it: ``2025-01-20T00:00:00.000Z``."""

    title: str
    type: str
    priority: str
    status: str
    due_date: str | None
    description: str | None
    assigned_to: UUID | None
    lead_id: UUID | None
    contact_id: UUID | None
    property_id: UUID | None
    created_by: UUID | None
    moved_from: Path

    def __init__(self) -> None:
        """Created.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a task's events."""

    class Created(Event, base.Created):
        """The task was created. ``created_by`` is the user who created it, None for a key."""

        TOPIC: ClassVar[str] = "task.created"
        class_version: ClassVar[int] = 2
        SEALED_SINCE: ClassVar[int] = 2
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("title", "description"))

        title: str
        type: str
        priority: str
        status: str
        due_date: str | None
        description: str | None
        assigned_to: UUID | None
        lead_id: UUID | None
        contact_id: UUID | None
        property_id: UUID | None
        created_by: UUID | None

        def apply(self, aggregate: "Task") -> None:
            aggregate.title = self.title
            aggregate.type = self.type
            aggregate.priority = self.priority
            aggregate.status = self.status
            aggregate.due_date = self.due_date
            aggregate.description = self.description
            aggregate.assigned_to = self.assigned_to
            aggregate.lead_id = self.lead_id
            aggregate.contact_id = self.contact_id
            aggregate.property_id = self.property_id
            aggregate.created_by = self.created_by
            aggregate.moved_from = ()

    class DetailsChanged(Event):
        """Some of ``DETAILS`` changed; ``details`` holds only those, the ids of ``LINKS`` as 32 hex digits."""

        TOPIC: ClassVar[str] = "task.details_changed"
        class_version: ClassVar[int] = 2
        SEALED_SINCE: ClassVar[int] = 2
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("details",))

        details: dict[str, str | None]

        def apply(self, aggregate: "Task") -> None:
            # An erased person's details are a placeholder, not a mapping.
            details = self.details if isinstance(self.details, dict) else {}
            for name, value in details.items():
                setattr(aggregate, name, linked(value) if name in LINKS else value)
            if "contact_id" in details:
                aggregate.moved_from = ()

    class Assigned(Event):
        """The task is assigned to another user, or to none."""

        TOPIC: ClassVar[str] = "task.assigned"

        previous: UUID | None
        assigned_to: UUID | None

        def apply(self, aggregate: "Task") -> None:
            aggregate.assigned_to = self.assigned_to

    class StatusChanged(Event):
        """The task was begun, stopped, or reopened after it was completed."""

        TOPIC: ClassVar[str] = "task.status_changed"

        previous: str
        status: str

        def apply(self, aggregate: "Task") -> None:
            aggregate.status = self.status

    class Completed(Event):
        """It is done."""

        TOPIC: ClassVar[str] = "task.completed"

        previous: str

        def apply(self, aggregate: "Task") -> None:
            aggregate.status = "completed"

    class ContactChanged(Event):
        """The task's contact was merged into another one, or that was undone."""

        TOPIC: ClassVar[str] = "task.contact_changed"

        previous: UUID
        contact_id: UUID

        def apply(self, aggregate: "Task") -> None:
            aggregate.moved_from = moved(aggregate.moved_from, self.previous, self.contact_id)
            aggregate.contact_id = self.contact_id

    class Erased(Event, PersonErased):
        """The person whom the task was about was erased."""

        TOPIC: ClassVar[str] = "task.erased"

    @classmethod
    def create(cls, task_id: UUID, at: datetime, fields: TaskFields) -> "Task":
        """A new task; one that is completed already also records that it was. Raises Invalid."""
        check_status(fields.status)
        check_details(vars(fields))
        task = cls._create(cls.Created, id=task_id, timestamp=at, **vars(fields))
        if fields.status == "completed":
            task.trigger_event(cls.Completed, timestamp=at, previous=fields.status)
        return task

    def change_details(self, details: Mapping[str, str | UUID | None], at: datetime) -> None:
        """Change some of ``DETAILS``; an id of ``LINKS`` comes as a UUID or its hex digits. Raises Invalid."""
        wanted = {name: linked(value) if name in LINKS else value for name, value in details.items()}
        changed = {name: value for name, value in wanted.items() if value != getattr(self, name)}
        if not changed:
            return
        check_details(changed)
        recorded = {name: value.hex if isinstance(value, UUID) else value for name, value in changed.items()}
        self.trigger_event(self.DetailsChanged, timestamp=at, details=recorded)

    def change_contact(self, contact_id: UUID, at: datetime) -> None:
        """Go along with the contact, which was merged into *contact_id*, or back to it."""
        if self.contact_id is not None and contact_id != self.contact_id:
            self.trigger_event(self.ContactChanged, timestamp=at, previous=self.contact_id, contact_id=contact_id)

    def assign(self, user: UUID | None, at: datetime) -> None:
        """Assign the task to *user*, or to no user."""
        if user != self.assigned_to:
            self.trigger_event(self.Assigned, timestamp=at, previous=self.assigned_to, assigned_to=user)

    def change_status(self, status: str, at: datetime) -> None:
        """Begin, complete or reopen; a status that already holds records nothing. Raises Invalid."""
        check_status(status)
        if status == "completed":
            self.complete(at)
        elif status != self.status:
            self.trigger_event(self.StatusChanged, timestamp=at, previous=self.status, status=status)

    def complete(self, at: datetime) -> None:
        """Completing twice is the same success."""
        if self.status != "completed":
            self.trigger_event(self.Completed, timestamp=at, previous=self.status)

    def erase(self, at: datetime) -> None:
        """The person whom it is about is erased; once."""
        if not self.erased:
            self.trigger_event(self.Erased, timestamp=at)


def linked(stream_id: UUID | str | None) -> UUID | None:
    """The id of a link, which is hex digits where it is recorded among details."""
    return UUID(stream_id) if isinstance(stream_id, str) else stream_id


def check_status(status: str) -> None:
    """Raises Invalid for a status that a task cannot have."""
    if status not in STATUSES:
        raise Invalid("status", f"status must be one of: {', '.join(STATUSES)}.")


def check_details(details: Mapping[str, str | UUID | None]) -> None:
    """Raises Invalid for the first of ``DETAILS`` that breaks a rule; those that are not there break none."""
    if "title" in details and not str(details["title"] or "").strip():
        raise Invalid("title", "title must not be blank.")
    for name, allowed in (("type", TYPES), ("priority", PRIORITIES)):
        if name in details and details[name] not in allowed:
            raise Invalid(name, f"{name} must be one of: {', '.join(allowed)}.")
