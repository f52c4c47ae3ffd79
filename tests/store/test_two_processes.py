"""Two processes append to the same tenants: no two wait in a circle, and every log is whole."""

import asyncio
import json
import sys
from collections import Counter
from typing import Any
from uuid import UUID

from tests.store.appends import connected, log_of
from tests.stores import open_brokerage, opened_store

TENANTS = 4
LEADS = 300
SECONDS = 60

DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
COUNTS = "SELECT status, leads FROM lead_counts WHERE tenant_id = %s AND leads <> 0"
LISTED = "SELECT status, count(*) FROM lead_list WHERE tenant_id = %s GROUP BY status"


async def appending(url: str, tenants: list[UUID]) -> Counter[str]:
    """What a process of its own heard."""
    arguments = ["-m", "tests.store.appending_process", url, str(LEADS), *map(str, tenants)]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(SECONDS):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    return Counter(json.loads(output))


async def two_processes(url: str) -> None:
    async with opened_store(url) as store:
        tenants = [await open_brokerage(store) for _ in range(TENANTS)]
    heard = sum(await asyncio.gather(*(appending(url, tenants) for _ in range(2))), Counter[str]())
    assert heard["captured"] == 2 * LEADS
    async with connected(url) as connection:

        async def fetched(query: str, *parameters: Any) -> list[Any]:
            return await (await connection.execute(query.encode(), parameters)).fetchall()

        logs = [await log_of(connection, tenant_id) for tenant_id in tenants]
        assert sum(map(len, logs)) == heard["captured"] + heard["changed"]
        for tenant_id in tenants:
            assert dict(await fetched(COUNTS, tenant_id)) == dict(await fetched(LISTED, tenant_id))
        assert await fetched(DEADLOCKS) == [(0,)]


def test_two_processes_on_the_same_tenants(database_url: str) -> None:
    asyncio.run(two_processes(database_url))
