"""JSON schemas of the models that validate, as the OpenAPI document has them."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

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
        self._found = {key: schema for (key, _), schema in found.items()}
        self.components: dict[str, JsonSchema] = {
            name: tidied(schema) for name, schema in definitions.get("$defs", {}).items()
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
            schema = tidied(model.model_json_schema(ref_template=REFERENCE, schema_generator=Untitled))
            for name, field in schema.get("properties", {}).items():
                yield name, field, name in schema.get("required", ())


def tidied(schema: JsonSchema) -> JsonSchema:
    """*schema* with its ``example`` as JSON Schema has it, and without defaults that say nothing."""
    changed = {key: _tidied(value) for key, value in schema.items() if (key, value) != ("default", None)}
    if isinstance(changed.get("description"), str):
        changed["description"] = " ".join(changed["description"].replace("``", "`").split())
    if "example" in changed:
        changed["examples"] = [changed.pop("example")]
    return changed


def _tidied(value: Any) -> Any:
    if isinstance(value, dict):
        return tidied(value)
    return [_tidied(item) for item in value] if isinstance(value, list) else value


def without_null(schema: JsonSchema) -> JsonSchema:
    """*schema* less the ``null`` that it allows."""
    some = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(some) == 1:
        return {**some[0], **rest}
    return {"anyOf": some, **rest} if some else rest
