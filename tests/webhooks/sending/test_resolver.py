"""The guarded resolver: what it refuses, remembers, and how it bears name servers that hang."""

import asyncio
import socket
import threading
from ipaddress import IPv4Network

import pytest

from aureum.webhooks.sending.resolver import (
    FAILURE_TTL,
    MAX_ADDRESSES,
    MAX_LOOKUPS,
    THREADS,
    BlockedAddress,
    GuardedResolver,
    look_up,
)
from tests.webhooks.conftest import Run


class Names:
    """A name server: names to addresses, and a count of the questions."""

    def __init__(self, names: dict[str, list[str]]) -> None:
        self.names = names
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.names[host]


class Hanging:
    """A name server that answers 8.8.8.8 to everything, but only once it is released; ``quick.example`` at once."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        if host != "quick.example":
            assert self.released.wait(20)
        return ["8.8.8.8"]


async def addresses(resolver: GuardedResolver, host: str) -> list[str]:
    return [found["host"] for found in await resolver.resolve(host, 443)]


async def fails(resolver: GuardedResolver, host: str, error: type[OSError]) -> None:
    with pytest.raises(error):
        await resolver.resolve(host, 443)


def test_answers_are_numeric_and_ready_to_connect(run: Run) -> None:
    async def scenario() -> None:
        resolver = GuardedResolver(lookup=Names({"a.example": ["8.8.8.8", "2606:4700::1111"]}))
        found = await resolver.resolve("a.example", 8443)
        await resolver.close()
        assert [(answer["host"], answer["port"], answer["family"]) for answer in found] == [
            ("8.8.8.8", 8443, socket.AF_INET),
            ("2606:4700::1111", 8443, socket.AF_INET6),
        ]

    run(scenario())


@pytest.mark.parametrize(
    "answer",
    [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["8.8.8.8"] * 1000 + ["::1"], ["fe80::1%lo"]],
)
def test_one_address_inside_refuses_the_whole_name(run: Run, answer: list[str]) -> None:
    async def scenario() -> None:
        resolver = GuardedResolver(lookup=Names({"a.example": answer}))
        await fails(resolver, "a.example", BlockedAddress)
        await fails(resolver, "a.example", BlockedAddress)  # from the cache as well
        await resolver.close()

    run(scenario())


def test_networks_that_the_operator_allows(run: Run) -> None:
    async def scenario() -> None:
        names = Names({"in.example": ["10.20.0.1"], "out.example": ["10.21.0.1"]})
        resolver = GuardedResolver([IPv4Network("10.20.0.0/16")], lookup=names)
        assert await addresses(resolver, "in.example") == ["10.20.0.1"]
        await fails(resolver, "out.example", BlockedAddress)
        await resolver.close()

    run(scenario())


def test_of_a_thousand_addresses_a_few_are_tried(run: Run) -> None:
    async def scenario() -> None:
        many = [f"8.8.{index // 250}.{index % 250}" for index in range(1000)]
        resolver = GuardedResolver(lookup=Names({"a.example": many}))
        assert await addresses(resolver, "a.example") == many[:MAX_ADDRESSES]
        await resolver.close()

    run(scenario())


def test_no_such_name_and_no_address(run: Run) -> None:
    async def scenario() -> None:
        resolver = GuardedResolver(lookup=Names({"empty.example": []}))
        await fails(resolver, "none.example", socket.gaierror)
        await fails(resolver, "empty.example", socket.gaierror)
        await resolver.close()

    run(scenario())


def test_an_answer_is_kept_for_its_time(run: Run) -> None:
    async def scenario() -> None:
        names = Names({"a.example": ["8.8.8.8"]})
        resolver, forgetful = GuardedResolver(lookup=names, ttl=60), GuardedResolver(lookup=names, ttl=0)
        for _ in range(3):
            assert await addresses(resolver, "a.example") == ["8.8.8.8"]
            await fails(resolver, "none.example", socket.gaierror)
        assert names.asked == ["a.example", "none.example"]
        for _ in range(3):
            await addresses(forgetful, "a.example")
        assert names.asked == ["a.example", "none.example"] + ["a.example"] * 3
        await resolver.close()
        await forgetful.close()

    run(scenario())


def test_a_failure_is_forgotten_before_the_next_attempt() -> None:
    assert FAILURE_TTL < 4, "the second attempt comes after 4 s at the soonest, and must ask again"


def test_who_asks_for_the_same_name_at_once_shares_one_lookup(run: Run) -> None:
    async def scenario() -> None:
        names = Hanging()
        resolver = GuardedResolver(lookup=names, limit=10)
        waiting = [asyncio.create_task(addresses(resolver, "a.example")) for _ in range(50)]
        assert await addresses(resolver, "quick.example") == ["8.8.8.8"]
        names.released.set()
        assert await asyncio.gather(*waiting) == [["8.8.8.8"]] * 50
        assert sorted(names.asked) == ["a.example", "quick.example"]
        await resolver.close()

    run(scenario())


def test_a_name_server_that_hangs_costs_the_limit_and_one_thread(run: Run) -> None:
    async def scenario() -> None:
        names = Hanging()
        resolver = GuardedResolver(lookup=names, limit=0.1)
        try:
            for _ in range(3):
                await fails(resolver, "slow.example", socket.gaierror)
                assert await addresses(resolver, "quick.example") == ["8.8.8.8"]
            assert names.asked.count("slow.example") == 1, "later callers wait for the lookup that still runs"
        finally:
            names.released.set()
        async with asyncio.timeout(5):  # the late answer is not lost
            while await _refused(resolver, "slow.example"):
                pass
        assert names.asked.count("slow.example") == 1
        await resolver.close()

    run(scenario())


def test_when_every_thread_hangs_callers_still_return(run: Run) -> None:
    async def scenario() -> None:
        names = Hanging()
        resolver = GuardedResolver(lookup=names, limit=0.2)
        try:
            hosts = [f"slow{index}.example" for index in range(THREADS)] + ["quick.example"]
            results = await asyncio.gather(*(_refused(resolver, host) for host in hosts))
            assert all(results)
        finally:
            names.released.set()
            await resolver.close()

    run(scenario())


def test_a_flood_of_names_is_refused_at_once(run: Run) -> None:
    async def scenario() -> None:
        names = Hanging()
        resolver = GuardedResolver(lookup=names, limit=10)
        waiting = [asyncio.create_task(_refused(resolver, f"slow{index}.example")) for index in range(MAX_LOOKUPS)]
        try:
            await asyncio.sleep(0)  # lets each of them begin
            async with asyncio.timeout(1):
                await fails(resolver, "one-more.example", socket.gaierror)
        finally:
            names.released.set()
        assert not any(await asyncio.gather(*waiting))
        assert "one-more.example" not in names.asked
        await resolver.close()

    run(scenario())


def test_a_caller_that_gives_up_does_not_take_the_lookup_from_the_others(run: Run) -> None:
    async def scenario() -> None:
        names = Hanging()
        resolver = GuardedResolver(lookup=names, limit=10)
        impatient = asyncio.create_task(addresses(resolver, "a.example"))
        patient = asyncio.create_task(addresses(resolver, "a.example"))
        await addresses(resolver, "quick.example")
        impatient.cancel()
        await asyncio.wait([impatient])
        names.released.set()
        assert await patient == ["8.8.8.8"] and impatient.cancelled()
        await resolver.close()

    run(scenario())


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example", "\ud800.example"])
def test_a_name_that_cannot_be_encoded_is_unknown(host: str) -> None:
    with pytest.raises(socket.gaierror):
        look_up(host)


def test_the_operating_system_is_asked() -> None:
    assert set(look_up("localhost")) <= {"127.0.0.1", "::1"} and look_up("localhost")
    assert look_up("0x7f000001") == ["127.0.0.1"], "numbers in disguise come out as the address that they are"


async def _refused(resolver: GuardedResolver, host: str) -> bool:
    try:
        await resolver.resolve(host, 443)
    except socket.gaierror:
        return True
    return False
