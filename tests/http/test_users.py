"""``GET /api/users``: who can be assigned."""

from aureum.commands.users import ChangeUser, change_user
from aureum.domain.ids import PLATFORM, from_wire
from tests.http.office import ORIGIN, Office, Staff, Tenant
from tests.http.serving import BASE_DOMAIN, Server


def disable(office: Office, tenant: Tenant, user: Staff) -> None:
    user_id = from_wire(user.id)
    assert user_id is not None
    command = ChangeUser(tenant_id=tenant.id, user_id=user_id, disabled=True)
    office.run(lambda store: change_user(store, command, ORIGIN, check=lambda _: None))


def test_the_brokerages_staff_by_name(server: Server, office: Office, tenant: Tenant) -> None:
    zoe = office.staff(tenant.id, "broker", "Zoë")
    ana = office.staff(tenant.id, "agent", "Ana")
    out = office.staff(tenant.id, "agent", "Bob")
    office.staff(office.brokerage().id, "agent", "Foreign")
    disable(office, tenant, out)

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


def test_unchanged_it_is_not_sent_again(server: Server, proxied: Server, office: Office, tenant: Tenant) -> None:
    ana = office.staff(tenant.id, "agent", "Ana")
    etag = server.by_key(tenant, "GET", "/api/users").etag
    unchanged = proxied.by_key(tenant, "GET", "/api/users", headers={"If-None-Match": etag})
    assert (unchanged.status, unchanged.body) == (304, b"")
    disable(office, tenant, ana)
    changed = proxied.by_key(tenant, "GET", "/api/users", headers={"If-None-Match": etag})
    assert (changed.status, changed.json) == (200, [])


def test_who_may_ask(server: Server, office: Office, tenant: Tenant) -> None:
    assert server.ask("GET", "/api/users").status == 401
    starter = office.brokerage("Starter")
    assert server.by_key(starter, "GET", "/api/users").json["requiredPlan"] == "Grow"
    admin = office.staff(PLATFORM, "platform_admin")
    assert server.ask("GET", "/api/users", headers=admin.bearer).status == 400
    host = f"{tenant.slug}.{BASE_DOMAIN}"
    assert server.ask("GET", "/api/users", headers=admin.bearer, host=host).json == []
