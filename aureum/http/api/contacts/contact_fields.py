"""A contact's fields in the Aureum API: what may be sent, and what is shown."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from aureum.domain.contact import HIGHEST_SCORE
from aureum.http.contract.batch import Batch
from aureum.http.wire.characters import Characters
from aureum.http.wire.fields import Email, Name, PhoneText
from aureum.http.wire.nulls import NOT_NULL, NULL_IS_ABSENT
from aureum.http.wire.numbers import Whole
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Timestamp, Wire

Type = Literal["BUYER", "SELLER", "INVESTOR", "VENDOR", "OTHER"]
Tag = Annotated[str, Characters(limit=100, blank=False, lines=False)]
Tags = Annotated[list[Tag], Field(max_length=100)]
Score = Annotated[int, Whole(0, HIGHEST_SCORE)]


class ContactCreate(Body):
    """A new contact."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "firstName": "John",
                "lastName": "Smith",
                "email": "john@example.com",
                "phone": "+1-555-0100",
                "type": "BUYER",
                "tags": ["vip", "beverly-hills"],
                "score": 85,
            }
        },
    )

    first_name: Annotated[Name, Field(alias="firstName", description="First name")]
    last_name: Annotated[Name, Field(alias="lastName", description="Last name")]
    email: Annotated[Email | None, Field(description="Email address")] = None
    phone: Annotated[PhoneText | None, Field(description="Phone number, stored as it was given.")] = None
    type: Annotated[Type, NULL_IS_ABSENT] = "BUYER"
    tags: Annotated[Tags, NULL_IS_ABSENT, Field(description="The contact's tags. Duplicates are removed.")] = Field([])
    score: Annotated[Score, NULL_IS_ABSENT] = 0


class ContactBatch(Batch):
    """Up to 100 contacts. Each row has the fields of the body of ``POST /api/contacts``."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {"rows": [{"firstName": "John", "lastName": "Smith", "email": "john@example.com"}]}
        },
    )


class ContactChange(Body):
    """The fields to change. ``null`` clears an optional field. Fields that are left out keep their value. ``tags``
    replaces all tags."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"tags": ["vip"], "score": 90}})

    first_name: Annotated[Name, NOT_NULL, Field(alias="firstName")]
    last_name: Annotated[Name, NOT_NULL, Field(alias="lastName")]
    email: Email | None = None
    phone: PhoneText | None = None
    type: Annotated[Type, NOT_NULL]
    tags: Annotated[Tags, NOT_NULL]
    score: Annotated[Score, NOT_NULL]


class OtherPhone(Shape):
    """A further phone of a contact."""

    phone: str
    phoneE164: str | None


class ContactResponse(Shape):
    """A contact."""

    id: Wire
    firstName: str
    lastName: str
    email: str | None
    phone: str | None
    phoneE164: str | None
    type: Type
    tags: list[str]
    score: Annotated[int, Field(ge=0, le=HIGHEST_SCORE)]
    leadId: Wire | None
    otherNames: Annotated[list[str], Field(description="Further names, from contacts that were merged into this one.")]
    otherEmails: Annotated[list[str], Field(description="Further addresses, from contacts that were merged.")]
    otherPhones: Annotated[list[OtherPhone], Field(description="Further phones, from contacts that were merged.")]
    mergedWith: Annotated[
        list[Wire], Field(description="Contacts that were merged into this one. Their ids return this contact.")
    ]
    mergedInto: Annotated[
        Wire | None,
        Field(
            description="The contact that this one was merged into. Only webhooks and histories show such a contact."
        ),
    ]
    createdAt: Timestamp
    updatedAt: Timestamp
