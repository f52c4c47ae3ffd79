"""Logging in and out: who gets a token, what ends it, and how many guesses there are."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from aureum.commands.api_keys import hash_key
from aureum.commands.brokerages import disable_brokerage, enable_brokerage
from aureum.commands.users import CreateUser, create_user
from aureum.domain.errors import AlreadyTaken
from aureum.domain.ids import PLATFORM
from aureum.http.wire.times import parse_time
from aureum.store.event_store import EventStore
from tests.http.api.staff.logins import PASSWORD, PATH, WRONG, changed, joined, log_in, opens, token
from tests.http.operator import NUMBERS, ORIGIN, Operator, Tenant
from tests.http.serving import Answer, Server

WAITING = """
SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'SELECT FROM hold_heads%'
"""


@pytest.fixture(autouse=True)
def forgiven(operator: Operator) -> None:
    """All tests log in from one address, and would be slowed down by each other's failures."""
    operator.rows("DELETE FROM login_failures")


def test_a_token_for_the_password_in_whatever_case_the_address_is(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    user = joined(operator, tenant.id)
    ((brokerage,),) = operator.rows("SELECT number FROM brokerages WHERE tenant_id = %(id)s", id=tenant.id)
    before = operator.head(tenant)

    answer = log_in(server, user.email.upper())

    assert answer.status == 200, answer.body
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json["user"] == {
        "id": user.number,
        "email": user.email,
        "name": "Sam Somebody",
        "role": "agent",
        "brokerage_id": brokerage,
    }
    lasts = parse_time(answer.json["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=11, minutes=59) < lasts <= timedelta(hours=12)
    assert opens(proxied, {"Authorization": f"Bearer {answer.json['token']}"})
    # Sessions are no events, and the token is nowhere in the database.
    assert operator.head(tenant) == before
    ((kept,),) = operator.rows("SELECT token_hash FROM user_tokens WHERE user_id = %(u)s", u=user.id)
    assert kept == hash_key(answer.json["token"])
    assert PASSWORD not in server.logged() and user.email.lower() not in server.logged().lower()


def test_a_user_without_a_brokerage(server: Server, operator: Operator) -> None:
    user = joined(operator, PLATFORM, "platform_admin")
    assert log_in(server, user.email).json["user"]["brokerage_id"] is None


def test_one_text_for_everybody_who_gets_none(server: Server, operator: Operator, tenant: Tenant) -> None:
    known, without, out = (
        joined(operator, tenant.id),
        joined(operator, tenant.id, password=None),
        joined(operator, tenant.id),
    )
    changed(operator, tenant.id, out, disabled=True)
    shut = operator.brokerage()
    inside = joined(operator, shut.id)
    operator.run(lambda store: disable_brokerage(store, shut.id, ORIGIN))

    refusals = [
        log_in(server, known.email, "another password"),
        log_in(server, known.email, ""),
        log_in(server, without.email),
        log_in(server, out.email),
        log_in(server, inside.email),
        log_in(server, f"nobody{secrets.token_hex(8)}@example.com"),
    ]

    assert {(answer.status, answer.detail) for answer in refusals} == {(401, WRONG)}
    assert not operator.rows("SELECT user_id FROM user_tokens WHERE tenant_id = ANY(%(t)s)", t=[tenant.id, shut.id])
    changed(operator, tenant.id, out, disabled=False)
    operator.run(lambda store: enable_brokerage(store, shut.id, ORIGIN))
    assert {log_in(server, user.email).status for user in (known, out, inside)} == {200}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"password": "x"}, (["body", "email"], "value_error.missing")),
        ({"email": "a@example.com"}, (["body", "password"], "value_error.missing")),
        ({"email": "nobody", "password": "x"}, (["body", "email"], "value_error.email")),
        ({"email": 7, "password": "x"}, (["body", "email"], "type_error.str")),
        ({"email": "a@example.com", "password": 7}, (["body", "password"], "type_error.str")),
        ({"email": "a@example.com", "password": None}, (["body", "password"], "type_error.none.not_allowed")),
        ({"email": "a@example.com", "password": "x" * 1025}, (["body", "password"], "value_error.any_str.max_length")),
    ],
)
def test_what_is_no_attempt(server: Server, body: dict[str, Any], problem: tuple[list[str], str]) -> None:
    answer = server.ask("POST", PATH, body)
    assert answer.status == 422
    assert [(item["loc"], item["type"]) for item in answer.detail] == [problem]
    assert b"xxx" not in answer.body


def test_five_failures_of_one_account_from_one_address(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    user, other = joined(operator, tenant.id), joined(operator, tenant.id)
    here = {"X-Forwarded-For": "203.0.113.9"}
    for _ in range(5):
        assert log_in(proxied, user.email, "wrong", **here).status == 401

    refused = log_in(proxied, user.email.upper(), **here)

    assert refused.status == 429
    assert 890 < int(refused.headers["retry-after"]) <= 901
    assert refused.detail == "Too many failed logins. Try again in 15 minutes."
    # Neither another account nor another address has failed.
    assert log_in(proxied, other.email, **here).status == 200
    assert log_in(server, user.email).status == 200
    operator.rows("UPDATE login_failures SET since = since - interval '15 minutes'")
    assert log_in(proxied, user.email, **here).status == 200


def test_an_unknown_address_is_counted_as_well(server: Server) -> None:
    email = f"nobody{secrets.token_hex(8)}@example.com"
    assert [log_in(server, email).status for _ in range(6)] == [401] * 5 + [429]


def test_a_success_forgives(server: Server, operator: Operator, tenant: Tenant) -> None:
    user = joined(operator, tenant.id)
    for _ in range(2):
        assert [log_in(server, user.email, "wrong").status for _ in range(4)] == [401] * 4
        assert log_in(server, user.email).status == 200


def test_however_many_guess_at_once_five_are_judged(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    user = joined(operator, tenant.id)
    with ThreadPoolExecutor(20) as guesses:
        answers = list(guesses.map(lambda n: log_in((server, proxied)[n % 2], user.email, f"guess {n}"), range(20)))
    assert sorted(answer.status for answer in answers) == [401] * 5 + [429] * 15
    assert log_in(server, user.email).status == 429


def test_logging_out_ends_this_token_only(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    user = joined(operator, tenant.id)
    one, two = token(server, user), token(server, user)

    answer = proxied.ask("POST", "/api/v1/auth/logout", headers=one)

    assert (answer.status, answer.json) == (200, {"success": True})
    assert server.ask("POST", "/api/v1/auth/logout", headers=one).status == 401
    assert not opens(server, one) and opens(server, two)
    assert server.ask("POST", "/api/v1/auth/logout").status == 401
    assert server.ask("POST", "/api/v1/auth/logout", headers=tenant.bearer).status == 401


def test_a_new_password_ends_every_session(server: Server, operator: Operator, tenant: Tenant) -> None:
    user, other = joined(operator, tenant.id), joined(operator, tenant.id)
    tokens, others = [token(server, user) for _ in range(2)], token(server, other)

    changed(operator, tenant.id, user, password=SecretStr("a quite different one"))

    assert not any(opens(server, one) for one in tokens) and opens(server, others)
    assert log_in(server, user.email).status == 401
    assert log_in(server, user.email, "a quite different one").status == 200


def test_who_is_disabled_is_out_and_old_tokens_do_not_come_back(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    user = joined(operator, tenant.id)
    old = token(server, user)
    changed(operator, tenant.id, user, disabled=True)
    assert not opens(server, old)
    changed(operator, tenant.id, user, disabled=False)
    assert not opens(server, old) and opens(server, token(server, user))


def test_a_login_waits_for_a_password_that_is_being_set(server: Server, operator: Operator, tenant: Tenant) -> None:
    """It has verified the old one already, and must not begin a session that the new one does not end."""
    user = joined(operator, tenant.id)
    of = {"tenant": tenant.id, "user": user.id}

    async def setting(store: EventStore) -> Answer:
        async with store.database.connection() as connection:
            await connection.execute("BEGIN")
            await connection.execute("SELECT FROM heads WHERE tenant_id = %(tenant)s FOR NO KEY UPDATE", of)
            login = asyncio.ensure_future(asyncio.to_thread(log_in, server, user.email))
            while not (login.done() or await store.database.rows(WAITING)):  # noqa: ASYNC110 - it is in the database
                await asyncio.sleep(0.01)
            await connection.execute("UPDATE users SET password_hash = 'another' WHERE user_id = %(user)s", of)
            await connection.execute("COMMIT")
            return await asyncio.wait_for(login, 60)

    assert operator.run(setting).status == 401
    assert operator.rows("SELECT count(*) FROM user_tokens WHERE user_id = %(user)s", user=user.id) == [(0,)]


def test_an_expired_token_opens_nothing(server: Server, operator: Operator, tenant: Tenant) -> None:
    user = joined(operator, tenant.id)
    headers = token(server, user)
    operator.rows("UPDATE user_tokens SET expires_at = now() WHERE user_id = %(user)s", user=user.id)
    assert not opens(server, headers)


def test_any_spelling_of_the_address_logs_in_and_shares_the_limit(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    number = next(NUMBERS)
    given, other = f"Nora{number}@bücher.example", f"nora{number}@xn--bcher-kva.example"
    command = CreateUser(tenant_id=tenant.id, email=given, name="N", role="agent", password=SecretStr(PASSWORD))
    operator.run(lambda store: create_user(store, command, ORIGIN))
    answer = log_in(server, other)
    assert (answer.status, answer.json["user"]["email"]) == (200, given)
    again = CreateUser(tenant_id=tenant.id, email=other, name="N", role="agent")
    with pytest.raises(AlreadyTaken):
        operator.run(lambda store: create_user(store, again, ORIGIN))

    guesses = [log_in(server, (given, other)[guess % 2], "a wrong password").status for guess in range(6)]

    assert guesses == [401] * 5 + [429]
