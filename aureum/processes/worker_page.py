"""What a worker that runs alone shows of itself: its measurements, whether it lives, and whether it can do its work.

``serve`` has these pages itself. A worker has them at AUREUM_METRICS_PORT, on the machine's own address unless
AUREUM_METRICS_HOST names another; /metrics is for AUREUM_METRICS_NETWORKS only, as at ``serve``.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address

import orjson
import psycopg
import uvicorn
from starlette.types import Receive, Scope, Send

from aureum.domain.errors import Unavailable
from aureum.metrics import Metrics
from aureum.processes.uvicorn_settings import COMMON
from aureum.settings import Settings
from aureum.settings.values import Network
from aureum.store.postgres.database import connect, unavailable
from aureum.store.postgres.readiness import READY_SECONDS, check
from aureum.store.postgres.watch import Watch

JSON = b"application/json"
TEXT = b"text/plain; version=0.0.4; charset=utf-8"
NOTHING_HERE = "This path does not exist."
CLOSE_SECONDS = 1


class WorkerPage:
    """The ASGI application: *watch* is the worker's."""

    def __init__(self, settings: Settings, url: str, metrics: Metrics, watch: Watch) -> None:
        self.settings = settings
        self.url = url
        self.metrics = metrics
        self.watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, kind, body = await self.answer(scope["method"], scope["path"], (scope["client"] or ("",))[0])
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
        if status == 503:
            headers.append((b"retry-after", b"5"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def answer(self, method: str, path: str, client: str) -> tuple[int, bytes, bytes]:
        """Status, content type, body."""
        match path if method in ("GET", "HEAD") else "":
            case "/healthz":
                return 200, JSON, orjson.dumps({"status": "ok"})
            case "/readyz":
                try:
                    await self.ready()
                except Unavailable as error:
                    return 503, JSON, orjson.dumps({"error": str(error)})
                return 200, JSON, orjson.dumps({"status": "ready"})
            case "/metrics" if allowed(client, self.settings.metrics_networks):
                return 200, TEXT, self.metrics.exposition()
        return 404, JSON, orjson.dumps({"error": NOTHING_HERE})

    async def ready(self) -> None:
        """On a connection of its own: those of the worker are at work. Raises Unavailable."""
        seconds = Watch(min(READY_SECONDS, self.watch.seconds))
        try:
            prepared = self.settings.prepared_statements
            async with await connect(self.url, prepared=prepared, watch=seconds) as connection:
                await check(connection, self.watch)
        except psycopg.Error as error:
            raise unavailable(error, seconds) from error


def allowed(client: str, networks: Sequence[Network]) -> bool:
    """Whether that address may read measurements."""
    try:
        address = ip_address(client)
    except ValueError:
        return False
    return any(address in network for network in networks)


@asynccontextmanager
async def shown(page: WorkerPage, listener: socket.socket) -> AsyncIterator[None]:
    """The pages on *listener*, until the end."""
    config = uvicorn.Config(
        page,
        loop="none",
        timeout_graceful_shutdown=CLOSE_SECONDS,
        limit_concurrency=64,
        **COMMON,
    )
    server = Quiet(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


class Quiet(uvicorn.Server):
    """Leaves the signals to the worker."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
