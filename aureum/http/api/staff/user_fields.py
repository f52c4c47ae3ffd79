"""A user's fields on the admin's side: what may be sent, and what is shown. A password comes in and never out."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from aureum.commands.password_links import invitation_ends
from aureum.commands.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD
from aureum.domain.ids import leads_time
from aureum.domain.user import User
from aureum.http.access import named_brokerage
from aureum.http.access.roles import Role
from aureum.http.contract.numbered_pages import Numbered
from aureum.http.contract.resource import AsOf
from aureum.http.wire.characters import Characters
from aureum.http.wire.fields import Email, Name
from aureum.http.wire.nulls import NOT_NULL, NULL_IS_ABSENT
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import LeadsTimestamp, Shape
from aureum.http.wire.times import Time
from aureum.projections.users import UserRow

Password = Annotated[str, Field(strict=True, min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]
Specialties = Annotated[
    list[Annotated[str, Characters(limit=100, blank=False, lines=False)]],
    Field(max_length=50, description="The agent's own words for areas and types of homes. Leads are routed by them."),
]
BrokerageId = Annotated[
    named_brokerage.InBody,
    Field(description="For platform admins only: the brokerage. Default: their own. Ignored for all other users."),
]


Language = Annotated[Literal["en", "es"], Field(description="The language of the invitation.")]


class OfBrokerage(BaseModel):
    """Whose users or keys."""

    model_config = ConfigDict(frozen=True)

    brokerage_id: Annotated[
        named_brokerage.InQuery | None,
        Field(description="For platform admins only: the brokerage. Default: their own. Ignored for all other users."),
    ] = None


class BrokeragePage(Numbered, OfBrokerage):
    """Which part of a list."""


class StaffPage(BrokeragePage):
    """Which part of the list of users, and when."""

    as_of: Annotated[Time | None, Field(alias="asOf", description="Returns the users as they were at this moment.")] = (
        None
    )


class OfBrokerageAsOf(AsOf, OfBrokerage):
    """Whose, and when."""


class UserCreate(Body):
    """A new user."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "email": "ana@example.com",
                "name": "Ana Agent",
                "role": "agent",
                "specialties": ["downtown", "condos"],
            }
        },
    )

    email: Annotated[Email, Field(description="The email address for logging in. It must be unique among all users.")]
    name: Annotated[Name, Field(description="The user's name, as colleagues see it.")]
    role: Role
    password: Annotated[
        Password | None,
        Field(description="The password. A user without one cannot log in, unless invited."),
    ] = None
    invite: Annotated[
        StrictBool,
        Field(
            description="Whether the user gets a mail with a link at which to choose a password. It works once, for "
            "seven days."
        ),
    ] = False
    language: Annotated[Language, NULL_IS_ABSENT] = "en"
    takes_leads: Annotated[
        StrictBool | None, Field(description="Whether leads are routed to this user. Default: `true` for agents.")
    ] = None
    specialties: Annotated[Specialties, NULL_IS_ABSENT] = Field([])
    brokerage_id: BrokerageId | None = None


class UserChange(Body):
    """The fields to change. Fields that are left out keep their value. A new password, or disabling the user, ends all
    sessions at once."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"role": "broker"}})

    name: Annotated[Name, NOT_NULL]
    role: Annotated[Role, NOT_NULL]
    password: Annotated[Password, NOT_NULL]
    takes_leads: Annotated[StrictBool, NOT_NULL]
    specialties: Annotated[Specialties, NOT_NULL]
    disabled: Annotated[StrictBool, NOT_NULL]


class Invitation(Body):
    """How the user is invited."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"language": "en"}})

    language: Annotated[Language, NULL_IS_ABSENT] = "en"


class StaffResponse(Shape):
    """A user of the brokerage."""

    id: Annotated[int, Field(description="The number of the user, for `assigned_agent_id`.")]
    email: str
    name: str
    role: Role
    brokerage_id: int | None
    takes_leads: bool
    specialties: list[str]
    disabled: bool
    has_password: Annotated[bool, Field(description="Whether the user has chosen a password, and can log in.")]
    totp: Annotated[bool, Field(description="Whether the user's login has a second step.")]
    invited_until: Annotated[
        LeadsTimestamp | None,
        Field(
            description="When the invitation ends that the user has not followed yet, which may be past. `null` if "
            "there "
            "is none."
        ),
    ]
    created_at: LeadsTimestamp


def document(user: User | UserRow, brokerage: int | None, joined_at: datetime) -> dict[str, Any]:
    """A user in the form of the list and of the user's own page. *brokerage* is the brokerage's number."""
    until = invitation_ends(user.invited_at)
    return {
        "id": user.number,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "brokerage_id": brokerage,
        "takes_leads": user.takes_leads,
        "specialties": list(user.specialties),
        "disabled": user.disabled,
        "has_password": user.has_password,
        "totp": user.totp,
        "invited_until": until and leads_time(until),
        "created_at": leads_time(joined_at),
    }
