"""Whether a worker's memory stays flat when it delivers to 5,000 hosts, again and again: addresses of the loopback
network, which are all one receiver. A host whose connection is not kept costs a new one each time."""

import asyncio
import tempfile
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from uuid import UUID

import psycopg

from aureum.app import open_store
from aureum.commands.brokerages import OpenBrokerage, open_brokerage
from aureum.commands.webhook_endpoints import RegisterWebhookEndpoint, register_webhook_endpoint
from aureum.settings import Settings
from aureum.store.cipher import MasterKey
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.migrate import migrate
from bench.databases import database, server
from bench.processes import MASTER_KEY, resident_megabytes
from bench.receiver import hook
from bench.rows import Row
from bench.webhooks import LOOPBACK, PATIENCE_SECONDS, Bench, Talker, worker

TENANTS = 10
HOSTS = 5_000
ROUNDS = 6
GROWTH = 1.1

DELIVERED = "SELECT count(*) FROM webhook_attempts WHERE outcome = 'delivered'"


async def prepare(url: str, port: int, hosts: int) -> list[UUID]:
    """Brokerages with so many endpoints in all, each on a host of its own."""
    await migrate(url, MasterKey(MASTER_KEY))
    origin, tenants = Origin(COMMAND_LINE), []
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        for number in range(TENANTS):
            opening = OpenBrokerage(name=f"B{number}", slug=f"b{number}", domains=(), plan="Elite")
            tenants.append((await open_brokerage(store, opening, origin)).id)

        async def register(host: int) -> None:
            command = RegisterWebhookEndpoint(
                tenant_id=tenants[host % TENANTS], url=hook(host, port), events=("lead.created",)
            )
            await register_webhook_endpoint(store, command, origin, allow_networks=LOOPBACK)

        for start in range(0, hosts, 100):
            await asyncio.gather(*(register(host) for host in range(start, min(start + 100, hosts))))
    return tenants


def until_delivered(url: str, number: int) -> None:
    """Wait until so many attempts have succeeded. Raises RuntimeError."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            ((delivered,),) = connection.execute(DELIVERED).fetchall()
            if delivered >= number:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"Only {delivered} of {number} were delivered in {PATIENCE_SECONDS} s.")
            time.sleep(0.1)


def run(*, quick: bool = False) -> list[Row]:
    """About a minute."""
    hosts, rounds = (500, 3) if quick else (HOSTS, ROUNDS)
    with ExitStack() as stack:
        url = stack.enter_context(database(stack.enter_context(server()), "hosts"))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aureum-bench-")))
        receiver = Talker("bench.receiver")
        stack.callback(receiver.end)
        port = int(receiver.line())
        bench = Bench(url, directory, asyncio.run(prepare(url, port, hosts)), receiver, port, count())
        process = stack.enter_context(worker(url, directory))
        sizes: list[float] = []
        for _ in range(rounds):
            # Each lead of a tenant goes to all of its endpoints.
            bench.backlog(TENANTS)
            until_delivered(url, hosts * (len(sizes) + 1))
            sizes.append(resident_megabytes(process.pid))
    first, last = sizes[1], sizes[-1]
    return [
        Row(
            f"memory of a worker that delivers to {hosts:,} hosts: after {2 * hosts:,} deliveries, and more",
            f"{first:.0f} MB",
            f"after {rounds * hosts:,}: {last:.0f} MB",
            f"{last / first:.2f} ×",
            f"≤ {GROWTH} ×",
            last <= GROWTH * first,
        )
    ]
