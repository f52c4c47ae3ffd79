"""Today in words: how long a lead has waited, what its clock says, and what happened overnight."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from aureum.http.panel.statuses import status_of

MINUTE, HOUR, DAY = 60, 3600, 86_400

ACTIVITIES = {"note": "note", "call": "call", "email": "email", "visit": "visit"}

DIAL = re.compile(r"[^0-9+*#]")
EXTENSION = re.compile(r"\s*(?:ext\.?|x)\s*\d+\s*$", re.IGNORECASE)


def weekday(day: date) -> str:
    """``Monday, 30 November``."""
    return f"{day:%A, %-d %B}"


class Clock(NamedTuple):
    """What stands beside a lead: a word, and a colour of the style sheet."""

    word: str
    tone: str


def span(seconds: float) -> str:
    """``5 min``, ``3 h``, ``2 days``: as much as one looks at."""
    if seconds < MINUTE:
        return "under a minute"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min"
    if seconds < 2 * DAY:
        return f"{int(seconds // HOUR)} h"
    return f"{int(seconds // DAY)} days"


def age(at: str, now: datetime) -> str:
    """How long ago that was."""
    return span(max(0.0, (now - datetime.fromisoformat(at)).total_seconds()))


def clock(waiting: Mapping[str, Any], now: datetime) -> Clock | None:
    """What is left of the time for an answer or a claim; None if no rule sets a time."""
    what = "claim" if waiting["pond"] else "answer"
    if waiting["due_at"] is None:
        return Clock("Overdue", "red") if waiting["overdue"] else None
    left = (datetime.fromisoformat(waiting["due_at"]) - now).total_seconds()
    if waiting["overdue"] or left <= 0:
        return Clock("Overdue" if left > -MINUTE else f"{span(-left)} overdue", "red")
    return Clock(f"{span(left)} left to {what}", "amber" if left < 15 * MINUTE else "blue")


def dialled(phone: str) -> str:
    """What a ``tel:`` link holds of a phone number as it was typed."""
    return DIAL.sub("", EXTENSION.sub("", phone))


class Change(NamedTuple):
    """A sentence, and the page with what it counts."""

    text: str
    page: str


def changes(found: Mapping[str, Any]) -> list[Change]:
    """What happened, the most important first."""
    said = []
    if found["leads"]:
        said.append(Change(many(found["leads"], "new lead"), "/admin/leads"))
    if found["showings"]:
        said.append(Change(many(found["showings"], "showing") + " requested", "/admin/showings?status=pending"))
    for status, number in found["statuses"].items():
        word = status_of("lead", status).word.lower()
        said.append(Change(f"{many(number, 'lead')} moved to {word}", f"/admin/leads?status={status}"))
    logged = [many(found["activities"][kind], word) for kind, word in ACTIVITIES.items() if kind in found["activities"]]
    if logged:
        said.append(Change(f"{listed(logged)} logged", "/admin/leads"))
    return said


def many(number: int, what: str) -> str:
    """``1 lead``, ``2 leads``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


FRIDAY = 4


def later(choice: str, today: date) -> str | None:
    """Until when a task is put off: 9:00 tomorrow, or on Friday, next week's if today is one; None for another
    choice. As a browser sends it, on the brokerage's clock."""
    match choice:
        case "tomorrow":
            day = today + timedelta(days=1)
        case "friday":
            day = today + timedelta(days=(FRIDAY - today.weekday() - 1) % 7 + 1)
        case _:
            return None
    return f"{day}T09:00"
