"""A process keeps the keys of users, to seal addresses. After an erasure elsewhere nothing can be read with them."""

import asyncio
from uuid import UUID

from aureum.commands.users import CreateUser, create_user
from aureum.domain import ids
from aureum.store.addresses import addresses_of
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Actor, Origin
from tests.stores import new_task, open_brokerage, opened_store

FORGET = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(user)s"


async def said(store: EventStore, tenant_id: UUID, tasks: list[UUID]) -> list[str | None]:
    """The address from which each task was made."""
    key = await store.tenant_key(tenant_id)
    metadata = [(await store.load(tenant_id, task)).events[0].metadata for task in tasks]
    return await addresses_of(store.database, key, store.tenant_key, metadata)


def test_a_key_that_was_destroyed_elsewhere(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as here, opened_store(database_url) as elsewhere:
            tenant_id = await open_brokerage(here)
            command = CreateUser(tenant_id=tenant_id, email=f"a@{tenant_id}.example.com", name="Ana", role="agent")
            user = await create_user(here, command, Origin(COMMAND_LINE))
            origin = Origin(Actor("user", ids.to_wire(user.id)), address="203.0.113.9")
            tasks = []

            async def made(store: EventStore) -> None:
                task = new_task()
                await store.append(tenant_id, task, NO_STREAM, command="CreateTask", origin=origin)
                tasks.append(task.id)

            await made(here)
            assert await said(elsewhere, tenant_id, tasks) == ["203.0.113.9"]
            await elsewhere.database.rows(FORGET, {"tenant": tenant_id, "user": user.id})
            # This process still has the key, and has not heard.
            assert here.addresses.kept.find((tenant_id, ids.to_wire(user.id))) is not None
            await made(here)
            for store in (here, elsewhere):
                assert await said(store, tenant_id, tasks) == [None, None]

    asyncio.run(scenario())
