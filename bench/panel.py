"""How long the panel's pages take where a brokerage has 100,000 leads, and how large they are.

Each page is asked for by a user who is logged in, one at a time, from a process without its cache of answers: as if the
brokerage had changed since (``pages.py``). Its size is what is sent to a browser. The file of all leads is read whole.
"""

import asyncio
import http.client
import json
import secrets
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from uuid import UUID

from aureum.app import open_store
from aureum.commands.api_keys import hash_key
from aureum.commands.leads import ChangeLead, change_lead
from aureum.commands.users import CreateUser, create_user
from aureum.domain.ids import to_wire
from aureum.domain.lead import STATUSES
from aureum.projections import lead_list
from aureum.settings import Settings
from aureum.store.cipher import MasterKey
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.database import connect
from aureum.store.postgres.migrate import migrate
from aureum.store.rebuild.list import COPY
from bench.databases import database, server
from bench.lists import COPIED, COUNTS, lead_of
from bench.pages import CALLS, measured
from bench.people import people
from bench.processes import MASTER_KEY, Server, aureum, resident_megabytes
from bench.rows import Row
from bench.tenants import open_tenant

LEADS = 100_000
HAPPENED = 30
"""Saves in the history of the lead whose page is measured."""

TOKEN = """
INSERT INTO user_tokens (token_hash, tenant_id, user_id, expires_at)
VALUES (%(hash)s, %(tenant)s, %(user)s, now() + interval '1 hour')
"""
AGENTS = "SELECT user_id FROM users WHERE tenant_id = %(tenant)s AND role = 'agent' ORDER BY number"


FACTS = """
INSERT INTO lead_facts (tenant_id, lead_id, created_at, status, source, source_domain, suspect, assigned_to, created_by,
                        owner, pond, contacted_at, reached)
SELECT tenant_id, lead_id, (doc::json ->> 'createdAt')::timestamptz, status, source, source_domain, false, assigned_to,
       created_by, coalesce(assigned_to, created_by), false,
       CASE WHEN status <> 'new' THEN (doc::json ->> 'createdAt')::timestamptz + number % 600 * interval '1 minute' END,
       coalesce(array_position(ARRAY['contacted', 'qualified', 'showing', 'offer', 'converted'], status), 0)
  FROM lead_list
"""
KEPT = """
INSERT INTO checkpoints (tenant_id, consumer, position) SELECT tenant_id, 'figures', position FROM heads
ON CONFLICT (tenant_id, consumer) DO UPDATE SET position = excluded.position
"""
"""The figures as the worker would have made them of the leads' events, which are not there."""


@dataclass(frozen=True)
class PanelPage:
    """A page that is measured. In its path ``{agent}`` and ``{lead}`` stand for ids. With *after_change*, each time a
    lead of its period has just changed, so that what is kept of it is made again."""

    what: str
    path: str
    after_change: bool = False


PAGES: Sequence[PanelPage] = (
    PanelPage("today", "/admin"),
    PanelPage("reports, 30 days, after a change", "/admin/reports?from=2024-01-31&to=2024-02-29", after_change=True),
    PanelPage("reports, all leads, after a change", "/admin/reports?from=2020-01-01&to=2029-12-31", after_change=True),
    PanelPage("leads", "/admin/leads"),
    PanelPage("leads, a status", "/admin/leads?status=offer"),
    PanelPage("leads, nobody's", "/admin/leads?assigned=nobody"),
    PanelPage("leads, an agent's", "/admin/leads?assigned={agent}"),
    PanelPage("leads, in the pond (none)", "/admin/leads?pond=yes"),
    PanelPage("leads, suspected spam (none)", "/admin/leads?spam=yes"),
    PanelPage("leads, created in a month", "/admin/leads?since=2024-02-01&until=2024-02-29"),
    PanelPage("leads, a search", "/admin/leads?q=johnson"),
    PanelPage("leads, the last change first", "/admin/leads?sort=-updatedAt"),
    PanelPage("leads, the last change last", "/admin/leads?sort=updatedAt"),
    PanelPage("leads, by status", "/admin/leads?sort=status"),
    PanelPage("leads, by name, one status", "/admin/leads?sort=name&status=offer"),
    PanelPage("leads, an agent's by name, too many", "/admin/leads?sort=name&assigned={agent}"),
    PanelPage("a lead with a history", "/admin/leads/{lead}"),
    PanelPage("board of leads", "/admin/leads?view=board"),
    PanelPage("board of leads, an agent's", "/admin/leads?view=board&assigned={agent}"),
)
"""One line more measures one page more."""


@dataclass(frozen=True)
class Office:
    """The brokerage: its host, the token of its owner, an agent of it, and a lead that much has happened to."""

    host: str
    token: str
    agent: str
    lead: str


async def opened(url: str, leads: int) -> Office:
    """The brokerage with its leads, as the projection makes their rows."""
    await migrate(url, MasterKey(MASTER_KEY))
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        tenant = await open_tenant(store, 0)
        owner = CreateUser(
            tenant_id=tenant.tenant_id, email="owner@b0.example.com", name="Olivia Owner", role="brokerage_owner"
        )
        user = await create_user(store, owner, Origin(COMMAND_LINE))
        token = "aut_" + secrets.token_urlsafe(32)
        said = {"hash": hash_key(token), "tenant": tenant.tenant_id, "user": user.id}
        await store.database.rows(TOKEN, said)
        agents = [found for (found,) in await store.database.rows(AGENTS, {"tenant": tenant.tenant_id})]
    await fill(url, tenant.tenant_id, agents, leads - 1)
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        lead = await worked_on(store, tenant.tenant_id, agents, leads)
    return Office(tenant.host, token, to_wire(agents[0]), to_wire(lead))


async def worked_on(store: EventStore, tenant_id: UUID, agents: Sequence[UUID], number: int) -> UUID:
    """A lead in the log, with a history."""
    lead = lead_of(next(iter(people(number))), number, agents)
    origin = Origin(COMMAND_LINE)
    await store.append(tenant_id, lead, NO_STREAM, command="CaptureLead", origin=origin)
    for place in range(HAPPENED):
        status = STATUSES[place % 2 + 1]
        change = ChangeLead(
            tenant_id=tenant_id, country="US", lead_id=lead.id, status=status, details={"notes": f"Call {place}"}
        )
        await change_lead(store, change, origin)
    return lead.id


async def fill(url: str, tenant_id: UUID, agents: Sequence[UUID], leads: int) -> None:
    """The leads of the brokerage."""
    columns = lead_list.LIST.columns
    async with await connect(url) as connection:
        await connection.execute("DELETE FROM lead_list")
        async with connection.cursor() as cursor, cursor.copy(lead_list.LIST.statement(COPY)) as target:
            target.set_types(("uuid", "int4", *columns.values()))
            for number, person in enumerate(islice(people(leads), leads)):
                ((row),) = lead_list.LIST.rows((), lead_of(person, number, agents).pending_events)
                await target.write_row((tenant_id, 1, *map(row.__getitem__, columns)))
        for statement in ("DELETE FROM lead_counts", COUNTS, *COPIED, "DELETE FROM lead_facts", FACTS, KEPT):
            await connection.execute(statement.encode())


def page(served: Server, office: Office, one: PanelPage, calls: int) -> Row:
    """A page, asked for *calls* times."""
    path = one.path.replace("{agent}", office.agent).replace("{lead}", office.lead)
    headers = {"Host": office.host, "Cookie": f"aureum={office.token}", "Accept-Encoding": "gzip, deflate, br, zstd"}
    return measured(
        served,
        one.what,
        calls,
        lambda connection: connection.request("GET", path, headers=headers),
        before_each=partial(change, office) if one.after_change else None,
    )


def change(office: Office, connection: http.client.HTTPConnection, number: int) -> None:
    """Another status for the lead with a history."""
    headers = {
        "Host": office.host,
        "Authorization": f"Bearer {office.token}",
        "Content-Type": "application/json",
    }
    status = STATUSES[number % 2 + 1]
    connection.request("PATCH", f"/api/leads/{office.lead}", json.dumps({"status": status}), headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"The lead does not change: {answer.status}, {said[:200]!r}")


def export(served: Server, office: Office, leads: int) -> Row:
    """All leads as a file: how long it takes, and how much memory the process takes for it."""
    pid = served.processes[0].pid
    before = resident_megabytes(pid)
    headers = {"Host": office.host, "Cookie": f"aureum={office.token}"}
    started, most, lines = time.perf_counter(), before, 0
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)) as connection:
        connection.request("GET", "/admin/leads.csv", headers=headers)
        answer = connection.getresponse()
        while part := answer.read(1 << 20):
            lines += part.count(b"\r\n")
            most = max(most, resident_megabytes(pid))
    if lines != leads + 1:
        raise RuntimeError(f"The file has {lines} lines for {leads} leads.")
    seconds = time.perf_counter() - started
    return Row(f"{leads:,} leads as CSV", f"{seconds:.1f} s", f"{most - before:.0f} MB more memory at most")


def run(*, quick: bool = False) -> list[Row]:
    """About half a minute."""
    leads, calls = (20_000, 10) if quick else (LEADS, CALLS)
    with (
        tempfile.TemporaryDirectory(prefix="aureum-bench-") as directory,
        server() as server_url,
        database(server_url, "panel") as url,
    ):
        office = asyncio.run(opened(url, leads))
        with aureum(url, Path(directory), module="bench.uncached") as served:
            rows = [page(served, office, one, calls) for one in PAGES]
            rows.append(export(served, office, leads))
    return rows
