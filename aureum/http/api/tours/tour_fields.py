"""A tour's fields in both APIs: what may be sent, and what is shown."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError

from aureum.domain.wall_time import DATE
from aureum.http.api.leads.lead_fields import ANSWERABLE
from aureum.http.contract import form_fields
from aureum.http.contract.form_fields import BLANK_IS_NONE, EMPTY_IS_NONE, Cleared, Listing, Phone, Trap
from aureum.http.contract.routing import Route, Routing
from aureum.http.wire.characters import Characters
from aureum.http.wire.fields import Email, Message, Name, PhoneText, WireId
from aureum.http.wire.nulls import NOT_NULL, NULL_IS_ABSENT
from aureum.http.wire.numbers import Number
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import LeadsTimestamp, Shape, Suspect, Timestamp, Wire
from aureum.http.wire.validation import BreaksRule

Status = Literal["pending", "confirmed", "completed", "cancelled"]

YEAR = r"(19[7-9][0-9]|2[01][0-9][0-9]|2200)"
"""Of ``aureum.domain.wall_time.YEARS``."""

DAY = rf"{YEAR}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,9})?)?"
OFFSET = r"([Zz]|\+(0[0-9]|1[0-3]):?[0-5][0-9]|\+14:?00|-(0[0-9]|1[01]):?[0-5][0-9]|-12:?00)"


def _day(value: str) -> str:
    try:
        date.fromisoformat(value if DATE.fullmatch(value) else "")
    except ValueError as error:
        raise PydanticCustomError("date_parsing", "value is not a date") from error
    return value


Day = Annotated[
    str,
    Characters(),
    AfterValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": f"^{DAY}$"}),
]
"""``2024-12-30``; which years are allowed, the command says."""

DAY_OR_BLANK: JsonSchemaValue = {
    "anyOf": [
        {"type": "string", "format": "date", "pattern": f"^{DAY}$"},
        {"type": "string", "pattern": r"^\s*$"},
        {"type": "null"},
    ]
}

Start = Annotated[
    str, Characters(limit=40), WithJsonSchema({"type": "string", "pattern": f"^{DAY}([Tt ]{CLOCK}{OFFSET}?)?$"})
]
"""As ``aureum.domain.wall_time.start_of`` reads it, which refuses the rest."""

Words = Annotated[str, Characters(limit=200, lines=False)]
"""A time in the visitor's own words."""

Listed = Annotated[str, Characters(limit=100, blank=False, lines=False)]
"""An MLS's listing id, whether or not the brokerage knows the property."""


WHEN = (
    "The start time. A time without an offset is local time at the property, and a date alone means midnight there. "
    "`null`: no start time."
)
MOMENTS: list[JsonValue] = ["2025-03-09T10:00:00", "2025-03-09T16:00:00Z"]


class TourForm(BaseModel):
    """A tour request."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "listing_id": "202412345",
                "name": "Jane Doe",
                "email": "jane@example.com",
                "phone": "208-555-0456",
                "preferred_date": "2024-12-30",
                "preferred_time": "10:00 AM",
                "message": "I'm interested in seeing this property. Is it available Saturday morning?",
            }
        },
    )

    listing_id: Annotated[Listing, Field(description="MLS listing ID to tour")]
    name: Annotated[form_fields.Name, Field(description="Requester's full name")]
    email: Annotated[Email, Field(description="Contact email")]
    phone: Annotated[Phone, Field(description="Contact phone")] = None
    preferred_date: Annotated[
        Day | None, BLANK_IS_NONE, WithJsonSchema(DAY_OR_BLANK), Field(description="Preferred tour date (YYYY-MM-DD)")
    ] = None
    preferred_time: Annotated[form_fields.Words, Field(description="Preferred time slot")] = None
    message: Annotated[form_fields.Message | None, EMPTY_IS_NONE, Field(description="Additional notes")] = None
    suspect: Annotated[
        Trap,
        Field(
            alias="_gotcha",
            description="A honeypot field, hidden from visitors. If it is filled in, the form is treated as spam.",
        ),
    ] = False


class TourChange(Body):
    """The fields to change. ``null`` clears an optional field. Fields that are left out keep their value."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"status": "confirmed", "starts_at": "2025-03-09T10:00:00"}}
    )

    status: Annotated[
        Status,
        NOT_NULL,
        Field(description="The status: `pending`, then `confirmed`, then `completed`; or `cancelled`."),
    ]
    preferred_date: Day | None = None
    preferred_time: Words | None = None
    starts_at: Annotated[Start | None, Field(description=WHEN, examples=MOMENTS)] = None
    assigned_agent_id: Annotated[
        Number | None, Field(description="The number of a user of the brokerage. `null` unassigns the tour.")
    ] = None
    suspect: Annotated[Cleared, NOT_NULL]


class ShowingCreate(Body):
    """A new showing. It needs ``name``, and ``email`` or ``phone``."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "anyOf": ANSWERABLE,
            "example": {
                "listingId": "202412345",
                "name": "Jane Doe",
                "email": "jane@example.com",
                "startsAt": "2025-03-09T10:00:00",
            },
        },
    )

    listing_id: Annotated[Listed | None, Field(alias="listingId", description="The listing id in the MLS.")] = None
    property_id: Annotated[WireId | None, Field(alias="propertyId", description="A property of the brokerage.")] = None
    name: Name
    email: Email | None = None
    phone: PhoneText | None = None
    preferred_date: Annotated[Day | None, Field(alias="preferredDate")] = None
    preferred_time: Annotated[
        Words | None,
        Field(alias="preferredTime", description="The time that the visitor prefers, in the visitor's words."),
    ] = None
    starts_at: Annotated[Start | None, Field(alias="startsAt", description=WHEN, examples=MOMENTS)] = None
    status: Annotated[Status, NULL_IS_ABSENT] = "pending"
    assigned_to: Annotated[WireId | None, Field(alias="assignedToId", description="A user of the brokerage.")] = None
    message: Message | None = None
    route: Annotated[Route, NULL_IS_ABSENT] = False

    @model_validator(mode="after")
    def answerable(self) -> "ShowingCreate":
        if not self.email and not (self.phone or "").strip():
            raise BreaksRule("email", "email or phone is required.")
        return self


class ShowingChange(Body):
    """The fields to change. ``null`` clears an optional field. Fields that are left out keep their value."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"status": "confirmed", "startsAt": "2025-03-09T10:00:00"}}
    )

    listing_id: Annotated[Listed | None, Field(alias="listingId")] = None
    property_id: Annotated[WireId | None, Field(alias="propertyId")] = None
    name: Annotated[Name, NOT_NULL]
    email: Email | None = None
    phone: PhoneText | None = None
    preferred_date: Annotated[Day | None, Field(alias="preferredDate")] = None
    preferred_time: Annotated[Words | None, Field(alias="preferredTime")] = None
    starts_at: Annotated[Start | None, Field(alias="startsAt", description=WHEN, examples=MOMENTS)] = None
    status: Annotated[
        Status,
        NOT_NULL,
        Field(description="The status: `pending`, then `confirmed`, then `completed`; or `cancelled`."),
    ]
    assigned_to: Annotated[WireId | None, Field(alias="assignedToId")] = None
    message: Message | None = None


NoShow = Annotated[bool, Field(description="Whether the visitor did not come. Present only if so.")]

Shown = Annotated[str, Field(json_schema_extra={"format": "date"}, examples=["2024-12-30"])]


class ReceivedTour(Shape):
    """The tour request that was stored."""

    id: int
    listing_id: str
    name: str
    email: str
    status: Status
    created_at: LeadsTimestamp


class TourResponse(Shape):
    """A tour in the Leads API. ``time_zone`` is the time zone in which ``starts_at`` was set."""

    id: int
    listing_id: str | None
    name: str
    email: str | None
    phone: str | None
    preferred_date: Shown | None
    preferred_time: str | None
    status: Status
    created_at: LeadsTimestamp
    message: str | None
    starts_at: LeadsTimestamp | None
    time_zone: str | None
    property_id: Wire | None
    updated_at: LeadsTimestamp
    assigned_agent_id: int | None
    lead_id: Annotated[int | None, Field(description="The open lead of the same person, if there is one.")]
    suspect: Suspect = False
    no_show: NoShow = False
    routing: Routing


class ShowingResponse(Shape):
    """A showing. The Leads API calls it a tour."""

    id: Wire
    listingId: str | None
    propertyId: Wire | None
    name: str
    email: str | None
    phone: str | None
    preferredDate: Shown | None
    preferredTime: str | None
    startsAt: Timestamp | None
    timeZone: str | None
    assignedToId: Wire | None
    leadId: Annotated[
        Wire, Field(default_factory=str, description="The open lead of the same person. Present only if there is one.")
    ]
    status: Status
    message: str | None
    createdAt: Timestamp
    updatedAt: Timestamp
    suspect: Suspect = False
    noShow: NoShow = False
    routing: Routing
