"""Activities in words, and the choices of the form that logs one: each is a valid combination of type, direction and
outcome, so that staff cannot choose one that the API refuses."""

from collections.abc import Mapping
from typing import Any

OFFERED: Mapping[str, Mapping[str, str]] = {
    "Note": {"type": "note"},
    "Called: answered": {"type": "call", "direction": "outbound", "outcome": "answered"},
    "Called: no answer": {"type": "call", "direction": "outbound", "outcome": "no_answer"},
    "Called: left a message": {"type": "call", "direction": "outbound", "outcome": "left_message"},
    "Called: busy": {"type": "call", "direction": "outbound", "outcome": "busy"},
    "Called: wrong number": {"type": "call", "direction": "outbound", "outcome": "wrong_number"},
    "They called": {"type": "call", "direction": "inbound"},
    "Email sent": {"type": "email", "direction": "outbound"},
    "Email received": {"type": "email", "direction": "inbound"},
    "Visit": {"type": "visit"},
}
"""The fields that each choice sends."""

TYPED = ("what", "at", "minutes", "text")
"""The fields of the form that logs one."""

KINDS = {
    ("call", "inbound"): "They called",
    ("call", "outbound"): "Called",
    ("email", "inbound"): "Email received",
    ("email", "outbound"): "Email sent",
}


def words(activity: Mapping[str, Any]) -> str:
    """``Called: left a message, 45 s``."""
    kind: str = activity["type"]
    said = KINDS.get((kind, activity["direction"]), kind.capitalize())
    if activity["outcome"] is not None:
        said += ": " + activity["outcome"].replace("_", " ").replace("left", "left a")
    if activity["duration"]:
        minutes, seconds = divmod(activity["duration"], 60)
        said += ", " + " ".join(f"{number} {unit}" for number, unit in ((minutes, "min"), (seconds, "s")) if number)
    return said
