"""What the bodies of webhooks look like, for the OpenAPI document: ``data`` is the resource that the event is about."""

from typing import Annotated, Literal

from pydantic import Field, RootModel

from aureum.http.api.contacts.contact_fields import ShownContact
from aureum.http.api.leads.lead_fields import ShownLead
from aureum.http.api.properties.property_fields import ShownProperty
from aureum.http.api.tasks.task_fields import ShownTask
from aureum.http.api.tours.tour_fields import ShownShowing
from aureum.http.wire.shapes import Shape, ShownChange, Timestamp

MessageId = Annotated[str, Field(pattern="^(msg|test)_[0-9a-z]{25}_[1-9][0-9]*$")]
Changes = Annotated[
    dict[str, ShownChange] | None,
    Field(description="With `*.updated` only: every field that changed, with its value before and after."),
]


class LeadMessage(Shape):
    """A lead was created or changed."""

    event: Literal["lead.created", "lead.updated"]
    timestamp: Timestamp
    data: ShownLead
    id: MessageId
    sequence: int
    changes: Changes = None


class ContactMessage(Shape):
    """A contact was created or changed."""

    event: Literal["contact.created", "contact.updated"]
    timestamp: Timestamp
    data: ShownContact
    id: MessageId
    sequence: int
    changes: Changes = None


class PropertyMessage(Shape):
    """A property was created or changed."""

    event: Literal["property.created", "property.updated"]
    timestamp: Timestamp
    data: ShownProperty
    id: MessageId
    sequence: int
    changes: Changes = None


class ShowingMessage(Shape):
    """A showing was created or changed."""

    event: Literal["showing.created", "showing.updated"]
    timestamp: Timestamp
    data: ShownShowing
    id: MessageId
    sequence: int
    changes: Changes = None


class TaskMessage(Shape):
    """A task was created or completed."""

    event: Literal["task.created", "task.completed"]
    timestamp: Timestamp
    data: ShownTask
    id: MessageId
    sequence: int


class ShownMessage(
    RootModel[
        Annotated[
            LeadMessage | ContactMessage | PropertyMessage | ShowingMessage | TaskMessage, Field(discriminator="event")
        ]
    ]
):
    """The body of a webhook."""


MESSAGES: dict[str, type[Shape]] = {
    "lead.created": LeadMessage,
    "lead.updated": LeadMessage,
    "contact.created": ContactMessage,
    "contact.updated": ContactMessage,
    "property.created": PropertyMessage,
    "property.updated": PropertyMessage,
    "showing.created": ShowingMessage,
    "showing.updated": ShowingMessage,
    "task.created": TaskMessage,
    "task.completed": TaskMessage,
}
"""The model of each event's body."""
