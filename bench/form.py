"""What a contact form costs, beside another version of Aureum: ``python -m bench form --against CHECKOUT``.

CHECKOUT is a directory with that version, 0.4.1 or later, and its packages: ``git worktree add``, and ``make setup``
there. Each version has a process and a database of its own on the same server, with the same brokerages,
and both take turns. The load is that of ``http``. CPU is that of the process and of its database sessions, a form; so
other work on the machine disturbs it little. The write-ahead log is what the server wrote meanwhile. The brokerages
route by ``--mode``; version 0.4.1 knows one way only, by words.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

import orjson
import psycopg

from bench import form_side
from bench.databases import server
from bench.load import post, send
from bench.processes import cpu_seconds, session_pids
from bench.rows import Row, in_turns, ratios
from bench.tenants import form, numbers

OURS = Path(__file__).parent.parent
FORMS_A_SECOND = 6_000
CONNECTIONS = (1, 16, 64)
AT_MOST = 1.0
"""A form costs no more CPU than in 0.4.1."""

WRITTEN = "SELECT pg_current_wal_insert_lsn() - '0/0'"


@dataclass
class Version:
    """One of the two, as its side has told, and what its forms have cost so far, slice by slice."""

    port: int
    pids: list[int]
    url: str
    hosts: list[str]
    mode: str
    costs: list[tuple[float, float]] = field(default_factory=list)
    written: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def used(self) -> tuple[float, float]:
        """CPU of the process and of the sessions, in seconds. Raises FileNotFoundError where there is no /proc."""
        return sum(map(cpu_seconds, self.pids)), sum(map(cpu_seconds, session_pids(self.url)))

    def log_end(self) -> int:
        """The bytes of the write-ahead log up to now."""
        with psycopg.connect(self.url) as connection:
            ((written,),) = connection.execute(WRITTEN).fetchall()
        return int(written)

    def slice(self, connections: int, seconds: int) -> float:
        """Send forms that are new to the server; the CPU of one, in milliseconds. Raises RuntimeError."""
        forms = [
            post(self.hosts[place % len(self.hosts)], "/api/contact", orjson.dumps(form(next(numbers))))
            for place in range(FORMS_A_SECOND * seconds)
        ]
        before, log_before = self.used(), self.log_end()
        load = send(self.port, forms, connections, seconds)
        after, log_after = self.used(), self.log_end()
        if load.errors or not load.answered:
            raise RuntimeError(f"{load.errors} of {load.answered} forms failed")
        process, sessions = ((late - early) * 1000 / load.answered for early, late in zip(before, after, strict=True))
        self.costs.append((process, sessions))
        self.written.append((log_after - log_before) / load.answered / 1000)
        self.rates.append(load.rate)
        return process + sessions

    def __str__(self) -> str:
        process, sessions = map(median, zip(*self.costs, strict=True))
        log = f"log {median(self.written):.1f} kB"
        return f"CPU {process:.3f} + {sessions:.3f} ms, {log}, {median(self.rates):,.0f}/s ({self.mode})"


@contextmanager
def ready(checkout: Path, python: str, *about: str) -> Iterator[Version]:
    """The version in *checkout* until the end. Raises RuntimeError."""
    side = Path(form_side.__file__).read_text()
    variables = os.environ | {"AUREUM_BENCH_SIDE": json.dumps(about)}
    with subprocess.Popen(
        [python, "-c", side], cwd=checkout, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        told = process.stdout.readline()
        if not told:
            raise RuntimeError(f"The version in {checkout} does not start.")
        try:
            yield Version(**json.loads(told))
        finally:
            process.stdin.close()


def run(*, quick: bool, against: Path, mode: str) -> list[Row]:
    """About two minutes, or a quick look."""
    seconds, rounds = (1, 1) if quick else (2, 9)
    theirs = against.resolve()
    with (
        server() as url,
        ready(OURS, sys.executable, url, "form_ours", mode) as us,
        ready(theirs, str(theirs / ".venv" / "bin" / "python"), url, "form_theirs", mode) as them,
    ):
        for version in (us, them):
            version.slice(CONNECTIONS[-1], 2)
        return [compared(us, them, connections, seconds, rounds) for connections in CONNECTIONS]


def compared(us: Version, them: Version, connections: int, seconds: int, rounds: int) -> Row:
    """One row; the median counts."""
    for version in (us, them):
        version.costs.clear()
        version.written.clear()
        version.rates.clear()
    slices: Sequence[partial[float]] = [partial(version.slice, connections, seconds) for version in (us, them)]
    found = ratios(*in_turns(rounds, *slices))
    what = f"POST /api/contact, {connections} connection{'s' if connections > 1 else ''}"
    return Row(what, str(us), str(them), str(found), f"≤ {AT_MOST:g} ×", found.median <= AT_MOST)
