"""What open timers cost: the processor time of an idle worker and of its database sessions, first without timers, then
with 100,000 that are not due.
"""

import asyncio
import tempfile
import time
from pathlib import Path

import psycopg

from aureum.store.cipher import MasterKey
from aureum.store.postgres.migrate import migrate
from bench.databases import database, server
from bench.processes import MASTER_KEY, cpu_seconds, session_pids
from bench.rows import Row
from bench.webhooks import worker

TIMERS = 100_000
TENANTS = 200
SECONDS = 20
AT_MOST = 0.01
"""Of a core."""

READY_SECONDS = 30
SETTLE_SECONDS = 3.0

FILL = """
INSERT INTO timers (tenant_id, lead_id, due_at, version)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n %% %(tenants)s), 12, '0'))::uuid, gen_random_uuid(),
       now() + interval '1 hour' + n * interval '10 seconds', 1
  FROM generate_series(1, %(timers)s) AS n
"""


def share(pid: int, url: str, seconds: int) -> float:
    """How much of a core the process and the sessions of its database take."""
    sessions = session_pids(url)
    before = sum(map(cpu_seconds, (pid, *sessions)))
    began = time.monotonic()
    time.sleep(seconds)
    return (sum(map(cpu_seconds, (pid, *sessions))) - before) / (time.monotonic() - began)


def settled(url: str) -> None:
    """Until the worker has opened its sessions. Raises RuntimeError."""
    deadline = time.monotonic() + READY_SECONDS
    while not session_pids(url):
        if time.monotonic() > deadline:
            raise RuntimeError("The worker does not start.")
        time.sleep(0.1)
    time.sleep(SETTLE_SECONDS)


def run(*, quick: bool = False) -> list[Row]:
    """About a minute."""
    timers, seconds = (20_000, 5) if quick else (TIMERS, SECONDS)
    what = f"processor time of an idle worker and its database with {timers:,} open timers"
    with (
        tempfile.TemporaryDirectory(prefix="aureum-bench-") as directory,
        server() as server_url,
        database(server_url, "timers") as url,
    ):
        asyncio.run(migrate(url, MasterKey(MASTER_KEY)))
        with worker(url, Path(directory)) as process:
            settled(url)
            try:
                without = share(process.pid, url, seconds)
            except FileNotFoundError:
                return [Row(what, "left out: this system has no /proc")]
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(FILL, {"timers": timers, "tenants": TENANTS})
                connection.execute("VACUUM ANALYZE timers")
            with_timers = share(process.pid, url, seconds)
    more = max(0.0, with_timers - without)
    return [
        Row(
            what,
            f"{with_timers:.2%} of a core",
            f"{without:.2%} without timers",
            f"{more:.2%} more",
            f"< {AT_MOST:.0%} more",
            more < AT_MOST,
        )
    ]
