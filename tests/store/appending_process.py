"""A process of its own that captures leads and changes those of others, for test_two_processes.

Takes the database's URL, how many leads to capture, and the tenants; prints how often it heard what.
"""

import asyncio
import json
import random
import sys
from collections import Counter
from uuid import UUID

from aureum.domain import ids
from aureum.domain.errors import Conflict
from aureum.domain.lead import STATUSES
from aureum.store.event_store import EventStore
from aureum.store.metadata import VISITOR, Origin
from tests.stores import capture, opened_store

AT_ONCE = 24
SOME_LEAD = "SELECT lead_id FROM lead_list WHERE tenant_id = %(tenant)s AND read_version = 1 ORDER BY lead_id LIMIT 3"


async def change_a_lead(store: EventStore, tenant_id: UUID) -> str:
    """One of the first three leads of the tenant, which everybody changes."""
    found = await store.database.rows(SOME_LEAD, {"tenant": tenant_id})
    before = await store.load(tenant_id, random.choice(found)[0])
    lead = before.aggregate()
    lead.change_status(random.choice([status for status in STATUSES if status != lead.status]), ids.now())
    try:
        await store.append(tenant_id, lead, before, command="ChangeStatus", origin=Origin(VISITOR))
    except Conflict:
        return "conflict"
    return "changed"


async def main(url: str, leads: int, tenants: list[UUID]) -> None:
    heard: Counter[str] = Counter()

    async def client(store: EventStore) -> None:
        while heard["captured"] < leads:
            heard["captured"] += 1
            tenant_id = random.choice(tenants)
            await capture(store, tenant_id)
            heard[await change_a_lead(store, tenant_id)] += 1

    async with opened_store(url) as store, asyncio.TaskGroup() as clients:
        for _ in range(AT_ONCE):
            clients.create_task(client(store))
    print(json.dumps(heard))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), [UUID(tenant) for tenant in sys.argv[3:]]))
