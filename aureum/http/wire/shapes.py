"""What answers look like, for the OpenAPI document alone: answers are bytes that read models keep ready.

The tests hold the running server's answers against these shapes. Field names are those on the wire.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Wire = Annotated[str, Field(pattern="^c[0-9a-z]{25}$", examples=["clx0000000000000000000000x"])]
"""An opaque id."""

Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2025-01-15T10:30:00.000Z"])]
"""A moment of the Aureum API, in milliseconds."""

LeadsTimestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2024-12-28T15:30:00Z"])]
"""A moment of the Leads API, in seconds."""

Suspect = Annotated[bool, Field(description="Whether it is suspected spam. Present only if it ever was.")]

Amount = Annotated[float | int, Field(ge=0), WithJsonSchema({"type": "number", "minimum": 0})]


class Shape(BaseModel):
    """A JSON object in which every field is there."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ActorResponse(Shape):
    """Who caused an event: a visitor, a key, a user, a client in the portal, or the system."""

    type: str
    id: str | None
    name: str | None


class ChangeResponse(Shape):
    """The value of a field before and after a change."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"required": ["from", "to"]})

    before: Annotated[Any, Field(alias="from")]
    to: Any


RequestId = Annotated[str, Field(description="The `X-Request-Id` of the request that caused it.")]


ClientAddress = Annotated[
    str | None,
    Field(
        description="The address of the staff member or program that made the change. Only owners and platform admins "
        "see it. `null` for visitors, and for changes before version 0.10.0."
    ),
]


class EventResponse(Shape):
    """One event of a resource's history."""

    version: int
    type: str
    at: Timestamp
    actor: ActorResponse
    request: RequestId
    address: ClientAddress
    changes: dict[str, ChangeResponse]
    savedWith: Annotated[int, Field(description="The first version of the save that it belongs to.")]
    undoable: Annotated[bool, Field(description="Whether it can be undone now: what it changed is as it left it.")]
    undoes: Annotated[int | None, Field(description="The version whose change it undid. `null` for all others.")]


class StateEventResponse(Shape):
    """One event of the history of a webhook."""

    version: int
    type: str
    at: Timestamp
    actor: ActorResponse
    request: RequestId
    address: ClientAddress
    changes: dict[str, ChangeResponse]
    savedWith: Annotated[int, Field(description="The first version of the save that it belongs to.")]


class ClientEventResponse(Shape):
    """One event of the history of a contact's messages, listings or key dates."""

    version: int
    type: str
    at: Timestamp
    actor: ActorResponse
    request: RequestId
    address: ClientAddress
    changes: dict[str, ChangeResponse]


class StaffEventResponse(Shape):
    """One event of the history of a user, an API key, a subscriber, a brokerage or its routing settings."""

    version: int
    type: str
    at: LeadsTimestamp
    actor: ActorResponse
    request: RequestId
    address: ClientAddress
    changes: dict[str, ChangeResponse]
    savedWith: Annotated[int, Field(description="The first version of the save that it belongs to.")]
