"""A brokerage's log leaves, arrives, and is verified: events a second, and the memory of each; and how long it takes to
read a lead with a thousand events. The log is the one of ``rebuild``: two fifths of it create leads."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from aureum.domain import ids
from aureum.domain.brokerage import Brokerage
from aureum.processes.resident import collect_seldom
from aureum.store import chain
from aureum.store.append import call
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_log import open_tenant_key
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.database import Database, connect
from aureum.store.postgres.migrate import migrate
from aureum.store.rebuild.rebuild import REBUILDABLE, rebuild
from aureum.store.writer import AppendWriter
from aureum.transfer.exporting import export
from aureum.transfer.importing import import_brokerage
from aureum.transfer.reading import ExportFile
from bench import rebuild as logs
from bench.databases import database, server
from bench.rebuild import MASTER_KEY, peak_megabytes
from bench.rows import Row

EVENTS = 100_000
EXPORT_AT_LEAST, VERIFY_AT_LEAST = 50_000, 200_000
LONG_STREAM, REPLAY_AT_MOST = 1_000, 20.0
TIMES = 21
URL_VARIABLE = "AUREUM_BENCH_EXPORT_URL"


async def prepare(url: str, events: int) -> UUID:
    """A brokerage with a log of that length, and what people read of it."""
    await migrate(url, MasterKey(MASTER_KEY))
    keys = TenantKeys(MasterKey(MASTER_KEY))
    tenant_id = await logs.fill(url, events, 3)
    async with Database(url) as opened, AppendWriter(url) as writer:
        store = EventStore(opened, writer, keys)
        brokerage = Brokerage.open(
            tenant_id,
            ids.now(),
            number=await store.next_number("SELECT nextval('brokerage_numbers')"),
            name="Bench",
            slug="bench",
            domains=(),
            plan="Elite",
            time_zone="America/Boise",
            country="US",
            public_lead_count=True,
        )
        await store.append(ids.PLATFORM, brokerage, NO_STREAM, command="Bench", origin=Origin(COMMAND_LINE))
    for model in REBUILDABLE:
        await rebuild(url, keys, model.NAME, tenant_id)
    async with await connect(url) as connection:
        # As autovacuum does soon; before it, the planner takes the log for a short one.
        await connection.execute("VACUUM (ANALYZE)")
    return tenant_id


async def long_stream(url: str) -> tuple[UUID, UUID]:
    """A lead with a thousand events, and its tenant."""
    tenant_id = ids.new_id()
    master = MasterKey(MASTER_KEY)
    wrapped = master.new_tenant_key(tenant_id)
    made = logs.Brokerage(tenant_id, master.open_tenant_key(tenant_id, wrapped), 5)
    async with await connect(url) as connection:
        await connection.execute("INSERT INTO heads (tenant_id) VALUES (%s)", [tenant_id])
        await connection.execute("INSERT INTO tenant_keys (tenant_id, wrapped) VALUES (%s, %b)", [tenant_id, wrapped])
        await call(connection, made.group(1), "2s")
        for _ in range(LONG_STREAM - 1):
            made.changed.clear()
            await call(connection, [made.change_of(made.leads[0])], "2s")
    return tenant_id, made.leads[0].lead_id


async def replayed(url: str, tenant_id: UUID, lead_id: UUID) -> float:
    """Milliseconds to read the lead from its events: the median."""
    times = []
    async with Database(url) as opened, AppendWriter(url) as writer:
        store = EventStore(opened, writer, TenantKeys(MasterKey(MASTER_KEY)))
        for _ in range(TIMES):
            started = time.perf_counter()
            lead = (await store.load(tenant_id, lead_id)).aggregate()
            times.append((time.perf_counter() - started) * 1000)
            if lead.version != LONG_STREAM:
                raise RuntimeError(f"the lead has {lead.version} events")
    return statistics.median(times)


async def measure(url: str, part: str, tenant: str, opened: IO[bytes]) -> dict[str, Any]:
    """One part in a process of its own, so that its memory is its own."""
    collect_seldom()  # as the command does
    before, started = peak_megabytes(), time.perf_counter()
    master = MasterKey(MASTER_KEY)
    async with await connect(url) as connection:
        if part == "verify":
            verified = await chain.verify(connection, UUID(tenant))
            if not isinstance(verified, chain.Verified):
                raise RuntimeError(verified.what)
            events = verified.events
        elif part == "export":
            key = await open_tenant_key(connection, TenantKeys(master), UUID(tenant))
            async with Database(url) as database:
                events = (await export(connection, key, opened.write, KeptBlobs(database))).events
        else:
            done = await import_brokerage(
                connection,
                master,
                ExportFile(opened),
                slug=None,
                may_have=lambda _: True,
                progress_of=lambda _: lambda done, length: None,
            )
            events = done.events
    seconds = time.perf_counter() - started
    return {"events": events, "rate": round(events / seconds), "peak": peak_megabytes() - before}


def apart(url: str, part: str, tenant_id: UUID, file: Path) -> dict[str, Any]:
    """``measure`` in a process of its own."""
    command = [sys.executable, "-m", "bench.export", part, str(tenant_id), str(file)]
    done = subprocess.run(
        command, env=os.environ | {URL_VARIABLE: url}, check=True, stdout=subprocess.PIPE, text=True, timeout=600
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def run(*, quick: bool = False) -> list[Row]:
    """Measure all of it; *quick*: a fifth of the log."""
    events = EVENTS // 5 if quick else EVENTS
    with (
        server() as server_url,
        database(server_url, "export") as url,
        database(server_url, "import") as other,
        tempfile.TemporaryDirectory() as folder,
    ):
        file = Path(folder) / "bench.jsonl"
        tenant_id = asyncio.run(prepare(url, events))
        asyncio.run(migrate(other, MasterKey(MASTER_KEY)))
        exported = apart(url, "export", tenant_id, file)
        imported = apart(other, "import", tenant_id, file)
        verified = apart(url, "verify", tenant_id, file)
        milliseconds = asyncio.run(replayed(url, *asyncio.run(long_stream(url))))
        size = file.stat().st_size / events
    return [
        Row(
            f"export of {events:,} events, {size:.0f} bytes each",
            f"{exported['rate']:,} events/s",
            budget=f"≥ {EXPORT_AT_LEAST:,}/s",
            met=exported["rate"] >= EXPORT_AT_LEAST,
        ),
        Row("memory that it takes besides the program", f"{exported['peak']:.0f} MB"),
        Row("import of that", f"{imported['rate']:,} events/s"),
        Row("memory that it takes besides the program", f"{imported['peak']:.0f} MB"),
        Row(
            "verify of that log",
            f"{verified['rate']:,} events/s",
            budget=f"≥ {VERIFY_AT_LEAST:,}/s",
            met=verified["rate"] >= VERIFY_AT_LEAST,
        ),
        Row(
            f"a lead with {LONG_STREAM:,} events, loaded and folded",
            f"{milliseconds:.1f} ms",
            budget=f"< {REPLAY_AT_MOST:.0f} ms",
            met=milliseconds < REPLAY_AT_MOST,
        ),
    ]


if __name__ == "__main__":
    part, tenant, name = sys.argv[1:4]
    with Path(name).open("wb" if part == "export" else "rb") as opened:
        print(json.dumps(asyncio.run(measure(os.environ[URL_VARIABLE], part, tenant, opened))))
