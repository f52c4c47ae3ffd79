"""One search over everything: each kind is found, phones in any spelling. Agents find what lists show."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.http.api.tours.tour_requests import HOUSE
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server

PATH = "/api/v1/admin/search"
JANE = {"name": "Jane Doe", "email": "jane@example.com", "phone": "(208) 555-0123"}


def found(server: Server, who: Staff, words: str, limit: int = 5) -> list[dict[str, Any]]:
    answer = server.ask("GET", f"{PATH}?q={quote(words)}&limit={limit}", headers=who.bearer)
    assert answer.status == 200, answer.body
    items: list[dict[str, Any]] = answer.json["items"]
    return items


@pytest.fixture
def owner(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "brokerage_owner")


@pytest.fixture
def made(server: Server, tenant: Tenant) -> dict[str, str]:
    """One of each kind, by kind."""
    bodies = {
        "lead": JANE,
        "contact": {"firstName": "Jane", "lastName": "Doe", "phone": "+1 208-555-0123"},
        "property": HOUSE | {"title": "Jane’s old house", "mlsId": "SEARCH-1"},
        "task": {"title": "Call Jane about the roof", "dueDate": "2030-01-20T17:00:00.000Z"},
        "showing": JANE | {"startsAt": "2030-01-20T17:00:00.000Z"},
    }
    paths = {"lead": "leads", "contact": "contacts", "property": "properties", "task": "tasks", "showing": "showings"}
    return {
        kind: server.by_key(tenant, "POST", f"/api/{paths[kind]}", body).json["id"] for kind, body in bodies.items()
    }


def test_each_kind_is_found(server: Server, owner: Staff, made: dict[str, str]) -> None:
    items = {item["kind"]: item for item in found(server, owner, "jane")}
    assert {kind: item["id"] for kind, item in items.items()} == made
    lead = {"kind": "lead", "name": "Jane Doe", "detail": "jane@example.com · (208) 555-0123", "status": "new"}
    assert lead.items() <= items["lead"].items()
    assert (items["contact"]["detail"], items["contact"]["status"]) == ("+1 208-555-0123", None)
    assert items["task"]["at"] == items["showing"]["at"] == "2030-01-20T17:00:00.000Z"
    assert items["property"]["detail"] == f"{HOUSE['address']}, {HOUSE['city']}"
    assert [item["kind"] for item in found(server, owner, "ROOF call")] == ["task"]
    assert found(server, owner, "  ") == [] == found(server, owner, "jane nobody")


@pytest.mark.parametrize("words", ["2085550123", "+1 (208) 555-0123", "208.555.0123", "555 0123", "0123"])
def test_a_phone_in_any_spelling(server: Server, owner: Staff, made: dict[str, str], words: str) -> None:
    assert {item["kind"] for item in found(server, owner, words)} == {"lead", "contact", "showing"}


def test_a_typo_is_forgiven_only_where_nothing_has_the_words(
    server: Server, owner: Staff, tenant: Tenant, made: dict[str, str]
) -> None:
    assert {item["kind"] for item in found(server, owner, "jnae")} == {"lead", "contact", "property", "showing"}
    server.by_key(tenant, "POST", "/api/tasks", {"title": "Ask Jnae"})
    assert [item["name"] for item in found(server, owner, "jnae")] == ["Ask Jnae"]


def test_an_agent_finds_what_the_lists_show(
    server: Server, operator: Operator, tenant: Tenant, made: dict[str, str]
) -> None:
    agent = operator.staff(tenant.id, "agent", "Ana Agent")
    assert [item["kind"] for item in found(server, agent, "jane")] == ["contact", "property"]
    server.by_key(tenant, "PATCH", f"/api/tasks/{made['task']}", {"assignedToId": agent.id})
    assert [item["kind"] for item in found(server, agent, "jane")] == ["contact", "property", "task"]
    stranger = operator.staff(operator.brokerage().id, "brokerage_owner")
    assert found(server, stranger, "jane") == []


def test_the_newest_come_first_and_are_limited(server: Server, owner: Staff, tenant: Tenant) -> None:
    for number in range(4):
        server.by_key(tenant, "POST", "/api/tasks", {"title": f"Sign {number} 100%"})
    assert [item["name"] for item in found(server, owner, "sign 100%", limit=3)] == [
        f"Sign {number} 100%" for number in (3, 2, 1)
    ]
