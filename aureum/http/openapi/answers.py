"""What an endpoint answers, as the OpenAPI document has it: successes, and the refusals that follow from it."""

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
    "description": "What was refused, for a program: one of the codes in docs/errors.md. New codes may come, so that "
    "this is no closed enumeration.",
    "examples": ["invalid_fields"],
    "x-extensible-enum": list(CODES),
}
UPGRADE: JsonSchema = {
    "type": "boolean",
    "description": "With `plan_required` only: `true`, because a higher plan includes it.",
}
REQUIRED_PLAN: JsonSchema = {
    "type": "string",
    "enum": ["Grow", "Elite"],
    "description": "With `plan_required` only: the smallest plan that includes it.",
}

ERRORS: Mapping[str, JsonSchema] = {
    "Error": {
        "type": "object",
        "description": "A refusal of the Aureum API.",
        "properties": {
            "error": {
                "type": "string",
                "description": "A sentence for a person. It names the first field that is not valid, and what is "
                "allowed. It may change; `code` does not.",
            },
            "code": CODE,
            "fields": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "Every field or parameter that is not valid, with a sentence of its own. A field inside "
                "of another is `utm.source`, an item of a list `tags[0]`.",
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
        "description": "A refusal of the Leads API. Its code is in the header `X-Error-Code`.",
        "properties": {
            "detail": {"type": "string", "description": "A sentence for a person."},
            "error": {"type": "string", "description": "With `plan_required` only: the same sentence as `detail`."},
            "upgrade": UPGRADE,
            "requiredPlan": REQUIRED_PLAN,
        },
        "required": ["detail"],
        "additionalProperties": False,
    },
    "LeadsInvalid": {
        "type": "object",
        "description": "What is wrong with the values that were sent.",
        "properties": {
            "detail": {
                "type": "array",
                "minItems": 1,
                "items": {"$ref": "#/components/schemas/Problem"},
                "description": "Every problem, in the order of the fields.",
            }
        },
        "required": ["detail"],
        "additionalProperties": False,
    },
    "Problem": {
        "type": "object",
        "description": "What is wrong with one value.",
        "properties": {
            "loc": {
                "type": "array",
                "items": {"type": ["string", "integer"]},
                "description": "`body`, `query` or `path`, then the field.",
                "examples": [["body", "email"]],
            },
            "msg": {
                "type": "string",
                "description": "What is wrong, for a person.",
                "examples": ["value is not a valid email address"],
            },
            "type": {
                "type": "string",
                "description": "What is wrong, for a program.",
                "examples": ["value_error.email"],
            },
            "ctx": {"type": "object", "description": "The limits that the message names."},
        },
        "required": ["loc", "msg", "type"],
        "additionalProperties": False,
    },
}

MEANINGS: Mapping[int, str] = {
    400: "Not valid. The text names the field and what is allowed.",
    401: "No credentials, or wrong ones.",
    403: "The brokerage's plan or the user's role does not include this.",
    404: "Not there, or not for whoever asks.",
    409: "In conflict with what is there; or the Idempotency-Key was used for another body.",
    412: "It has changed since the ETag in `If-Match`.",
    413: "The body has more than 1,000,000 bytes.",
    415: "The body is not JSON.",
    422: "Not valid. Names each field and what is wrong with it.",
    429: "Too many requests.",
    503: "The database cannot be reached, or too much is going on. Send it again.",
}

DELTA = ' And, with `rel="delta"`, where what changes from now on is found.'

TEXT: JsonSchema = {"type": "string"}
COUNT: JsonSchema = {"type": "integer"}
PAGE = {"text/html": {"schema": TEXT}}
RETRY_AFTER = {"Retry-After": ("Seconds until it is worth another try.", COUNT)}
OF_A_KEY = {
    "X-RateLimit-Limit": ("Requests a minute that the key has.", COUNT),
    "X-RateLimit-Remaining": ("How many of them are left.", COUNT),
    "X-RateLimit-Reset": ("When the minute ends, in Unix seconds.", COUNT),
}
"""In each answer of an endpoint to a key that is valid, a refusal too."""


def responses(endpoint: Endpoint, schemas: Schemas, recorded: Mapping[str, Any]) -> dict[str, Any]:
    """By status, in their order. *recorded* are examples of successes, by status as well."""
    statuses = (endpoint.status, *endpoint.statuses)
    found = {str(status): success(endpoint, schemas, status, recorded.get(str(status))) for status in sorted(statuses)}
    if endpoint.has_etag and endpoint.method == "GET":
        found["304"] = {"description": "The client has it already", "headers": written(common_headers(endpoint))}
    for status in sorted({*implied(endpoint), *endpoint.refusals}):
        found[str(status)] = {"$ref": f"#/components/responses/{endpoint.dialect}_{status}"}
    if endpoint.pages:
        missing = refusal(404, endpoint.dialect, to_keys=False)
        found["404"] = missing | {"description": HTTPStatus(404).phrase, "content": missing["content"] | PAGE}
    return found


def refusals(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Every refusal that one of the *endpoints* gives, by the name under which they refer to it."""
    given = {(one.dialect, status) for one in endpoints for status in (*implied(one), *one.refusals)}
    return {f"{dialect}_{status}": refusal(status, dialect) for dialect, status in sorted(given)}


def success(endpoint: Endpoint, schemas: Schemas, status: int, example: Any) -> dict[str, Any]:
    """What comes back when all is well, such as the *example*."""
    described = {"description": HTTPStatus(status).phrase, "headers": written(answer_headers(endpoint))}
    if status == 204:
        return described
    schema = TEXT if endpoint.answers is None else schemas.of(endpoint.answers)
    content = {"schema": schema} | ({} if example is None else {"example": example})
    return described | {"content": {endpoint.media: content} | (PAGE if endpoint.pages else {})}


def answer_headers(endpoint: Endpoint) -> Iterator[tuple[str, tuple[str, JsonSchema]]]:
    """Of a success."""
    yield from common_headers(endpoint)
    for name, text in endpoint.headers.items():
        yield name, (text, TEXT)


def common_headers(endpoint: Endpoint) -> Iterator[tuple[str, tuple[str, JsonSchema]]]:
    """Of a success or a 304."""
    if endpoint.has_etag:
        yield "ETag", ("The version of the answer, for `If-None-Match`; of one resource also for `If-Match`.", TEXT)
    if endpoint.query is not None and "cursor" in endpoint.query.model_fields:
        delta = DELTA if "changed_after" in endpoint.query.model_fields else ""
        yield "Link", (f'Where the next page is (`rel="next"`), if there is one.{delta}', TEXT)
    if endpoint.method == "POST" and endpoint.idempotent:
        yield "Idempotent-Replayed", ("`true`: this is the first answer again.", {"type": "string", "enum": ["true"]})
    if "key" in endpoint.access.schemes:
        yield from OF_A_KEY.items()
    yield "X-Request-Id", ("The request's id.", TEXT)


def implied(endpoint: Endpoint) -> Iterator[int]:
    """The statuses of the refusals that follow from the declaration."""
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
    if endpoint.method in ("POST", "PATCH"):
        yield from (409, 413)
    if endpoint.method == "PATCH":
        yield 412
    if endpoint.body is not None:
        # A body that is no JSON at all is not valid in either dialect.
        yield from (415, 422 if endpoint.dialect == "leads" else 400)
    if asked:
        yield 429
    yield 503


def refusal(status: int, dialect: Dialect, *, to_keys: bool = True) -> dict[str, Any]:
    """A refusal in its dialect, as it is said to keys too unless it never is."""
    name = "Error" if dialect == "aureum" else "LeadsInvalid" if status == 422 else "LeadsError"
    headers: dict[str, tuple[str, JsonSchema]] = {
        "X-Error-Code": ("What was refused, for a program: one of the codes in docs/errors.md.", TEXT),
        "X-Request-Id": ("The request's id.", TEXT),
    }
    if to_keys and status != 401:
        headers |= {name: (f"To a valid key: {text}", schema) for name, (text, schema) in OF_A_KEY.items()}
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
    """Headers as the document has them."""
    return {name: {"description": text, "schema": schema} for name, (text, schema) in headers}
