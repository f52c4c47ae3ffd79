"""JSON schemas of the models that validate, as the OpenAPI document has them.

They are written so that generators of clients make of them what is meant. A default is told in words: a field with a
``default`` that may be left out is taken for one that must be there. What is always ``true`` is a boolean. Names of
models are those of the API: ``LeadCreate`` is sent, ``LeadChange`` changes, ``LeadResponse`` comes back.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from aureum.http.openapi.words import meaning

JsonSchema = dict[str, Any]

REFERENCE = "#/components/schemas/{model}"


class Untitled(GenerateJsonSchema):
    """Without the title that pydantic makes of every field's name; everything in the order that the models have."""

    def sort(self, value: JsonSchema, parent_key: str | None = None) -> JsonSchema:
        return value

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class Schemas:
    """The schemas of *types*: models, and lists of them. ``components`` are those that others refer to."""

    def __init__(self, types: Iterable[Any]) -> None:
        adapters = {repr(kind): TypeAdapter[Any](kind) for kind in types}
        inputs = [(key, "validation", adapter) for key, adapter in adapters.items()]
        found, definitions = TypeAdapter.json_schemas(
            inputs,  # type: ignore[arg-type]  # a list of the same tuples, whose mode is a literal
            ref_template=REFERENCE,
            schema_generator=Untitled,
        )
        self._found: dict[str, JsonSchema] = {key: renamed(schema) for (key, _), schema in found.items()}
        self.components: dict[str, JsonSchema] = {
            public(name): renamed(described(name, tidied(schema)))
            for name, schema in definitions.get("$defs", {}).items()
        }
        self.examples: dict[type[BaseModel], Any] = {}
        for kind in types:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                self._learn(kind)

    def of(self, kind: Any) -> JsonSchema:
        """The schema of one of the types, mostly a reference."""
        return self._found[repr(kind)]

    def _learn(self, model: type[BaseModel]) -> None:
        schema = self.components[self.of(model)["$ref"].rpartition("/")[2]]
        for example in schema.get("examples", [])[:1]:
            self.examples[model] = example

    @staticmethod
    def fields(model: type[BaseModel] | None) -> Iterator[tuple[str, JsonSchema, bool]]:
        """Name on the wire, schema, and whether it is required, of every field."""
        if model is not None:
            schema: JsonSchema = renamed(
                tidied(model.model_json_schema(ref_template=REFERENCE, schema_generator=Untitled))
            )
            for name, field in schema.get("properties", {}).items():
                yield name, field, name in schema.get("required", ())


def tidied(schema: JsonSchema) -> JsonSchema:
    """*schema* with its ``example`` as JSON Schema has it, without defaults that say nothing, and with what is always
    ``true`` as a boolean."""
    changed = {key: _tidied(value) for key, value in schema.items() if (key, value) != ("default", None)}
    if changed.get("const") is True:
        del changed["const"]
    if isinstance(changed.get("description"), str):
        changed["description"] = " ".join(changed["description"].replace("``", "`").split())
    if "example" in changed:
        changed["examples"] = [changed.pop("example")]
    return changed


def _tidied(value: Any) -> Any:
    if isinstance(value, dict):
        return tidied(value)
    return [_tidied(item) for item in value] if isinstance(value, list) else value


def described(model: str, schema: JsonSchema) -> JsonSchema:
    """*schema* of a model with a description of each property; a default is told there."""
    schema = {key: value for key, value in schema.items() if key != "title"}
    if PAGE_OF.fullmatch(model):
        schema["description"] = "One page of a list. A page after the last one has no items."
    properties = schema.get("properties", {})
    for name, field in properties.items():
        text = str(field.get("description") or meaning(model, name))
        default = field.pop("default", None)
        if isinstance(default, str | bool | int) and "Default" not in text:
            text = f"{text.rstrip('.')}. Default: `{orjson.dumps(default).decode().strip(chr(34))}`."
        # First what it means, then how it is written.
        properties[name] = {"description": text, **{key: value for key, value in field.items() if key != "description"}}
    return schema


PAGE_OF = re.compile(r"NumberedPage_(?:Union_)?([A-Za-z]+?)(?:Response)?_\w*")


OF_BATCH = re.compile(r"(BatchResponse|RowMade)_([A-Za-z]+?)Response_")


def public(model: str) -> str:
    """What a model is called in the API: its own name, but for pages: ``NumberedPage_LeadResponse_`` → ``LeadPage``,
    and for batches: ``BatchResponse_LeadResponse_`` → ``LeadBatchResponse``."""
    if batch := OF_BATCH.fullmatch(model):
        return f"{batch[2]}{batch[1]}"
    return PAGE_OF.sub(r"\1Page", model) if PAGE_OF.fullmatch(model) else model


REFERRED = re.compile(REFERENCE.format(model=r"(\w+)"))


def renamed(schema: Any) -> Any:
    """*schema* with models called as in the API wherever it refers to them."""
    if isinstance(schema, dict):
        return {key: renamed(value) for key, value in schema.items()}
    if isinstance(schema, list):
        return [renamed(value) for value in schema]
    found = REFERRED.fullmatch(schema) if isinstance(schema, str) else None
    return schema if found is None else REFERENCE.format(model=public(found[1]))


def without_null(schema: JsonSchema) -> JsonSchema:
    """*schema* less the ``null`` that it allows."""
    some = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(some) == 1:
        return {**some[0], **rest}
    return {"anyOf": some, **rest} if some else rest
