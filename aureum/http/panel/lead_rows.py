"""Leads as the list and the board show them: with the names of their agents, and how long ago what happened."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aureum.domain import ids
from aureum.http.panel.visit import Visit

Row = dict[str, Any]

FORMER = "a former user"

UNITS = ((365 * 86_400, "y"), (30 * 86_400, "mo"), (86_400, "d"), (3_600, "h"), (60, "min"))


async def names_of(visit: Visit) -> dict[str, str]:
    """The names of the brokerage's staff, by id."""
    if visit.acting is None:
        return {}
    return {user["id"]: user["name"] for user in (await visit.ask("GET", "/api/users")).body}


def ago(text: str, now: datetime) -> str:
    """How long before *now* a time of the API was, in its largest unit: ``3 h``."""
    seconds = int((now - datetime.fromisoformat(text)).total_seconds())
    return next((f"{seconds // size} {unit}" for size, unit in UNITS if seconds >= size), "now")


def rows_of(leads: Sequence[Mapping[str, Any]], users: Mapping[str, str]) -> list[Row]:
    """The leads with what the pages say of them."""
    now = ids.now()
    return [
        {
            **lead,
            "agent": users.get(lead["assignedToId"], FORMER) if lead["assignedToId"] else "",
            "touched": ago(lead["updatedAt"], now),
            "age": ago(lead["createdAt"], now),
            "suspect": lead.get("suspect", False),
        }
        for lead in leads
    ]
