"""What grows when one database has ten million events of ten thousand brokerages: ``python -m bench scale``.

Beside it stands a database of the same server with a hundredth of both (``--events`` and ``--brokerages`` for others; a
quick run has a tenth). Both take turns. CPU is that of the processes and of their database sessions, an append or a
request. "Any" brokerage is one at random, so that hardly one finds anything in a cache. ``Idle`` is a
worker on a database in which nothing happens, with all that it does: its process and its sessions over twenty seconds.
Ten million events take 11 GB, and filling takes about half an hour on a machine that does other work, too.
"""

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

import orjson
import psycopg

from bench.append import Appenders, appenders
from bench.databases import database, server
from bench.http import Side
from bench.load import post
from bench.memory import READY, READY_SECONDS, STOP_SECONDS
from bench.processes import Server, aureum, cpu_seconds, environment, session_pids
from bench.rows import Row, in_turns, ratios
from bench.scale_fill import fill, host_of
from bench.tenants import Tenant, count_requests, form, list_requests, numbers

EVENTS, BROKERAGES = 10_000_000, 10_000
SMALLER = 100
QUICK = 10
CONNECTIONS = 16
AT_MOST = 1.3
SAME = 100
"""Brokerages that appends go to where only the size of the database differs."""
IDLE_SECONDS = 20
SETTLE_SECONDS = 15
"""A worker that has just started reads more than later."""
IDLE_AT_MOST = 0.02
START_AT_MOST = 3.0
FORMS_A_SECOND = 6_000
ANY = "POST /api/contact to any brokerage"
"""Most of them are met for the first time, and what the process remembers of a brokerage is read first."""

SIZE = "SELECT pg_database_size(current_database()), (SELECT count(*) FROM events), (SELECT count(*) FROM brokerages)"

dice = random.Random(11)


@dataclass(frozen=True)
class Filled:
    """A database, and the brokerages of it that can be asked."""

    url: str
    tenants: list[Tenant]
    brokerages: int
    seconds: float

    def forms(self, seconds: int, most: int) -> Sequence[bytes]:
        """Forms to any of the first *most* of its brokerages."""
        return [
            post(host_of(dice.randrange(min(most, self.brokerages))), "/api/contact", orjson.dumps(form(next(numbers))))
            for _ in range(FORMS_A_SECOND * seconds)
        ]

    def row(self) -> Row:
        """What is in it, and how long that took."""
        with psycopg.connect(self.url) as connection:
            ((size, events, brokerages),) = connection.execute(SIZE).fetchall()
        return Row(
            f"{events:,} events of {brokerages:,} brokerages", f"{size / 1e9:.1f} GB, made in {self.seconds:.0f} s"
        )


@contextmanager
def filled(server_url: str, name: str, brokerages: int, events: int) -> Iterator[Filled]:
    """A database of that size until the end."""
    with database(server_url, name) as url:
        started = time.monotonic()
        tenants = asyncio.run(fill(url, brokerages, events))
        yield Filled(url, tenants, brokerages, time.monotonic() - started)


@dataclass
class Appending:
    """Appends without HTTP, and what they cost."""

    url: str
    processes: Appenders
    brokerages: int

    def slice(self, seconds: int) -> float:
        """CPU of one append of one event, in milliseconds."""
        before = self.used()
        rate = self.processes.slice(self.brokerages, seconds)
        return (self.used() - before) * 1_000 / (rate * seconds)

    def used(self) -> float:
        """Seconds of CPU up to now."""
        return sum(cpu_seconds(process.pid) for process in self.processes.processes) + sum(
            map(cpu_seconds, session_pids(self.url))
        )


def appended(large: Filled, small: Filled, seconds: int, rounds: int) -> list[Row]:
    """Appends to a hundred brokerages of both, then to any of the many: hardly one is met twice, so its key is read and
    unwrapped, and all pages that are changed are new to the database's memory and to its write-ahead log."""
    rows = []
    with ExitStack() as stack:
        processes = [stack.enter_context(appenders("aureum", one.url, 0)) for one in (large, small)]
        for where, many in (("a hundred brokerages", SAME), (f"any of {large.brokerages:,}", large.brokerages)):
            sides = [
                Appending(one.url, started, min(many, one.brokerages))
                for one, started in zip((large, small), processes, strict=True)
            ]
            for side in sides:
                side.slice(2)
                side.processes.taken()
            costs = in_turns(rounds, *(partial(side.slice, seconds) for side in sides))
            said = [
                f"CPU {median(found):.3f} ms, {side.processes.taken()}"
                for found, side in zip(costs, sides, strict=True)
            ]
            found = ratios(*costs)
            what = f"an append of one event with its read models, 16 clients, {where}"
            row = Row(what, said[0], said[1], str(found))
            if many == SAME:
                row = replace(row, budget=f"≤ {AT_MOST:g} ×", met=found.median <= AT_MOST)
            rows.append(row)
    return rows


def cost(side: Side, requests: Sequence[bytes], seconds: int) -> float:
    """CPU of one request, in milliseconds, of the process and its sessions."""
    side.slice(requests, CONNECTIONS, seconds)
    return sum(side.cpu[-1])


def turn(side: Side, one: Filled, made: Callable[[Filled], Sequence[bytes]], seconds: int) -> float:
    """One slice of new requests."""
    return cost(side, made(one), seconds)


def asked(large: Filled, small: Filled, servers: tuple[Server, Server], seconds: int, rounds: int) -> list[Row]:
    """Forms to a hundred brokerages, and to any; lists and counts of twenty, from the database."""
    kinds: dict[str, Callable[[Filled], Sequence[bytes]]] = {
        "POST /api/contact to a hundred brokerages": lambda one: one.forms(seconds, SAME),
        ANY: lambda one: one.forms(seconds, large.brokerages),
        "GET /api/leads?limit=50 of twenty brokerages": lambda one: list_requests(one.tenants),
        "GET /api/leads/count of twenty brokerages": lambda one: count_requests(one.tenants),
    }
    rows = []
    for what, made in kinds.items():
        us, them = (Side(server) for server in servers)
        sides = ((us, large), (them, small))
        for side, one in sides:
            cost(Side(side.server), made(one), 1)
        found = ratios(*in_turns(rounds, *(partial(turn, side, one, made, seconds) for side, one in sides)))
        row = Row(what, str(us), str(them), str(found))
        if what != ANY:
            row = replace(row, budget=f"≤ {AT_MOST:g} ×", met=found.median <= AT_MOST)
        rows.append(row)
    return rows


def idle(one: Filled, seconds: int) -> tuple[float, float]:
    """Which part of a core a worker's process takes while nothing happens, and which part its sessions."""
    with tempfile.TemporaryDirectory(prefix="aureum-bench-") as directory:
        command = [sys.executable, "-m", "aureum", "worker"]
        with subprocess.Popen(
            command, env=environment(one.url, directory), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:

            def used() -> tuple[float, dict[int, float]]:
                return cpu_seconds(process.pid), {pid: cpu_seconds(pid) for pid in session_pids(one.url)}

            time.sleep(SETTLE_SECONDS)
            began, (process_before, sessions_before) = time.monotonic(), used()
            time.sleep(seconds)
            elapsed, (process_after, sessions_after) = time.monotonic() - began, used()
            process.terminate()
            process.wait(STOP_SECONDS)
    sessions = sum(late - sessions_before.get(pid, 0.0) for pid, late in sessions_after.items())
    return (process_after - process_before) / elapsed, sessions / elapsed


def idling(large: Filled, small: Filled, seconds: int) -> Row:
    """A worker in both."""
    shares = [idle(one, seconds) for one in (large, small)]
    said = [f"{process:.1%} + {sessions:.1%} of a core" for process, sessions in shares]
    return Row(
        "an idle worker, process + database",
        said[0],
        said[1],
        budget=f"≤ {IDLE_AT_MOST:.0%} more",
        met=sum(shares[0]) - sum(shares[1]) <= IDLE_AT_MOST,
    )


def start_up(one: Filled) -> float:
    """Seconds from ``aureum serve`` to the line that scripts wait for. Raises RuntimeError."""
    with tempfile.TemporaryDirectory(prefix="aureum-bench-") as directory:
        started = time.monotonic()
        with subprocess.Popen(
            [sys.executable, "-m", "aureum", "serve", "--port", "0"],
            env=environment(one.url, directory),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            took = time.monotonic() - started
            process.terminate()
            process.wait(STOP_SECONDS)
    if not line.startswith(READY):
        raise RuntimeError(f"aureum serve did not start within {READY_SECONDS} s; run it by hand to see why.")
    return took


def starting(large: Filled, small: Filled, rounds: int) -> Row:
    """``serve`` with a worker, in both."""
    late, early = in_turns(rounds, partial(start_up, large), partial(start_up, small))
    found, against = median(late), median(early)
    what = "aureum serve with a worker, until it answers"
    return Row(what, f"{found:.1f} s", f"{against:.1f} s", "", f"< {START_AT_MOST:g} s", found < START_AT_MOST)


def run(*, quick: bool = False, events: int = EVENTS, brokerages: int = BROKERAGES) -> list[Row]:
    """About half an hour, nearly all of it for filling; a quick run about five minutes."""
    if quick:
        events, brokerages = events // QUICK, brokerages // QUICK
    seconds, rounds = (1, 3) if quick else (2, 9)
    with (
        tempfile.TemporaryDirectory(prefix="aureum-bench-") as folder,
        server() as server_url,
        filled(server_url, "scale_small", max(20, brokerages // SMALLER), events // SMALLER) as small,
        filled(server_url, "scale", brokerages, events) as large,
    ):
        return measured(large, small, Path(folder), seconds, rounds)


def measured(large: Filled, small: Filled, directory: Path, seconds: int, rounds: int) -> list[Row]:
    """All rows; what reads comes first, and what writes last."""
    rows = [large.row(), small.row(), idling(large, small, IDLE_SECONDS), starting(large, small, min(rounds, 3))]
    with (
        aureum(large.url, directory, module="bench.uncached") as ours,
        aureum(small.url, directory, module="bench.uncached") as theirs,
    ):
        rows += asked(large, small, (ours, theirs), seconds, rounds)
    return [*rows, *appended(large, small, seconds, rounds)]
