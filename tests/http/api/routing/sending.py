"""How the tests of routing set it up, send forms, and look where these went."""

from collections import Counter
from itertools import count
from typing import Any

from tests.http.operator import Staff, Tenant
from tests.http.serving import Server

LEADS = "/api/v1/admin/leads"
AGENTS = "/api/v1/admin/agents"
ROUTING = "/api/v1/admin/routing"

ADDRESSES = count(1)


def put(server: Server, owner: Staff, **settings: Any) -> None:
    answer = server.ask("PUT", ROUTING, settings, owner.bearer)
    assert answer.status == 200, answer.body


def change(server: Server, owner: Staff, agent: Staff, **profile: Any) -> None:
    answer = server.ask("PATCH", f"{AGENTS}/{agent.number}", profile, owner.bearer)
    assert answer.status == 200, answer.body


def sent(server: Server, tenant: Tenant, **fields: Any) -> int:
    """A form of a person who has not asked before."""
    nobody_known = {"email": f"visitor{next(ADDRESSES)}@example.com"}
    answer = server.form(tenant, {"X-Forwarded-For": address()}, **nobody_known | fields)
    assert answer.status == 200, answer.body
    number: int = answer.json["lead_id"]
    return number


def address() -> str:
    """A visitor's, whom no limit of forms holds up."""
    number = next(ADDRESSES)
    return f"198.18.{number // 250}.{number % 250 + 1}"


def lead(server: Server, who: Staff, number: int) -> dict[str, Any]:
    answer = server.ask("GET", f"{LEADS}/{number}", headers=who.bearer)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def agents_of(server: Server, owner: Staff, numbers: list[int]) -> Counter[int | None]:
    return Counter(lead(server, owner, number)["assigned_agent_id"] for number in numbers)
