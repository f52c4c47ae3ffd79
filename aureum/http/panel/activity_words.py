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


def told(change: Mapping[str, Any]) -> str:
    """What a history says of an activity: logged, corrected or removed. Of an erased person it has a placeholder."""
    before, after = (in_words(change[side]) for side in ("from", "to"))
    if after is None:
        return f"removed: {before}"
    return after if before is None else f"{before} → {after}"


def in_words(said: Any) -> str | None:
    """One side of a change."""
    if not isinstance(said, Mapping):
        return None if said is None else str(said)
    return f"{words(said)}. {said['text']}" if said["text"] else words(said)
