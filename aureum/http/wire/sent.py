"""The base of what clients send in a body: in an optional field ``""`` is the same as ``null``.

Forms and spreadsheets send an empty text for what was left empty, for a field of any type. ``null`` leaves an
optional field out of a POST and empties it in a PATCH, and so does ``""``; so does text of blanks alone. A field that
must have a value refuses it. In a query an empty parameter is one that was left out (``given``),
but for the positions in a list.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, WithJsonSchema, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from aureum.http.wire.characters import NOT_BLANK, STORABLE, VISIBLE, Characters

EMPTY: JsonSchemaValue = {"type": "string", "const": ""}


class Body(BaseModel):
    """What a client sends in a body."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def empty_is_null(cls, sent: Any) -> Any:
        """*sent* with ``null`` in the place of what is empty in it."""
        if not isinstance(sent, dict):
            return sent
        empty = [
            name
            for name, value in sent.items()
            # Nearly every text begins with a letter or a digit.
            if value.__class__ is str and not value[:1].isalnum() and cls.is_empty(name, value)
        ]
        return sent | dict.fromkeys(empty) if empty else sent

    @classmethod
    def is_empty(cls, name: str, value: str) -> bool:
        """Whether *value* is as good as none for the field that the wire calls *name*."""
        if not value:
            return name in optional(cls)
        return VISIBLE.search(value) is None and "\0" not in value and optional(cls).get(name, False)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema says it of each field whose type has no empty text."""
        found = handler(core_schema)
        properties = handler.resolve_ref_schema(found).get("properties", {})
        for name in optional(cls):
            properties[name] = or_empty(properties[name])
        return found


@cache
def optional(model: type[BaseModel]) -> Mapping[str, bool]:
    """The names on the wire of the fields that may be left out, and whether each is a text."""
    return {
        field.alias or name: is_text(field.annotation, field.metadata)
        for name, field in model.model_fields.items()
        if not field.is_required()
    }


def is_text(kind: Any, about: Sequence[Any] = ()) -> bool:
    """Whether words may stand there: of types made of strings, ids and dates say otherwise in their JSON schema."""
    for schema in (part.json_schema or {} for part in about if isinstance(part, WithJsonSchema)):
        return schema.get("format") == "email"
    if any(isinstance(part, Characters) for part in about):
        return True
    parts = get_args(kind)
    if get_origin(kind) is Annotated:
        return is_text(parts[0], parts[1:])
    return get_origin(kind) is not list and any(map(is_text, parts))


def or_empty(schema: JsonSchemaValue) -> JsonSchemaValue:
    """*schema*, which allows ``null``, and the empty text; a text may also be of blanks alone."""
    kinds = [
        {key: value for key, value in one.items() if key != "minLength"} | STORABLE
        if one.get("pattern") == NOT_BLANK
        else one
        for one in schema.get("anyOf", ())
    ]
    if any(one.get("pattern") == STORABLE["pattern"] for one in kinds):
        return schema | {"anyOf": kinds}
    return schema | {"anyOf": [*kinds[:-1], EMPTY, kinds[-1]]} if kinds else schema


POSITIONS = ("cursor", "changedAfter")
"""What a list has handed out. An empty one was lost on its way: without it, the list would begin again and no client
would
notice."""


def given(parameters: Mapping[str, str]) -> dict[str, str]:
    """Of a query's *parameters* those that say something; of one that is there twice the last."""
    return {name: value for name, value in parameters.items() if value or name in POSITIONS}
