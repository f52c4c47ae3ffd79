"""Refusals at the HTTP edge, and how any refusal looks in the two error dialects.

    HttpError                 a status, a text for a person, perhaps headers (Retry-After, Allow)
    ├── BadHost       400     Host is not one valid name
    │   └── BadForwardedHost  X-Forwarded-Host is not
    ├── ClientGone    400     nobody is left to answer
    ├── PlanRequired  403     the brokerage's plan does not include this
    ├── BodyTooLarge  413
    ├── NotJson       415
    ├── OwnWebhook    410     one of our own webhooks has come back
    └── InvalidRequest        a list of problems with the values sent: 400 in the Aureum API, 422 in the Leads API

The Aureum API says ``{"error": "text"}``, the Leads API ``{"detail": "text"}`` or, for problems with values,
``{"detail": [{"loc": …, "msg": …, "type": …}]}``. Refusals by the domain get their status from ``STATUS``;
Starlette's own (no such path, wrong method) are rendered too.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import orjson
from starlette.exceptions import HTTPException

from aureum.domain.errors import (
    AlreadyTaken,
    Busy,
    Conflict,
    DomainError,
    Invalid,
    NotAllowed,
    NotFound,
    SiteChanged,
    StaleVersion,
    TooMany,
    WrongState,
)

Dialect = Literal["aureum", "leads"]


class HttpError(Exception):
    """The request was refused."""

    def __init__(
        self, status: int, text: str | None = None, headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        """*text* is for a person (default: the class docstring); *extra* fields stand beside it in the body."""
        self.text = text or type(self).__doc__ or ""
        super().__init__(self.text)
        self.status = status
        self.headers = headers or {}
        self.extra = extra


class BadHost(HttpError):
    """Invalid Host header"""

    def __init__(self, text: str | None = None) -> None:
        super().__init__(400, text)


class BadForwardedHost(BadHost):
    """Invalid X-Forwarded-Host header"""


class ClientGone(HttpError):
    """The connection was closed before the whole body had arrived."""

    def __init__(self) -> None:
        super().__init__(400)


class PlanRequired(HttpError):
    """The brokerage's plan does not include this."""

    def __init__(self, plan: str, text: str | None = None) -> None:
        """*plan*: the smallest plan that includes it, spelled as the document does: ``Grow`` or ``Elite``."""
        default = f"This needs the {plan} plan or higher. Upgrade the plan to use it."
        super().__init__(403, text or default, upgrade=True, requiredPlan=plan)


class BodyTooLarge(HttpError):
    """The request body is too large."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"The request body is too large: at most {limit} bytes are accepted.")


class NotJson(HttpError):
    """The request body must be JSON: send it with Content-Type: application/json."""

    def __init__(self) -> None:
        super().__init__(415)


class OwnWebhook(HttpError):
    """One of our own webhooks has come back. 410: whoever sent it disables the endpoint, and its owner is told."""

    def __init__(self) -> None:
        super().__init__(
            410,
            "This is a webhook of Aureum's own (X-Aureum-Event), and those may change nothing here: what they change "
            "would send the next one, without end. Send them to another system.",
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


class InvalidRequest(HttpError):
    """The request is not valid."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(400, problems[0].sentence)
        self.problems = problems


STATUS: Mapping[type[Exception], tuple[int, int]] = {
    # refusal        Aureum  Leads
    Invalid:        (400, 422),
    InvalidRequest: (400, 422),
    NotAllowed:     (403, 403),
    NotFound:       (404, 404),
    AlreadyTaken:   (409, 409),
    WrongState:     (409, 409),
    Conflict:       (409, 409),
    SiteChanged:    (409, 409),
    StaleVersion:   (412, 412),
    TooMany:        (429, 429),
    Busy:           (503, 503),
}  # fmt: skip

INTERNAL = "Internal server error"
"""All that a client learns of an error nobody foresaw."""

CHALLENGE = (b"www-authenticate", b"Bearer")
"""RFC 9110, 15.5.2: every 401 names how to authenticate."""


def render(error: Exception, dialect: Dialect) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """The answer to a refused request: status, ASGI headers, body. Anything unforeseen is 500 and says nothing more."""
    status = _status(error, dialect)
    headers: Mapping[str, str] = {}
    if isinstance(error, HttpError):
        text, headers, extra = error.text, error.headers, error.extra
    elif isinstance(error, HTTPException):
        text, headers, extra = error.detail, error.headers or {}, {}
    elif isinstance(error, DomainError) and status != 500:
        text, extra = str(error), {}
        if isinstance(error, Busy):
            headers = {"Retry-After": str(error.retry_after)}
    else:
        text, extra = INTERNAL, {}
    content = _clean({"error": text, **extra} if dialect == "aureum" else _leads(error, text, extra))
    body = orjson.dumps(content)
    lines = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    lines += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    if status == 401 and not any(name == CHALLENGE[0] for name, _ in lines):
        lines.append(CHALLENGE)
    return status, lines, body


def _status(error: Exception, dialect: Dialect) -> int:
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind][dialect == "leads"]
    if isinstance(error, HTTPException):
        return error.status_code
    return error.status if isinstance(error, HttpError) else 500


def _leads(error: Exception, text: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(error, InvalidRequest):
        return {"detail": [_item(problem) for problem in error.problems]}
    if isinstance(error, Invalid):
        return {"detail": [{"loc": ["body", error.field], "msg": text, "type": "value_error"}]}
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
