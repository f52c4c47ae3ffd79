"""What ``null`` means for a field.

In a POST, ``null`` for an optional field is the same as leaving it out: write ``Text | None = None``, or, for one with
a default, ``Annotated[Source, NULL_IS_ABSENT] = "api"``. In a PATCH it empties the field: write ``Text | None = None``,
or, for one that may not be emptied, ``Annotated[Text, NOT_NULL]``.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, PydanticUseDefault, core_schema


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


NULL_IS_ABSENT = NullIsAbsent()
NOT_NULL = NotNull()
