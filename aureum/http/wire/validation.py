"""What is wrong with a request, said in both dialects from one table.

pydantic 2 finds the errors. The Leads API's document was made by FastAPI on pydantic 1, and its clients read that
generation's ``type`` and ``msg``; the Aureum API says one sentence. ``MEANINGS`` holds both for each kind of error.
A value is never repeated, except a short word where one of a few words was expected.
"""

import ast
import json
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aureum.http.wire.errors import InvalidRequest, Problem, dotted
from aureum.registry import ALL_EVENTS, WEBHOOK_GROUPS

Where = Literal["body", "query", "path"]
AnyModel = TypeVar("AnyModel", bound=BaseModel)


class Meaning(NamedTuple):
    """One kind of error: type and message of pydantic 1, and what follows the field's name in the Aureum sentence."""

    type: str
    msg: str
    says: str
    limit: tuple[str, str] | None = None
    """What pydantic 1 and pydantic 2 call the limit that was passed; the texts may hold the former in braces."""


NONE = Meaning("type_error.none.not_allowed", "none is not an allowed value", "is required and must not be null")
OTHER = Meaning("value_error", "value is not valid", "is not valid")
STRING = Meaning("type_error.str", "str type expected", "must be a string")
INTEGER = Meaning("type_error.integer", "value is not a valid integer", "must be a whole number")
FLOAT = Meaning("type_error.float", "value is not a valid float", "must be a number")
DECIMAL = Meaning("type_error.decimal", "value is not a valid decimal", "must be a number")
BOOL = Meaning("type_error.bool", "value could not be parsed to a boolean", "must be true or false")
LIST = Meaning("type_error.list", "value is not a valid list", "must be a list")
DICT = Meaning("type_error.dict", "value is not a valid dict", "must be an object")
DATE = Meaning("value_error.date", "invalid date format", "must be a date such as 2025-01-15")

MEANINGS: Mapping[str, Meaning] = {
    "missing": Meaning("value_error.missing", "field required", "is required"),
    "string_type": STRING,
    "string_unicode": Meaning("value_error", "value is not valid Unicode", "must be valid Unicode text"),
    "string_too_short": Meaning(
        "value_error.any_str.min_length",
        "ensure this value has at least {limit_value} characters",
        "must have at least {limit_value} characters",
        ("limit_value", "min_length"),
    ),
    "string_too_long": Meaning(
        "value_error.any_str.max_length",
        "ensure this value has at most {limit_value} characters",
        "must have at most {limit_value} characters",
        ("limit_value", "max_length"),
    ),
    "int_type": INTEGER,
    "int_parsing": INTEGER,
    "int_parsing_size": INTEGER,
    "int_from_float": INTEGER,
    "float_type": FLOAT,
    "float_parsing": FLOAT,
    "decimal_type": DECIMAL,
    "decimal_parsing": DECIMAL,
    "decimal_max_digits": Meaning(
        "value_error.decimal.max_digits",
        "ensure that there are no more than {max_digits} digits in total",
        "must have at most {max_digits} digits",
        ("max_digits", "max_digits"),
    ),
    "decimal_max_places": Meaning(
        "value_error.decimal.max_places",
        "ensure that there are no more than {decimal_places} decimal places",
        "must have at most {decimal_places} decimal places",
        ("decimal_places", "decimal_places"),
    ),
    "decimal_whole_digits": Meaning(
        "value_error.decimal.whole_digits",
        "ensure that there are no more than {whole_digits} digits before the decimal point",
        "must have at most {whole_digits} digits before the decimal point",
        ("whole_digits", "whole_digits"),
    ),
    "greater_than": Meaning(
        "value_error.number.not_gt",
        "ensure this value is greater than {limit_value}",
        "must be greater than {limit_value}",
        ("limit_value", "gt"),
    ),
    "greater_than_equal": Meaning(
        "value_error.number.not_ge",
        "ensure this value is greater than or equal to {limit_value}",
        "must be {limit_value} or more",
        ("limit_value", "ge"),
    ),
    "less_than": Meaning(
        "value_error.number.not_lt",
        "ensure this value is less than {limit_value}",
        "must be less than {limit_value}",
        ("limit_value", "lt"),
    ),
    "less_than_equal": Meaning(
        "value_error.number.not_le",
        "ensure this value is less than or equal to {limit_value}",
        "must be {limit_value} or less",
        ("limit_value", "le"),
    ),
    "bool_type": BOOL,
    "bool_parsing": BOOL,
    "list_type": LIST,
    "too_short": Meaning(
        "value_error.list.min_items",
        "ensure this value has at least {limit_value} items",
        "must have at least {limit_value} items",
        ("limit_value", "min_length"),
    ),
    "too_long": Meaning(
        "value_error.list.max_items",
        "ensure this value has at most {limit_value} items",
        "must have at most {limit_value} items",
        ("limit_value", "max_length"),
    ),
    "dict_type": DICT,
    "model_type": DICT,
    "date_type": DATE,
    "date_parsing": DATE,
    "date_from_datetime_parsing": DATE,
    "date_from_datetime_inexact": DATE,
    # The rest are the types of aureum.http.wire.fields and of paging.
    "event_filter": Meaning(
        "value_error",
        "value is not a filter of events",
        "must be a filter such as: EntityEventSequence gt 100",
    ),
    "skip_token": Meaning("value_error", "value is not a skip token", "must be the $skiptoken of an @odata.nextLink"),
    "page_limit": Meaning(
        "value_error", "must be a whole number from 1 to 500", "must be a whole number from 1 to 500"
    ),
    "cursor": Meaning(
        "value_error",
        "must be taken from a Link header of this list",
        "must be taken from a Link header of this list",
    ),
    "changed_after": Meaning(
        "value_error",
        "must be taken from a Link header of this list",
        "must be taken from a Link header of this list, with the same filters. Without it the list starts over",
    ),
    "in_one": Meaning(
        "value_error",
        "is of one brokerage: name it as brokerage_id",
        "is of one brokerage: name it as brokerage_id",
    ),
    "cursor_of_changes": Meaning("value_error", "goes with changedAfter", "goes with changedAfter"),
    "page_of_changes": Meaning(
        "value_error",
        "must be 1. Use the Link header for further pages of changes",
        "must be 1. Use the Link header for further pages of changes",
    ),
    "changes_of_past": Meaning(
        "value_error",
        "cannot be combined with asOf",
        "cannot be combined with asOf. Leave out one of them",
    ),
    "unsorted": OTHER._replace(says="has an order of its own. Leave out sort"),
    "whole_unsorted": OTHER._replace(says="needs limit. Without limit the list is returned newest first"),
    "too_many_to_sort": OTHER._replace(
        says="must be createdAt, updatedAt or status for so many leads. To sort by name or within a search, filter "
        "until at most 2,000 leads are left"
    ),
    "not_null": NONE._replace(says="must not be null. Leave it out to keep its value"),
    "blank": Meaning(
        "value_error.any_str.min_length",
        "ensure this value has at least {limit_value} characters",
        "must not be blank",
        ("limit_value", "least"),
    ),
    "cleared": OTHER._replace(says="can only be set to false"),
    "nul": Meaning("value_error", "value holds a NUL character", "must not hold NUL characters"),
    "email": Meaning("value_error.email", "value is not a valid email address", "must be a valid email address"),
    "time": Meaning(
        "value_error.datetime",
        "invalid datetime format",
        "must be a time with its zone, such as 2025-01-15T10:30:00Z, or a date such as 2025-01-15",
    ),
    "events": OTHER._replace(says=f"must be some of: {', '.join((*ALL_EVENTS, *WEBHOOK_GROUPS))}, separated by commas"),
    "position": OTHER._replace(says="must be a sequence, a whole number of 0 or more"),
    "place": OTHER._replace(
        says="must be a sequence, which is a whole number of 0 or more, or a time with its zone, such as "
        "2025-01-15T10:30:00Z, or a date such as 2025-01-15"
    ),
}

MISSING_BODY = Problem(
    ("body",),
    "field required",
    "value_error.missing",
    "The request body is missing. Send a JSON object.",
    code="body_missing",
)
NOT_AN_OBJECT = Problem(
    ("body",), DICT.msg, DICT.type, "The request body must be a JSON object.", code="body_not_object"
)

ECHOED = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}")
"""What may be repeated of a value that is none of the allowed words: something that could have been meant as one."""
QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


class BreaksRule(ValueError):
    """What a validator of a whole model raises: a sentence, and the *field* that it is told of."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def validate(model: type[AnyModel], value: object, where: Where = "body") -> AnyModel:
    """*value* as *model*. Raises InvalidRequest with every problem found."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InvalidRequest(problems(error, where)) from error


def refused(where: Where, name: str, kind: str) -> InvalidRequest:
    """The refusal of one value for what only the endpoint can know; *kind* is one of ``MEANINGS``."""
    meaning = MEANINGS[kind]
    return InvalidRequest([Problem((where, name), meaning.msg, meaning.type, f"{name} {meaning.says}.")])


def problems(error: ValidationError, where: Where = "body") -> list[Problem]:
    """Every problem in *error*, in the order of the model's fields. Models have no unions but with None."""
    return [_problem(details, where) for details in error.errors(include_url=False)]


def json_problem(body: bytes, error: orjson.JSONDecodeError) -> Problem:
    """Why *body* is not JSON, in the words of Python's own parser, which FastAPI's clients know."""
    msg, position = str(error), error.pos
    try:
        json.loads(body.decode())
    except json.JSONDecodeError as known:
        msg, position = str(known), known.pos
    except UnicodeDecodeError as known:
        msg, position = "Body is not UTF-8", known.start
    except (ValueError, RecursionError):
        # Too many digits or too deep for it: orjson's own words stand, as they do for NaN and lone surrogates.
        pass
    sentence = f"The request body is not valid JSON: {msg}."
    return Problem(("body", position), msg, "value_error.jsondecode", sentence, code="body_not_json")


def _problem(details: ErrorDetails, where: Where) -> Problem:
    kind, loc, value, context = details["type"], details["loc"], details["input"], details.get("ctx", {})
    if not loc and (value is None or kind == "model_type"):
        return (MISSING_BODY if value is None else NOT_AN_OBJECT)._replace(loc=(where,))
    if kind in ("literal_error", "enum") and value is not None:
        return _one_of(value, (where, *loc), context.get("expected", ""))
    if kind == "value_error":
        # Raised by a validator of a model's own: its text is a whole sentence that names the field.
        raised = context["error"]
        about = raised.field if isinstance(raised, BreaksRule) else ""
        text = str(raised)
        return Problem((where, *(loc or ("__root__",))), text, kind, text, about=about)
    meaning = NONE if value is None and kind not in ("missing", "not_null") else MEANINGS.get(kind, OTHER)
    ctx = {meaning.limit[0]: _number(context[meaning.limit[1]])} if meaning.limit else {}
    sentence = f"{_field(loc)} {meaning.says.format(**ctx)}."
    return Problem((where, *loc), meaning.msg.format(**ctx), meaning.type, sentence, ctx or None)


def _one_of(value: object, loc: tuple[str | int, ...], expected: str) -> Problem:
    """*expected* is pydantic's list ``'a', 'b' or 'c'``: it hands over no other."""
    permitted = [ast.literal_eval(text) for text in QUOTED.findall(expected)]
    msg = f"unexpected value; permitted: {', '.join(map(repr, permitted))}"
    sentence = f"{_field(loc[1:])} must be one of: {', '.join(permitted)}"
    ctx: dict[str, Any] = {"permitted": permitted}
    if isinstance(value, str) and ECHOED.fullmatch(value):
        sentence += f'; got "{value}"'
        ctx = {"given": value} | ctx
    return Problem(loc, msg, "value_error.const", sentence + ".", ctx)


def _field(loc: tuple[str | int, ...]) -> str:
    return dotted(loc) or "The request"


def _number(limit: Any) -> int | float:
    """A limit as JSON has it; it may be a Decimal."""
    return int(limit) if limit == int(limit) else float(limit)
