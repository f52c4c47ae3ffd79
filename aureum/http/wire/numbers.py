"""Numbers as clients write them, in bodies and in queries."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, PlainValidator, WithJsonSchema
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

LARGEST_AMOUNT = Decimal("9999999999999.99")
ARITHMETIC = Decimal("1e-6")
"""More than this is no error of arithmetic but a third digit behind the point."""


def _amount(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticKnownError("decimal_type")
    exact = Decimal(repr(value))
    if not 0 <= exact <= LARGEST_AMOUNT:
        kind = ("greater_than_equal", {"ge": 0}) if exact < 0 else ("less_than_equal", {"le": LARGEST_AMOUNT})
        raise PydanticKnownError(*kind)
    rounded = exact.quantize(Decimal("0.01"))
    if abs(exact - rounded) > min(abs(exact) * Decimal("1e-15"), ARITHMETIC):
        raise PydanticKnownError("decimal_max_places", {"decimal_places": 2})
    # Minus zero is not negative.
    return f"{abs(rounded):f}".rstrip("0").rstrip(".")


Amount = Annotated[
    str,
    PlainValidator(_amount),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": float(LARGEST_AMOUNT), "multipleOf": 0.01}),
]
"""An exact decimal of at most 15 digits, two of them behind the point, as text without needless zeros: ``450000.1``.

A double keeps 15 digits, so nothing is lost in JSON. What a program's own arithmetic adds behind them (``0.1 + 0.2`` is
``0.30000000000000004``) is taken as what was meant.
"""


WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def _whole(text: Any) -> int:
    """A parameter of a query is text; blanks, points and underscores are no part of a whole number."""
    if not isinstance(text, str) or WHOLE.fullmatch(text) is None:
        raise PydanticKnownError("int_parsing")
    return int(text)


AS_WHOLE = BeforeValidator(_whole)
"""Of a whole number in a query: ``Annotated[int, Field(ge=1), AS_WHOLE]``. It stands last, or bounds are lost from the
JSON schema."""


@dataclass(frozen=True)
class Whole:
    """A whole number in a body: ``Annotated[int, Whole(0, 100)]``. ``7.0`` is one as well, as JSON Schema has it."""

    least: int
    most: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        bounded = core_schema.int_schema(strict=True, ge=self.least, le=self.most)
        return core_schema.no_info_before_validator_function(_integer, bounded)


def _integer(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


LARGEST_NUMBER = 10**15
"""Far above every number that is given to a brokerage, a user or a lead, and exact in every JSON parser."""
Number = Annotated[int, Whole(-LARGEST_NUMBER, LARGEST_NUMBER)]
"""One of the platform-wide integers. Whether it exists is checked later."""
NumberText = Annotated[int, Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER), AS_WHOLE]
"""The same in a query."""
