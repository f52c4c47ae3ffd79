"""The OpenAPI 3.1 document, made of the endpoints' declarations and of the models that validate.

document            of all endpoints
└── operation       one endpoint: parameters, body, answers
    ├── openapi_schemas.py   JSON schemas of models
    └── openapi_answers.py   what comes back: a success, and the refusals that follow from the declaration
"""

import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from aureum import __version__
from aureum.http.endpoint import Endpoint
from aureum.http.openapi_answers import ERRORS, refusals, responses
from aureum.http.openapi_schemas import JsonSchema, Schemas, without_null

ABOUT = """The back end of real-estate brokerages: the Aureum API and the Leads API, served by one service.

Every answer has `X-Request-Id`. Any GET may be asked as HEAD; OPTIONS says what an address takes, and what it does not
take is 405 with `Allow`. Lists are bare arrays, newest first. Unknown fields and parameters are ignored.
"""

SECURITY_SCHEMES: Mapping[str, JsonSchema] = {
    "key": {"type": "http", "scheme": "bearer", "bearerFormat": "aur_…", "description": "An API key of a brokerage."},
    "token": {"type": "http", "scheme": "bearer", "description": "The token of a user who has logged in."},
}

# Blanks around a header's value are no part of it (RFC 9110, 5.5).
IDEMPOTENCY_KEY: JsonSchema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": "^[!-~]([ -~]*[!-~])?$",
}
REQUEST_ID = "Names the request; the answer and the log repeat it: up to 128 letters, digits, `.`, `_`, `:` and `-`."


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The whole document, as JSON has it. Takes the *endpoints* that are documented, in their order."""
    shown = [endpoint for endpoint in endpoints if endpoint.documented]
    schemas = Schemas([model for one in shown for model in (one.body, one.answers) if model is not None])
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for endpoint in shown:
        paths[endpoint.path][endpoint.method.lower()] = operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Aureum",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(tag(endpoint) for endpoint in shown)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted({**schemas.components, **ERRORS}.items())),
            "responses": refusals(shown),
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def operation(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    """One endpoint, as the document has it."""
    written: dict[str, Any] = {
        "operationId": name(endpoint),
        "tags": [tag(endpoint)],
        "summary": endpoint.summary,
        "description": description(endpoint),
        "parameters": parameters(endpoint),
        "responses": responses(endpoint, schemas),
        "security": [{scheme: []} for scheme in endpoint.access.schemes],
    }
    if endpoint.access.optional:
        written["security"].append({})
    if endpoint.body is not None:
        content: dict[str, Any] = {"schema": schemas.of(endpoint.body)}
        example = schemas.examples.get(endpoint.body)
        if example is not None:
            content["example"] = example
        written["requestBody"] = {"required": not endpoint.bodiless, "content": {"application/json": content}}
    return written


def name(endpoint: Endpoint) -> str:
    """The function that answers, ``get_leads``; one that several endpoints share has more arguments of its own."""
    run = endpoint.run
    if isinstance(run, partial):
        return "_".join([endpoint.method.lower(), *re.findall(r"\w+", endpoint.path)])
    return run.__name__


def description(endpoint: Endpoint) -> str:
    """The first paragraph of the function's docstring, in Markdown; what it raises is told by the statuses."""
    run = endpoint.run
    text = inspect.getdoc(run.func if isinstance(run, partial) else run) or endpoint.summary
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.sub(r" ?Raises [^.]*(\.|$)", "", paragraph.replace("``", "`"))


def tag(endpoint: Endpoint) -> str:
    """The resource that the path names: ``leads``, ``admin leads``; what is not below ``/api`` is ``operation``."""
    if endpoint.tag:
        return endpoint.tag
    match endpoint.path.strip("/").split("/"):
        case ["api", "v1", "admin", resource, *_]:
            return f"admin {resource}"
        case ["api", resource, *_]:
            return resource
        case _:
            return "operation"


def parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    """In the path, the query and the headers."""
    found = []
    if endpoint.id is not None:
        schema: JsonSchema = {"type": "string", "pattern": endpoint.id.pattern}
        if endpoint.id.number:
            schema = {"type": "integer", "minimum": 0, "maximum": 10**19 - 1}
        found.append({"name": "id", "in": "path", "required": True, "schema": schema})
    found += [query_parameter(endpoint, *field) for field in Schemas.fields(endpoint.query)]
    for header, text, header_schema in headers(endpoint):
        found.append({"name": header, "in": "header", "description": text, "schema": header_schema})
    return found


def query_parameter(endpoint: Endpoint, field: str, schema: JsonSchema, required: bool) -> dict[str, Any]:
    """A field of the query's model; a query has no null."""
    schema = without_null(schema)
    text = schema.pop("description", None)
    return (
        {"name": field, "in": "query", "required": required}
        | ({"description": text} if text else {})
        | {"schema": schema}
    )


def headers(endpoint: Endpoint) -> Iterable[tuple[str, str, JsonSchema]]:
    """The request headers that mean something to the endpoint, besides credentials."""
    text: JsonSchema = {"type": "string"}
    if endpoint.has_etag and endpoint.method == "GET":
        yield "If-None-Match", "The ETag of the answer that the client has: 304 while it is still the same.", text
    if endpoint.method == "PATCH":
        yield "If-Match", "The ETag of what the client has seen: 412 if it has changed since.", text
    if endpoint.method == "POST" and endpoint.idempotent:
        yield (
            "Idempotency-Key",
            "The same key and body within 24 hours get the first answer again, and nothing happens twice.",
            IDEMPOTENCY_KEY,
        )
    yield "X-Request-Id", REQUEST_ID, text
