"""A task's fields in the Aureum API: what may be sent, and what is shown."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue

from aureum.domain.ids import aureum_time
from aureum.domain.task import TaskFields
from aureum.http.contract.batch import Batch
from aureum.http.contract.resource import reference
from aureum.http.wire.fields import Message, Subject, WireId
from aureum.http.wire.nulls import NOT_NULL, NULL_IS_ABSENT
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Timestamp, Wire
from aureum.http.wire.times import Time

Status = Literal["pending", "in_progress", "completed"]
Type = Literal["call", "email", "meeting", "follow_up", "other"]
Priority = Literal["LOW", "MEDIUM", "HIGH", "URGENT"]

EXAMPLE: dict[str, JsonValue] = {
    "title": "Follow up with John Smith",
    "type": "call",
    "priority": "HIGH",
    "dueDate": "2025-01-20T10:30:00.000Z",
}


class TaskCreate(Body):
    """A new task. It may refer to a lead, a contact or a property."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": EXAMPLE})

    title: Subject
    type: Annotated[Type, NULL_IS_ABSENT] = "other"
    priority: Annotated[Priority, NULL_IS_ABSENT] = "MEDIUM"
    status: Annotated[Status, NULL_IS_ABSENT] = "pending"
    due_date: Annotated[Time | None, Field(alias="dueDate")] = None
    description: Message | None = None
    assigned_to: Annotated[WireId | None, Field(alias="assignedToId", description="A user of the brokerage.")] = None
    lead_id: Annotated[WireId | None, Field(alias="leadId", description="A lead of the brokerage.")] = None
    contact_id: Annotated[WireId | None, Field(alias="contactId", description="A contact of the brokerage.")] = None
    property_id: Annotated[WireId | None, Field(alias="propertyId", description="A property of the brokerage.")] = None

    def fields(self, created_by: UUID | None) -> TaskFields:
        """What the task is created with, by the user *created_by*."""
        return TaskFields(
            title=self.title,
            type=self.type,
            priority=self.priority,
            status=self.status,
            due_date=as_recorded(self.due_date),
            description=self.description,
            assigned_to=reference(self.assigned_to),
            lead_id=reference(self.lead_id),
            contact_id=reference(self.contact_id),
            property_id=reference(self.property_id),
            created_by=created_by,
        )


class TaskBatch(Batch):
    """Up to 100 tasks. Each row has the fields of the body of ``POST /api/tasks``."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {"rows": [{"title": "Follow up with John Smith", "type": "call", "priority": "HIGH"}]}
        },
    )


class TaskChange(Body):
    """The fields to change. ``null`` clears an optional field. Fields that are left out keep their value."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"status": "in_progress", "priority": "URGENT"}}
    )

    title: Annotated[Subject, NOT_NULL]
    type: Annotated[Type, NOT_NULL]
    priority: Annotated[Priority, NOT_NULL]
    status: Annotated[Status, NOT_NULL, Field(description="The status. `completed` completes the task.")]
    due_date: Annotated[Time | None, Field(alias="dueDate")] = None
    description: Message | None = None
    assigned_to: Annotated[WireId | None, Field(alias="assignedToId")] = None
    lead_id: Annotated[WireId | None, Field(alias="leadId")] = None
    contact_id: Annotated[WireId | None, Field(alias="contactId")] = None
    property_id: Annotated[WireId | None, Field(alias="propertyId")] = None

    def details(self) -> dict[str, str | UUID | None]:
        """What is sent of a task's ``DETAILS``."""
        details = {
            "title": self.title,
            "type": self.type,
            "priority": self.priority,
            "due_date": as_recorded(self.due_date),
            "description": self.description,
            "lead_id": reference(self.lead_id),
            "contact_id": reference(self.contact_id),
            "property_id": reference(self.property_id),
        }
        return {name: value for name, value in details.items() if name in self.model_fields_set}


def as_recorded(time: datetime | None) -> str | None:
    """A task records a time as the Aureum API writes it."""
    return None if time is None else aureum_time(time)


class TaskResponse(Shape):
    """A task."""

    id: Wire
    title: str
    type: Type
    priority: Priority
    status: Status
    dueDate: Timestamp | None
    description: str | None
    assignedToId: Wire | None
    leadId: Wire | None
    contactId: Wire | None
    propertyId: Wire | None
    createdAt: Timestamp
    updatedAt: Timestamp
