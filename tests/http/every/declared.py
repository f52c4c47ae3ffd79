"""What can be told of an endpoint from its declaration: the tests' parameters, its schema, its refusals."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple, get_origin

import pytest
from jsonschema_rs import Draft202012Validator
from pydantic import BaseModel

from aureum.http.contract.endpoint import Endpoint
from aureum.http.server.routes import ENDPOINTS
from tests.http.serving import Answer

FOREIGN_AGENT = re.compile("Agent -?[0-9]+ does not belong to brokerage [0-9]+")

Schema = dict[str, Any]
Path = tuple[str, ...]

PAGES = ("/api/logo", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/api/newsletter/unsubscribe")
"""Whatever begins like these is not made of events: it has no ETag that tells of them."""


def every(holds: Callable[[Endpoint], Any] = lambda _: True) -> pytest.MarkDecorator:
    """A test for each *endpoint* of which something *holds*."""
    return parametrized([endpoint for endpoint in ENDPOINTS if holds(endpoint)])


def parametrized(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("endpoint", endpoints, ids=[f"{one.method} {one.path}" for one in endpoints])


def declared(method: str, path: str) -> Endpoint | None:
    """The endpoint, if there is one."""
    return next((one for one in ENDPOINTS if (one.method, one.path) == (method, path)), None)


def of_events(endpoint: Endpoint) -> bool:
    """Whether its answer is made of events."""
    return endpoint.path != "/" and not endpoint.path.startswith(PAGES)


def is_list(endpoint: Endpoint) -> bool:
    """Whether it answers with all resources of a kind, or a page of them."""
    whole = get_origin(endpoint.answers) is list or "page_size" in query_fields(endpoint)
    return endpoint.method == "GET" and endpoint.id is None and whole


def has_numbers(path: str) -> bool:
    """Whether what stands below *path* goes by a number."""
    return any(one.id is not None and one.id.number for one in ENDPOINTS if collection(one) == path)


def collection(endpoint: Endpoint) -> str:
    """``/api/leads/{id}/convert`` → ``/api/leads``."""
    return endpoint.path.partition("/{id}")[0]


def query_fields(endpoint: Endpoint) -> list[str]:
    """What may stand in its query, as it is spelled there."""
    fields = endpoint.query.model_fields if endpoint.query else {}
    return [field.alias or name for name, field in fields.items()]


class Field(NamedTuple):
    """A field of a body: the names that lead to it, and its schema."""

    path: Path
    schema: Schema

    @property
    def name(self) -> str:
        return ".".join(self.path)


@cache
def schema_of(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


@cache
def fields_of(model: type[BaseModel]) -> tuple[Field, ...]:
    """Every field of a body, those of objects in it too."""
    schema = schema_of(model)
    return tuple(_fields(schema, schema.get("$defs", {}), ()))


def _fields(schema: Schema, defs: Schema, above: Path) -> Iterator[Field]:
    for name, own in schema.get("properties", {}).items():
        plain = _plain(own, defs)
        yield Field((*above, name), plain)
        yield from _fields(plain, defs, (*above, name))


def _plain(schema: Schema, defs: Schema) -> Schema:
    """A schema without the indirections that pydantic writes: the one that is not ``null``, whatever is referred to."""
    for one in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        if one.get("type") != "null":
            schema = {**schema, **one}
            break
    if "$ref" in schema:
        schema = {**defs[schema["$ref"].rpartition("/")[2]], **schema}
        del schema["$ref"]
    if "items" in schema:
        return {**schema, "items": _plain(schema["items"], defs)}
    return schema


def is_text(schema: Schema) -> bool:
    """Whether any words may stand there."""
    return schema.get("type") == "string" and not {"enum", "const", "format"} & set(schema)


def example_of(endpoint: Endpoint) -> dict[str, Any] | None:
    """The body that the declaration shows; without one, the examples of its required fields."""
    if endpoint.body is None:
        return None
    schema = schema_of(endpoint.body)
    for example in (schema.get("example"), *schema.get("examples", ())):
        if isinstance(example, dict):
            return dict(example)
    required = {name: schema["properties"][name] for name in schema.get("required", ())}
    assert all("examples" in one for one in required.values()), (
        f"The body of {endpoint.method} {endpoint.path} needs an example: add one to json_schema_extra of its model."
    )
    return {name: one["examples"][0] for name, one in required.items()}


@cache
def validator(model: type[BaseModel]) -> Draft202012Validator:
    return Draft202012Validator(schema_of(model))


def allows(model: type[BaseModel], body: Any) -> bool:
    """Whether the schema that clients read allows *body*, less what is ignored but from a platform admin."""
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name != "brokerage_id"}
    return validator(model).is_valid(body)


def names(endpoint: Endpoint, said: str, field: str) -> bool:
    """Whether a refusal of a value names the *field*, or says what the Leads API document says of a foreign agent."""
    of_agent = field == "assigned_agent_id" and endpoint.dialect == "leads" and FOREIGN_AGENT.fullmatch(said)
    return field in said or bool(of_agent)


def refusal(endpoint: Endpoint, answer: Answer) -> str:
    """What a refusal says, which is in the endpoint's dialect; a list of problems as JSON."""
    assert 400 <= answer.status < 500, answer
    assert answer.headers["content-type"] == "application/json"
    said = answer.json
    if endpoint.dialect == "aureum":
        of_plan = answer.code == "plan_required" and set(said) == {"error", "code", "upgrade", "requiredPlan"}
        of_values = answer.code.startswith("invalid_") and set(said) == {"error", "code", "fields"}
        assert of_plan or of_values or set(said) == {"error", "code"}, said
        assert said["code"] == answer.code
        if answer.code in ("invalid_fields", "invalid_parameters"):
            assert said["error"] in said["fields"].values(), "the text is that of the first field that is named"
        text = said["error"]
    else:
        assert set(said) == {"detail"}, said
        text = said["detail"]
    if isinstance(text, str):
        assert len(text.split()) > 1, "a sentence for a person"
        return text
    assert endpoint.dialect == "leads" and text, said
    for item in text:
        assert {"loc", "msg", "type"} <= set(item) <= {"loc", "msg", "type", "ctx"}, item
        assert item["loc"][0] in ("body", "query", "path") and item["msg"] and item["type"], item
    return json.dumps(text)
