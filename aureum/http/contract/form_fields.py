"""The types of what a page fills in by itself or a visitor cannot see: they never refuse a form.

Texts are cut to their limit, numbers are their digits, lists become one text or one text becomes a list; what makes no
sense is left out. NUL characters and lone surrogates are gone already (``form_bodies.py``).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, GetJsonSchemaHandler, PlainValidator, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from aureum.http.wire import fields
from aureum.http.wire.characters import INVISIBLE
from aureum.http.wire.fields import LONGEST_PHONE

NOTHING = re.compile("[\0\ud800-\udfff]+")
"""What no text holds."""

CONTROLS = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029]+")
"""What no field of one line holds: a blank stands for it."""

MOST_INTERESTS = 50
LONGEST_INTEREST = 100


def text_of(value: Any) -> str:
    """A text or a number as text, the items of a list with commas between them; nothing for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return ""
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, list):
        return ", ".join(
            text for item in value[:MOST_INTERESTS] if not isinstance(item, list) and (text := text_of(item))
        )
    return ""


def number_text(value: int | float) -> str:
    """As JavaScript writes it: ``202412345.0`` is ``202412345``."""
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    # Python refuses to write numbers of thousands of digits.
    return str(value) if abs(value) < 10**1_000 else ""


def kept(limit: int) -> Callable[[Any], str | None]:
    """What is kept of a field of one line."""

    def keep(value: Any) -> str | None:
        if type(value) is str and value.isprintable() and len(value) <= limit:
            return value if value.strip() else None
        text = CONTROLS.sub(" ", NOTHING.sub("", text_of(value)))[:limit]
        return text if text.strip() else None

    return keep


@dataclass(frozen=True)
class Forgiven:
    """The JSON schema of a text from which NUL characters are taken before it is looked at: they are allowed."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Where blanks are refused, at least one character that can be seen."""
        cleaned = handler(schema)
        blank = cleaned.pop("pattern", None) is None or "minLength" not in cleaned
        return cleaned if blank else cleaned | {"pattern": f"[^{INVISIBLE}]"}


Name = Annotated[fields.Name, Forgiven()]
Subject = Annotated[fields.Subject, Forgiven()]
Enquiry = Annotated[fields.Enquiry, Forgiven()]
Message = Annotated[fields.Message, Forgiven()]

ANYTHING = WithJsonSchema({})

Phone = Annotated[str | None, PlainValidator(kept(LONGEST_PHONE)), ANYTHING]
Page = Annotated[str | None, PlainValidator(kept(2_000)), ANYTHING]
Utm = Annotated[str | None, PlainValidator(kept(500)), ANYTHING]
Words = Annotated[str | None, PlainValidator(kept(200)), ANYTHING]
"""A time in the visitor's own words."""


def _listing(value: Any) -> Any:
    return number_text(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Listing = Annotated[
    str,
    fields.Characters(limit=100, blank=False, lines=False),
    BeforeValidator(_listing),
    WithJsonSchema(
        {"type": ["string", "number"], "minLength": 1, "maxLength": 100, "pattern": f"[^{INVISIBLE}]"},
    ),
]
"""An MLS's listing id, whether or not the brokerage knows the property; pages may hold it as a number."""


def _blank_is_none(value: Any) -> Any:
    return value.strip() or None if isinstance(value, str) else value


BLANK_IS_NONE = BeforeValidator(_blank_is_none)
"""Of an input that a browser sends empty; blanks around what is in it go."""


def _empty_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


EMPTY_IS_NONE = BeforeValidator(_empty_is_none)
"""The same, but what is in it is kept as it is."""


def _interests(value: Any) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    texts = (interest(item) for item in items[: 10 * MOST_INTERESTS] if not isinstance(item, list))
    return tuple(dict.fromkeys(text for text in texts if text))[:MOST_INTERESTS]


_interest = kept(LONGEST_INTEREST)


def interest(value: Any) -> str | None:
    text = _interest(value)
    return text and text.strip()


Interests = Annotated[tuple[str, ...], PlainValidator(_interests), ANYTHING]


def _filled_in(value: Any) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)


Trap = Annotated[bool, PlainValidator(_filled_in), ANYTHING]
"""A field that a person does not see: whether it is filled in."""


def _cleared(value: Any) -> bool:
    if value is not False:
        raise PydanticCustomError("cleared", "value is not false")
    return False


Cleared = Annotated[
    bool,
    PlainValidator(_cleared),
    WithJsonSchema(
        {
            "type": "boolean",
            "const": False,
            "description": "`false` clears suspected spam. It is then counted, routed and sent to webhooks.",
        }
    ),
]
"""What staff may say of a suspect."""
