"""A lead's fields in the Aureum API: what may be sent, and what is shown."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, model_validator

from aureum.domain.lead import LeadFields
from aureum.http.contract.batch import Batch
from aureum.http.contract.routing import Route, Routing
from aureum.http.wire.characters import NOT_BLANK, Characters
from aureum.http.wire.fields import Email, Message, Name, Page, PhoneText, Source, Subject, Utm, WireId
from aureum.http.wire.nulls import NOT_NULL, NULL_IS_ABSENT
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Suspect, Timestamp, Wire
from aureum.http.wire.validation import BreaksRule

Status = Literal["new", "contacted", "qualified", "showing", "offer", "converted", "lost"]
LostReason = Literal[
    "price",
    "location",
    "timing",
    "financing",
    "chose_another_agent",
    "unreachable",
    "not_serious",
    "duplicate",
    "other",
]
LostNote = Annotated[str, Characters(limit=500)]

LOST_REASON = "Why the lead is lost. Set it with or while the status is `lost`. Another status clears it."
LOST_NOTE = "More about why the lead is lost, as free text. Set and cleared like the reason."
ONCE = " Present only if the reason or the note was ever set."


class UtmFields(Body):
    """Where the visitor came from."""

    model_config = ConfigDict(frozen=True)

    source: Utm | None = None
    medium: Utm | None = None
    campaign: Utm | None = None


VISIBLE_TEXT: JsonValue = {"type": "string", "pattern": NOT_BLANK}
NAMED: list[JsonValue] = [
    {"required": ["name"], "properties": {"name": VISIBLE_TEXT}},
    {
        "required": ["firstName", "lastName"],
        "properties": {"firstName": VISIBLE_TEXT, "lastName": VISIBLE_TEXT},
    },
]
ANSWERABLE: list[JsonValue] = [
    {"required": ["email"], "properties": {"email": VISIBLE_TEXT}},
    {"required": ["phone"], "properties": {"phone": VISIBLE_TEXT}},
]


class LeadCreate(Body):
    """A new lead. It needs ``name``, or ``firstName`` and ``lastName``. It also needs ``email`` or ``phone``."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "allOf": [{"anyOf": NAMED}, {"anyOf": ANSWERABLE}],
            "example": {
                "name": "Jane Doe",
                "email": "jane@example.com",
                "phone": "+1-555-0200",
                "source": "website",
                "message": "Interested in the Beverly Hills listing",
            },
        },
    )

    name: Annotated[Name | None, Field(description="The full name. It is split at its last space.")] = None
    first_name: Annotated[Name | None, Field(alias="firstName")] = None
    last_name: Annotated[Name | None, Field(alias="lastName")] = None
    email: Email | None = None
    phone: PhoneText | None = None
    source: Annotated[Source, NULL_IS_ABSENT] = "api"
    status: Annotated[Status, NULL_IS_ABSENT] = "new"
    subject: Subject | None = None
    message: Message | None = None
    assigned_to: Annotated[WireId | None, Field(alias="assignedToId", description="A user of the brokerage.")] = None
    source_page: Annotated[Page | None, Field(alias="sourcePage")] = None
    utm: Annotated[UtmFields, NULL_IS_ABSENT] = UtmFields()
    route: Annotated[Route, NULL_IS_ABSENT] = False

    @model_validator(mode="after")
    def whole(self) -> "LeadCreate":
        if self.name is None and (self.first_name is None or self.last_name is None):
            raise BreaksRule("name", "name is required, or firstName and lastName.")
        if not self.email and not (self.phone or "").strip():
            raise BreaksRule("email", "email or phone is required.")
        return self

    def fields(self) -> LeadFields:
        """What the lead is captured with."""
        first_name, last_name = split_name(self.name) if self.name is not None else (self.first_name, self.last_name)
        return LeadFields(
            first_name=first_name or "",
            last_name=last_name or "",
            email=self.email,
            phone=self.phone,
            subject=self.subject,
            message=self.message,
            notes=None,
            source=self.source,
            source_domain=None,
            source_page=self.source_page,
            utm_source=self.utm.source,
            utm_medium=self.utm.medium,
            utm_campaign=self.utm.campaign,
        )


class LeadBatch(Batch):
    """Up to 100 leads. Each row has the fields of the body of ``POST /api/leads``."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {"rows": [{"name": "Jane Doe", "email": "jane@example.com", "source": "open house"}]}
        },
    )


class LeadChange(Body):
    """The fields to change. ``null`` clears an optional field. Fields that are left out keep their value."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"status": "contacted"}})

    status: Annotated[Status, NOT_NULL]
    lost_reason: Annotated[LostReason | None, Field(alias="lostReason", description=LOST_REASON)] = None
    lost_note: Annotated[LostNote | None, Field(alias="lostNote", description=LOST_NOTE)] = None
    assigned_to: Annotated[WireId | None, Field(alias="assignedToId")] = None
    name: Annotated[Name, NOT_NULL]
    first_name: Annotated[Name, NOT_NULL, Field(alias="firstName")]
    last_name: Annotated[Name, NOT_NULL, Field(alias="lastName")]
    email: Email | None = None
    phone: PhoneText | None = None
    subject: Subject | None = None
    message: Message | None = None


def split_name(name: str) -> tuple[str, str]:
    """At its last space: ``Mary Jane Doe`` → ``Mary Jane``, ``Doe``; one word is a first name."""
    first, _, last = name.strip().rpartition(" ")
    return (first.strip(), last) if first else (last, "")


class UtmResponse(Shape):
    """Where the visitor came from."""

    source: str | None
    medium: str | None
    campaign: str | None


class LeadResponse(Shape):
    """A lead."""

    id: Wire
    name: str
    firstName: str
    lastName: str
    email: str | None
    phone: str | None
    source: str
    status: Status
    subject: str | None
    message: str | None
    assignedToId: Wire | None
    contactId: Wire | None
    sourcePage: str | None
    utm: UtmResponse
    createdAt: Timestamp
    updatedAt: Timestamp
    suspect: Suspect = False
    lostReason: Annotated[LostReason | None, Field(description=LOST_REASON + ONCE)] = None
    lostNote: Annotated[str | None, Field(description=LOST_NOTE + ONCE)] = None
    routing: Routing
