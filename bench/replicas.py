"""What a replica takes off the primary when lists and single resources are read there.

Two servers of PostgreSQL 15 on the same cores, one of which follows the other, and two processes of the product
without a cache of answers: one reads all at the primary, one reads at the replica. Both take turns. CPU is that
of the process and of its sessions at the primary, a request; what the gate asks stays there. Since all share the
cores, requests a second cannot grow here: the ratio to look at is that of the primary's CPU. The last row reads while
forms are stored, so that the replica is a little late again and again.
"""

import asyncio
import re
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import psycopg

from aureum.domain.ids import to_wire
from bench.http import Side
from bench.load import Load, get, send
from bench.processes import Server, aureum
from bench.rows import Ratios, Row, in_turns
from bench.tenants import Tenant, contact_requests, count_requests, list_requests, open_tenants, settle
from tests.replication import PROGRAMS, caught_up, replicated

CONNECTIONS = 16
FORMS_A_SECOND = 6_000
AT_MOST = 0.7
"""Of the primary's CPU that a list costs without a replica."""

LEADS = "SELECT tenant_id, lead_id FROM lead_list ORDER BY random() LIMIT 1000"


def one_lead(url: str, tenants: list[Tenant], query: str = "") -> list[bytes]:
    """Any lead by its id."""
    of = {tenant.tenant_id: tenant for tenant in tenants}
    with psycopg.connect(url) as connection:
        found = connection.execute(LEADS).fetchall()
    return [get(of[t].host, f"/api/leads/{to_wire(lead_id)}{query}", of[t].key) for t, lead_id in found]


KINDS: tuple[tuple[str, Callable[[str, list[Tenant]], list[bytes]], float | None], ...] = (
    ("GET /api/leads?limit=50 with a key", lambda _, tenants: list_requests(tenants), AT_MOST),
    # Hardly more than the gate asks.
    ("GET /api/leads/count by host", lambda _, tenants: count_requests(tenants), None),
    ("GET /api/leads/{id} with a key", one_lead, None),
    ("the same with asOf", lambda url, tenants: one_lead(url, tenants, "?asOf=2100-01-01"), None),
)


def share(server: Server) -> tuple[float, float]:
    """How many lists were read at the primary, and at the replica."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = {at: float(n) for at, n in re.findall(r'^aureum_list_reads_total{server="(.*)"} (\S+)$', text, re.M)}
    primary = found.pop("primary", 0.0)
    return primary, sum(found.values())


def compared(
    what: str,
    alone: Server,
    shared: Server,
    requests: Sequence[bytes],
    at_most: float | None,
    *,
    seconds: int,
    rounds: int,
) -> Row:
    """One kind of request, by both processes in turns."""
    us, them = Side(shared), Side(alone)
    in_turns(
        rounds,
        lambda: us.slice(requests, CONNECTIONS, seconds),
        lambda: them.slice(requests, CONNECTIONS, seconds),
    )
    if not us.cpu or not them.cpu:
        return Row(what, str(us), str(them))
    found = Ratios(tuple(mine[1] / other[1] for mine, other in zip(us.cpu, them.cpu, strict=True)))
    row = Row(what, str(us), str(them), f"primary's CPU {found}")
    return row if at_most is None else replace(row, budget=f"≤ {at_most:g} ×", met=found.median <= at_most)


def beside_forms(shared: Server, forms: Sequence[bytes], lists: Sequence[bytes], seconds: int) -> Row:
    """Lists of brokerages that get forms meanwhile."""
    before, loads = share(shared), list[Load]()
    sending = threading.Thread(target=lambda: loads.append(send(shared.port, forms, 2, seconds)))
    sending.start()
    read = send(shared.port, lists, CONNECTIONS, seconds)
    sending.join()
    if read.errors or any(load.errors for load in loads):
        raise RuntimeError("Requests failed.")
    primary, replica = (late - early for early, late in zip(before, share(shared), strict=True))
    stored = f"{loads[0].rate:,.0f} forms/s"
    found = f"{read.rate:,.0f}/s, p99 {read.p99:.1f} ms; {replica / (primary + replica):.1%} read at the replica"
    return Row(f"lists while 20 brokerages get {stored}", found)


def run(*, quick: bool = False) -> list[Row]:
    """About a minute, or a quick look."""
    if not PROGRAMS.exists():
        return [
            Row("lists at a replica", "not measured: PostgreSQL 15 is not installed (Debian's package postgresql-15)")
        ]
    seconds, rounds = (1, 1) if quick else (2, 3)
    with (
        replicated(synchronous=False) as (primary, standby),
        tempfile.TemporaryDirectory(prefix="aureum-bench-") as folder,
    ):
        directory = Path(folder)
        tenants = asyncio.run(open_tenants(primary.url))
        settle(primary.url)
        caught_up(primary, standby)
        with (
            aureum(primary.url, directory, module="bench.uncached") as alone,
            aureum(primary.url, directory, module="bench.uncached", replicas=standby.url) as shared,
        ):
            for server in (alone, shared):
                send(server.port, list_requests(tenants), CONNECTIONS, 2)
            rows = [
                compared(
                    f"{what}, just changed, 16 connections",
                    alone,
                    shared,
                    made(primary.url, tenants),
                    at_most,
                    seconds=seconds,
                    rounds=rounds,
                )
                for what, made, at_most in KINDS
            ]
            forms = contact_requests(tenants, FORMS_A_SECOND * seconds)
            return [*rows, beside_forms(shared, forms, list_requests(tenants), seconds)]
