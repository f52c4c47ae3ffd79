"""An agent's profile on the wire: what may be sent, and what is shown."""

from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, StrictBool, WithJsonSchema

from aureum.domain.ids import aureum_time, leads_time
from aureum.domain.profile import LARGEST_CAP, LONGEST_BIO, LONGEST_WORD, MOST_WORDS
from aureum.domain.user import User
from aureum.http.access.roles import Role
from aureum.http.wire.characters import Characters
from aureum.http.wire.nulls import NOT_NULL
from aureum.http.wire.numbers import Amount, Whole
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Amount as AmountResponse
from aureum.http.wire.shapes import LeadsTimestamp, Shape
from aureum.http.wire.times import Time
from aureum.projections.property_list import number

Words = Annotated[
    list[Annotated[str, Characters(limit=LONGEST_WORD, blank=False, lines=False)]], Field(max_length=MOST_WORDS)
]
Tag = Annotated[
    str, Characters(limit=LONGEST_WORD, blank=False), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{2,3}$"})
]
CLOCK = "^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
Hours = Annotated[
    dict[str, list[Annotated[str, Characters(limit=5)]]],
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]},
            "additionalProperties": {
                "type": "array",
                "items": {"type": "string", "pattern": CLOCK},
                "minItems": 2,
                "maxItems": 2,
            },
        }
    ),
]

HOURS: JsonValue = {"mon": ["09:00", "17:00"], "fri": ["09:00", "13:00"]}
EXAMPLE: dict[str, JsonValue] = {
    "bio": "Ana has sold homes on the river since 2004.",
    "specialties": ["downtown", "condos"],
    "areas": ["Boise", "Garden City"],
    "languages": ["en", "es"],
    "price_min": 250000,
    "price_max": 900000,
    "daily_cap": 10,
    "hours": HOURS,
}


class AgentUpdate(Body):
    """The fields to change. ``null`` clears an optional field. Fields that are left out keep their value. Agents may
    change their own ``bio``, ``languages``, ``away_from`` and ``away_to``."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": EXAMPLE})

    bio: Annotated[Annotated[str, Characters(limit=LONGEST_BIO)] | None, Field(description="About the agent.")] = None
    specialties: Annotated[Words, NOT_NULL, Field(description="The agent's own words for areas and types of homes.")]
    areas: Annotated[Words, NOT_NULL, Field(description="Where the agent works: cities, neighborhoods, counties.")]
    languages: Annotated[
        Annotated[list[Tag], Field(max_length=MOST_WORDS)],
        NOT_NULL,
        Field(description="The languages that the agent speaks, as BCP 47 tags."),
    ]
    price_min: Annotated[Amount | None, Field(description="The lowest price that suits the agent.")] = None
    price_max: Annotated[Amount | None, Field(description="The highest price that suits the agent.")] = None
    takes_leads: Annotated[StrictBool, NOT_NULL]
    daily_cap: Annotated[
        Annotated[int, Whole(0, LARGEST_CAP)] | None,
        Field(description="The maximum number of leads routed to the agent per day. `null`: no limit."),
    ] = None
    hours: Annotated[
        Hours | None,
        Field(description="Working hours by day, in the brokerage's time zone. A day that is left out is a day off."),
    ] = None
    away_from: Annotated[
        Time | None,
        Field(description="When the agent's absence begins. No leads are routed to the agent until `away_to`."),
    ] = None
    away_to: Annotated[Time | None, Field(description="When the agent's absence ends.")] = None
    primary: Annotated[
        StrictBool,
        NOT_NULL,
        Field(description="`true` makes this the brokerage's primary agent, in place of the current one."),
    ]


class AgentResponse(Shape):
    """An agent's profile."""

    id: Annotated[int, Field(description="The number of the user, for `assigned_agent_id`.")]
    name: str
    email: str
    role: Role
    disabled: bool
    bio: str | None
    specialties: list[str]
    areas: list[str]
    languages: list[str]
    price_min: AmountResponse | None
    price_max: AmountResponse | None
    takes_leads: bool
    daily_cap: int | None
    hours: dict[str, list[str]] | None
    away_from: LeadsTimestamp | None
    away_to: LeadsTimestamp | None
    primary: bool


class ProfileRow(NamedTuple):
    """A profile as ``users.PROFILES`` reads it."""

    user_id: UUID
    stream_version: int
    number: int
    name: str
    email: str
    role: str
    disabled: bool
    bio: str | None
    specialties: list[str]
    areas: list[str]
    languages: list[str]
    price_min: str | None
    price_max: str | None
    takes_leads: bool
    daily_cap: int | None
    hours: dict[str, list[str]] | None
    away_from: datetime | None
    away_to: datetime | None
    primary: bool


def document(agent: User | ProfileRow) -> dict[str, Any]:
    """A profile as the list and the agent's own page show it."""
    return {
        "id": agent.number,
        "name": agent.name,
        "email": agent.email,
        "role": agent.role,
        "disabled": agent.disabled,
        "bio": agent.bio,
        "specialties": list(agent.specialties),
        "areas": list(agent.areas),
        "languages": list(agent.languages),
        "price_min": number(agent.price_min),
        "price_max": number(agent.price_max),
        "takes_leads": agent.takes_leads,
        "daily_cap": agent.daily_cap,
        "hours": agent.hours,
        "away_from": moment(agent.away_from),
        "away_to": moment(agent.away_to),
        "primary": agent.primary,
    }


def moment(at: datetime | str | None) -> str | None:
    """A moment as the Leads API writes it, of the read model or of the event."""
    if at is None:
        return None
    return leads_time(at if isinstance(at, datetime) else datetime.fromisoformat(at))


def changes(sent: dict[str, Any]) -> dict[str, Any]:
    """What was sent as a profile keeps it."""
    moments = {name: aureum_time(sent[name]) for name in ("away_from", "away_to") if sent.get(name) is not None}
    return sent | moments
