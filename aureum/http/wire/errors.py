"""Refusals at the HTTP edge, and how any refusal looks in the two error dialects.

    HttpError                 a code, a text for a person, perhaps headers (Retry-After, Allow)
    ├── BadHost       400     Host is not one valid name
    │   └── BadForwardedHost  X-Forwarded-Host is not
    ├── ClientGone    400     the client is gone
    ├── PlanRequired  403     the brokerage's plan does not include this
    ├── BodyTooLarge  413
    ├── NotJson       415
    ├── NotForm       415
    ├── EncodedBody   415     it is compressed
    ├── OwnWebhook    410     one of our own webhooks has come back
    └── InvalidRequest        a list of problems with the values sent: 400 in the Aureum API, 422 in the Leads API

The Aureum API says ``{"error": "text", "code": "invalid_fields", "fields": {"email": "text"}}``, the Leads API
``{"detail": "text"}`` or, for problems with values, ``{"detail": [{"loc": …, "msg": …, "type": …}]}``. The header
X-Error-Code has the code in both. Each code has one status, in ``error_codes.CODES``. Refusals by the domain get their
code from ``DOMAIN``; Starlette's own (no such path, wrong method) are rendered too.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import orjson
from starlette.exceptions import HTTPException

from aureum.domain.errors import (
    AlreadyTaken,
    Busy,
    ChangedSince,
    Conflict,
    DayFull,
    DomainError,
    Invalid,
    KeyReused,
    NameTaken,
    NodeAway,
    NotAllowed,
    NotFound,
    SiteChanged,
    SlugTaken,
    StaleVersion,
    TooMany,
    Unavailable,
    WrongState,
)
from aureum.http.wire.error_codes import CODES, Code

Dialect = Literal["aureum", "leads"]


class HttpError(Exception):
    """The request was refused."""

    def __init__(
        self, code: Code, text: str | None = None, headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        """*code* tells the status; *text* is for a person (default: the class docstring); *extra* fields stand beside
        it in the body."""
        self.text = text or type(self).__doc__ or ""
        super().__init__(self.text)
        self.code: Code = code
        self.status = CODES[code].status
        self.headers = headers or {}
        self.extra = extra


class BadHost(HttpError):
    """Invalid Host header"""

    def __init__(self, code: Code = "host_invalid", text: str | None = None) -> None:
        super().__init__(code, text)


class BadForwardedHost(BadHost):
    """Invalid X-Forwarded-Host header"""

    def __init__(self) -> None:
        super().__init__("forwarded_host_invalid")


class ClientGone(HttpError):
    """The connection was closed before the whole body had arrived."""

    def __init__(self) -> None:
        super().__init__("body_incomplete")


class PlanRequired(HttpError):
    """The brokerage's plan does not include this endpoint."""

    def __init__(self, plan: str, text: str | None = None) -> None:
        """*plan*: the smallest plan that includes it, spelled as the document does: ``Grow`` or ``Elite``."""
        default = f"This requires the {plan} plan or higher. Upgrade the plan to use it."
        super().__init__("plan_required", text or default, upgrade=True, requiredPlan=plan)


class BodyTooLarge(HttpError):
    """The request body is too large."""

    def __init__(self, limit: int) -> None:
        super().__init__("body_too_large", f"The request body is too large. The limit is {limit} bytes.")


class NotJson(HttpError):
    """The request body must be JSON. Send it with Content-Type: application/json."""

    def __init__(self) -> None:
        super().__init__("media_type_unsupported")


class NotForm(HttpError):
    """A form must be sent as JSON, application/x-www-form-urlencoded or multipart/form-data."""

    def __init__(self) -> None:
        super().__init__("media_type_unsupported")


class EncodedBody(HttpError):
    """The request body must not be compressed. Send it without Content-Encoding."""

    def __init__(self) -> None:
        super().__init__("encoding_unsupported", headers={"Accept-Encoding": "identity"})


class OwnWebhook(HttpError):
    """One of our own webhooks has come back. The 410 makes the sender disable the endpoint and tell its owner."""

    def __init__(self) -> None:
        super().__init__(
            "own_webhook",
            "This is one of Aureum's own webhooks (X-Aureum-Event). They may not change anything here, because each "
            "change would send the next webhook. Point the webhook at another system.",
        )


class Problem(NamedTuple):
    """What is wrong with one value, in the words of both dialects."""

    loc: tuple[str | int, ...]
    """Where: ``body``, ``query`` or ``path``, then the field as the client spells it."""
    msg: str
    type: str
    sentence: str
    """The Aureum API's text: names the field and what is allowed."""
    ctx: Mapping[str, Any] | None = None
    code: Code | None = None
    """What is wrong with the body as a whole; None for a problem with one value."""
    about: str = ""
    """The field that a rule about several of them is told of."""

    @property
    def field(self) -> str:
        """The value's name: ``tags[0]``, ``utm.source``; blank for the body as a whole."""
        return self.about or ("" if self.code else dotted(self.loc[1:]))


class InvalidRequest(HttpError):
    """The request is invalid."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        of_values: Code = "invalid_fields" if problems[0].loc[0] == "body" else "invalid_parameters"
        super().__init__(problems[0].code or of_values, problems[0].sentence)
        self.problems = problems


DOMAIN: Mapping[type[DomainError], Code] = {
    Invalid: "invalid_fields",
    NotAllowed: "role_not_allowed",
    NotFound: "not_found",
    AlreadyTaken: "already_taken",
    NameTaken: "already_taken",
    SlugTaken: "slug_taken",
    KeyReused: "idempotency_key_reused",
    WrongState: "wrong_state",
    Conflict: "changed_meanwhile",
    ChangedSince: "changed_since",
    SiteChanged: "changed_meanwhile",
    DayFull: "changed_meanwhile",
    StaleVersion: "version_stale",
    TooMany: "rate_limited",
    Busy: "busy",
    Unavailable: "database_unavailable",
    NodeAway: "database_unavailable",
}
"""The code of each refusal by the domain; a kind that is not here has its parent's."""

STARLETTE: Mapping[int, Code] = {404: "path_not_found", 405: "method_not_allowed"}
"""The code of what Starlette refuses, by its status; anything else is a request that it cannot read."""

INTERNAL = "Internal server error"
"""All that a client learns of an unexpected error."""

CHALLENGE = (b"www-authenticate", b"Bearer")
"""RFC 9110, 15.5.2: every 401 names how to authenticate."""


def render(error: Exception, dialect: Dialect) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """The answer to a refused request: status, ASGI headers, body. Anything unforeseen is 500 and says nothing more."""
    code = code_of(error)
    meaning = CODES[code]
    status = meaning.leads_status or meaning.status if dialect == "leads" else meaning.status
    headers: Mapping[str, str] = {}
    extra: Mapping[str, Any] = {}
    if isinstance(error, HttpError):
        text, headers, extra = error.text, error.headers, error.extra
    elif isinstance(error, HTTPException):
        text, headers = error.detail, error.headers or {}
    elif code != "internal_error":
        text = str(error)
        if isinstance(error, Busy):
            headers = {"Retry-After": str(error.retry_after)}
    else:
        text = INTERNAL
    content = _clean(_aureum(error, text, code, extra) if dialect == "aureum" else _leads(error, text, extra))
    body = orjson.dumps(content)
    lines = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    lines += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    lines.append((b"x-error-code", code.encode()))
    if status == 401 and not any(name == CHALLENGE[0] for name, _ in lines):
        lines.append(CHALLENGE)
    return status, lines, body


def code_of(error: Exception) -> Code:
    """What a program reads of *error*."""
    if isinstance(error, HttpError):
        return error.code
    if isinstance(error, HTTPException):
        return STARLETTE.get(error.status_code, "request_unreadable")
    for kind in type(error).__mro__:
        if kind in DOMAIN:
            return DOMAIN[kind]
    return "internal_error"


def dotted(loc: Sequence[str | int]) -> str:
    """``("tags", 0)`` → ``tags[0]``, ``("utm", "source")`` → ``utm.source``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")


def _aureum(error: Exception, text: str, code: Code, extra: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, str] = {}
    if isinstance(error, InvalidRequest):
        for problem in error.problems:
            if problem.field:
                fields.setdefault(problem.field, problem.sentence)
    elif isinstance(error, Invalid):
        fields[error.field] = text
    return {"error": text, "code": code} | ({"fields": fields} if fields else {}) | dict(extra)


def _leads(error: Exception, text: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(error, InvalidRequest):
        return {"detail": [_item(problem) for problem in error.problems]}
    if isinstance(error, Invalid):
        return {"detail": [{"loc": ["body", *error.field.split(".")], "msg": text, "type": "value_error"}]}
    # A plan refusal has the Aureum body plus `detail`, whichever API was asked.
    return {"error": text, **extra, "detail": text} if extra else {"detail": text}


def _item(problem: Problem) -> dict[str, Any]:
    item: dict[str, Any] = {"loc": list(problem.loc), "msg": problem.msg, "type": problem.type}
    return item | {"ctx": dict(problem.ctx)} if problem.ctx else item


def _clean(value: Any) -> Any:
    """*value* without lone surrogates, which have no UTF-8: a text may quote what a client sent."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_clean(name): _clean(item) for name, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list) else value
