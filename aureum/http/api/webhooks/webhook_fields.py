"""A webhook's fields in the Aureum API: what may be sent, and what is shown."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue, PlainValidator, StrictBool, WithJsonSchema
from pydantic_core import PydanticCustomError

from aureum.domain.webhook_endpoint import OVERLAP_HOURS_MOST, RATE_LIMIT_MOST
from aureum.domain.webhook_urls import MAX_URL_LENGTH
from aureum.http.wire.characters import Characters
from aureum.http.wire.nulls import NOT_NULL, NULL_IS_ABSENT
from aureum.http.wire.numbers import Whole
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Timestamp, Wire
from aureum.registry import ALL_EVENTS, WEBHOOK_GROUPS

if TYPE_CHECKING:
    Event = str
    Wanted = str
else:
    Event = Literal[ALL_EVENTS]
    Wanted = Literal[(*ALL_EVENTS, *WEBHOOK_GROUPS)]
Mode = Literal["parallel", "keyed", "fifo"]

Url = Annotated[
    str,
    Characters(limit=MAX_URL_LENGTH),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "maxLength": MAX_URL_LENGTH,
            "description": "The URL that deliveries are sent to: `https://` or `http://`, a public host other than "
            "Aureum's own, and port 80, 443, or 1024 and above. It must not contain a user name.",
        }
    ),
]
Events = Annotated[
    list[Wanted],
    Field(
        min_length=1,
        max_length=100,
        description="The events to send. `lead.*` stands for all events of leads. `document.*` are the events of "
        "envelopes, with ids and hashes.",
    ),
]
RateLimit = Annotated[int, Whole(1, RATE_LIMIT_MOST)]
Description = Annotated[str, Characters(limit=500, lines=False)]

IN_ORDER = (
    "The order of deliveries. `parallel`: as fast as possible. `keyed`: in order for each resource. `fifo`: all in "
    "order."
)

EXAMPLE: dict[str, JsonValue] = {
    "url": "https://example.com/hooks",
    "events": ["lead.created", "lead.updated"],
    "description": "Our marketing system",
}


class WebhookCreate(Body):
    """A new webhook."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": EXAMPLE})

    url: Url
    events: Events
    mode: Annotated[Mode, NULL_IS_ABSENT, Field(description=IN_ORDER)] = "parallel"
    rate_limit: Annotated[RateLimit | None, Field(alias="rateLimit", description="Deliveries per second.")] = None
    description: Annotated[Description | None, Field(description="What the webhook is for.")] = None


class WebhookChange(Body):
    """The fields to change. ``null`` clears an optional field. Fields that are left out keep their value. Enabling a
    disabled webhook sends what it missed."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"events": ["lead.*"], "rateLimit": 50}})

    url: Annotated[Url, NOT_NULL]
    events: Annotated[Events, NOT_NULL]
    mode: Annotated[Mode, NOT_NULL]
    rate_limit: Annotated[
        RateLimit | None, Field(alias="rateLimit", description="Deliveries per second. `null`: no limit.")
    ] = None
    description: Description | None = None
    disabled: Annotated[StrictBool, NOT_NULL]


class Rotation(Body):
    """How long the previous secret stays valid."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"overlap_hours": 24}})

    overlap_hours: Annotated[int, Whole(0, OVERLAP_HOURS_MOST), NULL_IS_ABSENT] = 24


class WebhookTest(Body):
    """The event type of the sample."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"event": "lead.created"}})

    event: Annotated[Event, NULL_IS_ABSENT] = "lead.created"


class WebhookResponse(Shape):
    """A webhook. Its secret is shown only when it is created and when it is rotated."""

    id: Wire
    url: str
    events: list[Wanted]
    mode: Mode
    rateLimit: Annotated[int | None, Field(description="Deliveries per second.")]
    description: str | None
    status: Literal["enabled", "disabled"]
    disabledReason: Annotated[
        Literal["gone", "failing", "staff"] | None,
        Field(
            description="`gone`: the endpoint answered 410. `failing`: it failed for five days. `staff`: a user "
            "disabled it."
        ),
    ]
    disabledAt: Timestamp | None
    failingSince: Annotated[
        Timestamp | None,
        Field(description="When the current run of failures began. `null` if the last attempt succeeded."),
    ]
    secretOverlapUntil: Annotated[
        Timestamp | None,
        Field(description="Until when the previous secret is valid. `null` if only the new one is valid."),
    ]
    createdAt: Timestamp
    updatedAt: Timestamp


Secret = Annotated[
    str, Field(pattern="^whsec_[A-Za-z0-9+/]{43}=$", examples=["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="])
]


class WebhookCreated(WebhookResponse):
    """A new webhook with its signing secret, which is shown only in this response."""

    secret: Secret


class SecretResponse(Shape):
    """The new secret, which is shown only in this response."""

    secret: Secret
    secretOverlapUntil: Timestamp | None


def _wanted(text: Any) -> tuple[str, ...]:
    names = tuple(text.split(",")) if isinstance(text, str) else ()
    if not names or set(names) - {*ALL_EVENTS, *WEBHOOK_GROUPS}:
        raise PydanticCustomError("events", "events")
    return names


_EVENT = "|".join(name.replace(".", "\\.").replace("*", "\\*") for name in (*ALL_EVENTS, *WEBHOOK_GROUPS))

Named = Annotated[
    tuple[str, ...],
    PlainValidator(_wanted),
    WithJsonSchema({"type": "string", "pattern": f"^({_EVENT})(,({_EVENT}))*$", "examples": ["lead.*"]}),
]
"""Events in a query, separated by commas."""

EVENT_TYPES = "Filter by event type, such as `lead.created` or `lead.*`. Separate several with commas."

LAST_POSITION = 2**63 - 1


def _position(text: Any) -> int:
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 19):
        raise PydanticCustomError("position", "cursor")
    return min(int(text), LAST_POSITION)


Position = Annotated[
    int, PlainValidator(_position), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 10**19 - 1})
]
"""Where a page begins, as a position of the brokerage's log."""
