"""A slug, a domain or an e-mail address that is taken is refused to the caller that asks for it, and to no other."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import psycopg

from aureum.domain import ids
from aureum.domain.aggregate import Aggregate
from aureum.domain.brokerage import Brokerage
from aureum.domain.errors import AlreadyTaken, Busy
from aureum.domain.user import User
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.connection import Connection
from tests.store.appends import connected, held, log_of, until_somebody_waits_for_a_lock
from tests.stores import BROKERAGE_NUMBER, new_lead, open_brokerage, opened_store


async def brokerage(store: EventStore, slug: str, *domains: str) -> Brokerage:
    """One that is not stored yet."""
    return Brokerage.open(
        ids.new_id(),
        ids.now(),
        number=await store.next_number(BROKERAGE_NUMBER),
        name="Maple Realty",
        slug=slug,
        domains=domains,
        plan="Grow",
        time_zone="America/Boise",
        country="US",
        public_lead_count=True,
    )


async def user(store: EventStore, email: str) -> User:
    """One that is not stored yet."""
    return User.join(
        ids.new_id(),
        ids.now(),
        number=await store.next_number("SELECT nextval('user_numbers')"),
        email=email,
        name="Ann Agent",
        role="agent",
        password_hash=None,
        takes_leads=True,
        specialties=(),
    )


async def answer(store: EventStore, tenant_id: UUID, aggregate: Aggregate) -> str:
    """``appended``, or what it is refused with."""
    try:
        await store.append(tenant_id, aggregate, NO_STREAM, command="Test", origin=Origin(COMMAND_LINE))
    except (AlreadyTaken, Busy) as error:
        return str(error)
    except psycopg.Error as error:
        return type(error).__name__
    return "appended"


SLUG = "This slug is already taken by another brokerage. Choose another one."
DOMAIN = "This domain already belongs to a brokerage. A domain can belong to only one brokerage."
EMAIL = "A user with this email address already exists."
APPENDED = "appended"


def run(test: Callable[[EventStore, Connection], Awaitable[None]], url: str) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30), opened_store(url) as store, connected(url) as connection:
            await test(store, connection)

    asyncio.run(bounded())


def test_each_alone(database_url: str) -> None:
    async def test(store: EventStore, connection: Connection) -> None:
        a, b = [await open_brokerage(store) for _ in range(2)]
        assert await answer(store, ids.PLATFORM, await brokerage(store, "maple", "maple.example.com")) == APPENDED
        assert await answer(store, ids.PLATFORM, await brokerage(store, "maple")) == SLUG
        assert await answer(store, ids.PLATFORM, await brokerage(store, "elm", "maple.example.com")) == DOMAIN
        assert await answer(store, a, await user(store, "ann@example.com")) == APPENDED
        assert await answer(store, a, await user(store, "ANN@example.com")) == EMAIL
        assert await answer(store, b, await user(store, "ann@example.com")) == EMAIL, "e-mail addresses log in anywhere"
        assert len(await log_of(connection, ids.PLATFORM)) == 3, "what was refused has left no gap"

    run(test, database_url)


def test_among_others(database_url: str) -> None:
    async def test(store: EventStore, connection: Connection) -> None:
        a, b = [await open_brokerage(store) for _ in range(2)]
        await answer(store, ids.PLATFORM, await brokerage(store, "maple", "maple.example.com"))
        await answer(store, a, await user(store, "ann@example.com"))
        # Whose key is not at hand comes later; here the order matters.
        await store.tenant_key(b)
        given: list[tuple[UUID, Aggregate, str]] = [
            (a, new_lead(), APPENDED),
            (ids.PLATFORM, await brokerage(store, "maple"), SLUG),
            (b, await user(store, "ann@example.com"), EMAIL),
            (b, new_lead(), APPENDED),
            (ids.PLATFORM, await brokerage(store, "elm", "elm.example.com"), APPENDED),
            (ids.PLATFORM, await brokerage(store, "elm"), SLUG),
            (ids.PLATFORM, await brokerage(store, "oak", "elm.example.com"), DOMAIN),
            (b, await user(store, "bob@example.com"), APPENDED),
            (a, await user(store, "bob@example.com"), EMAIL),
            (b, new_lead(), APPENDED),
            # What the edge refuses already: text that PostgreSQL cannot hold.
            (b, new_lead(source="\0"), "UntranslatableCharacter"),
            (a, new_lead(), APPENDED),
        ]
        answers = await asyncio.gather(*(answer(store, tenant_id, one) for tenant_id, one, _ in given))
        assert answers == [expected for _, _, expected in given]
        assert [len(await log_of(connection, tenant)) for tenant in (ids.PLATFORM, a, b)] == [4, 3, 3]

    run(test, database_url)


def test_among_others_that_waited_for_a_held_tenant(database_url: str) -> None:
    async def test(store: EventStore, connection: Connection) -> None:
        free = await open_brokerage(store)
        await answer(store, ids.PLATFORM, await brokerage(store, "maple"))
        asked = [await brokerage(store, slug) for slug in ("oak", "maple", "elm", "elm")]
        async with held(database_url, ids.PLATFORM):
            late = [asyncio.create_task(answer(store, ids.PLATFORM, one)) for one in asked]
            while ids.PLATFORM not in store.writer.lanes:
                assert await answer(store, free, new_lead()) == APPENDED
            await until_somebody_waits_for_a_lock(connection)
        assert await asyncio.gather(*late) == [APPENDED, SLUG, APPENDED, SLUG]

    run(test, database_url)


def test_a_name_that_another_session_is_about_to_take(database_url: str) -> None:
    async def test(store: EventStore, connection: Connection) -> None:
        free = await open_brokerage(store)
        elm = await brokerage(store, "elm", "elm.example.com")
        async with connected(database_url) as other, other.transaction(force_rollback=True):
            await other.execute("INSERT INTO domains (domain, tenant_id) VALUES ('elm.example.com', %s)", [free])
            group = [
                answer(store, free, new_lead()),
                answer(store, ids.PLATFORM, elm),
                answer(store, free, new_lead()),
                answer(store, ids.PLATFORM, await brokerage(store, "oak")),
            ]
            assert await asyncio.gather(*group) == [APPENDED, str(Busy()), APPENDED, APPENDED]
        assert await answer(store, ids.PLATFORM, await brokerage(store, "elm", "elm.example.com")) == APPENDED

    run(test, database_url)
