"""The list of leads through its younger filters, and in other orders than the newest first."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from aureum.domain.lead import STATUSES
from aureum.http.api.leads.lead_list import LEADS
from aureum.http.contract.paging import write_token
from tests.http.links import links
from tests.http.operator import Operator, Tenant
from tests.http.serving import JANE, Answer, Server

NAMES = ("Zoë Young", "adam Ant", "Bea Bee", "Adam Ant", "Cy Cole", "Dee Dow", "Eve Ely")


def made(server: Server, tenant: Tenant, **fields: Any) -> dict[str, Any]:
    answer = server.by_key(tenant, "POST", "/api/leads", JANE | fields)
    assert answer.status == 201, answer.body
    return dict(answer.json)


def asked(server: Server, tenant: Tenant, **query: Any) -> Answer:
    return server.by_key(tenant, "GET", f"/api/leads?{urlencode(query)}")


def paged(server: Server, tenant: Tenant, between: Any = None, **query: Any) -> list[Any]:
    """The whole list, two leads a page; *between* is done after the first page."""
    answer = asked(server, tenant, limit=2, **query)
    found = []
    while True:
        assert answer.status == 200, answer.body
        found += answer.json
        if "next" not in links(answer):
            return found
        if between is not None:
            between()
            between = None
        answer = server.by_key(tenant, "GET", links(answer)["next"])


@pytest.fixture
def seven(server: Server, tenant: Tenant) -> list[dict[str, Any]]:
    """Leads of several names and statuses; the oldest has changed last."""
    leads = [made(server, tenant, name=name, status=STATUSES[place % 3]) for place, name in enumerate(NAMES)]
    leads[0] = server.by_key(tenant, "PATCH", f"/api/leads/{leads[0]['id']}", {"subject": "A garden"}).json
    return [{name: value for name, value in lead.items() if name != "routing"} for lead in leads]


ORDERS: dict[str, tuple[Callable[[dict[str, Any]], Any], bool]] = {
    "createdAt": (lambda lead: lead["id"], False),
    "-createdAt": (lambda lead: lead["id"], True),
    "updatedAt": (lambda lead: (lead["updatedAt"], lead["id"]), False),
    "-updatedAt": (lambda lead: (lead["updatedAt"], lead["id"]), True),
}


def test_every_order_page_by_page(server: Server, tenant: Tenant, seven: list[dict[str, Any]]) -> None:
    newest_first = sorted(seven, key=lambda lead: lead["id"], reverse=True)
    searches: tuple[dict[str, Any], ...] = ({}, {"search": "jane@example.com"})
    for search in searches:
        for sort, (key, backwards) in ORDERS.items():
            assert paged(server, tenant, sort=sort, **search) == sorted(seven, key=key, reverse=backwards), sort
        for sign, backwards in (("", False), ("-", True)):
            by_name = sorted(newest_first, key=lambda lead: lead["name"].lower(), reverse=backwards)
            found = paged(server, tenant, sort=f"{sign}name", **search)
            assert [lead["name"].lower() for lead in found] == [lead["name"].lower() for lead in by_name]
            by_status = sorted(newest_first, key=lambda lead: STATUSES.index(lead["status"]), reverse=backwards)
            assert paged(server, tenant, sort=f"{sign}status", **search) == by_status
    assert paged(server, tenant, sort="status", status="new", search="zoe") == [seven[0]]
    assert asked(server, tenant, sort="name", limit=2, search="nothing has this").json == []


def test_what_changes_between_two_pages_repeats_nothing(
    server: Server, tenant: Tenant, seven: list[dict[str, Any]]
) -> None:
    last = seven[-1]["id"]

    def touched() -> None:
        assert server.by_key(tenant, "PATCH", f"/api/leads/{last}", {"subject": "Now"}).status == 200
        made(server, tenant, name="Aaa New")

    for sort in ("-updatedAt", "name", "status"):
        found = [lead["id"] for lead in paged(server, tenant, touched, sort=sort)]
        assert len(found) == len(set(found)) >= len(seven)


def test_filters(server: Server, operator: Operator, tenant: Tenant) -> None:
    agent = operator.staff(tenant.id, "agent", "Andy Agent")
    mine = made(server, tenant, assignedToId=agent.id)["id"]
    free = made(server, tenant)["id"]
    assert server.form(tenant, _gotcha="x").status == 200
    (spam,) = asked(server, tenant, suspect="true").ids
    assert set(asked(server, tenant, suspect="false").ids) == {mine, free}
    assert asked(server, tenant, unassigned="false").ids == [mine]
    assert set(asked(server, tenant, unassigned="true", suspect="false", limit=5).ids) == {free}
    assert set(asked(server, tenant, unassigned="true", search="jane").ids) == {free}
    assert asked(server, tenant, pond="true").ids == []
    at = server.by_key(tenant, "GET", f"/api/leads/{free}").json["createdAt"]
    assert asked(server, tenant, createdSince=at).ids == [spam, free]
    assert asked(server, tenant, createdBefore=at).ids == [mine]
    assert asked(server, tenant, createdSince=at, createdBefore=at).ids == []
    assert set(asked(server, tenant, createdSince="1969-12-31", createdBefore="9999-12-31").ids) == {mine, free, spam}

    # What leaves a filter is told as removed.
    answer = asked(server, tenant, unassigned="true", limit=5)
    assert server.by_key(tenant, "PATCH", f"/api/leads/{free}", {"assignedToId": agent.id}).status == 200
    assert server.by_key(tenant, "GET", links(answer)["delta"]).json == [{"id": free, "removed": True}]


def test_what_cannot_be_sorted(server: Server, operator: Operator, tenant: Tenant) -> None:
    operator.fill(tenant, 2_001)
    whole = asked(server, tenant, limit=1)
    delta = links(whole)["delta"]
    for path in ("/api/leads?sort=name&limit=5", "/api/leads?sort=status", f"{delta}&sort=name", "/api/leads?sort=age"):
        answer = server.by_key(tenant, "GET", path)
        assert answer.status == 400 and "sort" in answer.error, path
    first = links(asked(server, tenant, sort="-updatedAt", limit=1))["next"]
    for other in (first.replace("-updatedAt", "updatedAt"), first.replace("sort=-updatedAt&", "")):
        assert "cursor must be taken from" in server.by_key(tenant, "GET", other).error
    assert "cursor must be taken from" in server.by_key(tenant, "GET", f"{links(whole)['next']}&sort=updatedAt").error


def test_tokens_from_before_these_filters_go_on_holding(server: Server, tenant: Tenant) -> None:
    lead = made(server, tenant)["id"]
    # Path, brokerage, view; status, source, reason, assignee, agent, updatedSince.
    bound = (LEADS.path, tenant.id.int, "all", *[None] * 6)
    token = write_token(bound, 0)
    assert server.by_key(tenant, "GET", f"/api/leads?changedAfter={token}").ids == [lead]
