"""The gate: what passes together is told what it would have been told alone."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.commands.api_keys import hash_key
from aureum.domain.errors import Busy
from aureum.http.access.gate import Admission, Gate, Lookup
from aureum.store.postgres.connection import LEAVE_SECONDS
from tests.examples import examples
from tests.freezer import Freezer, freezer
from tests.http.operator import Operator, Tenant

FORM_LIMIT = 4
LIMITS = (1, 3, 1_000)

TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND query LIKE '%%FROM gate%%' AND pid <> pg_backend_pid()
"""


class Brokerages(NamedTuple):
    """A database with brokerages in it, and keys of the first of different limits."""

    url: str
    tenants: list[Tenant]
    keys: list[bytes]


@pytest.fixture(scope="module")
def brokerages(module_database_url: str) -> Iterator[Brokerages]:
    with Operator.opened(module_database_url) as operator:
        tenants = [operator.brokerage(), operator.brokerage("Starter")]
        keys = [hash_key(operator.key(tenants[0], limit).key) for limit in LIMITS]
        yield Brokerages(module_database_url, tenants, keys)


def with_gate(url: str, work: Callable[[Gate], Awaitable[None]]) -> None:
    """Run *work* with an open gate."""

    async def run() -> None:
        async with asyncio.timeout(30), Gate(url, form_rate_limit=FORM_LIMIT) as gate:
            await work(gate)

    asyncio.run(run())


def forget(url: str) -> None:
    """All windows start again."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM rate_limits")


choices = st.tuples(
    st.sampled_from([None, 0, 1, 2, "unknown"]),
    st.sampled_from(["", "own", "other", "nobody", "slug"]),
    st.sampled_from(["", "198.51.100.1", "198.51.100.2"]),
)


def line_of(brokerages: Brokerages, choice: tuple[int | str | None, str, str]) -> Lookup:
    key, host, client = choice
    key_hash = brokerages.keys[key] if isinstance(key, int) else b"" if key is None else hash_key("aur_unknown")
    hosts = {"own": brokerages.tenants[0].domain, "other": brokerages.tenants[1].domain, "nobody": "nobody.example.com"}
    return Lookup(key_hash, hosts.get(host, ""), brokerages.tenants[1].slug if host == "slug" else "", client)


def bucket(line: Lookup, admission: Admission | None) -> object:
    """What the line's limit counts by."""
    if admission is None:
        return None
    return (admission.caller.tenant_id, line.key_hash if admission.caller.caller_id else line.client)


@given(asked=st.lists(choices, min_size=1, max_size=30))
@settings(max_examples=examples(60), deadline=None)
def test_together_as_one_by_one(brokerages: Brokerages, asked: list[tuple[int | str | None, str, str]]) -> None:
    lines = [line_of(brokerages, choice) for choice in asked]
    alone: list[Admission | None] = []
    together: list[Admission | None] = []

    async def one_by_one(gate: Gate) -> None:
        for line in lines:
            alone.append(await gate.ask(line))

    async def at_once(gate: Gate) -> None:
        together.extend(await asyncio.gather(*(gate.ask(line) for line in lines)))

    forget(brokerages.url)
    with_gate(brokerages.url, one_by_one)
    forget(brokerages.url)
    with_gate(brokerages.url, at_once)

    assert [admission and admission.caller for admission in together] == [
        admission and admission.caller for admission in alone
    ]
    # Who of those that share a limit passes may differ; how many do, and what remains after each, may not.
    remaining: list[dict[object, list[int]]] = []
    for passages in (alone, together):
        of_bucket: dict[object, list[int]] = defaultdict(list)
        for line, admission in zip(lines, passages, strict=True):
            if admission is not None:
                of_bucket[bucket(line, admission)].append(admission.remaining if admission.passes else -1)
        remaining.append({name: sorted(left) for name, left in of_bucket.items()})
    assert remaining[0] == remaining[1]


def test_more_lines_than_one_call_takes(brokerages: Brokerages) -> None:
    async def check(gate: Gate) -> None:
        lines = [Lookup(b"", brokerages.tenants[0].domain, "", f"client {number}") for number in range(600)]
        passages = await asyncio.gather(*(gate.ask(line) for line in lines * 2))
        assert [admission.remaining for admission in passages if admission] == [FORM_LIMIT - 1] * 600 + [
            FORM_LIMIT - 2
        ] * 600

    forget(brokerages.url)
    with_gate(brokerages.url, check)


def test_a_caller_that_goes_away_takes_no_other_along(brokerages: Brokerages) -> None:
    async def check(gate: Gate) -> None:
        known, nobodys = Lookup(brokerages.keys[2], "", "", ""), Lookup(hash_key("aur_unknown"), "", "", "")
        for _ in range(5):
            asking = [asyncio.ensure_future(gate.ask(line)) for line in (known, nobodys) for _ in range(4)]
            await asyncio.sleep(0)
            for task in asking[::2]:
                task.cancel()
            answers = await asyncio.gather(*asking, return_exceptions=True)
            gone = asyncio.CancelledError
            expected = [gone, Admission, gone, Admission, gone, type(None), gone, type(None)]
            assert [type(answer) for answer in answers] == expected

    forget(brokerages.url)
    with_gate(brokerages.url, check)


def test_who_goes_away_while_the_database_is_silent_delays_others_for_a_second(brokerages: Brokerages) -> None:
    async def check(proxy: Freezer) -> None:
        async with asyncio.timeout(30), Gate(proxy.url, form_rate_limit=FORM_LIMIT) as gate:
            line = Lookup(brokerages.keys[2], "", "", "")
            assert await gate.ask(line)
            proxy.freeze()
            alone, *others = (asyncio.ensure_future(gate.ask(line)) for _ in range(4))
            await asyncio.sleep(0.05)
            alone.cancel()
            started = time.monotonic()
            assert {type(answer) for answer in await asyncio.gather(*others)} == {Admission}
            assert time.monotonic() - started < LEAVE_SECONDS + 5
            assert alone.cancelled()

    forget(brokerages.url)
    with freezer(brokerages.url) as proxy:
        asyncio.run(check(proxy))


def test_a_lost_connection_is_made_again(brokerages: Brokerages) -> None:
    async def check(gate: Gate) -> None:
        line = Lookup(brokerages.keys[2], "", "", "")
        first = await gate.ask(line)
        async with await psycopg.AsyncConnection.connect(brokerages.url, autocommit=True) as other:
            for _ in range(3):
                cursor = await other.execute(TERMINATE)
                assert (await cursor.fetchall())[0][0] >= 1
                answers = await asyncio.gather(*(gate.ask(line) for _ in range(4)))
                assert {type(answer) for answer in answers} == {Admission}
                again = await gate.ask(line)
                assert again is not None and first is not None
                assert again.caller == first.caller._replace(head=again.caller.head)

    forget(brokerages.url)
    with_gate(brokerages.url, check)


def test_a_closed_gate_lets_no_caller_wait(brokerages: Brokerages) -> None:
    async def check() -> None:
        async with Gate(brokerages.url, form_rate_limit=FORM_LIMIT) as gate:
            line = Lookup(brokerages.keys[2], "", "", "")
            asking = [asyncio.ensure_future(gate.ask(line)) for _ in range(3)]
            await asyncio.sleep(0)
        assert all([await task for task in asking]), "who waited already has passed"
        async with asyncio.timeout(30):
            with pytest.raises(Busy):
                await gate.ask(line)

    asyncio.run(check())
