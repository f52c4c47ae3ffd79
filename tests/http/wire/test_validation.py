import json
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError, model_validator

from aureum.http.contract.form_fields import Phone
from aureum.http.wire.characters import Characters
from aureum.http.wire.errors import InvalidRequest, Problem, render
from aureum.http.wire.fields import Email, Name, Page, Source, Text, Utm
from aureum.http.wire.nulls import NULL_IS_ABSENT
from aureum.http.wire.times import Time
from aureum.http.wire.validation import problems, validate
from tests.examples import examples

NonBlank = Annotated[str, Characters(blank=False)]
Status = Literal["new", "contacted", "qualified", "showing", "offer", "converted", "lost"]
STATUSES = "new, contacted, qualified, showing, offer, converted, lost"


class Contact(BaseModel):
    """The contact form of the Leads API document."""

    firstName: Name
    lastName: Name
    email: Email
    phone: Phone = None
    subject: NonBlank
    message: NonBlank
    source_page: Page | None = None
    utm_source: Utm | None = None
    utm_medium: Utm | None = None
    utm_campaign: Utm | None = None


DOCUMENTED = {
    "firstName": "John",
    "lastName": "Smith",
    "email": "john.smith@example.com",
    "phone": "208-555-0123",
    "subject": "Interested in property at 123 Main St",
    "message": "I'd like to learn more about this listing...",
    "source_page": "/property/202412345",
    "utm_source": "google",
    "utm_medium": "organic",
    "utm_campaign": "spring-2024",
}


class Owner(BaseModel):
    name: NonBlank


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Everything(BaseModel):
    """One field of each kind that our models use."""

    text: Text | None = None
    name: Name | None = None
    email: Email | None = None
    phone: Phone = None
    source: Annotated[Source, NULL_IS_ABSENT] = "api"
    status: Annotated[Status, NULL_IS_ABSENT] = "new"
    colour: Colour | None = None
    number: int | None = None
    score: Annotated[int, Field(ge=0, le=100)] | None = None
    size: Annotated[float, Field(gt=0, lt=10)] | None = None
    price: Annotated[Decimal, Field(ge=0, max_digits=6, decimal_places=2)] | None = None
    featured: bool | None = None
    tags: Annotated[list[NonBlank], Field(min_length=1, max_length=3)] | None = None
    day: date | None = None
    since: Time | None = None
    owner: Owner | None = None
    counts: dict[str, int] | None = None
    code: Annotated[str, Field(min_length=2, max_length=3)] | None = None


def found(model: type[BaseModel], value: object) -> list[Problem]:
    with pytest.raises(InvalidRequest) as refused:
        validate(model, value)
    return list(refused.value.problems)


def only(model: type[BaseModel], value: object) -> Problem:
    (problem,) = found(model, value)
    return problem


def test_the_documented_form_is_valid() -> None:
    assert validate(Contact, DOCUMENTED).model_dump() == DOCUMENTED


def test_the_documented_error() -> None:
    error = InvalidRequest(found(Contact, DOCUMENTED | {"email": "john.smith"}))
    status, _, body = render(error, "leads")
    assert status == 422
    assert json.loads(body) == {
        "detail": [{"loc": ["body", "email"], "msg": "value is not a valid email address", "type": "value_error.email"}]
    }
    said = "email must be a valid email address."
    assert json.loads(render(error, "aureum")[2]) == {
        "error": said,
        "code": "invalid_fields",
        "fields": {"email": said},
    }


MIN = "ensure this value has at least {} characters"
MAX = "ensure this value has at most {} characters"


@pytest.mark.parametrize(
    ("field", "value", "kind", "msg", "ctx"),
    [
        ("firstName", None, "type_error.none.not_allowed", "none is not an allowed value", None),
        ("firstName", 5, "type_error.str", "str type expected", None),
        ("firstName", ["John"], "type_error.str", "str type expected", None),
        ("firstName", "", "value_error.any_str.min_length", MIN.format(1), {"limit_value": 1}),
        ("firstName", " \t", "value_error.any_str.min_length", MIN.format(1), {"limit_value": 1}),
        ("firstName", "x" * 201, "value_error.any_str.max_length", MAX.format(200), {"limit_value": 200}),
        ("firstName", "Jo\0hn", "value_error", "value holds a NUL character", None),
        ("subject", "Jo\ud800hn", "value_error", "value is not valid Unicode", None),
        ("email", None, "type_error.none.not_allowed", "none is not an allowed value", None),
        ("email", "", "value_error.email", "value is not a valid email address", None),
        ("email", {}, "type_error.str", "str type expected", None),
        ("utm_source", 5, "type_error.str", "str type expected", None),
    ],
)
def test_the_contact_form(field: str, value: object, kind: str, msg: str, ctx: Any) -> None:
    problem = only(Contact, DOCUMENTED | {field: value})
    assert problem[:3] == (("body", field), msg, kind)
    assert problem.ctx == ctx
    assert problem.sentence.startswith(field + " ") and problem.sentence.endswith(".")


def test_all_that_is_missing_is_told_in_the_order_of_the_model() -> None:
    required = ["firstName", "lastName", "email", "subject", "message"]
    expected = [(("body", name), "field required", "value_error.missing", f"{name} is required.") for name in required]
    assert [problem[:4] for problem in found(Contact, {})] == expected


@pytest.mark.parametrize(
    ("field", "value", "kind", "msg", "sentence"),
    [
        ("number", "x", "type_error.integer", "value is not a valid integer", "number must be a whole number."),
        ("number", 1.5, "type_error.integer", "value is not a valid integer", "number must be a whole number."),
        ("number", [], "type_error.integer", "value is not a valid integer", "number must be a whole number."),
        (
            "score",
            -1,
            "value_error.number.not_ge",
            "ensure this value is greater than or equal to 0",
            "score must be 0 or more.",
        ),
        (
            "score",
            101,
            "value_error.number.not_le",
            "ensure this value is less than or equal to 100",
            "score must be 100 or less.",
        ),
        ("size", 0, "value_error.number.not_gt", "ensure this value is greater than 0", "size must be greater than 0."),
        ("size", 10, "value_error.number.not_lt", "ensure this value is less than 10", "size must be less than 10."),
        ("size", "x", "type_error.float", "value is not a valid float", "size must be a number."),
        ("price", "x", "type_error.decimal", "value is not a valid decimal", "price must be a number."),
        (
            "price",
            "1.005",
            "value_error.decimal.max_places",
            "ensure that there are no more than 2 decimal places",
            "price must have at most 2 decimal places.",
        ),
        (
            "price",
            -1,
            "value_error.number.not_ge",
            "ensure this value is greater than or equal to 0",
            "price must be 0 or more.",
        ),
        (
            "price",
            "12345.6",
            "value_error.decimal.whole_digits",
            "ensure that there are no more than 4 digits before the decimal point",
            "price must have at most 4 digits before the decimal point.",
        ),
        (
            "featured",
            "x",
            "type_error.bool",
            "value could not be parsed to a boolean",
            "featured must be true or false.",
        ),
        ("tags", "x", "type_error.list", "value is not a valid list", "tags must be a list."),
        ("tags", [], "value_error.list.min_items", "ensure this value has at least 1 items", None),
        ("tags", ["a"] * 4, "value_error.list.max_items", "ensure this value has at most 3 items", None),
        ("owner", [], "type_error.dict", "value is not a valid dict", "owner must be an object."),
        ("counts", [], "type_error.dict", "value is not a valid dict", "counts must be an object."),
        ("day", "x", "value_error.date", "invalid date format", "day must be a date such as 2025-01-15."),
        ("day", "2025-02-30", "value_error.date", "invalid date format", "day must be a date such as 2025-01-15."),
        ("since", "x", "value_error.datetime", "invalid datetime format", None),
        ("code", "a", "value_error.any_str.min_length", MIN.format(2), "code must have at least 2 characters."),
        ("code", "abcd", "value_error.any_str.max_length", MAX.format(3), "code must have at most 3 characters."),
    ],
)
def test_every_kind_of_error(field: str, value: object, kind: str, msg: str, sentence: str | None) -> None:
    problem = only(Everything, {field: value})
    assert problem[:3] == (("body", field), msg, kind)
    assert sentence in (None, problem.sentence)


def test_problems_inside_lists_and_objects() -> None:
    values = {"tags": ["a", 5], "owner": {"name": ""}, "counts": {"a": "x"}}
    assert [(problem.loc, problem.sentence) for problem in found(Everything, values)] == [
        (("body", "tags", 1), "tags[1] must be a string."),
        (("body", "owner", "name"), "owner.name must not be blank."),
        (("body", "counts", "a"), "counts.a must be a whole number."),
    ]


def test_a_word_that_is_none_of_the_allowed() -> None:
    problem = only(Everything, {"status": "hot"})
    permitted = STATUSES.split(", ")
    assert problem.loc == ("body", "status")
    assert problem.msg == f"unexpected value; permitted: {', '.join(map(repr, permitted))}"
    assert problem.type == "value_error.const"
    assert problem.ctx == {"given": "hot", "permitted": permitted}
    assert problem.sentence == f'status must be one of: {STATUSES}; got "hot".'
    assert only(Everything, {"colour": "green"}).sentence == 'colour must be one of: red, blue; got "green".'


@pytest.mark.parametrize("value", ["208-555-0123", "jane@example.com", "Jane Doe", "x" * 33, "", "\0", 5, [], {}, True])
def test_what_may_be_personal_is_not_repeated(value: object) -> None:
    problem = only(Everything, {"status": value})
    assert problem.sentence == f"status must be one of: {STATUSES}."
    assert problem.ctx == {"permitted": STATUSES.split(", ")}


@given(st.text(min_size=3).filter(lambda text: text.strip() not in ("", "invalid")))
@settings(deadline=None)
def test_no_value_is_repeated(secret: str) -> None:
    mark = f"<{secret}>"
    values = dict.fromkeys(Everything.model_fields, mark) | {"phone": mark}
    for problem in found(Everything, values | {"text": 5, "owner": {"name": "\0" + mark}}):
        assert mark not in problem.sentence and mark not in problem.msg and mark not in str(problem.ctx)


def test_the_whole_body() -> None:
    assert only(Contact, None)[:3] == (("body",), "field required", "value_error.missing")
    assert only(Contact, [])[:3] == (("body",), "value is not a valid dict", "type_error.dict")
    assert only(Contact, []).sentence == "The request body must be a JSON object."


def test_places_other_than_the_body() -> None:
    with pytest.raises(InvalidRequest) as refused:
        validate(Everything, {"number": "x"}, where="query")
    assert refused.value.problems[0].loc == ("query", "number")


class Reachable(BaseModel):
    email: Email | None = None
    phone: Phone = None

    @model_validator(mode="after")
    def _reachable(self) -> "Reachable":
        if not self.email and not self.phone:
            raise ValueError("email or phone is required.")
        return self


def test_a_rule_of_a_model_speaks_for_itself() -> None:
    sentence = "email or phone is required."
    assert only(Reachable, {}) == Problem(("body", "__root__"), sentence, "value_error", sentence)


def test_names_are_spelled_as_in_json() -> None:
    class Aliased(BaseModel):
        assigned_to: Annotated[str, Field(alias="assignedToId")]

    assert only(Aliased, {}).loc == ("body", "assignedToId")
    assert only(Aliased, {"assignedToId": 5}).sentence == "assignedToId must be a string."


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\0", "\ud800", "new", "1e5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("\ud800"), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(Everything.model_fields)), JSON_VALUES) | JSON_VALUES)
@settings(deadline=None, max_examples=examples(500))
def test_any_value_is_valid_or_a_refusal_that_renders(value: object) -> None:
    try:
        Everything.model_validate(value)
    except ValidationError as error:
        refusal = InvalidRequest(problems(error))
    else:
        return
    status, _, body = render(refusal, "leads")
    detail = json.loads(body)["detail"]
    assert status == 422 and len(detail) == len(refusal.problems)
    for item in detail:
        assert item["loc"][0] == "body" and item["msg"] and item["type"].split(".")[0] in ("value_error", "type_error")
    status, _, body = render(refusal, "aureum")
    assert status == 400 and json.loads(body)["error"].endswith(".")


@given(st.fixed_dictionaries({name: JSON_VALUES for name in DOCUMENTED}))
@settings(deadline=None)
def test_what_is_valid_can_be_stored(value: dict[str, object]) -> None:
    try:
        contact = Contact.model_validate(value)
    except ValidationError:
        return
    assert b"\0" not in contact.model_dump_json().encode()
    assert "\\u0000" not in contact.model_dump_json()
