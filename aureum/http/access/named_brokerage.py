"""``brokerage_id``: the brokerage that a platform admin names. From all other users it is ignored, even an invalid
one."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, PlainValidator, TypeAdapter, ValidationError, WithJsonSchema

from aureum.http.wire.numbers import LARGEST_NUMBER, Number, NumberText
from aureum.http.wire.validation import Where, validate

SCHEMA = {"type": "integer", "minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER}


class NamedInBody(BaseModel):
    """What a platform admin may name in a body."""

    brokerage_id: Number


class NamedInQuery(BaseModel):
    """The same in a query."""

    brokerage_id: NumberText


class NoNumber(int):
    """What came in the place of a number. Only a platform admin is told what is wrong with it."""

    model: ClassVar[type[BaseModel]] = NamedInBody
    where: ClassVar[Where] = "body"
    came: Any


class NoNumberInQuery(NoNumber):
    """The same in a query."""

    model = NamedInQuery
    where = "query"


def _reader(kind: Any, otherwise: type[NoNumber]) -> PlainValidator:
    number = TypeAdapter[int](kind)

    def read(value: Any) -> int:
        try:
            return number.validate_python(value)
        except ValidationError:
            other = otherwise()
            other.came = value
            return other

    return PlainValidator(read)


InBody = Annotated[int, _reader(Number, NoNumber), WithJsonSchema(SCHEMA)]
InQuery = Annotated[int, _reader(NumberText, NoNumberInQuery), WithJsonSchema(SCHEMA)]


def checked(named: int) -> int:
    """The number that a platform admin *named*. Raises InvalidRequest for what is none."""
    if isinstance(named, NoNumber):
        validate(named.model, {"brokerage_id": named.came}, named.where)
    return named
