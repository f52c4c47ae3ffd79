"""Examples for the OpenAPI document: real answers, whose ids, times, numbers and secrets are made the same each time,
so that they can be committed, and compared by what they consist of.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from aureum.domain.ids import aureum_time, leads_time, to_wire
from tests.http.serving import Answer

MARK = "unmarked"
"""The word in every text of the sample that they are recorded in; it is taken out."""

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)

WIRE = re.compile(r"\bc[0-9a-z]{25}(?![0-9a-z])")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
MADE = (
    (re.compile(r"aur_[A-Za-z0-9_-]{43}"), "aur_" + "k" * 43),
    (re.compile(r"aur_[A-Za-z0-9_-]{1,12}(?![A-Za-z0-9_-])"), "aur_kkkkkkkk"),
    (re.compile(r"aut_[A-Za-z0-9_-]{43}"), "aut_" + "t" * 43),
    (re.compile(r"whsec_[A-Za-z0-9+/]{43}="), "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    (re.compile(r"\b(msg|test)_[0-9a-z]{25}_\d+"), r"\1_03ha4voe9wuiw6zyci11ehxed_216"),
    (re.compile(r"(?<=[0-9a-z]{25})_\d+$"), "_216"),
    (re.compile(r"\b\d{8}T\d{6}Z"), f"{AT:%Y%m%dT%H%M%SZ}"),
    (re.compile(rf"[ .-]{MARK}"), ""),
    (re.compile(r"\b(e|login)\d+@"), "jane@"),
    (re.compile(r"\b(staff|agent)\d+@"), "ana@"),
    (re.compile(r"\bd\d+\."), ""),
    (re.compile(r"\boffice-\d+"), "snake-river"),
    (re.compile(r"^(snake-river|modern-villa-in-beverly-hills)-\d+$"), r"\1"),
    (re.compile(r"Agent \d+ does not belong to brokerage \d+"), "Agent 42 does not belong to brokerage 2"),
    (re.compile(r"in \d+ (seconds|minutes)"), r"in 12 \1"),
)
NUMBERS = {
    "assigned_agent_id": 42,
    "brokerage_id": 2,
    "durationMs": 187,
    "id": 1024,
    "lead_id": 12345,
    "number": 42,
    "rateLimit": 100,
    "sequence": 216,
    "total": 1,
    "total_pages": 1,
}
"""Whole numbers that are others in each run, by their field."""

SPLIT = {("firstName", "Jane Doe"): "Jane", ("lastName", MARK): "Doe"}
"""A name with the mark behind it was split there."""

LONGEST = {"application/xml": 8, "text/calendar": 20, "text/csv": 2, "text/plain": 3}
"""Lines of a text that are shown."""


def example_of(answer: Answer) -> Any:
    """What the document shows of an answer: of a list its first element, of a long text its beginning."""
    media = answer.headers["content-type"].partition(";")[0]
    if media == "application/pdf":
        return answer.body[:5].decode()
    if media != "application/json":
        return "\n".join(same(line, {}) for line in answer.body.decode().splitlines()[: LONGEST[media]])
    content = answer.json
    if isinstance(content, dict) and "paths" in content:
        return {name: content[name] for name in ("openapi", "info", "servers")}
    if isinstance(content, list):
        content = content[:1]
    elif isinstance(content, dict) and isinstance(content.get("items"), list):
        content = {**content, "items": content["items"][:1]}
    return same(content, {})


def same(value: Any, ids: dict[str, str], field: str = "") -> Any:
    """*value* as it would be in every run. *ids* are those that were met in it."""
    if isinstance(value, dict):
        # A change is told under its field's name; an attempt has a number of its own, from 1.
        fields: dict[str, str] = {"from": field, "to": field} | ({"number": ""} if "startedAt" in value else {})
        return {name: same(inner, ids, fields.get(name, str(name))) for name, inner in value.items()}
    if isinstance(value, list):
        return [same(inner, ids) for inner in value if inner != MARK]
    if isinstance(value, int) and not isinstance(value, bool):
        return NUMBERS.get(field, value)
    if not isinstance(value, str):
        return value
    if (field, value) in SPLIT:
        return SPLIT[field, value]
    value = TIME.sub(_time, value)
    value = WIRE.sub(lambda found: ids.setdefault(found[0], _id(len(ids) + 1)), value)
    for pattern, other in MADE:
        value = pattern.sub(other, value)
    return value


def _id(number: int) -> str:
    return to_wire(UUID(f"01946962-6140-7000-8000-{number:012d}"))


def _time(found: re.Match[str]) -> str:
    moment = datetime.fromisoformat(found[0])
    away = moment - datetime.now(UTC)
    if abs(away) > timedelta(days=3):
        return found[0]
    # Of what was just done; of what is hours from now, as many.
    shown = AT + timedelta(hours=round(away / timedelta(hours=1)))
    return aureum_time(shown) if found[1] else leads_time(shown)


def unlike(recorded: Any, actual: Any, where: str = "the answer") -> list[str]:
    """In what *actual* differs from what was recorded: in its fields, or in the type of a value; a sentence each."""
    if isinstance(recorded, dict) and isinstance(actual, dict):
        gone, more = recorded.keys() - actual.keys(), actual.keys() - recorded.keys()
        said = [f"{where} has no {name}" for name in gone] + [f"{where} has {name} as well" for name in more]
        shared = recorded.keys() & actual.keys()
        return said + [one for name in shared for one in unlike(recorded[name], actual[name], f"{where}.{name}")]
    if isinstance(recorded, list) and isinstance(actual, list):
        return unlike(recorded[0], actual[0], f"{where}[0]") if recorded and actual else []
    kinds = {"number" if type(one) in (int, float) else type(one).__name__ for one in (recorded, actual)}
    return [] if len(kinds - {"NoneType"}) < 2 else [f"{where} is now {actual!r:.60}, and was {recorded!r:.60}"]
