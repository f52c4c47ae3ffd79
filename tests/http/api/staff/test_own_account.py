"""Users change their own name and password: the present one is asked for, and no login but theirs goes on."""

from typing import Any

import pytest

from aureum.domain.ids import PLATFORM
from tests.http.api.staff.logins import PASSWORD, joined, log_in, opens, token
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server

HERE = "/api/me/password"
NEW = "apples fall in autumn"
ADMIN_USERS = "/api/v1/admin/users"


@pytest.fixture(autouse=True)
def forgiven(operator: Operator) -> None:
    operator.rows("DELETE FROM login_failures")


def change(server: Server, who: dict[str, str], current: Any = PASSWORD, new: Any = NEW, **headers: str) -> Answer:
    return server.ask("POST", HERE, {"current": current, "new": new}, who | headers)


@pytest.mark.parametrize("role", ["agent", "broker", "brokerage_owner", "platform_admin"])
def test_a_new_password_ends_all_other_logins(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, role: str
) -> None:
    user = joined(operator, PLATFORM if role == "platform_admin" else tenant.id, role)
    colleague = token(server, joined(operator, tenant.id))
    mine, others = token(server, user), [token(server, user) for _ in range(2)]
    ((expires,),) = operator.rows("SELECT min(expires_at) FROM user_tokens WHERE user_id = %(u)s", u=user.id)

    answer = change(proxied, mine)

    assert (answer.status, answer.json) == (200, {"success": True})
    assert opens(server, mine) and opens(proxied, mine) and opens(server, colleague)
    assert not any(opens(server, one) for one in others)
    assert log_in(server, user.email).status == 401
    assert log_in(server, user.email, NEW).status == 200
    # It lasts no longer than it did, and the next password ends it like any other.
    assert (expires,) in operator.rows("SELECT expires_at FROM user_tokens WHERE user_id = %(u)s", u=user.id)
    other = token_of(server, user.email, NEW)
    assert change(server, other, NEW, "a quite different one").status == 200
    assert opens(server, other) and not opens(server, mine)


def token_of(server: Server, email: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {log_in(server, email, password).json['token']}"}


def test_the_present_one_is_asked_for(server: Server, operator: Operator, tenant: Tenant) -> None:
    user = joined(operator, tenant.id)
    who = token(server, user)
    before = operator.head(tenant)

    for wrong in ("", "wrong", PASSWORD + " ", NEW):
        answer = change(server, who, wrong)
        assert (answer.status, answer.json["error"]) == (400, "current is not your current password.")
        assert set(answer.json["fields"]) == {"current"}
    # A thief of a token must not find out the password: wrong ones count like failed logins.
    assert change(server, who, "again").status == 400
    refused = change(server, who)
    assert refused.status == 429 and int(refused.headers["retry-after"]) > 800
    assert log_in(server, user.email).status == 429
    assert operator.head(tenant) == before and opens(server, who)


@pytest.mark.parametrize(
    "new", ["short", "password1234", "aaaaaaaaaaaa", "Sam Somebody", "snake river realty", "x" * 1025, 7, None]
)
def test_a_new_one_must_be_good(server: Server, operator: Operator, tenant: Tenant, new: Any) -> None:
    user = joined(operator, tenant.id)
    who = token(server, user)
    answer = change(server, who, new=new)
    assert answer.status == 400 and "new" in answer.json["error"] and set(answer.json["fields"]) == {"new"}
    # The own address too.
    answer = change(server, who, new=user.email)
    assert answer.status == 400 and "too easy to guess" in answer.json["error"]
    assert opens(server, who) and log_in(server, user.email).status == 200
    assert PASSWORD not in server.logged() and user.email not in server.logged()


def test_not_for_keys_nor_without_credentials(server: Server, tenant: Tenant) -> None:
    for who in (tenant.bearer, {}, {"Authorization": "Bearer aut_x"}):
        assert change(server, who).status == 401
        assert server.ask("PATCH", "/api/me", {"name": "X"}, who).status == 401


def test_who_has_no_password_yet(server: Server, operator: Operator, tenant: Tenant) -> None:
    who = operator.staff(tenant.id, "agent").bearer
    assert change(server, who, "").status == change(server, who, "anything").status == 400


def test_who_is_disabled_while_the_password_changes_is_out(server: Server, operator: Operator, tenant: Tenant) -> None:
    """The login that goes on is of a user who may be there."""
    user, owner = joined(operator, tenant.id), operator.staff(tenant.id, "brokerage_owner")
    who = token(server, user)
    operator.rows("UPDATE user_tokens SET kept_until = now() + interval '1 minute' WHERE user_id = %(u)s", u=user.id)
    path = f"{ADMIN_USERS}/{user.number}"
    assert server.ask("PATCH", path, {"disabled": True}, owner.bearer).status == 200
    assert server.ask("PATCH", path, {"disabled": False}, owner.bearer).status == 200
    assert not opens(server, who)


def test_the_own_name(server: Server, operator: Operator, tenant: Tenant) -> None:
    who = operator.staff(tenant.id, "agent", "Ann Agent").bearer
    before = server.ask("GET", "/api/me", headers=who)
    changed = server.ask("PATCH", "/api/me", {"name": " Ann Other "}, who | {"If-Match": before.etag})
    after = server.ask("GET", "/api/me", headers=who)
    assert (changed.status, changed.json) == (200, before.json | {"name": "Ann Other"})
    assert (changed.body, changed.etag) == (after.body, after.etag) and changed.etag != before.etag
    assert server.ask("PATCH", "/api/me", {"name": "X"}, who | {"If-Match": before.etag}).status == 412
    for wrong in ({"name": ""}, {"name": " "}, {"name": None}, {"name": 7}, {"notify": "hourly"}, {"notify": None}):
        assert server.ask("PATCH", "/api/me", wrong, who).status == 400
    assert server.ask("PATCH", "/api/me", {"role": "platform_admin", "email": "x@example.com"}, who).body == after.body
    for notify in ("digest", "none", "at_once"):
        answer = server.ask("PATCH", "/api/me", {"notify": notify}, who)
        assert (answer.status, answer.json) == (200, after.json | {"notify": notify})


class TestByOwners:
    """What owners set for others, and not for themselves."""

    def test_a_guessable_password(self, server: Server, operator: Operator, tenant: Tenant) -> None:
        owner, user = operator.staff(tenant.id, "brokerage_owner"), joined(operator, tenant.id)
        path = f"{ADMIN_USERS}/{user.number}"
        new = {"email": f"new.{user.number}@example.com", "name": "Nora Nilsen", "role": "agent"}
        for password in ("password1234", user.email.lower(), "aaaaaaaaaaaa", "Sam Somebody 1", f"{tenant.slug}-aureum"):
            answer = server.ask("PATCH", path, {"password": password}, owner.bearer)
            assert [item["loc"] for item in answer.detail] == [["body", "password"]] and answer.status == 422
            assert password.encode() not in answer.body
        for password in ("password1234", new["email"], "nora nilsen 12"):
            assert server.ask("POST", ADMIN_USERS, new | {"password": password}, owner.bearer).status == 422
        assert log_in(server, user.email).status == 200

    def test_the_own_password_without_the_present_one(self, server: Server, operator: Operator, tenant: Tenant) -> None:
        user = joined(operator, tenant.id, "brokerage_owner")
        who = token(server, user)
        answer = server.ask("PATCH", f"{ADMIN_USERS}/{user.number}", {"password": NEW, "name": "X"}, who)
        assert answer.status == 409 and "/api/me/password" in answer.detail
        assert opens(server, who) and server.ask("GET", "/api/me", headers=who).json["name"] == "Sam Somebody"

    def test_the_only_one_who_can_log_in_stays(self, server: Server, operator: Operator, tenant: Tenant) -> None:
        owner = joined(operator, tenant.id, "brokerage_owner")
        who = token(server, owner)
        operator.staff(tenant.id, "brokerage_owner")  # has no password
        for out in ({"disabled": True}, {"role": "broker"}, {"role": "agent", "disabled": True, "name": "X"}):
            answer = server.ask("PATCH", f"{ADMIN_USERS}/{owner.number}", out, who)
            assert (answer.status, answer.detail) == (
                409,
                "A brokerage needs an owner. Make another user an owner first.",
            )
        joined(operator, tenant.id, "brokerage_owner")
        assert server.ask("PATCH", f"{ADMIN_USERS}/{owner.number}", {"role": "broker"}, who).status == 200


def test_the_only_platform_admin_stays(server: Server, operator: Operator) -> None:
    admin = joined(operator, PLATFORM, "platform_admin")
    who, path = token(server, admin), f"{ADMIN_USERS}/{admin.number}"
    others = "role = 'platform_admin' AND password_hash IS NOT NULL AND user_id <> %(u)s"
    shut = operator.rows(
        f"UPDATE users SET disabled = true WHERE {others} AND NOT disabled RETURNING user_id", u=admin.id
    )
    try:
        for out in ({"disabled": True}, {"role": "broker"}):
            answer = server.ask("PATCH", path, out, who)
            assert (answer.status, answer.detail) == (
                409,
                "The platform needs an admin. Make another user a platform admin first.",
            )
    finally:
        operator.rows("UPDATE users SET disabled = false WHERE user_id = ANY(%(u)s)", u=[row[0] for row in shut])
    other = joined(operator, PLATFORM, "platform_admin")
    assert server.ask("PATCH", path, {"disabled": True}, who).status == 200
    assert log_in(server, other.email).status == 200
