"""What an HTTP process answers in a second, against a bare endpoint that makes one SQL call a request.

One process each, 20 brokerages, 200 leads each at the beginning, the same load. The bare one has a database of its own
on the same server, and both take turns, slice by slice, so that whatever else the machine does concerns both. CPU is
that of the process and of its database sessions, a request. "Just changed" is measured on a process whose cache of
answers holds nothing.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

import psycopg

from bench.bare import TENANTS
from bench.databases import database, server
from bench.load import Load, send
from bench.processes import POOL_SIZE, Server, aureum, environment, serving
from bench.rows import Ratios, Row, in_turns, judged, ratios
from bench.tenants import Tenant, contact_requests, count_requests, fill_bare, list_requests, open_tenants, settle

HOT_AT_LEAST = 3_000
FORMS_A_SECOND = 6_000
"""More than any server here takes: no form is sent twice, which the load generator checks."""

Requests = Callable[[], Sequence[bytes]]


@dataclass
class Side:
    """One of the two that take turns, and all its slices."""

    server: Server
    loads: list[Load] = field(default_factory=list)
    cpu: list[tuple[float, float]] = field(default_factory=list)

    def slice(self, requests: Sequence[bytes], connections: int, seconds: int) -> float:
        """Send, remember, and tell the requests a second. Raises RuntimeError if any was refused."""
        before = self.server.cpu_seconds()
        load = send(self.server.port, requests, connections, seconds)
        after = self.server.cpu_seconds()
        if load.errors or not load.answered:
            raise RuntimeError(f"{load.errors} of {load.answered} requests failed")
        self.loads.append(load)
        if before is not None and after is not None:
            app, sessions = ((late - early) * 1000 / load.answered for early, late in zip(before, after, strict=True))
            self.cpu.append((app, sessions))
        return load.rate

    @property
    def rate(self) -> float:
        """Requests a second, of all slices the median."""
        return median(load.rate for load in self.loads)

    def __str__(self) -> str:
        p99 = median(load.p99 for load in self.loads)
        app, sessions = (median(values) for values in zip(*self.cpu, strict=True)) if self.cpu else (0, 0)
        cpu = f", CPU {app:.2f} + {sessions:.2f} ms" if self.cpu else ""
        return f"{self.rate:,.0f}/s, p99 {p99:.1f} ms{cpu}"


@dataclass(frozen=True)
class Bench:
    """What is measured on: how long, how often, and everything that is running."""

    seconds: int
    rounds: int
    url: str
    tenants: list[Tenant]
    ours: Server
    bare: Server
    directory: Path
    warm: set[int] = field(default_factory=set)

    def forms(self, tenants: list[Tenant]) -> Requests:
        """Forms for one slice."""
        return lambda: contact_requests(tenants, FORMS_A_SECOND * self.seconds)

    def compare(self, ours: Server, theirs: Server, requests: Requests, connections: int) -> tuple[Side, Side, Ratios]:
        """Both sides in turns, each warmed up when it is met for the first time."""
        us, them = Side(ours), Side(theirs)
        for one in (ours, theirs):
            if one.port not in self.warm:
                send(one.port, requests(), connections, 1)
                self.warm.add(one.port)
        found = in_turns(
            self.rounds,
            lambda: us.slice(requests(), connections, self.seconds),
            lambda: them.slice(requests(), connections, self.seconds),
        )
        return us, them, ratios(*found)

    def row(self, what: str, ours: Server, requests: Requests, connections: int, at_least: float | None) -> Row:
        """One row against the bare endpoint."""
        us, them, found = self.compare(ours, self.bare, requests, connections)
        return judged(f"{what}, {plural(connections)}", str(us), str(them), found, at_least)


def plural(connections: int) -> str:
    """``1 connection``, ``16 connections``."""
    return f"{connections} connection{'s' if connections > 1 else ''}"


@contextmanager
def opened(seconds: int, rounds: int) -> Iterator[Bench]:
    """Both databases filled, one process of the product and the yardstick running."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aureum-bench-")))
        server_url = stack.enter_context(server())
        url = stack.enter_context(database(server_url, "http"))
        bare_url = stack.enter_context(database(server_url, "bare"))
        tenants = asyncio.run(open_tenants(url))
        fill_bare(bare_url, tenants)
        for filled in (url, bare_url):
            settle(filled)
        names = {t.host: str(t.tenant_id) for t in tenants} | {f"Bearer {t.key}": str(t.tenant_id) for t in tenants}
        variables = environment(bare_url, "") | {TENANTS: json.dumps(names)}
        command = ["bench.bare", bare_url, str(POOL_SIZE)]
        bare = stack.enter_context(serving(command, variables, directory / "bare.log", bare_url))
        ours = stack.enter_context(aureum(url, directory))
        yield Bench(seconds, rounds, url, tenants, ours, bare, directory)


def contact(bench: Bench) -> list[Row]:
    """The contact form at one connection, at some, at many."""
    return [
        bench.row("POST /api/contact", bench.ours, bench.forms(bench.tenants), connections, at_least)
        for connections, at_least in ((1, 0.5), (16, 1.0), (64, 1.3))
    ]


READS = (
    ("GET /api/leads?limit=50 with a key", list_requests, ((1, None, 0.9), (16, 1.2, 1.8))),
    ("GET /api/leads/count by host", count_requests, ((1, None, 0.75), (16, 1.2, 1.8))),
)
"""With how many connections, and the budget, if any, when the tenant has just changed and when it has not."""


def reads(bench: Bench) -> list[Row]:
    """The list and the count, when the tenant has just changed and when it has not, for one client and for some."""
    rows = []
    with aureum(bench.url, bench.directory, module="bench.uncached") as uncached:
        for what, requests, budgets in READS:
            for connections, changed, unchanged in budgets:
                send = partial(requests, bench.tenants)
                rows.append(bench.row(f"{what}, just changed", uncached, send, connections, changed))
                rows.append(bench.row(f"{what}, unchanged", bench.ours, send, connections, unchanged))
    return rows


def hot_tenant(bench: Bench) -> list[Row]:
    """All 64 connections at one brokerage."""
    us, them, found = bench.compare(bench.ours, bench.bare, bench.forms(bench.tenants[:1]), 64)
    what = "POST /api/contact, one busy tenant, 64 connections"
    return [Row(what, str(us), str(them), str(found), f"≥ {HOT_AT_LEAST:,}/s", us.rate >= HOT_AT_LEAST)]


def two_processes(bench: Bench) -> list[Row]:
    """A second process on the same tenants; afterwards the log must be whole."""
    rows = []
    with aureum(bench.url, bench.directory, count=2) as two:
        for tenants, at_least in ((bench.tenants, 1.0), (bench.tenants[:1], None)):
            us, them, found = bench.compare(two, bench.ours, bench.forms(tenants), 64)
            what = f"two processes, {len(tenants)} tenant{'s' if len(tenants) > 1 else ''}, 64 connections"
            rows.append(judged(what, str(us), f"one process: {them}", found, at_least))
    return [*rows, checked(bench)]


GAPS = """
SELECT count(*) FROM (
    SELECT h.position AS head, count(*) AS events, count(DISTINCT e.position) AS positions,
           min(e.position) AS first, max(e.position) AS last
      FROM heads h LEFT JOIN events e USING (tenant_id) GROUP BY h.tenant_id, h.position HAVING h.position > 0
) t WHERE (events, positions, first, last) IS DISTINCT FROM (head, head, 1, head)
"""
EVENTS = "SELECT count(*) FROM events"
UNLISTED = """
SELECT count(*) FROM events e
  LEFT JOIN lead_list l ON l.tenant_id = e.tenant_id AND l.lead_id = e.stream_id
 WHERE e.type = 'lead.captured' AND l.lead_id IS NULL
"""
MISCOUNTED = """
SELECT count(*) FROM (SELECT tenant_id, status, count(*) AS leads FROM lead_list GROUP BY 1, 2) l
  FULL JOIN lead_counts c USING (tenant_id, status) WHERE l.leads IS DISTINCT FROM c.leads
"""
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def checked(bench: Bench) -> Row:
    """The log and the read models after all the load."""
    with psycopg.connect(bench.url) as connection:
        gaps, events, unlisted, miscounted, deadlocks = (
            connection.execute(query).fetchall()[0][0] for query in (GAPS, EVENTS, UNLISTED, MISCOUNTED, DEADLOCKS)
        )
    found = f"{gaps} tenants with gaps, {unlisted} leads not listed, {miscounted} wrong counts, {deadlocks} deadlocks"
    return Row(
        f"after all that, {events:,} events",
        found,
        budget="none",
        met=not (gaps or unlisted or miscounted or deadlocks),
    )


PARTS = (reads, contact, hot_tenant, two_processes)


def run(*, quick: bool = False) -> list[Row]:
    """All of it: about four minutes, or a quick look."""
    with opened(1 if quick else 2, 1 if quick else 5) as bench:
        return [row for part in PARTS for row in part(bench)]
