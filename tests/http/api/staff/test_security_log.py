"""The security log over HTTP: what a brokerage's owner finds there, and what others do not."""

from typing import Any

from pydantic import SecretStr

from aureum.commands.api_keys import revoke_api_key
from aureum.commands.users import CreateUser, create_user
from tests.http.cheap_hashes import cheap_hashes
from tests.http.operator import ORIGIN, Operator, Staff, Tenant
from tests.http.serving import Server, until

PATH = "/api/v1/admin/security-log"
PASSWORD = "correct horse battery staple"


def found(server: Server, who: Staff) -> list[dict[str, Any]]:
    answer = server.ask("GET", PATH, headers=who.bearer)
    assert answer.status == 200, answer
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def kinds(server: Server, who: Staff) -> dict[str, int]:
    return {one["kind"]: one["times"] for one in found(server, who)}


def test_logins_and_keys(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner", "Olga Owner")
    email = f"lou@{tenant.slug}.example.net"
    command = CreateUser(tenant_id=tenant.id, email=email, name="Lou", role="agent", password=SecretStr(PASSWORD))
    with cheap_hashes():
        operator.run(lambda store: create_user(store, command, ORIGIN))
    for password in ("wrong horse battery", PASSWORD, "wrong horse battery"):
        server.ask("POST", "/api/v1/auth/login", {"email": email.upper(), "password": password})
    revoked = operator.key(tenant, 1_000)
    operator.run(lambda store: revoke_api_key(store, tenant.id, revoked.key_id, ORIGIN))
    assert server.by_key(revoked, "GET", "/api/leads").status == 401
    other = operator.brokerage()
    assert server.ask("GET", "/api/leads", headers=tenant.bearer, host=other.domain).status == 401

    wanted = {"login": 1, "login_failed": 2, "key_revoked_used": 1, "key_at_other_brokerage": 1}
    until(lambda: kinds(server, owner) == wanted)
    by_kind = {one["kind"]: one for one in found(server, owner)}
    failed = by_kind["login_failed"]
    assert (failed["user"]["name"], failed["account"], failed["address"]) == ("Lou", email.upper(), "127.0.0.1")
    assert by_kind["key_revoked_used"]["key"]["name"] == "another"
    assert by_kind["key_at_other_brokerage"]["about"] == other.domain

    one = server.ask("GET", f"{PATH}?kind=login", headers=owner.bearer).json
    assert (one["total"], one["items"][0]["kind"]) == (1, "login")
    assert server.ask("GET", f"{PATH}?since=9999-01-01", headers=owner.bearer).json["items"] == []
    assert server.ask("GET", f"{PATH}?kind=nonsense", headers=owner.bearer).status == 422
    foreign = operator.staff(other.id, "brokerage_owner")
    assert found(server, foreign) == []
    for role in ("agent", "broker"):
        assert server.ask("GET", PATH, headers=operator.staff(tenant.id, role).bearer).status == 403
