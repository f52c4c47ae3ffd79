"""Two brokerages with the same data see each their own, and of the other not even that it is there."""

import pytest

from tests.http.links import links
from tests.http.operator import Operator, Tenant
from tests.http.serving import FORM, JANE, Server


@pytest.fixture
def both(server: Server, operator: Operator) -> tuple[Tenant, Tenant]:
    """Two tenants to whom the same has happened."""
    tenants = operator.brokerage(), operator.brokerage()
    for tenant in tenants:
        operator.agent(tenant, "Rita", "river")
        assert server.form(tenant).status == 200
        lead = server.by_key(tenant, "POST", "/api/leads", JANE, {"Idempotency-Key": "same"}).json
        server.by_key(tenant, "PATCH", f"/api/leads/{lead['id']}", {"status": "contacted"})
    return tenants


def test_each_sees_its_own(server: Server, proxied: Server, both: tuple[Tenant, Tenant]) -> None:
    lists = [server.leads(tenant) for tenant in both]

    assert [len(leads) for leads in lists] == [2, 2]
    assert not {lead["id"] for lead in lists[0]} & {lead["id"] for lead in lists[1]}
    for tenant, leads in zip(both, lists, strict=True):
        for process in (server, proxied):
            assert process.by_key(tenant, "GET", "/api/leads?limit=9").json == leads
            assert process.ask("GET", "/api/leads/count", host=tenant.domain).json["total"] == 2
            assert process.by_key(tenant, "GET", "/api/leads/count").json["contacted"] == 1
        agent = leads[1]["assignedToId"]
        other = both[both[0] is tenant]
        assert server.by_key(tenant, "GET", f"/api/leads?assignedToId={agent}").json == leads[1:]
        assert server.by_key(other, "GET", f"/api/leads?assignedToId={agent}").json == []


def test_a_lead_of_the_other_is_as_unknown_as_one_that_never_was(
    server: Server, operator: Operator, both: tuple[Tenant, Tenant]
) -> None:
    mine, other = both
    foreign = server.leads(other)[0]["id"]
    never = "c" + "1" * 25
    before = [operator.head(tenant) for tenant in both]

    def told(lead: str) -> list[tuple[int, bytes]]:
        path = f"/api/leads/{lead}"
        answers = [
            server.by_key(mine, "GET", path),
            server.by_key(mine, "GET", path, headers={"If-None-Match": '"v2"'}),
            server.by_key(mine, "GET", f"{path}?asOf=9999-01-01"),
            server.by_key(mine, "GET", f"{path}/history"),
            server.by_key(mine, "PATCH", path, {"status": "lost"}),
            server.by_key(mine, "PATCH", path, {}),
            server.by_key(mine, "PATCH", path, {"status": "lost"}, {"If-Match": '"v2"'}),
            server.by_key(mine, "PATCH", path, {"status": "lost"}, {"If-Match": '"v9"'}),
        ]
        assert {answer.status for answer in answers} == {404}
        assert server.by_key(mine, "HEAD", path).status == 404
        return [(answer.status, answer.body) for answer in answers]

    assert told(foreign) == told(never)
    assert [operator.head(tenant) for tenant in both] == before


def test_a_cursor_of_the_other_shows_nothing_of_it(server: Server, both: tuple[Tenant, Tenant]) -> None:
    mine, other = both
    for path in links(server.by_key(other, "GET", "/api/leads?limit=1")).values():
        refused = server.by_key(mine, "GET", path)

        assert refused.status == 400 and "must be taken from a Link header of this list" in refused.error


def test_a_change_of_one_changes_no_etag_of_the_other(server: Server, both: tuple[Tenant, Tenant]) -> None:
    mine, other = both
    paths = ("/api/leads", "/api/leads?limit=1", "/api/leads/count")
    known = {path: {"If-None-Match": server.by_key(mine, "GET", path).etag} for path in paths}

    assert server.ask("POST", "/api/contact", FORM, host=other.domain).status == 200

    assert [server.by_key(mine, "GET", path, headers=known[path]).status for path in paths] == [304] * 3


def test_what_one_process_has_answered_another_shows_at_once(server: Server, proxied: Server, tenant: Tenant) -> None:
    writer, reader = server, proxied
    for total in range(1, 21):
        if total % 2:
            assert writer.form(tenant).status == 200
        else:
            made = writer.by_key(tenant, "POST", "/api/leads", JANE)
            assert reader.by_key(tenant, "GET", f"/api/leads/{made.json['id']}").json == made.json
        assert (
            reader.ask("GET", "/api/leads/count", host=tenant.domain, headers=forwarded(total)).json["total"] == total
        )
        assert len(reader.by_key(tenant, "GET", "/api/leads?limit=500").json) == total
        writer, reader = reader, writer


def forwarded(number: int) -> dict[str, str]:
    """Of an address of its own, where the process believes it: the form limit is tested elsewhere."""
    return {"X-Forwarded-For": f"203.0.113.{number}"}
