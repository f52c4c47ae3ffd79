"""The types of what clients send, shared by the models of all resources.

A string is a string: a number in its place is refused, not converted. None of them may hold a NUL character or a lone
surrogate, which PostgreSQL cannot store. Only where it is said is a value changed. In a POST, ``null`` for an optional
field is the same as leaving it out: write ``Text | None = None``, or, for one with a default,
``Annotated[Source, NULL_IS_ABSENT] = "api"``. In a PATCH it empties the field: write ``Text | None = None``, or, for
one that may not be emptied, ``Annotated[Text, NOT_NULL]``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import email_validator
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    Strict,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, PydanticUseDefault, core_schema

from aureum.domain.emails import trimmed
from aureum.domain.texts import one_line
from aureum.domain.wall_time import Midnight

VISIBLE = re.compile("[^\\s\\0-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""Any character that is neither white space nor control nor format (a zero-width space is blank to the reader)."""

INVISIBLE = "\\s\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff"
NOT_BLANK = f"^[^\\u0000]*[^{INVISIBLE}][^\\u0000]*$"
"""The same as clients read it in a JSON schema."""

STORABLE: JsonSchemaValue = {"pattern": "^[^\\u0000]*$"}
"""Of a text that may be blank."""


@dataclass(frozen=True)
class Characters:
    """How a string is bounded: ``Annotated[str, Characters(limit=100, blank=False)]``; *limit* counts characters.
    Without *lines*, line ends and other control characters become blanks."""

    limit: int | None = None
    blank: bool = True
    lines: bool = True

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        rules: dict[tuple[bool, bool], Callable[[str], str]] = {
            (True, True): _storable,
            (False, True): _not_blank,
            (True, False): _line,
            (False, False): _line_not_blank,
        }
        string = core_schema.str_schema(strict=True, max_length=self.limit)
        return core_schema.no_info_after_validator_function(rules[self.blank, self.lines], string)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """No NUL character; where blanks are refused, at least one character that can be seen."""
        return handler(schema) | (STORABLE if self.blank else {"pattern": NOT_BLANK, "minLength": 1})


def _storable(value: str) -> str:
    if "\0" in value:
        raise PydanticCustomError("nul", "value holds a NUL character")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise PydanticKnownError("string_unicode") from error
    return value


def _not_blank(value: str) -> str:
    if not value[:1].isalnum() and VISIBLE.search(value) is None:
        raise PydanticCustomError("blank", "value is blank", {"least": 1})
    return _storable(value)


def _line(value: str) -> str:
    # What can be printed holds neither NUL characters nor lone surrogates.
    return value if value.isprintable() else one_line(_storable(value))


def _line_not_blank(value: str) -> str:
    return value if value[:1].isalnum() and value.isprintable() else one_line(_not_blank(value))


PLAIN_EMAIL = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63})"
)
"""What nearly every address looks like; says yes only where email-validator does, at a tenth of its cost."""

SPECIAL_DOMAINS = tuple("." + name for name in email_validator.SPECIAL_USE_DOMAIN_NAMES)
LONGEST_EMAIL = 254


def is_email(address: str) -> bool:
    """Whether mail could go there, without asking the DNS; ``.test``, ``localhost`` and such are refused."""
    if len(address) > LONGEST_EMAIL:
        return False
    plain = PLAIN_EMAIL.fullmatch(address)
    if plain and "--" not in address and not f".{plain[1]}".lower().endswith(SPECIAL_DOMAINS):
        return True
    try:
        email_validator.validate_email(address, check_deliverability=False)
    except email_validator.EmailNotValidError:
        return False
    return True


def _email(value: str) -> str:
    address = trimmed(value)
    if not is_email(address):
        raise PydanticCustomError("email", "value is not a valid email address")
    return address


LONGEST_PHONE = 100


@dataclass(frozen=True)
class NullIsAbsent:
    """``null`` is taken as the default."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_unless_null, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), {"type": "null"}]}


def _unless_null(value: Any) -> Any:
    if value is None:
        raise PydanticUseDefault
    return value


@dataclass(frozen=True)
class NotNull:
    """The field may be left out, which is None to the program, but not emptied: ``null`` is refused."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        checked = core_schema.no_info_before_validator_function(_refuse_null, handler(source))
        return core_schema.with_default_schema(checked, default=None)


def _refuse_null(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("not_null", "value is null")
    return value


TIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](?P<clock>\d\d:\d\d)(?::(?P<seconds>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:(?P<utc>[Zz])|(?P<sign>[+ -])(?P<hours>\d\d):?(?P<minutes>\d\d)))?",
    re.ASCII,
)


def parse_time(text: str) -> datetime:
    """A moment in UTC from ISO 8601 with its zone; a date alone is a ``Midnight``, on whichever clock.

    Fractions are cut to microseconds. A space before the offset is the ``+`` of a query string that the client did not
    escape. Raises ValueError for anything else, also for days and years that do not exist.
    """
    match = TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a time with its zone, nor a date")
    if match["clock"] is None:
        return Midnight.fromisoformat(text).replace(tzinfo=UTC)
    zone = "+00:00"
    if match["sign"]:
        zone = f"{match['sign'].replace(' ', '+')}{match['hours']}:{match['minutes']}"
    clock = f"{match['clock']}:{match['seconds'] or '00'}.{(match['fraction'] or '')[:6]:0<6}"
    try:
        return datetime.fromisoformat(f"{match['date']}T{clock}{zone}").astimezone(UTC)
    except OverflowError as error:
        raise ValueError("outside of the years 1 to 9999") from error


def _time(value: Any) -> datetime:
    try:
        return parse_time(value if isinstance(value, str) else "")
    except ValueError as error:
        raise PydanticCustomError("time", "value is not a time") from error


LONGEST_SOURCE = 100

Text = Annotated[str, Characters(lines=False)]

Name = Annotated[str, Characters(limit=200, blank=False, lines=False)]
Subject = Annotated[str, Characters(limit=1_000, blank=False, lines=False)]
Source = Annotated[str, Characters(limit=LONGEST_SOURCE, lines=False)]
Utm = Annotated[str, Characters(limit=500, lines=False)]
Page = Annotated[str, Characters(limit=2_000, lines=False)]
PhoneText = Annotated[str, Characters(limit=LONGEST_PHONE, lines=False)]

# Bounded, so that a chunk of a list is, no matter what visitors write.
Message = Annotated[str, Characters(limit=20_000)]
Enquiry = Annotated[str, Characters(limit=20_000, blank=False)]

Email = Annotated[
    str,
    Strict(),
    AfterValidator(_email),
    WithJsonSchema(
        {
            "type": "string",
            "format": "email",
            "maxLength": LONGEST_EMAIL,
            "description": "An address that mail can go to; `localhost`, `.test` and such are refused, "
            "blanks and invisible marks around it dropped.",
        }
    ),
]
"""As given, without what is blank or invisible around it."""

Time = Annotated[
    datetime,
    PlainValidator(_time),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}),
]
"""As ``parse_time`` reads it, which takes a few more spellings of ISO 8601 than JSON Schema has a format for. The
endpoint reads dates alone on the clock of the brokerage (``Endpoint.own_clock``)."""

LARGEST_AMOUNT = Decimal("9999999999999.99")
ARITHMETIC = Decimal("1e-6")
"""More than this is no error of arithmetic but a third digit behind the point."""


def _amount(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticKnownError("decimal_type")
    exact = Decimal(repr(value))
    if not 0 <= exact <= LARGEST_AMOUNT:
        kind = ("greater_than_equal", {"ge": 0}) if exact < 0 else ("less_than_equal", {"le": LARGEST_AMOUNT})
        raise PydanticKnownError(*kind)
    rounded = exact.quantize(Decimal("0.01"))
    if abs(exact - rounded) > min(abs(exact) * Decimal("1e-15"), ARITHMETIC):
        raise PydanticKnownError("decimal_max_places", {"decimal_places": 2})
    # Minus zero is not negative.
    return f"{abs(rounded):f}".rstrip("0").rstrip(".")


Amount = Annotated[
    str,
    PlainValidator(_amount),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": float(LARGEST_AMOUNT), "multipleOf": 0.01}),
]
"""An exact decimal of at most 15 digits, two of them behind the point, as text without needless zeros: ``450000.1``.

A double keeps 15 digits, so nothing is lost in JSON. What a program's own arithmetic adds behind them (``0.1 + 0.2`` is
``0.30000000000000004``) is taken as what was meant.
"""

WireId = Annotated[
    str, Characters(limit=100, blank=False), WithJsonSchema({"type": "string", "pattern": "^c[0-9a-z]{25}$"})
]
"""The id of another resource; whether there is one, the command finds out."""

TimeZone = Annotated[
    str,
    Characters(limit=100),
    WithJsonSchema({"type": "string", "format": "time-zone", "examples": ["America/Boise"]}),
]
"""An IANA name; whether it is one, the domain knows."""

NULL_IS_ABSENT = NullIsAbsent()
NOT_NULL = NotNull()

WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def _whole(text: Any) -> int:
    """A parameter of a query is text; blanks, points and underscores are no part of a whole number."""
    if not isinstance(text, str) or WHOLE.fullmatch(text) is None:
        raise PydanticKnownError("int_parsing")
    return int(text)


AS_WHOLE = BeforeValidator(_whole)
"""Of a whole number in a query: ``Annotated[int, Field(ge=1), AS_WHOLE]``. It stands last, or bounds are lost from the
JSON schema."""


@dataclass(frozen=True)
class Whole:
    """A whole number in a body: ``Annotated[int, Whole(0, 100)]``. ``7.0`` is one as well, as JSON Schema has it."""

    least: int
    most: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        bounded = core_schema.int_schema(strict=True, ge=self.least, le=self.most)
        return core_schema.no_info_before_validator_function(_integer, bounded)


def _integer(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


LARGEST_NUMBER = 10**15
"""Far above every number that is given to a brokerage, a user or a lead, and exact in every JSON parser."""

Number = Annotated[int, Whole(-LARGEST_NUMBER, LARGEST_NUMBER)]
"""One of the platform-wide integers. Whether it exists is checked later."""

NumberText = Annotated[int, Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER), AS_WHOLE]
"""The same in a query."""
