"""What is remembered of answers: exact, bounded, read once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain.lead import STATUSES
from aureum.http.contract.answer_cache import ENTRY_OVERHEAD_BYTES, AnswerCache
from tests.examples import examples
from tests.http.operator import Operator, Tenant
from tests.http.serving import JANE, Server

Read = Callable[[], Awaitable[bytes]]


class Reads:
    """Reads that can be held back; how many were begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.beginnings = asyncio.Semaphore(0)
        self.may_end = asyncio.Event()

    def of(self, body: bytes | Exception) -> Read:
        async def read() -> bytes:
            self.begun += 1
            self.beginnings.release()
            await self.may_end.wait()
            if isinstance(body, Exception):
                raise body
            return body

        return read

    async def wait_until_begun(self, number: int) -> None:
        async with asyncio.timeout(30):
            for _ in range(number):
                await self.beginnings.acquire()


def test_one_flight_serves_all_who_ask_for_the_same() -> None:
    async def check() -> None:
        cache, reads = AnswerCache(), Reads()
        asking = [asyncio.create_task(cache.get("key", reads.of(b"body"))) for _ in range(20)]
        other = asyncio.create_task(cache.get("other", reads.of(b"other")))
        await reads.wait_until_begun(2)
        reads.may_end.set()

        assert await asyncio.gather(*asking) == [b"body"] * 20
        assert await other == b"other"
        assert await cache.get("key", reads.of(b"not read")) == b"body"
        assert reads.begun == 2

    asyncio.run(check())


def test_who_asks_first_may_go_away() -> None:
    async def check() -> None:
        cache, reads = AnswerCache(), Reads()
        first = asyncio.create_task(cache.get("key", reads.of(b"body")))
        others = [asyncio.create_task(cache.get("key", reads.of(b"another"))) for _ in range(3)]
        await reads.wait_until_begun(1)

        first.cancel()
        others[0].cancel()
        assert await asyncio.gather(first, others[0], return_exceptions=True)
        reads.may_end.set()

        assert await asyncio.gather(*others[1:]) == [b"body", b"body"]
        assert first.cancelled() and others[0].cancelled()
        assert await cache.get("key", reads.of(b"not read")) == b"body"

    asyncio.run(check())


def test_all_may_go_away() -> None:
    async def check() -> None:
        cache, reads = AnswerCache(), Reads()
        only = asyncio.create_task(cache.get("key", reads.of(b"body")))
        await reads.wait_until_begun(1)
        only.cancel()
        await asyncio.gather(only, return_exceptions=True)
        reads.may_end.set()

        assert await cache.get("key", reads.of(b"later")) == b"body", "the flight went on"

    asyncio.run(check())


def test_an_error_goes_to_all_and_is_not_kept() -> None:
    async def check() -> None:
        cache, reads = AnswerCache(), Reads()
        reads.may_end.set()
        asking = [cache.get("key", reads.of(ValueError("no"))) for _ in range(3)]

        assert [type(error) for error in await asyncio.gather(*asking, return_exceptions=True)] == [ValueError] * 3
        assert reads.begun == 1
        assert await cache.get("key", reads.of(b"body")) == b"body"

    asyncio.run(check())


@given(
    asked=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 400)), max_size=60),
    limit=st.integers(0, 5_000),
    entry_limit=st.integers(0, 1_000),
)
@settings(max_examples=examples(60), deadline=None)
def test_never_more_bytes_than_allowed(asked: list[tuple[int, int]], limit: int, entry_limit: int) -> None:
    async def check() -> None:
        cache = AnswerCache(limit, entry_limit)
        for key, length in asked:
            body = bytes(length)

            async def read(body: bytes = body) -> bytes:
                return body

            answer = await cache.get((key, length), read)
            assert answer == body
            await asyncio.sleep(0)
            assert cache.used == sum(len(kept) + ENTRY_OVERHEAD_BYTES for kept in cache._kept.values())
            assert cache.used <= limit
            assert all(len(kept) + ENTRY_OVERHEAD_BYTES <= entry_limit for kept in cache._kept.values())

    asyncio.run(check())


def test_the_least_recently_used_goes_first() -> None:
    async def check() -> None:
        cache, reads = AnswerCache(3 * (ENTRY_OVERHEAD_BYTES + 1)), Reads()
        reads.may_end.set()
        for key in ("a", "b", "c", "a", "d"):
            await cache.get(key, reads.of(b"1"))

        assert list(cache) == ["c", "a", "d"]

    asyncio.run(check())


steps = st.lists(
    st.tuples(st.sampled_from(["form", "post", "patch", "read", "read"]), st.booleans(), st.sampled_from(STATUSES)),
    min_size=1,
    max_size=8,
)


@given(steps=steps)
@settings(max_examples=12, deadline=None)
def test_a_remembered_answer_equals_a_fresh_one(
    server: Server, proxied: Server, operator: Operator, steps: list[tuple[str, bool, str]]
) -> None:
    tenant = operator.brokerage()
    made: list[str] = []
    check(server, proxied, tenant)
    for what, elsewhere, status in steps:
        process = proxied if elsewhere else server
        match what:
            case "form":
                assert process.form(tenant).status == 200
            case "post":
                made.append(process.by_key(tenant, "POST", "/api/leads", JANE | {"status": status}).json["id"])
            case "patch" if made:
                assert process.by_key(tenant, "PATCH", f"/api/leads/{made[-1]}", {"status": status}).status == 200
        check(server, proxied, tenant)


def check(server: Server, proxied: Server, tenant: Tenant) -> None:
    """Pages and counts, which are remembered, against whole lists, which never are."""
    for process in (server, proxied):
        whole = process.by_key(tenant, "GET", "/api/leads")
        page = process.by_key(tenant, "GET", "/api/leads?limit=500")
        assert page.json == whole.json
        assert page.body == process.by_key(tenant, "GET", "/api/leads?limit=500").body
        counts = process.by_key(tenant, "GET", "/api/leads/count").json
        assert counts == {status: sum(lead["status"] == status for lead in whole.json) for status in STATUSES} | {
            "total": len(whole.json)
        }
        lost = process.by_key(tenant, "GET", "/api/leads?status=lost&limit=500").json
        assert lost == [lead for lead in whole.json if lead["status"] == "lost"]


@pytest.mark.parametrize("query", ["?limit=2", "?limit=2&source=api"])
def test_pages_of_different_queries_are_kept_apart(server: Server, tenant: Tenant, query: str) -> None:
    for source in ("api", "fair") * 3:
        server.by_key(tenant, "POST", "/api/leads", JANE | {"source": source})

    first = [server.by_key(tenant, "GET", f"/api/leads{query}") for _ in range(2)]
    other = server.by_key(tenant, "GET", "/api/leads?limit=2&source=fair")

    assert first[0].body == first[1].body
    assert first[0].headers["link"] == first[1].headers["link"]
    assert {lead["source"] for lead in other.json} == {"fair"}
