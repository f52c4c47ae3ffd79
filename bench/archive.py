"""What an archive costs those who write and read beside it: the CPU of an append and of loading a lead.

That is the CPU of the process and its database sessions, in turns on two databases with the same log. One of them has
archived all of it.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from aureum.app import open_store
from aureum.commands.leads import CaptureLead, capture_lead
from aureum.settings import Settings
from aureum.store import archive
from aureum.store.cipher import MasterKey
from aureum.store.event_store import EventStore
from aureum.store.metadata import VISITOR, Origin
from aureum.store.postgres.database import connect
from aureum.store.postgres.migrate import migrate
from bench.databases import database, server
from bench.export import long_stream
from bench.processes import MASTER_KEY, cpu_seconds, session_pids
from bench.rebuild import fill
from bench.rows import Ratios, Row
from bench.tenants import captured_fields, form, numbers

EVENTS = 50_000
TURNS = 7
HEAD = "SELECT position FROM heads WHERE tenant_id = %(tenant)s"
OLDEST = """
SELECT stream_id FROM events WHERE tenant_id = %(tenant)s AND version = 1 ORDER BY position LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Side:
    """A database with a log of many leads, and one with a lead of a thousand events."""

    url: str
    store: EventStore
    tenant_id: UUID
    long: tuple[UUID, UUID]

    async def cpu(self, work: Callable[["Side", int], Awaitable[None]], times: int) -> float:
        """Milliseconds of CPU that *work* takes of the process and its sessions, a time."""
        pids, began = session_pids(self.url), time.process_time()
        before = sum(map(cpu_seconds, pids))
        await work(self, times)
        return (time.process_time() - began + sum(map(cpu_seconds, pids)) - before) * 1000 / times


async def begin(side: Side, times: int) -> None:
    """Leads begin."""
    for _ in range(times):
        fields = captured_fields(form(next(numbers)), "b1.example.com")
        await capture_lead(
            side.store, CaptureLead(tenant_id=side.tenant_id, country="US", fields=fields), Origin(VISITOR)
        )


async def load(side: Side, times: int) -> None:
    """The oldest leads are read."""
    for (lead_id,) in await side.store.database.rows(OLDEST, {"tenant": side.tenant_id, "limit": times}):
        (await side.store.load(side.tenant_id, lead_id)).aggregate()


async def load_long(side: Side, times: int) -> None:
    """A lead with a thousand events is read."""
    for _ in range(times):
        (await side.store.load(*side.long)).aggregate()


WORK = (
    ("begin a lead", begin, 400),
    ("load a lead whose events are archived", load, 400),
    ("load a lead with a thousand of them", load_long, 20),
)


async def prepare(url: str, events: int) -> UUID:
    """The log of leads."""
    await migrate(url, MasterKey(MASTER_KEY))
    return await fill(url, events, 3)


async def put_away(url: str, tenants: tuple[UUID, ...]) -> float:
    """Archive the whole log of *tenants*: seconds of CPU."""
    async with await connect(url) as connection:
        await archive.make_table(connection)
        pid, began = connection.info.backend_pid, time.process_time()
        for tenant_id in tenants:
            ((last,),) = await (await connection.execute(HEAD, {"tenant": tenant_id})).fetchall()
            async for _ in archive.move(connection, tenant_id, last):
                pass
        took = time.process_time() - began + cpu_seconds(pid)
        await archive.vacuum(connection)
    return took


async def measure(plain: str, archived: str, events: int, turns: int) -> list[Row]:
    """Both sides do each of ``WORK`` in turns, after one that does not count."""
    rows = []
    logs = [await prepare(url, events) for url in (plain, archived)]
    longs = [await long_stream(url) for url in (plain, archived)]
    took = await put_away(archived, (logs[1], longs[1][0]))
    async with await connect(plain) as connection:
        await connection.execute("VACUUM (ANALYZE) events")
    async with (
        open_store(Settings(database_url=plain), plain, MASTER_KEY) as one,
        open_store(Settings(database_url=archived), archived, MASTER_KEY) as other,
    ):
        sides = (Side(archived, other, logs[1], longs[1]), Side(plain, one, logs[0], longs[0]))
        for what, work, times in WORK:
            found = [[await side.cpu(work, times) for side in sides] for _ in range(turns + 1)][1:]
            ours, theirs = (statistics.median(values) for values in zip(*found, strict=True))
            ratios = Ratios(tuple(one / other for one, other in found))
            rows.append(Row(what, f"{ours:.3f} ms", f"{theirs:.3f} ms", str(ratios)))
    return [*rows, Row("archive an event, verified", f"{took / (events + 1_000) * 1_000_000:.0f} µs")]


def run(*, quick: bool = False) -> list[Row]:
    """About a minute, or a quick look."""
    with (
        server() as server_url,
        database(server_url, "plain") as plain,
        database(server_url, "archived") as archived,
    ):
        return asyncio.run(measure(plain, archived, EVENTS // 10 if quick else EVENTS, 2 if quick else TURNS))
