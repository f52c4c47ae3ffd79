"""A moment as clients write it."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from aureum.domain.wall_time import Midnight

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


Time = Annotated[
    datetime,
    PlainValidator(_time),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}),
]
"""As ``parse_time`` reads it, which takes a few more spellings of ISO 8601 than JSON Schema has a format for. The
endpoint reads dates alone on the clock of the brokerage (``Endpoint.own_clock``)."""
