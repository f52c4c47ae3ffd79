"""Whether an answer is like a document's example: every documented field is there, with the documented type.

The examples leave some things open: an id is ``clx...``, a time may end in ``T...``. How a time is written is part of
its type, since the two documents write it differently.
"""

import re
from typing import Any

SOME_ID = "clx..."
SOME_TIME = "T..."
"""How a time ends of which the document tells the day."""

TEXTS = (
    ("id", r"c[0-9a-z]{24,}|clx\.\.\."),
    ("time in milliseconds", r"\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d\.\d{3}Z|\.\.\.)"),
    ("time in seconds", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    ("date", r"\d{4}-\d\d-\d\d"),
)


def kind(value: Any) -> str:
    """The type of a value, as the documents tell them apart."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case list():
            return "array"
        case dict():
            return "object"
        case str():
            return next((name for name, pattern in TEXTS if re.fullmatch(pattern, value)), "string")
    raise AssertionError(f"no JSON: {value!r}")


def unlike(example: Any, actual: Any, where: str = "answer") -> list[str]:
    """What is different, a sentence each. Each element of an array is to be like the example's first."""
    wanted, got = kind(example), kind(actual)
    if wanted != got and not (wanted == "string" and isinstance(actual, str)):
        return [f"{where} is {got}, not {wanted}"]
    if isinstance(example, dict):
        missing = [f"{where}.{name} is missing" for name in example if name not in actual]
        shared = [name for name in example if name in actual]
        return missing + [one for name in shared for one in unlike(example[name], actual[name], f"{where}.{name}")]
    if isinstance(example, list):
        items = enumerate(actual)
        return [one for place, item in items for one in unlike(example[0], item, f"{where}[{place}]")]
    return []


def of_type(documented: str, value: Any) -> bool:
    """Whether a value is of a type as the tables of fields name them."""
    match documented:
        case "string":
            return isinstance(value, str)
        case "string[]":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case "number":
            return kind(value) in ("integer", "number")
        case "integer" | "boolean":
            return kind(value) == documented
    raise AssertionError(documented)


def chosen(example: dict[str, Any], time: str) -> dict[str, Any]:
    """The values of an example that a client chooses, to be sent and to come back; *time* ends those left open.

    What it does not choose are the resource's id and the time of its making.
    """
    own = {name: value for name, value in example.items() if name not in ("id", "createdAt", "created_at")}
    return {name: ended(value, time) for name, value in own.items()}


def ended(value: Any, time: str) -> Any:
    """A value whose time of the day is not left open."""
    return value.replace(SOME_TIME, time) if isinstance(value, str) else value
