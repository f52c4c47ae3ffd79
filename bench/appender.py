"""A process that appends on demand, as Aureum does or as the ``eventsourcing`` library's own recorder does.

``python -m bench.appender aureum|library|library-list URL CLIENTS BYTES`` reads lines ``SECONDS TENANTS``: for so long
its clients append one event after the other, each to a new stream of one of the first so many tenants. It answers each
line with one of JSON.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import uvloop
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow

from aureum.app import open_store
from aureum.domain import ids
from aureum.domain.lead import Lead
from aureum.settings import Settings
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import VISITOR, Origin
from bench.bare import INSERT
from bench.processes import MASTER_KEY
from bench.tenants import captured_fields, form

TENANTS = "SELECT tenant_id FROM bench_tenants ORDER BY n"
COUNT_ONE_MORE = """
INSERT INTO lead_counts AS c (tenant_id, status, leads) VALUES (%s, 'new', 1)
ON CONFLICT (tenant_id, status) DO UPDATE SET leads = c.leads + 1
"""

dice = random.Random()


def new_lead(number: int) -> Lead:
    """What a visitor of the contact form leaves, decided and not yet stored."""
    sent = form(number)
    return Lead.capture(
        ids.new_id(),
        ids.now(),
        captured_fields(sent, "b1.example.com"),
        status="new",
        number=number,
        phone_e164="+12085550123",
        assigned_to=None,
        created_by=None,
        routing=None,
        because=None,
        contact_id=None,
    )


async def append_leads(store: EventStore, tenants: Sequence[UUID], seconds: float, clients: int) -> list[float]:
    """Captured leads, with all that the store does for one: keys, encryption, hash chain, read models.

    How long each append took, in seconds.
    """
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def client() -> None:
        while (started := time.perf_counter()) < end:
            lead, tenant_id = new_lead(dice.randrange(1 << 40)), dice.choice(tenants)
            await store.append(tenant_id, lead, NO_STREAM, command="CaptureLead", origin=Origin(VISITOR))
            latencies.append(time.perf_counter() - started)

    await asyncio.gather(*(client() for _ in range(clients)))
    return latencies


async def by_aureum(url: str, clients: int) -> None:
    """Append through an event store like that of a process."""
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        tenants = [tenant_id for (tenant_id,) in await store.database.rows(TENANTS)]
        say("ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            seconds, count = line.split()
            say(summary(await append_leads(store, tenants[: int(count)], float(seconds), clients), float(seconds)))


class WithReadModels(PostgresApplicationRecorder):
    """The library's recorder with a list and a counter in the same transaction, where the library has room for it."""

    def _insert_events(self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **given: Any) -> None:
        curs.execute(INSERT, given["row"])
        curs.execute(COUNT_ONE_MORE, given["row"][:1])


def by_library(url: str, clients: int, size: int, *, read_models: bool) -> None:
    """Append through the library's recorder, a thread a client: an event of that size, encoded beforehand.

    The recorder knows no tenants: however many there are, all appends wait for its one table lock.
    """
    where = conninfo_to_dict(url)
    dbname, host, port, user, password = (
        str(where.get(name) or "") for name in ("dbname", "host", "port", "user", "password")
    )
    datastore = PostgresDatastore(dbname, host, port, user, password, pool_size=clients)
    recorder = (WithReadModels if read_models else PostgresApplicationRecorder)(
        datastore, events_table_name="bench_events"
    )
    recorder.create_table()
    state, row = dice.randbytes(size), list(form(1).values())

    def client(end: float, tenants: int) -> list[float]:
        latencies = []
        while (started := time.perf_counter()) < end:
            about = [UUID(int=dice.randrange(tenants)), uuid4(), "new", *row[:6], "b1.example.com", *row[6:]]
            recorder.insert_events([StoredEvent(uuid4(), 1, "lead.captured", state)], row=about)
            latencies.append(time.perf_counter() - started)
        return latencies

    with datastore, ThreadPoolExecutor(clients) as pool:
        say("ready")
        for line in sys.stdin:
            seconds, count = line.split()
            end = time.perf_counter() + float(seconds)
            made = list(pool.map(client, [end] * clients, [int(count)] * clients))
            say(summary([latency for some in made for latency in some], float(seconds)))


def summary(latencies: list[float], seconds: float) -> str:
    """What one slice comes to; the last append of each client, which may end a little late, counts too."""
    ordered = sorted(latencies)
    places = {"p50": len(ordered) // 2, "p99": len(ordered) * 99 // 100}
    return json.dumps(
        {"rate": len(ordered) / seconds, **{name: ordered[place] * 1000 for name, place in places.items()}}
    )


def say(line: str) -> None:
    """To the process that started this one."""
    print(line, flush=True)


if __name__ == "__main__":
    how, url, clients, size = sys.argv[1:]
    if how == "aureum":
        uvloop.run(by_aureum(url, int(clients)))
    else:
        by_library(url, int(clients), int(size), read_models=how == "library-list")
