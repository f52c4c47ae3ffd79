"""The Leads API's document was made by FastAPI on pydantic 1, whose validator still ships inside pydantic 2: what it
says of a value, we say too."""

import json
import sys
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from aureum.http.wire.errors import InvalidRequest, render
from aureum.http.wire.fields import Email, Text
from aureum.http.wire.validation import validate
from tests.examples import examples

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 14), reason="pydantic 1 does not run there")


@cache
def reference() -> Any:
    """`Model`, as it would be written with pydantic 1."""
    from pydantic import v1

    class Owner1(v1.BaseModel):
        name: str

    class Model1(v1.BaseModel):
        text: str
        email: v1.EmailStr
        number: int
        size: float = v1.Field(gt=0, lt=10)
        score: int = v1.Field(ge=0, le=100)
        flag: bool
        tags: list[str] = v1.Field(min_items=1, max_items=3)
        counts: dict[str, int]
        owner: Owner1
        status: Literal["new", "lost"]
        day: date
        code: str = v1.Field(min_length=2, max_length=3)
        price: Decimal = v1.Field(ge=0, max_digits=6, decimal_places=2)
        page: str | None = None

    return Model1


class Owner(BaseModel):
    name: Text


class Model(BaseModel):
    text: Text
    email: Email
    number: int
    size: Annotated[float, Field(gt=0, lt=10)]
    score: Annotated[int, Field(ge=0, le=100)]
    flag: bool
    tags: Annotated[list[Text], Field(min_length=1, max_length=3)]
    counts: dict[str, int]
    owner: Owner
    status: Literal["new", "lost"]
    day: date
    code: Annotated[str, Field(min_length=2, max_length=3)]
    price: Annotated[Decimal, Field(ge=0, max_digits=6, decimal_places=2)]
    page: Text | None = None


VALID = {
    "text": "",
    "email": "a@example.com",
    "number": 5,
    "size": 1.5,
    "score": 50,
    "flag": True,
    "tags": ["a"],
    "counts": {"a": 1},
    "owner": {"name": "x"},
    "status": "new",
    "day": "2025-01-15",
    "code": "ab",
    "price": 12.5,
    "page": "/",
}
DOUBTFUL: dict[str, list[Any]] = {
    "text": [None, [], {}],
    "email": [None, [], {}, "x", "", "a@b.test"],
    "number": [None, [], {}, "x", "", "1"],
    "size": [None, [], {}, "x", "1", 0, -1, 10, 11],
    "score": [None, [], "x", -1, 101],
    "flag": [None, [], {}, "x", "true", 5],
    "tags": [None, {"a": 1}, "x", 5, [], ["a"] * 4, [None], [[]], ["a", {}]],
    "counts": [None, "x", 5, {}, {"a": "x"}, {"a": None}],
    "owner": [None, "x", 5, {}, {"name": None}, {"name": []}],
    "status": [None, "hot"],
    "day": [None, "x", "2025-02-30"],
    "code": [None, [], "a", "abcd"],
    "price": [None, "x", [], -1, "1.005", "12345.6", "1234567"],
    "page": [None, [], {}],
}
BODIES = st.fixed_dictionaries(
    {}, optional={name: st.just(VALID[name]) | st.sampled_from(values) for name, values in DOUBTFUL.items()}
)


def said_by_pydantic_1(value: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        reference().parse_obj(value)
    except ValueError as error:
        # FastAPI puts the place before the field.
        return [item | {"loc": ["body", *item["loc"]]} for item in json.loads(error.json())]  # type: ignore[attr-defined]
    return []


def said_by_us(value: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        validate(Model, value)
    except InvalidRequest as error:
        detail: list[dict[str, Any]] = json.loads(render(error, "leads")[2])["detail"]
        return detail
    return []


@pytest.mark.parametrize("field", DOUBTFUL)
def test_one_doubtful_value(field: str) -> None:
    assert said_by_us(VALID) == said_by_pydantic_1(VALID) == []
    for value in DOUBTFUL[field]:
        body = VALID | {field: value}
        assert said_by_us(body) == said_by_pydantic_1(body)
    assert any(said_by_us(VALID | {field: value}) for value in DOUBTFUL[field])


@given(BODIES)
@settings(deadline=None, max_examples=examples(200))
def test_any_mixture(value: dict[str, Any]) -> None:
    assert said_by_us(value) == said_by_pydantic_1(value)
