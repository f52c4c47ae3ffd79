"""An activity's fields: those that both APIs accept, and those that the Aureum API shows."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from aureum.domain.activities import LONGEST_CALL
from aureum.http.contract.paging import Cursor, Limit
from aureum.http.wire.fields import Message
from aureum.http.wire.nulls import NOT_NULL
from aureum.http.wire.numbers import Whole
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Timestamp, Wire
from aureum.http.wire.times import Time

Type = Literal["note", "call", "email", "visit"]
Direction = Literal["inbound", "outbound"]
Outcome = Literal["answered", "no_answer", "left_message", "busy", "wrong_number"]
Duration = Annotated[int, Whole(0, LONGEST_CALL)]

DIRECTION = "Whether the person called or wrote (`inbound`), or the staff did (`outbound`). Only for calls and mails."
OUTCOME = "How a call ended. Only for calls."
DURATION = "How long a call took, in seconds. Only for calls."
TEXT = "What was said or agreed. Required for a note."
AT = "When it happened, at most one day from now. Default: now."

ID = "^c[0-9a-z]{25}_[1-9][0-9]{0,8}$"
"""The form of an activity's id: the id of its lead or contact, and the version of the event that logged it."""


class ActivityCreate(Body):
    """An activity to log."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "type": "call",
                "direction": "outbound",
                "outcome": "left_message",
                "duration": 45,
                "text": "Asked for a call back about Saturday's showing.",
            },
        },
    )

    type: Annotated[Type, Field(description="What happened.")]
    at: Annotated[Time | None, Field(description=AT)] = None
    direction: Annotated[Direction | None, Field(description=DIRECTION)] = None
    outcome: Annotated[Outcome | None, Field(description=OUTCOME)] = None
    duration: Annotated[Duration | None, Field(description=DURATION)] = None
    text: Annotated[Message | None, Field(description=TEXT)] = None


class ActivityChange(Body):
    """The fields to correct. ``null`` clears an optional field. Fields that are left out keep their value. The type
    cannot be corrected: remove the activity and log it again."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"text": "Asked for a call back about Sunday's showing."}}
    )

    at: Annotated[Time, NOT_NULL, Field(description="When it happened, at most one day from now.")]
    direction: Annotated[Direction | None, Field(description=DIRECTION)] = None
    outcome: Annotated[Outcome | None, Field(description=OUTCOME)] = None
    duration: Annotated[Duration | None, Field(description=DURATION)] = None
    text: Annotated[Message | None, Field(description=TEXT)] = None

    def changes(self) -> dict[str, str | int | None]:
        """What was sent, but for the time."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"at"}}


class ActivityFilters(BaseModel):
    """The filter and the page of a list of activities."""

    model_config = ConfigDict(frozen=True)

    type: Annotated[Type | None, Field(description="Filter by type.")] = None
    limit: Annotated[
        Limit | None, Field(description="The length of a page. Without it the whole list is returned.")
    ] = None
    cursor: Annotated[
        Cursor | None, Field(description="The position of the page, from the `Link` header of the previous page.")
    ] = None


class ActivityResponse(Shape):
    """An activity."""

    id: Annotated[str, Field(pattern=ID)]
    type: Annotated[Type, Field(description="What happened.")]
    at: Annotated[Timestamp, Field(description="When it happened.")]
    direction: Annotated[Direction | None, Field(description=DIRECTION)]
    outcome: Annotated[Outcome | None, Field(description=OUTCOME)]
    duration: Annotated[int | None, Field(description=DURATION)]
    text: Annotated[str | None, Field(description="What was said or agreed.")]
    leadId: Annotated[Wire | None, Field(description="The lead. `null` for an activity of a contact.")]
    contactId: Annotated[Wire | None, Field(description="The contact. `null` for an activity of a lead.")]
    createdById: Annotated[Wire | None, Field(description="The user who logged it. `null` for an API key.")]
    createdAt: Timestamp
    updatedAt: Timestamp
