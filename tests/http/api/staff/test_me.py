"""``GET /api/me``: what a key or a token is."""

import pytest

from aureum.commands.brokerages import change_plan
from aureum.domain.ids import PLATFORM, to_wire
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.serving import Server


def brokerage(operator: Operator, tenant: Tenant, plan: str) -> dict[str, object]:
    """The tenant as it is told of."""
    ((number, slug, name),) = operator.rows(
        "SELECT number, slug, name FROM brokerages WHERE tenant_id = %(t)s", t=tenant.id
    )
    return {"id": number, "slug": slug, "name": name, "plan": plan, "timeZone": "America/Boise"}


def test_a_key_on_any_plan(server: Server, operator: Operator) -> None:
    tenant = operator.brokerage("Starter", rate_limit=1_000)

    answer = server.by_key(tenant, "GET", "/api/me")

    assert (answer.status, answer.json) == (
        200,
        {
            "type": "key",
            "id": to_wire(tenant.key_id),
            "name": "tests",
            "prefix": tenant.key[:12],
            "rateLimit": 1_000,
            "brokerage": brokerage(operator, tenant, "Starter"),
        },
    )
    assert answer.headers["x-ratelimit-limit"] == "1000"


def move(operator: Operator, tenant: Tenant, plan: str) -> None:
    operator.run(lambda store: change_plan(store, tenant.id, plan, ORIGIN))


@pytest.mark.parametrize("role", ["brokerage_owner", "broker", "agent", "platform_admin"])
def test_a_user(server: Server, operator: Operator, tenant: Tenant, role: str) -> None:
    user = operator.staff(tenant.id, role, "Sam")
    answer = server.ask("GET", "/api/me", headers=user.bearer)
    assert (answer.status, answer.json) == (
        200,
        {
            "type": "user",
            "id": user.id,
            "number": user.number,
            "name": "Sam",
            "email": user.email,
            "role": role,
            "notify": "at_once",
            "totp": False,
            "brokerage": brokerage(operator, tenant, "Elite"),
        },
    )


def test_a_user_of_no_brokerage(server: Server, operator: Operator) -> None:
    admin = operator.staff(PLATFORM, "platform_admin")
    assert server.ask("GET", "/api/me", headers=admin.bearer).json["brokerage"] is None


def test_unchanged_until_something_happens_to_the_brokerage(server: Server, operator: Operator, tenant: Tenant) -> None:
    for headers in (tenant.bearer, operator.staff(tenant.id, "agent").bearer):
        etag = server.ask("GET", "/api/me", headers=headers).etag
        assert server.ask("GET", "/api/me", headers=headers | {"If-None-Match": etag}).status == 304
        ((plan,),) = operator.rows("SELECT plan FROM brokerages WHERE tenant_id = %(t)s", t=tenant.id)
        other = "Grow" if plan == "Elite" else "Elite"
        move(operator, tenant, other)
        changed = server.ask("GET", "/api/me", headers=headers | {"If-None-Match": etag})
        assert (changed.status, changed.json["brokerage"]["plan"]) == (200, other)


def test_without_credentials(server: Server, tenant: Tenant) -> None:
    answer = server.ask("GET", "/api/me")
    assert (answer.status, answer.error[:24]) == (401, "An API key is required. ")
    assert server.ask("GET", "/api/me", headers={"Authorization": tenant.bearer["Authorization"] + "x"}).status == 401
