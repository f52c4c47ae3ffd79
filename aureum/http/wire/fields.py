"""The types of what clients send, shared by the models of all resources.

A string is a string: a number in its place is refused, not converted. Only where it is said is a value changed. Beside
these stand ``characters.py`` (how any text is bounded), ``numbers.py``, ``times.py`` and ``nulls.py``.
"""

from typing import Annotated

from pydantic import AfterValidator, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

from aureum.domain.emails import LONGEST_EMAIL, is_email, trimmed
from aureum.http.wire.characters import Characters


def _email(value: str) -> str:
    address = trimmed(value)
    if not is_email(address):
        raise PydanticCustomError("email", "value is not a valid email address")
    return address


LONGEST_PHONE = 100
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
