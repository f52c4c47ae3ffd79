"""How much memory one HTTP process takes, and how long ``aureum serve`` takes until it answers."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from threading import Timer

from bench.databases import database, server
from bench.load import send
from bench.processes import aureum, resident_megabytes
from bench.rows import Row
from bench.tenants import contact_requests, list_requests, open_tenants

READY = b"Aureum is ready at http://"
READY_SECONDS = 120
STOP_SECONDS = 60


def memory(seconds: int) -> list[Row]:
    """Resident memory of one process, before and after load of writes and reads."""
    with (
        tempfile.TemporaryDirectory(prefix="aureum-bench-") as directory,
        server() as server_url,
        database(server_url, "memory") as url,
    ):
        tenants = asyncio.run(open_tenants(url))
        with aureum(url, Path(directory)) as ours:
            pid = ours.processes[0].pid
            try:
                at_start = resident_megabytes(pid)
            except FileNotFoundError:
                return [Row("resident memory of one HTTP process", "left out: this system has no /proc")]
            answered = 0
            for requests in (contact_requests(tenants, 6_000 * seconds), list_requests(tenants)):
                answered += send(ours.port, requests, 64, seconds).answered
            after = resident_megabytes(pid)
    return [
        Row("resident memory of one HTTP process, after its start", f"{at_start:.0f} MB"),
        Row(f"the same, after {answered:,} requests of 64 connections", f"{after:.0f} MB"),
    ]


def start_up(data: str) -> float:
    """Seconds from ``aureum serve`` on the embedded database of *data* to the line that scripts wait for."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUREUM_")}
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "aureum", "serve", "--port", "0"],
        env=inherited | {"AUREUM_DATA_DIR": data},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        too_late = Timer(READY_SECONDS, process.kill)
        too_late.start()
        line = process.stdout.readline()
        seconds = time.monotonic() - started
        too_late.cancel()
        process.terminate()
        process.wait(STOP_SECONDS)
    if not line.startswith(READY):
        raise RuntimeError("aureum serve did not start; run it by hand to see why.")
    return seconds


def run(*, quick: bool = False) -> list[Row]:
    """About half a minute."""
    rows = memory(1 if quick else 5)
    with tempfile.TemporaryDirectory(prefix="aureum-bench-") as data:
        first = start_up(data)
        later = median(start_up(data) for _ in range(1 if quick else 5))
    return [
        *rows,
        Row("aureum serve until it answers, first run (makes its database)", f"{first:.1f} s"),
        Row("aureum serve until it answers, embedded database with data", f"{later:.1f} s"),
    ]
