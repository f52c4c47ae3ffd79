"""Callers that fail often are slowed down, and no others: by address, by network, by account, over all processes."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.commands.login_limits import (
    FREE_OF_ACCOUNT,
    FREE_OF_ADDRESS,
    FREE_OF_NETWORK,
    LONGEST_FIRST_WAIT,
    Attempt,
    Counted,
    slowed,
)
from aureum.domain.errors import TooMany
from aureum.domain.ids import now
from aureum.store.event_store import EventStore
from tests.http.api.staff.logins import PASSWORD, PATH, joined
from tests.http.operator import NUMBERS, Operator, Tenant
from tests.http.serving import Answer, Server

SLOW = {401, 429, 503}


@pytest.fixture(autouse=True)
def forgiven(operator: Operator) -> None:
    operator.rows("DELETE FROM login_failures")
    operator.rows("DELETE FROM login_addresses")


def log_in(server: Server, email: str, password: str, address: str) -> Answer:
    """From an address that the proxy vouches for."""
    return server.ask("POST", PATH, {"email": email, "password": password}, {"X-Forwarded-For": address})


def timed(ask: Callable[[], Answer]) -> tuple[int, float]:
    started = time.monotonic()
    return ask().status, time.monotonic() - started


def stranger() -> str:
    return f"nobody{secrets.token_hex(8)}@example.com"


def told_when(answer: Answer) -> bool:
    """Whether a refusal says when to come back, and when is soon."""
    return answer.status == 401 or 1 <= int(answer.headers["retry-after"]) <= 12


def test_a_flood_of_wrong_logins_is_waited_for_by_no_other(proxied: Server, operator: Operator, tenant: Tenant) -> None:
    users = [joined(operator, tenant.id) for _ in range(12)]
    with ThreadPoolExecutor(60) as pool:
        flood = [pool.submit(log_in, proxied, stranger(), "wrong", "203.0.113.9") for _ in range(48)]
        time.sleep(0.1)
        alone = [timed(lambda email=user.email: log_in(proxied, email, PASSWORD, "198.51.100.7")) for user in users[:6]]  # type: ignore[misc]  # a default is no argument
        at_once = [
            pool.submit(log_in, proxied, user.email, PASSWORD, f"192.0.2.{place}")
            for place, user in enumerate(users[6:])
        ]
        assert [future.result().status for future in at_once] == [200] * 6
        assert [status for status, _ in alone] == [200] * 6, alone
        answers = [future.result() for future in flood]
    assert {answer.status for answer in answers} <= SLOW and all(map(told_when, answers))
    judged = Counter(answer.status for answer in answers)[401]
    assert judged <= FREE_OF_ADDRESS + 8, "it is slowed down once it has failed so often"


def test_an_office_may_log_in_together(proxied: Server, operator: Operator, tenant: Tenant) -> None:
    users = [joined(operator, tenant.id) for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda user: log_in(proxied, user.email, PASSWORD, "198.51.100.7"), users))
    assert [answer.status for answer in answers] == [200] * 10


def test_many_accounts_tried_from_one_address(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    user, here = joined(operator, tenant.id), "203.0.113.9"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: log_in(proxied, stranger(), "wrong", here), range(50)))
    assert {answer.status for answer in answers} <= SLOW and all(map(told_when, answers))
    counted = Counter(answer.status for answer in answers)
    assert FREE_OF_ADDRESS <= counted[401] < 50 and counted[429], counted

    operator.rows("UPDATE login_failures SET next_at = now() + interval '13 seconds' WHERE next_at IS NOT NULL")
    refused = log_in(proxied, user.email, PASSWORD, here)
    assert refused.status == 429
    seconds = int(refused.headers["retry-after"])
    assert refused.detail == f"Too many failed logins. Try again in {seconds} seconds."
    # What is refused writes nothing: no address can fill the table.
    before = operator.rows("SELECT count(*) FROM login_failures")
    assert log_in(proxied, stranger(), "wrong", here).status == 429
    assert operator.rows("SELECT count(*) FROM login_failures") == before
    # Its neighbour has not failed, and is not slowed down.
    status, took = timed(lambda: log_in(proxied, user.email, PASSWORD, "203.0.113.10"))
    assert status == 200 and took < 10
    # Who stops is let in soon, whatever comes first: the next turn, or a quarter of an hour.
    operator.rows("UPDATE login_failures SET next_at = next_at - interval '13 seconds'")
    assert log_in(proxied, user.email, PASSWORD, here).status == 200
    operator.rows("UPDATE login_failures SET since = since - interval '15 minutes'")
    with ThreadPoolExecutor(5) as pool:
        statuses = list(pool.map(lambda _: log_in(proxied, stranger(), "wrong", here).status, range(5)))
    assert statuses == [401] * 5


def test_one_account_tried_from_many_networks(proxied: Server, operator: Operator, tenant: Tenant) -> None:
    user, nobody, home = joined(operator, tenant.id), stranger(), "192.0.2.4"
    assert log_in(proxied, user.email, PASSWORD, home).status == 200
    took: dict[str, list[float]] = {}
    for email in (user.email, nobody):
        with ThreadPoolExecutor(8) as pool:
            asked = pool.map(
                lambda network, email=email: timed(lambda: log_in(proxied, email, "wrong", f"10.1.{network}.1")),
                range(18),
            )
            results = list(asked)
        assert [status for status, _ in results] == [401] * 18, "one try each is judged, however late"
        took[email] = sorted(seconds for _, seconds in results)
    assert all(seconds[-1] > 2 for seconds in took.values()), f"the last ones had to wait: {took}"

    # The owner is let in: at once where the account was logged in before, else after some seconds.
    status, seconds = timed(lambda: log_in(proxied, user.email, PASSWORD, home))
    assert status == 200 and seconds < 3
    status, seconds = timed(lambda: log_in(proxied, user.email, PASSWORD, "10.2.0.1"))
    assert status == 200 and seconds < LONGEST_FIRST_WAIT + 5
    # Another account has not failed.
    other = joined(operator, tenant.id)
    assert timed(lambda: log_in(proxied, other.email, PASSWORD, "10.1.3.1"))[1] < 3


def test_spellings_of_an_address_are_one_account(proxied: Server, operator: Operator, tenant: Tenant) -> None:
    user, here = joined(operator, tenant.id), "203.0.113.9"
    name, domain = user.email.split("@")
    spellings = [
        f"{name.upper()}@{domain}",
        f"{name}@{domain.upper()}",
        f" {user.email}",
        user.email,
        user.email.title(),
    ]
    assert [log_in(proxied, one, "wrong", here).status for one in spellings] == [401] * 5
    assert log_in(proxied, user.email, PASSWORD, here).status == 429


def attempts(operator: Operator, *asked: tuple[str, str]) -> list[Any]:
    """What wrong logins with these addresses, one after the other, are told: the seconds to wait, or ``refused``."""

    async def made(store: EventStore) -> list[Any]:
        told: list[Any] = []
        for email, client in asked:
            attempt = Attempt(store.database, email, client)
            try:
                told.append(round(await attempt.admit()))
            except TooMany:
                told.append("refused")
            else:
                await attempt.failed()
        return told

    return operator.run(made)


def test_an_account_waits_but_two_attempts_from_anywhere_are_judged(operator: Operator) -> None:
    email, home, new = stranger(), "192.0.2.4", "192.0.2.5"
    operator.run(lambda store: Attempt(store.database, email, home).succeeded())
    many = [(email, f"10.1.{network}.1") for network in range(FREE_OF_ACCOUNT + 8)]
    assert attempts(operator, *many) == [0] * (FREE_OF_ACCOUNT + 1) + [2, 4, 5, 5, 5, 5, 5]
    # The owner mistypes once, at a new address and at one from which the account was logged in before.
    assert attempts(operator, (email, new), (email, new), (email, new)) == [5, 5, "refused"]
    assert attempts(operator, *[(email, home)] * 6) == [0] * 5 + ["refused"]
    assert attempts(operator, (stranger(), "10.1.1.1")) == [0]


def test_an_address_waits_for_its_turn(operator: Operator) -> None:
    asked = [(stranger(), "203.0.113.9") for _ in range(FREE_OF_ADDRESS + 6)]
    assert attempts(operator, *asked) == [0] * (FREE_OF_ADDRESS + 1) + [3, 6, "refused", "refused", "refused"]
    assert attempts(operator, (stranger(), "203.0.113.10")) == [0]


def test_a_network_waits_once_several_addresses_have_failed_in_it(operator: Operator) -> None:
    for version in ("203.0.113.{}", "2001:db8:1:{}::/64"):
        addresses = [version.format(place) for place in range(1, 8)]
        # One address alone counts only as often as it is free to fail.
        operator.rows("DELETE FROM login_failures")
        for address in addresses[:3]:
            told = attempts(operator, *[(stranger(), address) for _ in range(FREE_OF_ADDRESS)])
            assert told == [0] * FREE_OF_ADDRESS
        assert 3 * FREE_OF_ADDRESS == FREE_OF_NETWORK
        told = attempts(operator, *[(stranger(), addresses[3]) for _ in range(5)])
        assert told == [0, 1, 2, 3, 4]
        elsewhere = version.replace("113", "114").replace("db8:1", "db8:2").format(1)
        assert attempts(operator, (stranger(), elsewhere)) == [0]


def test_one_address_never_slows_its_network(operator: Operator) -> None:
    for _ in range(3):
        attempts(operator, *[(stranger(), "203.0.113.9") for _ in range(FREE_OF_ADDRESS + 2)])
        operator.rows("UPDATE login_failures SET next_at = NULL")
    assert attempts(operator, (stranger(), "203.0.113.10")) == [0]


counts = st.integers(0, 200)


@given(st.integers(1, 5), st.booleans(), counts, counts, counts)
def test_what_slows_whom(failures: int, known: bool, address: int, network: int, account: int) -> None:
    waits = {slow.of: slow for slow in slowed(Counted(failures, now(), known, address, network, account))}
    assert ("address" in waits) == (address >= FREE_OF_ADDRESS)
    assert ("network" in waits) == (network >= FREE_OF_NETWORK and not known)
    assert ("account" in waits) == (account >= FREE_OF_ACCOUNT and not known)
    if "account" in waits:
        assert waits["account"].longest == (LONGEST_FIRST_WAIT if failures <= 2 else None)
    assert all(slow.longest is None for slow in waits.values() if slow.of != "account")


def test_attempts_at_once_never_wait_for_each_other_without_end(operator: Operator) -> None:
    """Rows of address, network and account are shared by many, in every combination: no deadlock."""
    emails = [f"shared{next(NUMBERS)}@example.com" for _ in range(3)]

    async def all_at_once(store: EventStore) -> None:
        async def one(place: int) -> None:
            attempt = Attempt(store.database, emails[place % 3], f"203.0.{place % 2}.{place % 5}")
            await attempt.failed()
            await attempt.succeeded()

        await asyncio.wait_for(asyncio.gather(*(one(place) for place in range(200))), 30)

    operator.run(all_at_once)
    assert sum(row[0] for row in operator.rows("SELECT failures FROM login_failures")) == 600
