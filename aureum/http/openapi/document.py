"""The OpenAPI 3.1 document, made of the endpoints' declarations and of the models that validate.

document            of all endpoints
├── operation       one endpoint: parameters, body, answers
│   ├── schemas.py   JSON schemas of models
│   ├── answers.py   what comes back: a success, and the refusals that follow from the declaration
│   └── examples.py  real answers, which the tests have recorded
├── webhooks.py      what is sent to webhooks
└── words.py         what fields and tags mean
"""

import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel

from aureum import __version__
from aureum.http.contract.answers import ETAGS
from aureum.http.contract.endpoint import Endpoint
from aureum.http.openapi.answers import ERRORS, refusals, responses
from aureum.http.openapi.examples import examples
from aureum.http.openapi.schemas import JsonSchema, Schemas, without_null
from aureum.http.openapi.webhooks import TAG as MESSAGE_TAG
from aureum.http.openapi.webhooks import webhooks
from aureum.http.openapi.words import IDS, PARTS, TAGS
from aureum.http.wire.sent import POSITIONS

ABOUT = """The back end of a real-estate CRM. One service has two APIs: the Aureum API and the Leads API.

Every response has an `X-Request-Id`. Every GET endpoint also accepts HEAD. OPTIONS lists the methods of a path, and any
other method gets 405 with `Allow`. Lists are bare arrays, newest first. Their `Link` header has the next page, and the
address of later changes. Unknown fields are ignored. On lists of the Aureum API an unknown query parameter is 400,
unless its name begins with `_`. All other endpoints ignore unknown parameters.

In an optional field `""` means the same as `null`. An empty query parameter means the same as none. A date without a
time means midnight in the brokerage's time zone. In single-line texts, line breaks become spaces.

Every error has a code for programs. The Aureum API sends it as `code` in the body, and both APIs send it in the header
`X-Error-Code`. Public endpoints find the brokerage by `Host`, so send them to the brokerage's domain.
"""

SECURITY_SCHEMES: Mapping[str, JsonSchema] = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "aur_…",
        "description": "An API key of a brokerage. It has the access of a broker.",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "aut_…",
        "description": "A user's token, from `POST /api/v1/auth/login`. It has the access of the user's role, and is "
        "valid for twelve hours.",
    },
}

ANY_SERVER: JsonSchema = {
    "url": "{scheme}://{host}",
    "description": "An installation of Aureum.",
    "variables": {
        "scheme": {"enum": ["https", "http"], "default": "http", "description": "`https`, except for tests."},
        "host": {"default": "localhost:8000", "description": "Host and port of the server."},
    },
}
"""Where the API is, if AUREUM_PUBLIC_URL does not say. Not ``/``, of which some tools make no base URL."""

IF_MATCH: JsonSchema = {"type": "string", "pattern": ETAGS, "examples": ['"v3"']}

# Blanks around a header's value are no part of it (RFC 9110, 5.5).
IDEMPOTENCY_KEY: JsonSchema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": "^[!-~]([ -~]*[!-~])?$",
}
REQUEST_ID = (
    "An id for the request, which the response and the log repeat. Up to 128 letters, digits, `.`, `_`, `:` and `-`."
)


def document(
    endpoints: Iterable[Endpoint], messages: Mapping[str, type[BaseModel]], public_url: str | None = None
) -> dict[str, Any]:
    """The whole document, as JSON has it. Takes the *endpoints* that are documented, in their order.

    *messages* are the bodies of webhooks by event, *public_url* is where clients reach the endpoints.
    """
    shown = [endpoint for endpoint in endpoints if endpoint.documented]
    models = [model for one in shown for model in (one.body, one.answers) if model is not None]
    schemas = Schemas([*models, *messages.values()])
    tags = dict.fromkeys([*(tag(endpoint) for endpoint in shown), MESSAGE_TAG])
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for endpoint in shown:
        paths[endpoint.path][endpoint.method.lower()] = operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Aureum",
            "version": __version__,
            "description": ABOUT,
            "contact": {"name": "Aureum"},
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url, "description": "This installation."} if public_url else ANY_SERVER],
        "tags": [{"name": name, "description": TAGS.get(name, "")} for name in tags],
        "paths": paths,
        "webhooks": webhooks(messages, schemas, examples().messages),
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
        "responses": responses(endpoint, schemas, examples().answers.get(name(endpoint), {})),
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
    if endpoint.uploads:
        written["requestBody"] = {"required": True, "content": {"multipart/form-data": UPLOADED}}
    return written


UPLOADED = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary", "minLength": 1, "description": "The file."}},
    },
    "example": {"file": "Name,Email\nJane Doe,jane@example.com\n"},
}
"""A file as the document has it: generators make functions of forms, and none of files that are the whole body."""


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
        text = IDS.get(endpoint.path.partition("/{id}")[0], "The id of the resource.")
        schema: JsonSchema = {"type": "string", "pattern": endpoint.id.pattern}
        if endpoint.id.number:
            schema = {"type": "integer", "minimum": 0, "maximum": 10**19 - 1}
        found.append({"name": "id", "in": "path", "required": True, "description": text, "schema": schema})
    if endpoint.part is not None:
        part, kind = endpoint.part
        schema = {"type": "string", "pattern": kind.pattern}
        found.append({"name": part, "in": "path", "required": True, "description": PARTS[part], "schema": schema})
    found += [query_parameter(endpoint, *field) for field in Schemas.fields(endpoint.query)]
    for header, text, header_schema in headers(endpoint):
        found.append({"name": header, "in": "header", "description": text, "schema": header_schema})
    return found


def query_parameter(endpoint: Endpoint, field: str, schema: JsonSchema, required: bool) -> dict[str, Any]:
    """A field of the query's model; a query has no null, and an empty parameter is one that was left out."""
    schema = without_null(schema)
    text = schema.pop("description", None)
    return (
        {"name": field, "in": "query", "required": required}
        | ({} if required or field in POSITIONS else {"allowEmptyValue": True})
        | ({"description": text} if text else {})
        | {"schema": schema}
    )


def headers(endpoint: Endpoint) -> Iterable[tuple[str, str, JsonSchema]]:
    """The request headers that mean something to the endpoint, besides credentials."""
    text: JsonSchema = {"type": "string"}
    if endpoint.has_etag and endpoint.method == "GET":
        yield "If-None-Match", "The ETag of the client's copy. The response is 304 if nothing has changed.", text
    if endpoint.method in ("PATCH", "PUT"):
        yield (
            "If-Match",
            "The ETag of the version that the change is based on. If the resource has changed since, the response "
            "is 412.",
            IF_MATCH,
        )
    if endpoint.method == "POST" and endpoint.idempotent:
        yield (
            "Idempotency-Key",
            "Makes retries safe. For 24 hours, a request with the same key and body gets the first response again, and "
            "is not processed twice.",
            IDEMPOTENCY_KEY,
        )
    yield "X-Request-Id", REQUEST_ID, text
