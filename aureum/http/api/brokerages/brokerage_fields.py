"""A brokerage's fields on the admin's side: what may be sent, and what is shown."""

from datetime import datetime
from typing import Annotated, Any, Literal

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, ConfigDict, Field, JsonValue, StrictBool, WithJsonSchema

from aureum.domain.brokerage import LONGEST_RETENTION, Brokerage
from aureum.domain.ids import leads_time
from aureum.http.contract.visitor_page import Brand
from aureum.http.wire.characters import Characters
from aureum.http.wire.fields import Email, Name
from aureum.http.wire.nulls import NOT_NULL, NULL_IS_ABSENT
from aureum.http.wire.numbers import Whole
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import LeadsTimestamp, Shape
from aureum.projections.brokerages import BrokerageRow

MOST_DOMAINS = 50

HOST_NAME = "^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$"
"""The pattern in the JSON schema. Other spellings, with capitals or umlauts, are normalised to this form."""


def _country(text: str) -> str:
    if text not in SUPPORTED_REGIONS:
        raise ValueError("country must be two letters such as US, CA or DE.")
    return text


Plan = Literal["Starter", "Grow", "Elite"]
Domain = Annotated[
    str, Characters(limit=253), WithJsonSchema({"type": "string", "maxLength": 253, "pattern": HOST_NAME})
]
Domains = Annotated[
    list[Domain],
    Field(
        max_length=MOST_DOMAINS,
        description="The domains of the brokerage's website. Links in mails use the first. IP addresses, and domains "
        "below the base domain, are not allowed.",
    ),
]
Zone = Annotated[
    str,
    Characters(),
    Field(description="IANA time zone.", examples=["America/Boise"], json_schema_extra={"format": "time-zone"}),
]
Country = Annotated[
    str,
    Characters(limit=2),
    AfterValidator(_country),
    WithJsonSchema({"type": "string", "enum": sorted(SUPPORTED_REGIONS)}),
    Field(description="The country of phone numbers without a country code.", examples=["US"]),
]

EXAMPLE: dict[str, JsonValue] = {
    "name": "Snake River Realty",
    "slug": "snake-river",
    "domains": ["www.snakeriver.example.com"],
    "plan": "Grow",
    "time_zone": "America/Boise",
    "country": "US",
    "public_lead_count": True,
}


class BrokerageCreate(Body):
    """A new brokerage."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": EXAMPLE})

    name: Annotated[Name, Field(description="The name of the brokerage.")]
    slug: Annotated[
        str,
        Characters(limit=63),
        Field(
            description="Short name for URLs. It cannot be changed later. `www`, `api`, `admin` and `app` are "
            "reserved.",
            json_schema_extra={"pattern": "^(?!(?:www|api|admin|app)$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"},
        ),
    ]
    domains: Annotated[Domains, NULL_IS_ABSENT] = Field([])
    plan: Plan
    time_zone: Annotated[Zone, NULL_IS_ABSENT] = "America/Boise"
    country: Annotated[Country, NULL_IS_ABSENT] = "US"
    public_lead_count: Annotated[StrictBool, NULL_IS_ABSENT] = True


class BrokerageChange(Body):
    """The fields to change. Fields that are left out keep their value."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"plan": "Elite"}})

    name: Annotated[Name, NOT_NULL]
    domains: Annotated[Domains, NOT_NULL]
    plan: Annotated[Plan, NOT_NULL]
    time_zone: Annotated[Zone, NOT_NULL]
    country: Annotated[Country, NOT_NULL]
    public_lead_count: Annotated[StrictBool, NOT_NULL]
    confirmations: Annotated[StrictBool, NOT_NULL]
    reply_to: Email | None = None
    color: Annotated[
        Annotated[str, Characters(limit=7)] | None,
        Field(
            description="The color of buttons on public pages and in mails, such as `#1f4e9c`. White text on it must "
            "have a contrast of 4.5 to 1. `null` or an empty text is the default."
        ),
    ] = None
    erase_lost_after_months: Annotated[
        Annotated[int, Whole(1, LONGEST_RETENTION)] | None,
        Field(
            description="Leads that have been lost for this many months are erased, with their showings and tasks, a "
            "week after a mail to the owners. `null`: never."
        ),
    ] = None
    disabled: Annotated[StrictBool, NOT_NULL]


class BrokerageResponse(Shape):
    """A brokerage. The Leads API calls its `id` `brokerage_id`."""

    id: int
    slug: str
    name: str
    domains: list[str]
    plan: Plan
    time_zone: str
    country: str
    public_lead_count: bool
    confirmations: bool
    reply_to: str | None
    color: Annotated[str | None, Field(description="The color of buttons on public pages and in mails.")]
    logo: Annotated[
        str | None,
        Field(description="The path of the logo at the brokerage's domains, such as `/api/logo?v=3f9a0c…`."),
    ]
    erase_lost_after_months: Annotated[
        int | None, Field(description="After how many months lost leads are erased. `null`: never.")
    ]
    disabled: Annotated[
        bool, Field(description="Whether the brokerage is disabled, including its forms, keys, logins and webhooks.")
    ]
    created_at: LeadsTimestamp


def document(brokerage: Brokerage | BrokerageRow, opened_at: datetime) -> dict[str, Any]:
    """A brokerage as its own page and the list show it."""
    return {
        "id": brokerage.number,
        "slug": brokerage.slug,
        "name": brokerage.name,
        "domains": list(brokerage.domains),
        "plan": brokerage.plan,
        "time_zone": brokerage.time_zone,
        "country": brokerage.country,
        "public_lead_count": brokerage.public_lead_count,
        "confirmations": brokerage.confirmations,
        "reply_to": brokerage.reply_to,
        "color": brokerage.color,
        "logo": Brand(brokerage.name, None, brokerage.logo).logo_path,
        "erase_lost_after_months": brokerage.erase_lost_after_months,
        "disabled": brokerage.disabled,
        "created_at": leads_time(opened_at),
    }
