"""How long a tenant's appends wait while its list of leads is rebuilt beside the live one and takes its place.

Four clients capture leads of one tenant, each the next one when the last is stored: first alone, then while a process
of its own makes the list from a long log, again and again, and compares it with the live one, then while it swaps
them. The swap holds the tenant's head row, for which every append waits: so long an append stands still at it. The
longest appends include whatever else keeps them waiting where two processors are busy, and are told with and without
swaps.
"""

import asyncio
import itertools
import json
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from uuid import UUID

from aureum.app import open_store
from aureum.commands.leads import CaptureLead, capture_lead
from aureum.projections import lead_list
from aureum.settings import Settings
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import EventStore
from aureum.store.metadata import VISITOR, Origin
from aureum.store.postgres.migrate import migrate
from aureum.store.rebuild.rebuild import rebuild
from aureum.store.rebuild.verifying import verify_read_model
from bench.databases import database, server
from bench.processes import MASTER_KEY
from bench.rebuild import URL_VARIABLE, fill
from bench.rows import Row
from bench.tenants import captured_fields, form, numbers

EVENTS = 100_000
CLIENTS = 4
REBUILDS = 5
COMPARED = 2
"""How often the list is made and compared without a swap."""

ALONE_SECONDS = 5.0
AT_MOST = 50.0
"""Milliseconds that an append stands still at a swap."""


Held = tuple[float, int]
"""For how many milliseconds a rebuild held the head row at the longest, and for how many events."""


@dataclass
class Clients:
    """Those who capture leads until they are told to stop, and what each append took, in milliseconds."""

    store: EventStore
    tenant_id: UUID
    stopped: bool = False

    async def one(self) -> list[float]:
        """A client's appends."""
        took = []
        while not self.stopped:
            fields = captured_fields(form(next(numbers)), "b1.example.com")
            begun = time.perf_counter()
            await capture_lead(
                self.store, CaptureLead(tenant_id=self.tenant_id, country="US", fields=fields), Origin(VISITOR)
            )
            took.append((time.perf_counter() - begun) * 1000)
        return took


async def rebuild_again_and_again(url: str, tenant_id: UUID, swaps: bool) -> None:
    """What the process of its own does. Raises RuntimeError."""
    keys = TenantKeys(MasterKey(MASTER_KEY))
    if not swaps:
        for _ in range(COMPARED):
            if (compared := await verify_read_model(url, keys, lead_list.LIST.NAME, tenant_id)).differences:
                raise RuntimeError(f"{compared.differences} rows differ")
        print("[]")
        return
    made = [await rebuild(url, keys, lead_list.LIST.NAME, tenant_id) for _ in range(REBUILDS)]
    print(json.dumps([(one.held_seconds * 1000, one.held_events) for one in made]))


@dataclass(frozen=True)
class Measured:
    """What appends took alone, beside rebuilds that never swap, and beside some that do, the shortest first."""

    alone: list[float]
    unswapped: list[float]
    swapped: list[float]
    held: list[Held]


async def measure(url: str, seconds: float, events: int) -> Measured:
    """Raises RuntimeError."""
    await migrate(url, MasterKey(MASTER_KEY))
    tenant_id = await fill(url, events, 3)
    await rebuild(url, TenantKeys(MasterKey(MASTER_KEY)), lead_list.LIST.NAME, tenant_id)
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        alone = await appending(store, tenant_id, asyncio.sleep(seconds))
        unswapped = await appending(store, tenant_id, rebuilding(url, tenant_id, swaps=False))
        rebuilds = asyncio.create_task(rebuilding(url, tenant_id, swaps=True))
        swapped = await appending(store, tenant_id, rebuilds)
    return Measured(alone, unswapped, swapped, await rebuilds)


async def rebuilding(url: str, tenant_id: UUID, *, swaps: bool) -> list[Held]:
    """Wait for the process of its own. Raises RuntimeError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.swap",
        str(tenant_id),
        str(int(swaps)),
        env=os.environ | {URL_VARIABLE: url},
        stdout=PIPE,
        stderr=PIPE,
    )
    said, errors = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"The rebuild failed: {errors.decode()[-1000:]}")
    held: list[Held] = json.loads(said)
    return held


async def appending(store: EventStore, tenant_id: UUID, until: Awaitable[object]) -> list[float]:
    """What appends took until *until* is over, the shortest first."""
    clients = Clients(store, tenant_id)
    tasks = [asyncio.create_task(clients.one()) for _ in range(CLIENTS)]
    await until
    clients.stopped = True
    return sorted(itertools.chain.from_iterable(await asyncio.gather(*tasks)))


def told(took: Sequence[float]) -> str:
    """Half of them, all but one in a hundred, all of them."""
    return (
        f"{len(took):,}: p50 {took[len(took) // 2]:.1f} ms, p99 {took[len(took) * 99 // 100]:.1f} ms, {took[-1]:.1f} ms"
    )


def run(*, quick: bool = False) -> list[Row]:
    """About a minute, or a quick look."""
    with server() as server_url, database(server_url, "swap") as url:
        found = asyncio.run(measure(url, 1.0 if quick else ALONE_SECONDS, EVENTS // 10 if quick else EVENTS))
    name = lead_list.LIST.NAME
    longest, most = max(milliseconds for milliseconds, _ in found.held), max(events for _, events in found.held)
    return [
        Row(
            f"for which a swap of {name} held the head row, the longest of {REBUILDS}",
            f"{longest:.1f} ms, {most} events at most",
            budget=f"< {AT_MOST:g} ms",
            met=longest < AT_MOST,
        ),
        Row(f"appends while {name} is rebuilt and swapped {REBUILDS} times", told(found.swapped), told(found.alone)),
        Row(
            f"appends while {name} is rebuilt and compared {COMPARED} times, without a swap",
            told(found.unswapped),
            told(found.alone),
        ),
    ]


if __name__ == "__main__":
    asyncio.run(rebuild_again_and_again(os.environ[URL_VARIABLE], UUID(sys.argv[1]), bool(int(sys.argv[2]))))
