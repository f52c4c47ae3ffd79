"""The responses of an endpoint in the OpenAPI document: successes, and the errors that follow from its declaration."""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from aureum.http.contract.endpoint import Endpoint
from aureum.http.openapi.examples import examples
from aureum.http.openapi.schemas import JsonSchema, Schemas
from aureum.http.wire.error_codes import CODES
from aureum.http.wire.errors import Dialect

CODE: JsonSchema = {
    "type": "string",
    "description": "The error code, for programs. docs/errors.md lists all codes. Later versions may add codes, so "
    "this is not a closed enumeration.",
    "examples": ["invalid_fields"],
    "x-extensible-enum": list(CODES),
}
UPGRADE: JsonSchema = {
    "type": "boolean",
    "description": "With `plan_required` only: `true`, because a higher plan includes the endpoint.",
}
REQUIRED_PLAN: JsonSchema = {
    "type": "string",
    "enum": ["Grow", "Elite"],
    "description": "With `plan_required` only: the lowest plan that includes the endpoint.",
}

ERRORS: Mapping[str, JsonSchema] = {
    "Error": {
        "type": "object",
        "description": "An error of the Aureum API.",
        "properties": {
            "error": {
                "type": "string",
                "description": "The error message, for people. It names the first invalid field and what is allowed. "
                "Its wording may change. `code` does not.",
            },
            "code": CODE,
            "fields": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "Every invalid field or parameter, with its own message. A nested field is written "
                "`utm.source`, and an item of a list `tags[0]`.",
                "examples": [{"email": "email must be a valid email address."}],
            },
            "upgrade": UPGRADE,
            "requiredPlan": REQUIRED_PLAN,
        },
        "required": ["error", "code"],
        "additionalProperties": False,
    },
    "LeadsError": {
        "type": "object",
        "description": "An error of the Leads API. Its code is in the header `X-Error-Code`.",
        "properties": {
            "detail": {"type": "string", "description": "The error message, for people."},
            "error": {"type": "string", "description": "With `plan_required` only: the same message as `detail`."},
            "upgrade": UPGRADE,
            "requiredPlan": REQUIRED_PLAN,
        },
        "required": ["detail"],
        "additionalProperties": False,
    },
    "LeadsInvalid": {
        "type": "object",
        "description": "A validation error of the Leads API.",
        "properties": {
            "detail": {
                "type": "array",
                "minItems": 1,
                "items": {"$ref": "#/components/schemas/Problem"},
                "description": "All problems, in the order of the fields.",
            }
        },
        "required": ["detail"],
        "additionalProperties": False,
    },
    "Problem": {
        "type": "object",
        "description": "One invalid value.",
        "properties": {
            "loc": {
                "type": "array",
                "items": {"type": ["string", "integer"]},
                "description": "Where the value is: `body`, `query` or `path`, then the field.",
                "examples": [["body", "email"]],
            },
            "msg": {
                "type": "string",
                "description": "What is wrong, for people.",
                "examples": ["value is not a valid email address"],
            },
            "type": {
                "type": "string",
                "description": "What is wrong, for programs.",
                "examples": ["value_error.email"],
            },
            "ctx": {"type": "object", "description": "The limits that the message mentions."},
        },
        "required": ["loc", "msg", "type"],
        "additionalProperties": False,
    },
}

MEANINGS: Mapping[int, str] = {
    400: "The request is invalid. The message names the field and what is allowed.",
    401: "The credentials are missing or invalid.",
    403: "The brokerage's plan or the user's role does not allow this.",
    404: "The resource does not exist, or is not visible to the caller.",
    409: "The request conflicts with the current state, or its Idempotency-Key was used with another body.",
    412: "The resource has changed since the ETag in `If-Match`.",
    413: "The body is larger than 1,000,000 bytes, or an uploaded file is too large.",
    415: "The body is not JSON.",
    422: "The request is invalid. Each problem names its field.",
    429: "Too many requests.",
    503: "The database is unavailable, or the server is overloaded. Send the request again.",
}

DELTA = ' The address of later changes (`rel="delta"`).'

TEXT: JsonSchema = {"type": "string"}
COUNT: JsonSchema = {"type": "integer"}
PAGE = {"text/html": {"schema": TEXT}}
RETRY_AFTER = {"Retry-After": ("How many seconds to wait before the next attempt.", COUNT)}
OF_A_KEY = {
    "X-RateLimit-Limit": ("Requests per minute that the key allows.", COUNT),
    "X-RateLimit-Remaining": ("Requests left in the current window.", COUNT),
    "X-RateLimit-Reset": ("When the current window ends, in Unix seconds.", COUNT),
}
"""In every response to a valid key, including errors."""


def responses(endpoint: Endpoint, schemas: Schemas, recorded: Mapping[str, Any]) -> dict[str, Any]:
    """The responses of *endpoint* by status. *recorded* has examples of successes by status."""
    statuses = (endpoint.status, *endpoint.statuses)
    found = {str(status): success(endpoint, schemas, status, recorded.get(str(status))) for status in sorted(statuses)}
    if endpoint.has_etag and endpoint.method == "GET":
        found["304"] = {"description": HTTPStatus(304).phrase, "headers": written(common_headers(endpoint))}
    for status in sorted({*implied(endpoint), *endpoint.refusals}):
        found[str(status)] = {"$ref": f"#/components/responses/{endpoint.dialect}_{status}"}
    if endpoint.pages:
        missing = refusal(404, endpoint.dialect, to_keys=False)
        found["404"] = missing | {"description": HTTPStatus(404).phrase, "content": missing["content"] | PAGE}
    return found


def refusals(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Every error of the *endpoints*, by the name that their responses refer to."""
    given = {(one.dialect, status) for one in endpoints for status in (*implied(one), *one.refusals)}
    return {f"{dialect}_{status}": refusal(status, dialect) for dialect, status in sorted(given)}


def success(endpoint: Endpoint, schemas: Schemas, status: int, example: Any) -> dict[str, Any]:
    """The response of a success, with the *example*."""
    described = {"description": HTTPStatus(status).phrase, "headers": written(answer_headers(endpoint))}
    if status == 204:
        return described
    schema = TEXT if endpoint.answers is None else schemas.of(endpoint.answers)
    content = {"schema": schema} | ({} if example is None else {"example": example})
    return described | {"content": {endpoint.media: content} | (PAGE if endpoint.pages else {})}


def answer_headers(endpoint: Endpoint) -> Iterator[tuple[str, tuple[str, JsonSchema]]]:
    """The headers of a success."""
    yield from common_headers(endpoint)
    for name, text in endpoint.headers.items():
        yield name, (text, TEXT)


def common_headers(endpoint: Endpoint) -> Iterator[tuple[str, tuple[str, JsonSchema]]]:
    """The headers of a success or a 304."""
    if endpoint.has_etag:
        yield "ETag", ("The version of the response, for `If-None-Match`; of one resource also for `If-Match`.", TEXT)
    if endpoint.query is not None and "cursor" in endpoint.query.model_fields:
        delta = DELTA if "changed_after" in endpoint.query.model_fields else ""
        yield "Link", (f'The address of the next page (`rel="next"`), if there is one.{delta}', TEXT)
    if endpoint.method == "POST" and endpoint.idempotent:
        yield "Idempotent-Replayed", ("`true`: this repeats the first response.", {"type": "string", "enum": ["true"]})
    if "key" in endpoint.access.schemes:
        yield from OF_A_KEY.items()
    yield "X-Request-Id", ("The request's id.", TEXT)


def implied(endpoint: Endpoint) -> Iterator[int]:
    """The statuses of the errors that follow from the declaration."""
    asked = endpoint.access.resolve is not None
    number = endpoint.id is not None and endpoint.id.number
    checked = endpoint.query is not None or endpoint.body is not None or number
    idempotent = endpoint.method == "POST" and endpoint.idempotent
    if asked or idempotent or (checked and endpoint.dialect == "aureum"):
        yield 400
    if checked and endpoint.dialect == "leads":
        yield 422
    if endpoint.access.schemes:
        yield from (401, 403)
    if asked or endpoint.id is not None:
        yield 404
    if endpoint.method in ("POST", "PATCH", "PUT"):
        yield from (409, 413)
    if endpoint.method in ("PATCH", "PUT"):
        yield 412
    if endpoint.body is not None:
        # A body that is not JSON is invalid in both dialects.
        yield from (415, 422 if endpoint.dialect == "leads" else 400)
    if asked:
        yield 429
    yield 503


def refusal(status: int, dialect: Dialect, *, to_keys: bool = True) -> dict[str, Any]:
    """An error in its dialect. Without *to_keys*, it never goes to an API key and has no rate-limit headers."""
    name = "Error" if dialect == "aureum" else "LeadsInvalid" if status == 422 else "LeadsError"
    headers: dict[str, tuple[str, JsonSchema]] = {
        "X-Error-Code": ("The error code, for programs. docs/errors.md lists all codes.", TEXT),
        "X-Request-Id": ("The request's id.", TEXT),
    }
    if to_keys and status != 401:
        headers |= {name: (f"With a valid key: {text}", schema) for name, (text, schema) in OF_A_KEY.items()}
    if status in (429, 503):
        headers |= RETRY_AFTER
    if status == 401:
        headers["WWW-Authenticate"] = ("How to authenticate: `Bearer`.", TEXT)
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    recorded = examples().refusals.get(f"{dialect}_{status}")
    if recorded:
        content["examples"] = {
            code: {"summary": CODES[code].means.partition(". ")[0].rstrip("."), "value": value}
            for code, value in recorded.items()
        }
    return {
        "description": MEANINGS.get(status, HTTPStatus(status).phrase),
        "headers": written(headers.items()),
        "content": {"application/json": content},
    }


def written(headers: Any) -> dict[str, Any]:
    """*headers* in the form of the document."""
    return {name: {"description": text, "schema": schema} for name, (text, schema) in headers}
