"""What lists of 50 and creations of every resource answer in a second, against a bare endpoint with the equivalent SQL.

As over HTTP in general: one process each, a database each, turns slice by slice, 16 connections, 20 brokerages. Then
one brokerage's 100,000 contacts streamed whole, and answers that are not sent again.
"""

import asyncio
import http.client
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import orjson
import psycopg

from bench.bare import TENANTS
from bench.bare_resources import RESOURCES, Resource
from bench.databases import database, server
from bench.http import Bench, Side
from bench.load import get, post
from bench.processes import POOL_SIZE, Server, aureum, environment, resident_megabytes, serving
from bench.rows import Row, in_turns, judged, ratios
from bench.tenants import Tenant, numbers, open_tenants, settle

AT_LEAST = 0.6
UNCHANGED_AT_LEAST = 3.0
CONNECTIONS = 16
POLLED = (
    ("/api/contacts?limit=50", 16),
    ("/api/contacts?limit=50", 64),
    ("/api/contacts?limit=500", 64),
    ("/api/contacts", 16),
)
"""What is asked for again, by how many clients at the same moment."""

CREATIONS_A_SECOND = 6_000
"""More than any server here takes: within a slice nothing is sent twice."""

ROWS = 60
"""Of each resource and brokerage at the beginning: more than a page."""

LONG = 100_000
FIRST_BYTE_MS = 50.0

COPIES = """
INSERT INTO contact_list (tenant_id, read_version, contact_id, stream_version, type, search, found_by, updated_at, doc)
SELECT tenant_id, read_version, gen_random_uuid(), stream_version, type, search, found_by, updated_at, doc
  FROM (SELECT * FROM contact_list WHERE tenant_id = %s LIMIT 1) c, generate_series(1, %s)
"""


@contextmanager
def opened(seconds: int, rounds: int) -> Iterator[Bench]:
    """Both databases filled through the endpoints themselves, the product and the yardstick running."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aureum-bench-")))
        server_url = stack.enter_context(server())
        url = stack.enter_context(database(server_url, "resources"))
        bare_url = stack.enter_context(database(server_url, "bare_resources"))
        tenants = asyncio.run(open_tenants(url))
        with psycopg.connect(bare_url, autocommit=True) as connection:
            for resource in RESOURCES:
                connection.execute(resource.table.encode())
        variables = environment(bare_url, "") | {
            TENANTS: json.dumps({f"Bearer {tenant.key}": str(tenant.tenant_id) for tenant in tenants})
        }
        command = ["bench.bare_resources", bare_url, str(POOL_SIZE)]
        bare = stack.enter_context(serving(command, variables, directory / "bare.log", bare_url))
        ours = stack.enter_context(aureum(url, directory))
        for one in (ours, bare):
            fill(one, tenants)
        for filled in (url, bare_url):
            settle(filled)
        yield Bench(seconds, rounds, url, tenants, ours, bare, directory)


def fill(one: Server, tenants: list[Tenant]) -> None:
    """Some resources of each kind for every brokerage."""
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=30)
    for tenant in tenants:
        headers = {"Host": tenant.host, "Authorization": f"Bearer {tenant.key}", "Content-Type": "application/json"}
        for resource in RESOURCES:
            for _ in range(ROWS):
                connection.request("POST", resource.path, orjson.dumps(resource.example), headers)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 201:
                    raise RuntimeError(f"POST {resource.path}: {answer.status} {body[:200]!r}")
    connection.close()


def creations(resource: Resource, tenants: list[Tenant], count: int) -> list[bytes]:
    """*count* creations, for every brokerage in turn; no two titles are the same, since each has a slug of its own."""
    requests = []
    for _ in range(count):
        number = next(numbers)
        tenant = tenants[number % len(tenants)]
        sent = resource.example | ({"title": f"Villa {number}"} if "title" in resource.example else {})
        request = post(tenant.host, resource.path, orjson.dumps(sent))
        line = f"Authorization: Bearer {tenant.key}\r\n".encode()
        requests.append(request.replace(b"Content-Type", line + b"Content-Type", 1))
    return requests


def lists_and_creations(bench: Bench) -> list[Row]:
    """Every resource: its list just changed and unchanged, and its creation."""
    rows = []
    with aureum(bench.url, bench.directory, module="bench.uncached") as uncached:
        for resource in RESOURCES:
            pages = [get(tenant.host, f"{resource.path}?limit=50", tenant.key) for tenant in bench.tenants]
            what = f"{resource.path}?limit=50"
            for when, ours in (("just changed", uncached), ("unchanged", bench.ours)):
                rows.append(bench.row(f"GET {what}, {when}", ours, partial(list, pages), CONNECTIONS, AT_LEAST))
        for resource in RESOURCES:
            made = partial(creations, resource, bench.tenants, CREATIONS_A_SECOND * bench.seconds)
            rows.append(bench.row(f"POST {resource.path}", bench.ours, made, CONNECTIONS, AT_LEAST))
    return rows


def unchanged(bench: Bench) -> list[Row]:
    """A list that the client has already, against the same list sent again: read from the database, as after a change,
    and from the cache of answers. Of the whole list there is no cache.

    Of a page it is asked with few clients and with many: what all of them wait for together is the less of it, the more
    they are.
    """
    rows = []
    with aureum(bench.url, bench.directory, module="bench.uncached") as uncached:
        for path, connections in POLLED:
            full = [get(tenant.host, path, tenant.key) for tenant in bench.tenants]
            known = [
                request[:-2] + f"If-None-Match: {etag_of(bench.ours, tenant, path)}\r\n\r\n".encode()
                for tenant, request in zip(bench.tenants, full, strict=True)
            ]
            for whence, theirs in (("read", uncached), ("cached", bench.ours)):
                if "?" not in path and theirs is bench.ours:
                    continue
                us, them = Side(bench.ours), Side(theirs)
                found = in_turns(
                    bench.rounds,
                    partial(us.slice, known, connections, bench.seconds),
                    partial(them.slice, full, connections, bench.seconds),
                )
                what, against = f"GET {path}, 304, {connections} connections", f"200, {whence}: {them}"
                rows.append(judged(what, str(us), against, ratios(*found), UNCHANGED_AT_LEAST))
    return rows


def etag_of(server: Server, tenant: Tenant, path: str) -> str:
    """What a client remembers of its list."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path, headers={"Host": tenant.host, "Authorization": f"Bearer {tenant.key}"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return str(answer.headers["ETag"])


def streamed(bench: Bench) -> list[Row]:
    """One brokerage's contacts, 100,000 of them, whole: the first byte, the memory, the rate."""
    tenant = bench.tenants[0]
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute(COPIES, [tenant.tenant_id, LONG])
    settle(bench.url)
    pid = bench.ours.processes[0].pid
    before = resident_megabytes(pid)
    peak, firsts, sizes, seconds = before, [], [], []
    for _ in range(3):
        client = http.client.HTTPConnection("127.0.0.1", bench.ours.port, timeout=60)
        started = time.perf_counter()
        client.request("GET", "/api/contacts", headers={"Host": tenant.host, "Authorization": f"Bearer {tenant.key}"})
        answer = client.getresponse()
        answer.read(1)
        firsts.append((time.perf_counter() - started) * 1000)
        size = 1
        while chunk := answer.read(1 << 20):
            size += len(chunk)
            peak = max(peak, resident_megabytes(pid))
        seconds.append(time.perf_counter() - started)
        sizes.append(size)
        client.close()
    first = sorted(firsts)[1]
    what = f"{LONG:,} contacts streamed whole ({sizes[0] / 1e6:.0f} MB)"
    return [
        Row(f"{what}, first byte", f"{first:.0f} ms", budget=f"< {FIRST_BYTE_MS:.0f} ms", met=first < FIRST_BYTE_MS),
        Row(
            f"{what}, memory of the process",
            f"{peak:.0f} MB peak",
            f"{before:.0f} MB before",
            budget="+ 15 MB",
            met=peak - before < 15,
        ),
        Row(f"{what}, rate", f"{LONG / sorted(seconds)[1]:,.0f} contacts/s"),
    ]


PARTS = (lists_and_creations, unchanged, streamed)


def run(*, quick: bool = False) -> list[Row]:
    """All of it: some minutes, or a quick look."""
    with opened(1 if quick else 2, 1 if quick else 5) as bench:
        return [row for part in PARTS for row in part(bench)]
