"""The application in the test's own process, on a port, for tests that look inside; and its clients, which keep their
connections."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from uvicorn.server import ServerState

from aureum.app import open_aureum
from aureum.http.server.edge import Edge
from aureum.http.server.revalidating_protocol import RevalidatingProtocol
from aureum.http.server.revalidation import KEPT, Revalidations
from aureum.http.server.routes import make_app
from aureum.settings import Settings
from tests.conftest import MASTER_KEY
from tests.http.operator import Staff, Tenant

LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n")
PATIENCE = 60
FORM_LIMIT = 3


@dataclass(frozen=True)
class Answer:
    """One answer as it came over the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return dict(self.headers)[name]

    @property
    def lasting(self) -> list[tuple[str, str]]:
        """The headers less those that no two answers share."""
        return [
            (name, "" if name in ("date", "x-request-id", "x-ratelimit-remaining") else value)
            for name, value in self.headers
        ]


@dataclass
class Client:
    """One kept connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, *requests: bytes) -> None:
        self.writer.write(b"".join(requests))

    async def answer(self) -> Answer:
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")[:-2]
            length = LENGTH.search(head)
            body = await self.reader.readexactly(int(length[1])) if length else b""
            if b"\r\ntransfer-encoding: chunked\r\n" in head:
                while size := int(await self.reader.readuntil(b"\r\n"), 16):
                    body += (await self.reader.readexactly(size + 2))[:-2]
                await self.reader.readexactly(2)
            headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
            return Answer(int(first.split()[1]), headers, body)

    async def ask(self, request: bytes) -> Answer:
        self.send(request)
        return await self.answer()


@dataclass
class RunningApp:
    """What answers, and where."""

    edge: Edge
    port: int
    state: ServerState
    clients: list[Client] = field(default_factory=list)

    @property
    def hits(self) -> int:
        return self.edge.revalidations.hits

    @property
    def connection(self) -> RevalidatingProtocol:
        """The server's side of the only connection."""
        (connection,) = self.state.connections
        assert isinstance(connection, RevalidatingProtocol)
        return connection

    async def client(self, address: str = "127.0.0.1") -> Client:
        """A connection from the *address*, one of this machine's own."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0)))
        self.clients.append(client)
        return client

    async def known(self, client: Client, request: bytes) -> bytes:
        """*request* with the ETag of its answer, asked until it is recognized."""
        known = conditional(request, (await client.ask(request)).header("etag"))
        before = self.hits
        for hits in (before, before + 1):
            assert (await client.ask(known)).status == 304
            assert self.hits == hits
        return known


def get(
    path: str, who: Tenant | Staff | None = None, *headers: str, host: str = "127.0.0.1", method: str = "GET"
) -> bytes:
    """A request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
    if who is not None:
        lines += [f"{name}: {value}" for name, value in who.bearer.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def conditional(request: bytes, etag: str) -> bytes:
    return request[:-2] + f"If-None-Match: {etag}\r\n\r\n".encode()


@asynccontextmanager
async def open_app(url: str, kept: int = KEPT, model: Path | None = None) -> AsyncIterator[RunningApp]:
    """The application on a port, as a process of ``serve`` has it, and reachable from here. *model* is where the
    process of a routing model answers."""
    given = Settings(form_rate_limit=FORM_LIMIT, trusted_proxies="127.0.0.1/32")  # type: ignore[arg-type]  # as text
    async with open_aureum(given, url, MASTER_KEY, model) as aureum:
        edge = make_app(aureum)
        edge.revalidations = Revalidations(kept)
        config = uvicorn.Config(edge, lifespan="off", proxy_headers=False, log_config=None, access_log=False)
        state = ServerState()
        state.default_headers = [(b"date", b"Thu, 26 Nov 2026 04:00:00 GMT")]
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: RevalidatingProtocol(config, state, {}), "127.0.0.1", 0)
        app = RunningApp(edge, server.sockets[0].getsockname()[1], state)
        try:
            yield app
        finally:
            for client in app.clients:
                client.writer.close()
            server.close()
            await server.wait_closed()


def in_app(url: str, work: Callable[[RunningApp], Awaitable[None]], model: Path | None = None) -> None:
    """Run *work* with the application open; nothing may fail in it where only the event loop hears of it."""
    unheard: list[dict[str, Any]] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
        async with asyncio.timeout(3 * PATIENCE), open_app(url, model=model) as app:
            await work(app)

    in_loop(run())
    assert unheard == []


def in_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run *work* on the event loop that ``serve`` has: it tells otherwise than asyncio's of what goes away."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)
