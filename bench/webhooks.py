"""How many signed deliveries one worker process makes in a second, and how long a save takes to reach its receiver.

The rate is that of a backlog, from the first receipt to the last: what is in the queue is claimed, signed, sent and
written down, and in a second measurement also made into messages and queued, over kept connections to a hundred hosts
(addresses of the loopback network, one a tenant). Its yardstick sends the same bodies, with headers made beforehand, to
the same hosts from a process that does nothing else. The receiver shares the machine with both.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import UUID

import psycopg

from aureum.app import open_store
from aureum.commands.brokerages import OpenBrokerage, open_brokerage
from aureum.commands.webhook_endpoints import RegisterWebhookEndpoint, register_webhook_endpoint
from aureum.settings import Settings
from aureum.store.cipher import MasterKey
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, VISITOR, Origin
from aureum.store.postgres.migrate import migrate
from aureum.webhooks.sending.addresses import Network
from aureum.webhooks.telling.projector import project
from aureum.webhooks.worker.worker_settings import WorkerSettings
from bench.appender import new_lead
from bench.databases import database, server
from bench.processes import MASTER_KEY, STOP_SECONDS, environment
from bench.receiver import hook
from bench.rows import Row, ratios

TENANTS = 100
BACKLOG = 12_000
ROUNDS = 3
EVENTS_PER_SECOND = 200
SECONDS = 10
PATIENCE_SECONDS = 60
AT_LEAST = 1_500
AT_LEAST_OF_BARE = 0.5
LATEST_MS = 250

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"),)

RECORDED = "SELECT message_id, extract(epoch FROM recorded_at)::float8 FROM webhook_messages"
NO_CONFIRMATIONS = "UPDATE brokerages SET confirmations = false"
"""Mail is measured by itself (bench/mail.py)."""

FORGET = "TRUNCATE webhook_messages, webhook_attempts"


class Talker:
    """A process that answers each line with one of JSON."""

    def __init__(self, *command: str) -> None:
        self.name = command[0]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        """What it says next. Raises RuntimeError if it has ended."""
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if not said:
            raise RuntimeError(f"{self.name} has ended.")
        return said

    def ask(self) -> Any:
        """Its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.line())

    def end(self) -> None:
        """Close its input, which ends it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(STOP_SECONDS)


@contextmanager
def worker(url: str, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A delivery worker as ``aureum serve`` starts it, until the end."""
    with tempfile.TemporaryDirectory(dir=directory, prefix="metrics-") as metrics:
        variables = environment(url, metrics) | {"AUREUM_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8"}
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


@dataclass
class Bench:
    """What is measured on."""

    url: str
    directory: Path
    tenants: Sequence[UUID]
    receiver: Talker
    port: int
    numbers: Iterator[int]

    def backlog(self, count: int) -> None:
        """Append *count* leads while no worker runs."""
        asyncio.run(self._append(count))

    async def _append(self, count: int) -> None:
        async with open_store(Settings(database_url=self.url), self.url, MASTER_KEY) as store:
            numbers = [next(self.numbers) for _ in range(count)]
            for start in range(0, count, 64):
                await asyncio.gather(*(self.capture(store, number) for number in numbers[start : start + 64]))

    async def _project(self) -> None:
        """What a worker does first: messages and deliveries."""
        async with open_store(Settings(database_url=self.url), self.url, MASTER_KEY) as store:
            for tenant_id in self.tenants:
                while (await project(store, tenant_id)).events:
                    pass

    async def capture(self, store: EventStore, number: int) -> None:
        """Append one lead, to the tenant whose turn it is."""
        tenant_id = self.tenants[number % len(self.tenants)]
        await store.append(tenant_id, new_lead(number), NO_STREAM, command="CaptureLead", origin=Origin(VISITOR))

    def receipts(self, count: int) -> dict[str, float]:
        """The times of receipt by message id, once *count* messages have come. Raises RuntimeError."""
        found: dict[str, float] = {}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(found) < count:
            found |= self.receiver.ask()
            if time.monotonic() > deadline:
                raise RuntimeError(f"Only {len(found)} of {count} messages arrived in {PATIENCE_SECONDS} s.")
            time.sleep(0.05)
        return found

    def deliver(self, count: int, *, queued: bool = False) -> float:
        """Deliveries a second of a backlog of the log, or of one that is queued already."""
        self.execute(FORGET)
        self.backlog(count)
        if queued:
            asyncio.run(self._project())
        with worker(self.url, self.directory):
            times = sorted(self.receipts(count).values())
        return (len(times) - 1) / (times[-1] - times[0])

    def send(self) -> float:
        """Requests a second of the yardstick, with what was delivered last."""
        sender = Talker("bench.sender", self.url, str(self.port), str(len(self.tenants)), str(WorkerSettings().slots))
        try:
            done = sender.ask()
        finally:
            sender.end()
        self.receiver.ask()
        return float(done["sent"] / done["seconds"])

    def lags(self, seconds: int) -> list[float]:
        """Milliseconds from commit to receipt of saves that come one by one, in order of length."""
        self.execute(FORGET)
        with worker(self.url, self.directory):
            # The worker is up, and knows the endpoints, when the first ones have come.
            self.backlog(len(self.tenants))
            self.receipts(len(self.tenants))
            count = asyncio.run(self._trickle(seconds))
            received = self.receipts(count)
        with psycopg.connect(self.url) as connection:
            recorded: dict[str, float] = dict(connection.execute(RECORDED).fetchall())
        return sorted((received[message] - recorded[message]) * 1000 for message in received)

    async def _trickle(self, seconds: int) -> int:
        """Append at a steady pace, whatever each append takes; how many."""
        loop = asyncio.get_running_loop()
        async with open_store(Settings(database_url=self.url), self.url, MASTER_KEY) as store:
            started, tasks = loop.time(), []
            for place in range(seconds * EVENTS_PER_SECOND):
                await asyncio.sleep(started + place / EVENTS_PER_SECOND - loop.time())
                tasks.append(loop.create_task(self.capture(store, next(self.numbers))))
            await asyncio.gather(*tasks)
            return len(tasks)

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


async def prepare(url: str, port: int) -> list[UUID]:
    """Brokerages with an endpoint each, on a host of its own."""
    await migrate(url, MasterKey(MASTER_KEY))
    origin, tenants = Origin(COMMAND_LINE), []
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        for number in range(TENANTS):
            opening = OpenBrokerage(name=f"B{number}", slug=f"b{number}", domains=(), plan="Elite")
            tenant_id = (await open_brokerage(store, opening, origin)).id
            registering = RegisterWebhookEndpoint(tenant_id=tenant_id, url=hook(number, port), events=("lead.created",))
            await register_webhook_endpoint(store, registering, origin, allow_networks=LOOPBACK)
            tenants.append(tenant_id)
    return tenants


@contextmanager
def opened() -> Iterator[Bench]:
    """A database, a receiver, and tenants that want to be told."""
    with ExitStack() as stack:
        server_url = stack.enter_context(server())
        url = stack.enter_context(database(server_url, "webhooks"))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aureum-bench-")))
        receiver = Talker("bench.receiver")
        stack.callback(receiver.end)
        port = int(receiver.line())
        tenants = asyncio.run(prepare(url, port))
        bench = Bench(url, directory, tenants, receiver, port, iter(range(1 << 40)))
        bench.execute(NO_CONFIRMATIONS)
        yield bench


def run(*, quick: bool = False) -> dict[str, Any]:
    """About a minute: deliveries a second beside the yardstick's, round by round, and milliseconds to receipt."""
    backlog, rounds, seconds = (1_000, 1, 3) if quick else (BACKLOG, ROUNDS, SECONDS)
    with opened() as bench:
        followed, delivered, sent = [], [], []
        for _ in range(rounds):
            followed.append(bench.deliver(backlog))
            delivered.append(bench.deliver(backlog, queued=True))
            sent.append(bench.send())
        lags = bench.lags(seconds)
    percentiles = quantiles(lags, n=100, method="inclusive")
    return {
        "followed_per_second": followed,
        "deliveries_per_second": delivered,
        "bare_per_second": sent,
        "commit_to_receipt_ms": {"p50": percentiles[49], "p99": percentiles[98], "longest": lags[-1]},
        "events": len(lags),
    }


def rows(measured: dict[str, Any]) -> list[Row]:
    """What ``run`` found, held against the budget."""
    followed, delivered, sent, lag = (
        measured[name]
        for name in ("followed_per_second", "deliveries_per_second", "bare_per_second", "commit_to_receipt_ms")
    )
    ratio = ratios(delivered, sent)
    rate, bare = sorted(delivered)[len(delivered) // 2], sorted(sent)[len(sent) // 2]
    return [
        Row(
            f"signed deliveries of one worker process to {TENANTS} hosts with kept connections",
            f"{rate:,.0f}/s",
            f"bare aiohttp loop {bare:,.0f}/s",
            str(ratio),
            f"≥ {AT_LEAST:,}/s, {AT_LEAST_OF_BARE} ×",
            rate >= AT_LEAST and ratio.median >= AT_LEAST_OF_BARE,
        ),
        Row(
            "the same of saves that are in the log only: made into messages first, by the same process",
            f"{sorted(followed)[len(followed) // 2]:,.0f}/s",
            f"bare aiohttp loop {bare:,.0f}/s",
            str(ratios(followed, sent)),
        ),
        Row(
            f"commit to receipt at {EVENTS_PER_SECOND} events a second",
            f"p50 {lag['p50']:.0f} ms, p99 {lag['p99']:.0f} ms",
            budget=f"p99 < {LATEST_MS} ms",
            met=lag["p99"] < LATEST_MS,
        ),
    ]


if __name__ == "__main__":
    print(json.dumps(run(quick="--quick" in sys.argv), indent=2))
