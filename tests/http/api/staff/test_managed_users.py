"""``/api/v1/admin/users``: which users manage the staff, and what no user may do to itself or to others."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from aureum.domain.ids import PLATFORM
from aureum.store.event_store import EventStore
from tests.http.operator import NUMBERS, Operator, Staff, Tenant
from tests.http.serving import Answer, Server

PATH = "/api/v1/admin/users"
WAITING = """
SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%append_events%'
"""
PASSWORD = "correct horse battery staple"


@pytest.fixture
def owner(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "brokerage_owner", "Olivia")


@pytest.fixture(scope="module")
def admin(operator: Operator) -> Staff:
    return operator.staff(PLATFORM, "platform_admin")


def new(**fields: Any) -> dict[str, Any]:
    """A user who is not there yet."""
    return {"email": f"new{next(NUMBERS)}@example.com", "name": "Ana Agent", "role": "agent"} | fields


def number_of(operator: Operator, tenant: Tenant) -> int:
    ((number,),) = operator.rows("SELECT number FROM brokerages WHERE tenant_id = %(t)s", t=tenant.id)
    return int(number)


def made(server: Server, who: Staff, **fields: Any) -> dict[str, Any]:
    answer = server.ask("POST", PATH, new(**fields), who.bearer)
    assert answer.status == 201, answer.body
    user: dict[str, Any] = answer.json
    return user


def change(server: Server, who: Staff, number: int, body: dict[str, Any], **headers: str) -> Answer:
    return server.ask("PATCH", f"{PATH}/{number}", body, who.bearer | headers)


def test_made_whole_and_found_again(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff
) -> None:
    sent = new(specialties=["downtown", "condos"], password=PASSWORD)

    answer = server.ask("POST", PATH, sent, owner.bearer)

    assert (answer.status, answer.etag) == (201, '"v1"')
    user = answer.json
    assert user == {
        "id": user["id"],
        "email": sent["email"],
        "name": "Ana Agent",
        "role": "agent",
        "brokerage_id": number_of(operator, tenant),
        "takes_leads": True,
        "specialties": ["downtown", "condos"],
        "disabled": False,
        "has_password": True,
        "totp": False,
        "invited_until": None,
        "created_at": user["created_at"],
    }
    found = proxied.ask("GET", f"{PATH}/{user['id']}", headers=owner.bearer)
    assert (found.status, found.json, found.etag) == (200, user, '"v1"')
    page = proxied.ask("GET", PATH, headers=owner.bearer)
    assert page.json | {"items": None} == {"items": None, "total": 2, "page": 1, "page_size": 20, "total_pages": 1}
    assert [item["name"] for item in page.json["items"]] == ["Ana Agent", "Olivia"]
    assert page.json["items"][0] == user
    second = proxied.ask("GET", f"{PATH}?page=2&page_size=1", headers=owner.bearer).json
    assert ([item["id"] for item in second["items"]], second["total_pages"]) == ([owner.number], 2)
    assert server.ask("GET", PATH, headers=owner.bearer | {"If-None-Match": page.etag}).status == 304
    for told in (answer, found, page):
        assert b'"password"' not in told.body and b"argon2" not in told.body
    login = server.ask("POST", "/api/v1/auth/login", {"email": sent["email"], "password": PASSWORD})
    assert login.json["user"]["id"] == user["id"]


def test_everything_that_can_be_changed(server: Server, proxied: Server, owner: Staff) -> None:
    user = made(server, owner)
    between = datetime.now(UTC).isoformat().replace("+", "%2B")
    changes = {"name": "Ana Smith", "role": "broker", "takes_leads": False, "specialties": ["land"], "disabled": True}

    answer = change(server, owner, user["id"], changes, **{"If-Match": '"v1"'})

    assert (answer.status, answer.json) == (200, user | changes)
    found = proxied.ask("GET", f"{PATH}/{user['id']}", headers=owner.bearer)
    assert (found.json, found.etag) == (answer.json, answer.etag)
    again = change(server, owner, user["id"], changes, **{"If-Match": answer.etag})
    assert (again.json, again.etag) == (answer.json, answer.etag)
    assert change(server, owner, user["id"], {"name": "B"}, **{"If-Match": '"v1"'}).status == 412
    before = proxied.ask("GET", f"{PATH}/{user['id']}?asOf={between}", headers=owner.bearer)
    assert (before.json, before.etag) == (user, '"v1"')
    assert proxied.ask("GET", f"{PATH}/{user['id']}?asOf=2020-01-01", headers=owner.bearer).status == 404


def test_a_password_set_for_a_user(server: Server, owner: Staff) -> None:
    user = made(server, owner, password=PASSWORD)

    def login(password: str) -> Answer:
        return server.ask("POST", "/api/v1/auth/login", {"email": user["email"], "password": password})

    old = {"Authorization": f"Bearer {login(PASSWORD).json['token']}"}
    answer = change(server, owner, user["id"], {"password": "a quite different one"})
    assert (answer.status, answer.json) == (200, user)
    assert login(PASSWORD).status == 401 and login("a quite different one").status == 200
    assert server.ask("GET", "/api/me", headers=old).status == 401


def test_forms_know_at_once_who_takes_leads(server: Server, operator: Operator, tenant: Tenant, owner: Staff) -> None:
    ana = made(server, owner)
    assert server.form(tenant).status == 200
    change(server, owner, ana["id"], {"disabled": True})
    assert server.form(tenant).status == 200
    change(server, owner, ana["id"], {"disabled": False})
    assert server.form(tenant).status == 200
    assigned = [lead["assignedToId"] for lead in server.leads(tenant)]
    assert assigned[0] is not None and assigned[1:] == [None, assigned[0]]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"role": "boss"}, "role"),
        ({"password": "too short"}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"takes_leads": "yes"}, "takes_leads"),
        ({"specialties": ["x" * 101]}, "specialties"),
        ({"specialties": "land"}, "specialties"),
        ({"email": "nobody"}, "email"),
    ],
)
def test_a_refusal_names_the_field(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, fields: dict[str, Any], field: str
) -> None:
    user = made(server, owner)
    before = operator.head(tenant)
    answers = [server.ask("POST", PATH, new(**fields), owner.bearer)]
    if field != "email":
        answers.append(change(server, owner, user["id"], fields))
    for answer in answers:
        assert answer.status == 422, answer.body
        assert answer.detail[0]["loc"][:2] == ["body", field]
        assert b"too short" not in answer.body
    assert operator.head(tenant) == before


def test_an_address_that_is_taken(server: Server, operator: Operator, tenant: Tenant, owner: Staff) -> None:
    elsewhere = operator.staff(operator.brokerage().id, "agent")
    answer = server.ask("POST", PATH, new(email=elsewhere.email.upper()), owner.bearer)
    assert (answer.status, answer.detail) == (409, "A user with this email address already exists.")


def test_the_same_request_again_makes_one(server: Server, proxied: Server, owner: Staff, admin: Staff) -> None:
    body = new(password=PASSWORD)
    for who in (owner, admin):
        headers = who.bearer | {"Idempotency-Key": "once"}
        body = new(password=PASSWORD)
        first = server.ask("POST", PATH, body, headers)
        again = proxied.ask("POST", PATH, body, headers)
        assert first.status == 201 and "idempotent-replayed" not in first.headers
        assert (again.status, again.body, again.headers["idempotent-replayed"]) == (201, first.body, "true")
        assert proxied.ask("POST", PATH, new(), headers).status == 409


class TestOwners:
    """Owners manage their own brokerage."""

    def test_others_are_not_there(self, server: Server, operator: Operator, owner: Staff, admin: Staff) -> None:
        other = operator.brokerage()
        foreign = operator.staff(other.id, "agent")
        before = operator.head(other)
        for number in (foreign.number, admin.number, 2**31 - 1):
            for method, body in (("GET", None), ("PATCH", {"name": "Mine"}), ("PATCH", {})):
                answer = server.ask(method, f"{PATH}/{number}", body, owner.bearer)
                assert (answer.status, answer.detail) == (404, "There is no such user.")
        assert operator.head(other) == before

    def test_the_brokerage_that_they_name_is_ignored(
        self, server: Server, operator: Operator, tenant: Tenant, owner: Staff
    ) -> None:
        other = number_of(operator, operator.brokerage())
        anything: tuple[object, ...] = (other, 2**31 - 1, None, "abc", {}, 1.5, "")
        for named in anything:
            assert made(server, owner, brokerage_id=named)["brokerage_id"] == number_of(operator, tenant)
        for text in (other, "abc", "1.5", ""):
            assert server.ask("GET", f"{PATH}?brokerage_id={text}", headers=owner.bearer).json["total"] == 8

    def test_they_make_no_platform_admin(
        self, server: Server, operator: Operator, tenant: Tenant, owner: Staff
    ) -> None:
        user = made(server, owner)
        before = operator.head(tenant)
        given = "Only a platform admin may give a user the role platform_admin."
        answers = [
            server.ask("POST", PATH, new(role="platform_admin"), owner.bearer),
            change(server, owner, user["id"], {"role": "platform_admin"}),
            change(server, owner, owner.number, {"role": "platform_admin"}),
        ]
        assert {(answer.status, answer.detail) for answer in answers} == {(403, given)}
        assert operator.head(tenant) == before

    def test_nor_do_they_become_one_by_another_ones_password(
        self, server: Server, operator: Operator, tenant: Tenant, owner: Staff
    ) -> None:
        at_home = operator.staff(tenant.id, "platform_admin")
        before = operator.head(tenant)
        for body in ({"password": PASSWORD}, {"role": "agent"}, {"disabled": True}, {"name": "X"}):
            answer = change(server, owner, at_home.number, body)
            assert (answer.status, answer.detail) == (403, "Only a platform admin may change a platform admin.")
        assert operator.head(tenant) == before

    def test_the_last_one_stays(self, server: Server, operator: Operator, tenant: Tenant, owner: Staff) -> None:
        before = operator.head(tenant)
        for body in ({"disabled": True}, {"role": "broker"}, {"role": "agent", "name": "X"}):
            answer = change(server, owner, owner.number, body)
            assert (answer.status, answer.detail) == (
                409,
                "A brokerage needs an owner. Make another user an owner first.",
            )
        assert operator.head(tenant) == before
        second = operator.staff(tenant.id, "brokerage_owner")
        assert change(server, owner, second.number, {"disabled": True}).status == 200
        assert change(server, owner, owner.number, {"disabled": True}).status == 409
        assert change(server, owner, second.number, {"disabled": False}).status == 200
        assert change(server, owner, owner.number, {"role": "broker"}).status == 200
        assert change(server, owner, owner.number, {"name": "X"}).status == 403

    def test_two_do_not_shut_each_other_out(
        self, server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff
    ) -> None:
        """Both have seen that the other is left; then one comes first."""
        second = operator.staff(tenant.id, "brokerage_owner")

        async def both(store: EventStore) -> list[int]:
            async with store.database.connection() as connection:
                await connection.execute("BEGIN")
                hold = "SELECT FROM heads WHERE tenant_id = %(tenant)s FOR UPDATE"
                await connection.execute(hold, {"tenant": tenant.id})
                out = {"role": "broker"}
                asked = [
                    asyncio.ensure_future(asyncio.to_thread(change, server, owner, second.number, out)),
                    asyncio.ensure_future(asyncio.to_thread(change, proxied, second, owner.number, out)),
                ]
                while len(await store.database.rows(WAITING)) < 2:  # noqa: ASYNC110 - it is in the database
                    await asyncio.sleep(0.01)
                await connection.execute("COMMIT")
            return sorted(answer.status for answer in await asyncio.wait_for(asyncio.gather(*asked), 20))

        assert operator.run(lambda store: asyncio.wait_for(both(store), 30)) == [200, 409]
        query = "SELECT count(*) FROM users WHERE tenant_id = %(t)s AND role = 'brokerage_owner'"
        assert operator.rows(query, t=tenant.id) == [(1,)]

    def test_one_of_no_brokerage_has_nothing_to_manage(self, server: Server, operator: Operator, admin: Staff) -> None:
        of_nothing = operator.staff(PLATFORM, "brokerage_owner")
        for method, path, body in (("GET", PATH, None), ("POST", PATH, new()), ("PATCH", f"{PATH}/{admin.number}", {})):
            answer = server.ask(method, path, body, of_nothing.bearer)
            assert (answer.status, answer.detail) == (400, "You do not belong to a brokerage.")


class TestPlatformAdmins:
    """They manage everybody."""

    def test_in_the_brokerage_that_they_name(
        self, server: Server, operator: Operator, tenant: Tenant, admin: Staff
    ) -> None:
        number = number_of(operator, tenant)
        for who in (admin, operator.staff(operator.shared.id, "platform_admin")):
            user = made(server, who, brokerage_id=number, role="brokerage_owner")
            assert user["brokerage_id"] == number
            answer = change(server, who, user["id"], {"disabled": True})
            assert (answer.status, answer.json["disabled"]) == (200, True)
            listed = server.ask("GET", f"{PATH}?brokerage_id={number}", headers=who.bearer)
            assert user["id"] in [item["id"] for item in listed.json["items"]]
            made(server, who, brokerage_id=number)
            known = who.bearer | {"If-None-Match": listed.etag}
            assert server.ask("GET", f"{PATH}?brokerage_id={number}", headers=known).status == 200

    def test_none_named_is_their_own_or_the_platform(
        self, server: Server, operator: Operator, tenant: Tenant, admin: Staff
    ) -> None:
        at_home = operator.staff(tenant.id, "platform_admin")
        assert made(server, at_home, role="platform_admin")["brokerage_id"] == number_of(operator, tenant)
        user = made(server, admin, role="platform_admin")
        assert user["brokerage_id"] is None
        page = server.ask("GET", f"{PATH}?page_size=100", headers=admin.bearer).json
        assert {item["brokerage_id"] for item in page["items"]} == {None}
        assert server.ask("GET", f"{PATH}/{user['id']}", headers=admin.bearer).json == user

    def test_one_that_is_not_there(self, server: Server, admin: Staff) -> None:
        assert server.ask("POST", PATH, new(brokerage_id=2**31 - 1), admin.bearer).detail == "Brokerage not found"
        assert server.ask("GET", f"{PATH}?brokerage_id=0", headers=admin.bearer).status == 404
        assert server.ask("GET", f"{PATH}?brokerage_id=x", headers=admin.bearer).status == 422
        assert server.ask("GET", f"{PATH}?brokerage_id={2**63}", headers=admin.bearer).status == 422


@pytest.mark.parametrize("role", ["broker", "agent"])
def test_no_other_role(server: Server, operator: Operator, tenant: Tenant, owner: Staff, role: str) -> None:
    who = operator.staff(tenant.id, role)
    before = operator.head(tenant)
    for method, path, body in (
        ("GET", PATH, None),
        ("POST", PATH, new()),
        ("GET", f"{PATH}/{who.number}", None),
        ("PATCH", f"{PATH}/{who.number}", {"role": "brokerage_owner"}),
    ):
        answer = server.ask(method, path, body, who.bearer)
        assert answer.status == 403
        assert answer.detail == "Only the owner of the brokerage or a platform admin may do this."
        assert server.ask(method, path, body).status == 401
        assert server.ask(method, path, body, tenant.bearer).status == 401
    assert operator.head(tenant) == before
