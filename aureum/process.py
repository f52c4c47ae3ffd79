"""The processes that ``serve`` starts: ``python -m aureum.process http FD`` and ``python -m aureum.process worker``.

Each gets its settings from the environment and ends when it is told to (SIGTERM, SIGINT) or when the supervisor is
gone, which shows as the end of its standard input: killing the supervisor leaves nothing behind.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta

import uvicorn
import uvloop

from aureum.app import open_aureum
from aureum.http.routes import make_app
from aureum.log import configure
from aureum.metrics import Metrics
from aureum.settings import Settings, load_settings, master_key
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.webhooks.dispatcher import Counters
from aureum.webhooks.worker import run_worker
from aureum.webhooks.worker_settings import WorkerSettings

DRAIN_SECONDS = 20
"""How long requests under way may go on after SIGTERM."""


async def serve_http(settings: Settings, url: str, key: bytes, stop: asyncio.Event, listener: socket.socket) -> None:
    """Answer requests on *listener* until *stop*; then finish those under way."""
    async with open_aureum(settings, url, key) as aureum:
        config = uvicorn.Config(
            make_app(aureum),
            http="httptools",
            loop="uvloop",
            lifespan="off",
            # The contract's rules for proxies are stricter: aureum.http.hosts has them.
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
        server = uvicorn.Server(config)

        async def when_stopped() -> None:
            await stop.wait()
            server.should_exit = True

        watcher = asyncio.create_task(when_stopped())
        await server.serve(sockets=[listener])
        watcher.cancel()


async def deliver(settings: Settings, url: str, key: bytes, stop: asyncio.Event, metrics: Metrics | None) -> None:
    """Deliver webhooks until *stop*; what is under way is finished."""
    worker = WorkerSettings(
        allow_networks=settings.webhook_allow_networks,
        pool_size=settings.pool_size,
        prepared=settings.prepared_statements,
    )
    counters = MeteredCounters(metrics) if metrics is not None else None
    await run_worker(url, TenantKeys(MasterKey(key)), stop, settings=worker, counters=counters)


class MeteredCounters(Counters):
    """The worker's counters, shown to Prometheus as well."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__()
        self.metrics = metrics

    def attempted_first(self, lag: timedelta) -> None:
        super().attempted_first(lag)
        self.metrics.delivery_lag.observe(lag.total_seconds())


async def until_told(work: Callable[[asyncio.Event], Awaitable[None]], *, supervised: bool) -> None:
    """Run *work* with an event that is set on SIGTERM, SIGINT, or when the supervisor is gone."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if supervised:
        loop.add_reader(sys.stdin.fileno(), lambda: os.read(sys.stdin.fileno(), 1) or stop.set())
    await work(stop)


def main(arguments: list[str]) -> None:
    """What the supervisor calls."""
    settings = load_settings()
    configure(settings.log_level)
    assert settings.database_url is not None, "the supervisor says where the database is"
    url, key = settings.database_url, master_key(settings)
    match arguments:
        case ["http", descriptor]:
            listener = socket.socket(fileno=int(descriptor))

            async def work(stop: asyncio.Event) -> None:
                await serve_http(settings, url, key, stop, listener)

        case ["worker"]:

            async def work(stop: asyncio.Event) -> None:
                await deliver(settings, url, key, stop, Metrics())

        case _:
            sys.exit("usage: python -m aureum.process http FD | worker")
    uvloop.run(until_told(work, supervised=True))


if __name__ == "__main__":
    main(sys.argv[1:])
