"""A CSV file of contacts, and one of leads, is imported: rows a second, and the memory that it takes."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from aureum.commands.brokerages import OpenBrokerage, open_brokerage
from aureum.commands.importing.imports import Wanted, get_import
from aureum.commands.importing.requesting import request_import
from aureum.commands.importing.running import run as import_rows
from aureum.domain import ids
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.database import Database
from aureum.store.postgres.migrate import migrate
from aureum.store.writer import AppendWriter
from bench.databases import database, server
from bench.rebuild import MASTER_KEY, peak_megabytes
from bench.rows import Row

ROWS = 100_000
SECONDS = 60
URL_VARIABLE = "AUREUM_BENCH_IMPORT_URL"
HEADER = "First name,Last name,Email,Phone,Tags,Date added,Notes\n"


def write(path: Path, rows: int) -> None:
    """A file as another program exports it; every hundredth row is refused, and as many are duplicates."""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for number in range(rows):
            address = f"person{number - 1 if number % 100 == 1 else number}@example.com"
            mail = "none" if number % 100 == 2 else address
            phone = f"(208) 555-{number % 10_000:04}"
            file.write(f'Zoë {number},Smith,{mail},{phone},"vip, north end",3/4/2025 10:30,called twice\n')


async def measure(url: str, resource: str, path: Path) -> dict[str, Any]:
    """One import in a process of its own, so that its memory is its own."""
    async with Database(url) as opened, AppendWriter(url) as writer:
        store = EventStore(opened, writer, TenantKeys(MasterKey(MASTER_KEY)))
        command = OpenBrokerage(name="Bench", slug=f"bench-{resource}", domains=(), plan="Elite")
        brokerage = await open_brokerage(store, command, Origin(COMMAND_LINE))
        before, started = peak_megabytes(), time.perf_counter()
        with path.open("rb") as file:
            wanted = Wanted(brokerage.id, resource)
            job = await request_import(store, wanted, file, Origin(COMMAND_LINE), state="running", stored=False)
            await import_rows(store, job, file)
        seconds = time.perf_counter() - started
        done = await get_import(store, brokerage.id, job.import_id)
        if done.made + done.skipped + done.refused != job.layout.rows or done.refused != done.skipped:
            raise RuntimeError(f"{done.made} rows were made, {done.skipped} skipped, {done.refused} refused")
    return {
        "seconds": seconds,
        "rows": job.layout.rows,
        "peak": peak_megabytes() - before,
        "id": ids.to_wire(brokerage.id),
    }


def apart(url: str, resource: str, path: Path) -> dict[str, Any]:
    """``measure`` in a process of its own."""
    command = [sys.executable, "-m", "bench.importing", resource, str(path)]
    done = subprocess.run(
        command, env=os.environ | {URL_VARIABLE: url}, check=True, stdout=subprocess.PIPE, text=True, timeout=900
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def run(*, quick: bool = False) -> list[Row]:
    """Measure contacts and leads; *quick*: a tenth of the rows."""
    rows = ROWS // 10 if quick else ROWS
    table: list[Row] = []
    with (
        server() as server_url,
        database(server_url, "csv") as url,
        tempfile.TemporaryDirectory() as folder,
    ):
        path = Path(folder) / "people.csv"
        write(path, rows)
        asyncio.run(migrate(url, MasterKey(MASTER_KEY)))
        for resource in ("contacts", "leads"):
            measured = apart(url, resource, path)
            seconds, most = measured["seconds"], SECONDS * rows / ROWS
            table += [
                Row(
                    f"import of {rows:,} {resource}, of which 2 % are known or refused",
                    f"{seconds:.1f} s",
                    budget=f"< {most:.0f} s",
                    met=seconds < most,
                ),
                Row("memory that it takes besides the program", f"{measured['peak']:.0f} MB"),
            ]
    return table


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(os.environ[URL_VARIABLE], sys.argv[1], Path(sys.argv[2])))))
