"""Leads that staff enter."""

from typing import Any

from tests.http.operator import Staff
from tests.http.serving import Answer, Server

PATH = "/api/v1/admin/leads"
WALK_IN = {
    "first_name": "Jane",
    "last_name": "Doe",
    "email": "jane@example.com",
    "subject": "Walk-in: interested in downtown condos",
    "message": "Came into the office.",
}
NOBODY = 2**31 - 1


def enter(server: Server, who: Staff, headers: dict[str, str] | None = None, /, **fields: Any) -> Answer:
    """A new lead of these fields."""
    return server.ask("POST", PATH, WALK_IN | fields, who.bearer | (headers or {}))


def entered(server: Server, who: Staff, **fields: Any) -> dict[str, Any]:
    """The lead, as it was answered."""
    answer = enter(server, who, **fields)
    assert answer.status == 201, answer.body
    lead: dict[str, Any] = answer.json
    return lead
