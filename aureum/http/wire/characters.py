"""How texts are bounded: their length, what may not be in them, and what counts as blank. No text may hold a NUL
character or a lone surrogate, which PostgreSQL cannot store."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

from aureum.domain.texts import one_line

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
