"""The security log: what is alike is one row, a flood is bounded, what is personal is sealed and goes with the
person."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from aureum.commands.users import CreateUser, create_user
from aureum.domain import ids
from aureum.domain.ids import PLATFORM
from aureum.store import security_entries, security_log
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.security_log import Noted, Times
from tests.stores import open_brokerage, opened_store

ROWS = "SELECT * FROM security_log WHERE tenant_id = %(tenant)s"
FORGET = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(user)s"
AGE = "UPDATE security_log SET last_at = now() - interval '91 days' WHERE tenant_id = %(tenant)s"


def run(url: str, work: Callable[[EventStore, UUID, UUID], Awaitable[None]]) -> None:
    """With a store, a brokerage and a user of it, Ana."""

    async def scenario() -> None:
        async with opened_store(url) as store:
            tenant_id = await open_brokerage(store)
            command = CreateUser(tenant_id=tenant_id, email=f"ana@{tenant_id}.example.com", name="Ana", role="agent")
            user = await create_user(store, command, Origin(COMMAND_LINE))
            await work(store, tenant_id, user.id)

    asyncio.run(scenario())


async def said(store: EventStore, tenant_id: UUID) -> list[tuple[str, int, Any, Any]]:
    found, total = await security_entries.entries(store, tenant_id)
    assert total == len(found)
    return [(one.kind, one.times, one.user and one.user[2], dict(one.said)) for one in found]


def test_what_is_alike_is_one_row_with_a_count(database_url: str) -> None:
    async def work(store: EventStore, tenant_id: UUID, user_id: UUID) -> None:
        account = f"ANA@{tenant_id}.example.com"
        failed = Noted("login_failed", account=account, address="203.0.113.9")
        elsewhere = Noted("login_failed", account=account, address="198.51.100.1")
        unknown = Noted("login_failed", account=f"nobody@{tenant_id}.example.com", address="203.0.113.9")
        begun = ids.now().replace(minute=30, second=0)
        await security_log.write(store, {failed: Times(begun, begun, 3), elsewhere: Times(begun, begun)})
        later = begun + timedelta(minutes=1)
        await security_log.write(store, {failed: Times(later, later, 2), unknown: Times(later, later)})

        assert await said(store, tenant_id) == [
            ("login_failed", 5, "Ana", {"address": "203.0.113.9", "account": account}),
            ("login_failed", 1, "Ana", {"address": "198.51.100.1", "account": account}),
        ]
        (first, _), _ = await security_entries.entries(store, tenant_id)
        assert (first.first_at, first.last_at) == (begun, later)
        since, _ = await security_entries.entries(store, tenant_id, since=later)
        assert [one.said["address"] for one in since] == ["203.0.113.9"]
        assert (await said(store, PLATFORM))[0][3]["account"] == f"nobody@{tenant_id}.example.com"

    run(database_url, work)


def test_a_flood_is_bounded(database_url: str) -> None:
    async def work(store: EventStore, tenant_id: UUID, user_id: UUID) -> None:
        at = ids.now().replace(minute=30)
        flood = [Noted("export", tenant_id=tenant_id, about=f"{number}") for number in range(300)]
        for half in (flood[:150], flood[150:], flood[:10]):
            await security_log.write(store, {one: Times(at, at) for one in half})
        found = await said(store, tenant_id)
        assert len(found) == security_log.MOST_AN_HOUR + 1
        assert sum(times for _, times, *_ in found) == 310
        assert [(kind, times) for kind, times, _, about in found if not about] == [("others", 100)]
        # Another hour has rows of its own.
        other = at + timedelta(hours=1)
        await security_log.write(store, {flood[-1]: Times(other, other)})
        assert ("export", 1, None, {"about": "299"}) in await said(store, tenant_id)

    run(database_url, work)


def test_what_is_personal_is_sealed_and_goes_with_the_person(database_url: str) -> None:
    async def work(store: EventStore, tenant_id: UUID, user_id: UUID) -> None:
        account = f"ana@{tenant_id}.example.com"
        login = Noted("login", account=account, address="203.0.113.9", device="Firefox on Linux")
        other = Noted("export", tenant_id=tenant_id, about="leads")
        await security_log.write(store, {login: Times(), other: Times()})
        stored = repr(await store.database.rows(ROWS, {"tenant": tenant_id}))
        assert not any(value in stored for value in ("203.0.113.9", "ana@", "Firefox", "leads"))

        await store.database.rows(FORGET, {"tenant": tenant_id, "user": user_id})
        assert {(kind, str(about)) for kind, _, _, about in await said(store, tenant_id)} == {
            ("login", "{}"),
            ("export", "{'about': 'leads'}"),
        }
        # Of an erased person nothing is written any more, and what there was is removed.
        await security_log.write(
            store, {Noted("login", tenant_id=tenant_id, user_id=user_id, address="1.2.3.4"): Times()}
        )
        assert all("1.2.3.4" not in str(about) for *_, about in await said(store, tenant_id))
        assert await security_entries.prune(store.database) == 2
        assert [kind for kind, *_ in await said(store, tenant_id)] == ["export"]
        await store.database.rows(AGE, {"tenant": tenant_id})
        assert await security_entries.prune(store.database, 92) == 0
        assert await security_entries.prune(store.database, 90) == 1

    run(database_url, work)
