"""How long an event takes to become a mail that the server has accepted, at 20 leads a second: from the commit, over
the worker as ``aureum serve`` starts it, to the end of the SMTP transaction. Each lead makes two mails: one to the
agent, and the visitor's confirmation. The mail server (aiosmtpd) shares the machine with the worker and the database.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from statistics import quantiles
from uuid import UUID

from aureum.app import open_store
from aureum.commands.brokerages import OpenBrokerage, open_brokerage
from aureum.commands.users import CreateUser, create_user
from aureum.domain import ids
from aureum.domain.lead import Lead
from aureum.mail.queue.sealing import mail_key, open_message
from aureum.settings import Settings
from aureum.store.cipher import MasterKey
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, VISITOR, Origin
from aureum.store.postgres.migrate import migrate
from bench.databases import database, server
from bench.processes import MASTER_KEY, STOP_SECONDS, cpu_seconds, environment
from bench.rows import Row
from bench.tenants import captured_fields, form
from bench.webhooks import Talker

TENANTS = 10
LEADS_PER_SECOND = 20
SECONDS = 20
WARM = 20
PATIENCE_SECONDS = 60
LATEST_MS = 1_000

MADE = """
SELECT m.tenant_id, m.mail_id, m.subject_id, k.wrapped, m.message, extract(epoch FROM m.recorded_at)::float8
  FROM mails m
  LEFT JOIN subject_keys k ON k.tenant_id = m.tenant_id AND k.subject_id = m.subject_id
"""

Agent = tuple[UUID, UUID]
"""A tenant, and a user of it."""


@contextmanager
def worker(url: str, directory: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that sends mail to the server on *port*, until the end."""
    with tempfile.TemporaryDirectory(dir=directory, prefix="metrics-") as metrics:
        variables = environment(url, metrics) | {
            "AUREUM_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "AUREUM_MAIL_FROM": "crm@example.com",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "aureum.processes.child", "worker"], env=variables, stdin=subprocess.PIPE
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)
            assert process.stdin is not None
            process.stdin.close()


async def prepare(url: str) -> list[Agent]:
    """Brokerages with an agent each."""
    await migrate(url, MasterKey(MASTER_KEY))
    origin, agents = Origin(COMMAND_LINE), []
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        for number in range(TENANTS):
            opening = OpenBrokerage(name=f"B{number}", slug=f"b{number}", domains=(), plan="Starter")
            tenant_id = (await open_brokerage(store, opening, origin)).id
            joining = CreateUser(tenant_id=tenant_id, email=f"a{number}@example.com", name="Ann Agent", role="agent")
            agents.append((tenant_id, (await create_user(store, joining, origin)).id))
    return agents


async def capture(store: EventStore, agent: Agent, number: int) -> None:
    """Append one lead for an agent, as the contact form leaves it."""
    tenant_id, user_id = agent
    said = replace(captured_fields(form(number), "b1.example.com"), email=f"v{number}@example.com")
    lead = Lead.capture(
        ids.new_id(),
        ids.now(),
        said,
        status="new",
        number=number,
        phone_e164="+12085550123",
        assigned_to=user_id,
        created_by=None,
        routing=None,
        because=None,
        contact_id=None,
    )
    await store.append(tenant_id, lead, NO_STREAM, command="CaptureLead", origin=Origin(VISITOR))


async def trickle(url: str, agents: Sequence[Agent], first: int, count: int) -> None:
    """Append leads at a steady pace, whatever each append takes."""
    loop = asyncio.get_running_loop()
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        started, tasks = loop.time(), []
        for place in range(count):
            await asyncio.sleep(started + place / LEADS_PER_SECOND - loop.time())
            tasks.append(loop.create_task(capture(store, agents[place % len(agents)], first + place)))
        await asyncio.gather(*tasks)


def accepted(receiver: Talker, count: int) -> dict[str, float]:
    """The times of acceptance by Message-ID, once *count* mails have come. Raises RuntimeError."""
    found: dict[str, float] = {}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(found) < count:
        found |= receiver.ask()
        if time.monotonic() > deadline:
            raise RuntimeError(f"Only {len(found)} of {count} mails arrived in {PATIENCE_SECONDS} s.")
        time.sleep(0.05)
    return found


async def committed(url: str) -> dict[str, float]:
    """When the event of each mail was stored, by its Message-ID."""
    found = {}
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        for tenant_id, mail_id, subject_id, wrapped, sealed, at in await store.database.rows(MADE):
            key = mail_key(await store.tenant_key(tenant_id), subject_id, wrapped)
            assert key is not None, "no one is erased here"
            found[message_from_bytes(open_message(key, tenant_id, mail_id, sealed))["Message-ID"]] = at
    return found


def run(*, quick: bool = False) -> list[Row]:
    """Half a minute."""
    count = LEADS_PER_SECOND * (3 if quick else SECONDS)
    with ExitStack() as stack:
        url = stack.enter_context(database(stack.enter_context(server()), "mail"))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aureum-bench-")))
        receiver = Talker("bench.mail_receiver")
        stack.callback(receiver.end)
        port = int(receiver.line())
        agents = asyncio.run(prepare(url))
        process = stack.enter_context(worker(url, directory, port))
        # The worker is up, and has its connections, when the first mails have come.
        asyncio.run(trickle(url, agents, 0, WARM))
        accepted(receiver, 2 * WARM)
        before, began = cpu_seconds(process.pid), time.monotonic()
        asyncio.run(trickle(url, agents, WARM, count))
        arrived = accepted(receiver, 2 * count)
        share = (cpu_seconds(process.pid) - before) / (time.monotonic() - began)
        recorded = asyncio.run(committed(url))
    lags = sorted((at - recorded[name]) * 1000 for name, at in arrived.items())
    percentiles = quantiles(lags, n=100, method="inclusive")
    p50, p99 = percentiles[49], percentiles[98]
    return [
        Row(
            f"commit to mail accepted at {LEADS_PER_SECOND} leads a second, of {len(lags)} mails",
            f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {lags[-1]:.0f} ms",
            budget=f"p99 < {LATEST_MS} ms",
            met=p99 < LATEST_MS,
        ),
        Row("processor time of the worker meanwhile", f"{share:.0%} of a core"),
    ]
