import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

import aureum
from aureum.domain import errors as domain
from aureum.http.api.contacts.contact_fields import ContactCreate
from aureum.http.openapi.error_catalogue import catalogue
from aureum.http.wire import errors
from aureum.http.wire.error_codes import CODES, Code
from aureum.http.wire.errors import Dialect, HttpError, InvalidRequest, PlanRequired, Problem, render
from aureum.http.wire.validation import MISSING_BODY, NOT_AN_OBJECT, json_problem, validate

PAGE = Path(__file__).parents[3] / "docs" / "errors.md"
CODE_LIST = "error_codes.py"

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
    code = fields.pop("x-error-code")
    content = json.loads(body)
    if dialect == "aureum":
        assert content.pop("code") == code
    return status, fields, content


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
        (errors.BodyTooLarge(10), 413, 413, "The request body is too large. The limit is 10 bytes."),
        (
            errors.NotJson(),
            415,
            415,
            "The request body must be JSON. Send it with Content-Type: application/json.",
        ),
        (HttpError("host_missing", "Missing Host header"), 400, 400, "Missing Host header"),
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


def test_every_refusal_of_the_domain_has_a_code() -> None:
    kinds = [kind for kind in vars(domain).values() if isinstance(kind, type) and issubclass(kind, domain.DomainError)]
    assert set(kinds) == {domain.DomainError, *errors.DOMAIN}


def test_a_subclass_has_the_code_of_its_parent() -> None:
    class NameTaken(domain.AlreadyTaken):
        """The name is taken."""

    assert rendered(NameTaken(), "aureum") == (409, {}, {"error": "The name is taken."})
    assert errors.code_of(NameTaken()) == "already_taken"


def test_every_code_is_described_and_used() -> None:
    assert set(CODES) == set(get_args(Code)), "each has its line in CODES, and each line is a Code"
    source = "".join(path.read_text() for path in Path(aureum.__file__).parent.rglob("*.py") if path.name != CODE_LIST)
    assert [code for code in CODES if f'"{code}"' not in source] == [], "nothing raises these: take them out"
    for code, meaning in CODES.items():
        assert re.fullmatch("[a-z]+(_[a-z]+)*", code)
        assert meaning.means.endswith(".") and meaning.remedy.endswith("."), code
    page = catalogue()
    assert all(page.count(f"| `{code}` |") == 1 for code in CODES), "each stands in a section of the catalogue"


def test_the_page_of_codes_is_what_would_be_made_now() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "aureum", "openapi", "--errors"], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    assert made == catalogue()
    assert PAGE.read_text() == made, "run: .venv/bin/aureum openapi --errors >docs/errors.md"


def test_problems_with_values() -> None:
    limited = PROBLEM._replace(loc=("body", "name"), ctx={"limit_value": 1})
    error = InvalidRequest([PROBLEM, limited])
    fields = {"email": "email is wrong.", "name": "email is wrong."}
    assert rendered(error, "aureum") == (400, {}, {"error": "email is wrong.", "fields": fields})
    items = [EMAIL, EMAIL | {"loc": ["body", "name"], "ctx": {"limit_value": 1}}]
    assert rendered(error, "leads") == (422, {}, {"detail": items})


def test_a_value_that_the_domain_refuses() -> None:
    error = domain.Invalid("status", "status must be one of: new, lost.")
    said = "status must be one of: new, lost."
    assert rendered(error, "aureum") == (400, {}, {"error": said, "fields": {"status": said}})
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
    assert rendered(HttpError("rate_limited", "Slower", {"Retry-After": "3"}), "aureum")[1] == {"retry-after": "3"}
    assert rendered(HTTPException(405, headers={"Allow": "GET, POST"}), "aureum")[1] == {"allow": "GET, POST"}
    assert rendered(HttpError("credentials_missing", "Who?"), "aureum")[1] == {"www-authenticate": "Bearer"}
    assert rendered(HttpError("login_failed", "Who?", {"WWW-Authenticate": "Basic"}), "leads")[1] == {
        "www-authenticate": "Basic"
    }


@pytest.mark.parametrize("dialect", ["aureum", "leads"])
def test_a_text_that_quotes_nonsense_still_renders(dialect: Dialect) -> None:
    problem = PROBLEM._replace(loc=("body", "\ud800"), sentence="\udfff\0")
    for error in (HttpError("host_invalid", "\ud800\0"), InvalidRequest([problem]), domain.Invalid("\ud800", "\ud800")):
        assert rendered(error, dialect)[0] in (400, 422)


def test_fields_are_those_that_are_wrong_each_once() -> None:
    """As ``Problem.field`` names them: of nested ones their way, of a rule about several the one it is told of."""
    deep = PROBLEM._replace(loc=("body", "utm", "source"), sentence="a")
    item = PROBLEM._replace(loc=("body", "tags", 0), sentence="b")
    second = item._replace(sentence="c")
    whole = PROBLEM._replace(loc=("body", "__root__"), sentence="d", about="name")
    error = InvalidRequest([deep, item, second, whole])
    assert rendered(error, "aureum")[2]["fields"] == {"utm.source": "a", "tags[0]": "b", "name": "d"}
    assert error.code == "invalid_fields"
    assert InvalidRequest([PROBLEM._replace(loc=("query", "limit"))]).code == "invalid_parameters"


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (MISSING_BODY, "body_missing"),
        (NOT_AN_OBJECT, "body_not_object"),
        (json_problem(b"{", orjson.JSONDecodeError("", "{", 0)), "body_not_json"),
    ],
)
def test_a_body_as_a_whole_has_no_fields(problem: Problem, code: str) -> None:
    status, headers, body = render(InvalidRequest([problem]), "aureum")
    assert (status, dict(headers)[b"x-error-code"].decode()) == (400, code)
    assert json.loads(body) == {"error": problem.sentence, "code": code}
    assert render(InvalidRequest([problem]), "leads")[0] == 422


BAD: dict[str, Any] = {
    "firstName": ["", None, 7, "\0", "x" * 201],
    "lastName": [" ", False, {}],
    "email": ["john@", 7, "a" * 300 + "@example.com"],
    "phone": [{}, "1" * 101],
    "type": ["FRIEND", 3],
    "score": [101, -1, "many"],
}
GOOD = {
    "firstName": "John",
    "lastName": "Smith",
    "email": "john@example.com",
    "phone": "1",
    "type": "BUYER",
    "score": 1,
}


@given(
    st.dictionaries(st.sampled_from(sorted(BAD)), st.integers(0, 4), min_size=1),
    st.lists(st.sampled_from(["vip", 7, "", None]), max_size=4),
)
def test_every_bad_field_is_named_and_no_other(bad: dict[str, int], tags: list[Any]) -> None:
    body = GOOD | {name: BAD[name][which % len(BAD[name])] for name, which in bad.items()} | {"tags": tags}
    with pytest.raises(InvalidRequest) as refused:
        validate(ContactCreate, body)

    status, _, said = rendered(refused.value, "aureum")
    wrong = {f"tags[{place}]" for place, tag in enumerate(tags) if tag != "vip"}
    assert (status, set(said["fields"])) == (400, bad.keys() | wrong)
    assert said["error"] == next(iter(said["fields"].values()))
    assert all(text.startswith(name) for name, text in said["fields"].items())
