"""``GET /api/users``: who can be assigned."""

from aureum.commands.users import ChangeUser, change_user
from aureum.domain.ids import PLATFORM, from_wire
from tests.http.links import delta, next_page
from tests.http.operator import ORIGIN, Operator, Staff, Tenant
from tests.http.serving import BASE_DOMAIN, Server


def disable(operator: Operator, tenant: Tenant, user: Staff) -> None:
    user_id = from_wire(user.id)
    assert user_id is not None
    command = ChangeUser(tenant_id=tenant.id, user_id=user_id, disabled=True)
    operator.run(lambda store: change_user(store, command, ORIGIN, check=lambda _: None))


def test_the_brokerages_staff_by_name(server: Server, operator: Operator, tenant: Tenant) -> None:
    zoe = operator.staff(tenant.id, "broker", "Zoë")
    ana = operator.staff(tenant.id, "agent", "Ana")
    out = operator.staff(tenant.id, "agent", "Bob")
    operator.staff(operator.brokerage().id, "agent", "Foreign")
    disable(operator, tenant, out)

    listed = server.by_key(tenant, "GET", "/api/users")

    assert listed.json == [
        {"id": ana.id, "number": ana.number, "name": "Ana", "role": "agent"},
        {"id": zoe.id, "number": zoe.number, "name": "Zoë", "role": "broker"},
    ]
    # An agent may need to know whom to hand something to.
    assert server.ask("GET", "/api/users", headers=ana.bearer).json == listed.json
    for user in listed.json:
        lead = {"name": "Jane Doe", "email": "jane@example.com", "assignedToId": user["id"]}
        assert server.by_key(tenant, "POST", "/api/leads", lead).status == 201


def test_unchanged_it_is_not_sent_again(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    ana = operator.staff(tenant.id, "agent", "Ana")
    etag = server.by_key(tenant, "GET", "/api/users").etag
    unchanged = proxied.by_key(tenant, "GET", "/api/users", headers={"If-None-Match": etag})
    assert (unchanged.status, unchanged.body) == (304, b"")
    disable(operator, tenant, ana)
    changed = proxied.by_key(tenant, "GET", "/api/users", headers={"If-None-Match": etag})
    assert (changed.status, changed.json) == (200, [])


def test_who_may_ask(server: Server, operator: Operator, tenant: Tenant) -> None:
    assert server.ask("GET", "/api/users").status == 401
    starter = operator.brokerage("Starter")
    assert server.by_key(starter, "GET", "/api/users").json["requiredPlan"] == "Grow"
    admin = operator.staff(PLATFORM, "platform_admin")
    assert server.ask("GET", "/api/users", headers=admin.bearer).status == 400
    host = f"{tenant.slug}.{BASE_DOMAIN}"
    assert server.ask("GET", "/api/users", headers=admin.bearer, host=host).json == []


def test_pages_and_what_changes_in_them(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    staff = [operator.staff(tenant.id, "agent", name) for name in ("Cy", "Ana", "Dot", "Bob")]
    cy, ana, dot, bob = (one.id for one in staff)

    def pages(path: str) -> tuple[list[list[str]], str]:
        """The ids on the pages, and where what changes from then on is found."""
        found: list[list[str]] = []
        after = set()
        page: str | None = path
        for _ in range(10):
            assert page is not None
            answer = (server, proxied)[len(found) % 2].by_key(tenant, "GET", page)
            found.append(answer.ids)
            after.add(delta(answer).partition("changedAfter=")[2])
            page = next_page(answer)
            if page is None:
                assert len(after) == 1
                return found, delta(answer)
        raise AssertionError("the pages do not end")

    assert pages("/api/users")[0] == [[ana, bob, cy, dot]]
    found, after = pages("/api/users?limit=3")
    assert found == [[ana, bob, cy], [dot]]
    assert pages(after)[0] == [[]]

    # A page goes on behind a user who is disabled meanwhile.
    second = next_page(server.by_key(tenant, "GET", "/api/users?limit=2"))
    disable(operator, tenant, staff[3])
    assert second and server.by_key(tenant, "GET", second).ids == [cy, dot]

    eve = operator.staff(tenant.id, "agent", "Eve").id
    changed = server.by_key(tenant, "GET", after)
    assert changed.json[0] == {"id": bob, "removed": True} and changed.json[1]["name"] == "Eve"
    assert pages(after.replace("limit=3", "limit=1"))[0] == [[bob], [eve]]
    assert pages(delta(changed))[0] == [[]]
    for path in (after, second):
        assert server.by_key(operator.brokerage(), "GET", path).status == 400
    for query in ("limit=0", "cursor=x", "changedAfter=x", "name=Ana"):
        assert server.by_key(tenant, "GET", f"/api/users?{query}").status == 400
