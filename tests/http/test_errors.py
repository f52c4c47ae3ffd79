import json
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from aureum.domain import errors as domain
from aureum.http import errors
from aureum.http.errors import Dialect, HttpError, InvalidRequest, PlanRequired, Problem, render

PROBLEM = Problem(("body", "email"), "value is not a valid email address", "value_error.email", "email is wrong.")
EMAIL: dict[str, Any] = {
    "loc": ["body", "email"],
    "msg": "value is not a valid email address",
    "type": "value_error.email",
}


def rendered(error: Exception, dialect: Dialect) -> tuple[int, dict[str, str], Any]:
    status, headers, body = render(error, dialect)
    fields = {name.decode(): value.decode() for name, value in headers}
    assert fields.pop("content-type") == "application/json"
    assert fields.pop("content-length") == str(len(body))
    return status, fields, json.loads(body)


@pytest.mark.parametrize(
    ("error", "aureum", "leads", "text"),
    [
        (domain.NotFound("Lead not found"), 404, 404, "Lead not found"),
        (domain.NotFound(), 404, 404, "Not found"),
        (domain.NotAllowed("Only owners manage keys."), 403, 403, "Only owners manage keys."),
        (domain.AlreadyTaken("The slug is taken."), 409, 409, "The slug is taken."),
        (domain.Conflict("Try again."), 409, 409, "Try again."),
        (domain.StaleVersion("Read it again."), 412, 412, "Read it again."),
        (domain.Busy(message="Soon."), 503, 503, "Soon."),
        (errors.BadHost(), 400, 400, "Invalid Host header"),
        (errors.ClientGone(), 400, 400, "The connection was closed before the whole body had arrived."),
        (errors.BodyTooLarge(10), 413, 413, "The request body is too large: at most 10 bytes are accepted."),
        (
            errors.NotJson(),
            415,
            415,
            "The request body must be JSON: send it with Content-Type: application/json.",
        ),
        (HttpError(400, "Missing Host header"), 400, 400, "Missing Host header"),
        (HTTPException(404), 404, 404, "Not Found"),
        (HTTPException(405, headers={"Allow": "GET"}), 405, 405, "Method Not Allowed"),
        (KeyError("secret"), 500, 500, "Internal server error"),
        (domain.DomainError("unknown kind"), 500, 500, "Internal server error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_one_refusal_in_two_dialects(error: Exception, aureum: int, leads: int, text: str) -> None:
    assert rendered(error, "aureum")[::2] == (aureum, {"error": text})
    assert rendered(error, "leads")[::2] == (leads, {"detail": text})


def test_every_refusal_of_the_domain_has_a_status() -> None:
    kinds = domain.DomainError.__subclasses__()
    assert {kind for kind in kinds if kind.__module__ == domain.__name__} <= set(errors.STATUS)


def test_a_subclass_has_the_status_of_its_parent() -> None:
    class SlugTaken(domain.AlreadyTaken):
        """The slug is taken."""

    assert rendered(SlugTaken(), "aureum") == (409, {}, {"error": "The slug is taken."})


def test_problems_with_values() -> None:
    limited = PROBLEM._replace(loc=("body", "name"), ctx={"limit_value": 1})
    error = InvalidRequest([PROBLEM, limited])
    assert rendered(error, "aureum") == (400, {}, {"error": "email is wrong."})
    items = [EMAIL, EMAIL | {"loc": ["body", "name"], "ctx": {"limit_value": 1}}]
    assert rendered(error, "leads") == (422, {}, {"detail": items})


def test_a_value_that_the_domain_refuses() -> None:
    error = domain.Invalid("status", "status must be one of: new, lost.")
    assert rendered(error, "aureum") == (400, {}, {"error": "status must be one of: new, lost."})
    item = {"loc": ["body", "status"], "msg": "status must be one of: new, lost.", "type": "value_error"}
    assert rendered(error, "leads") == (422, {}, {"detail": [item]})


def test_a_plan_refusal_has_the_aureum_body_on_both_sides() -> None:
    body = {"error": "Webhooks need Elite.", "upgrade": True, "requiredPlan": "Elite"}
    error = PlanRequired("Elite", "Webhooks need Elite.")
    assert rendered(error, "aureum") == (403, {}, body)
    assert rendered(error, "leads") == (403, {}, body | {"detail": "Webhooks need Elite."})
    assert "Grow" in rendered(PlanRequired("Grow"), "aureum")[2]["error"]


def test_headers() -> None:
    assert rendered(domain.Busy(7), "leads")[1] == {"retry-after": "7"}
    assert rendered(HttpError(429, "Slower", {"Retry-After": "3"}), "aureum")[1] == {"retry-after": "3"}
    assert rendered(HTTPException(405, headers={"Allow": "GET, POST"}), "aureum")[1] == {"allow": "GET, POST"}
    assert rendered(HttpError(401, "Who?"), "aureum")[1] == {"www-authenticate": "Bearer"}
    assert rendered(HttpError(401, "Who?", {"WWW-Authenticate": "Basic"}), "leads")[1] == {"www-authenticate": "Basic"}


@pytest.mark.parametrize("dialect", ["aureum", "leads"])
def test_a_text_that_quotes_nonsense_still_renders(dialect: Dialect) -> None:
    problem = PROBLEM._replace(loc=("body", "\ud800"), sentence="\udfff\0")
    for error in (HttpError(400, "\ud800\0"), InvalidRequest([problem]), domain.Invalid("\ud800", "\ud800")):
        assert rendered(error, dialect)[0] in (400, 422)
