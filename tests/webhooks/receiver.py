"""A consumer of webhooks for tests: a real server on loopback that answers as badly as the test wants."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes what is answered to one request. The connection stays open until the answer, or the client, closes it."""


@dataclass(frozen=True)
class Request:
    """One request, as it came over the wire; header names in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What arrived. ``ended`` counts connections that are over."""

    port: int = 0
    connections: int = 0
    ended: int = 0
    requests: list[Request] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    async def until_ended(self, connections: int) -> None:
        """Waits until so many connections are over, for 40 s at most."""
        async with asyncio.timeout(40), self.changed:
            await self.changed.wait_for(lambda: self.ended >= connections)


def text(head: str, body: str = "") -> Answer:
    """Answers *head* (status line and headers, without the protocol and line ends) and *body*."""
    lines = "\r\n".join(line.strip() for line in f"HTTP/1.1 {head}".splitlines())
    return raw(f"{lines}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


def raw(data: bytes, *, close: bool = False) -> Answer:
    """Answers these bytes, and closes the connection if asked to."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if close:
            writer.close()

    return answer


@contextlib.asynccontextmanager
async def receiving(
    answer: Answer,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    read_body: bool = True,
) -> AsyncIterator[Receiver]:
    """A server that answers each request with *answer*; without *read_body* as soon as it has seen the head."""
    receiver = Receiver()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        receiver.connections += 1
        try:
            while not writer.is_closing():
                receiver.requests.append(await _read_request(reader, read_body))
                await answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass  # the client has gone, as it may, or the test is over
        finally:
            writer.close()
            receiver.ended += 1
            async with receiver.changed:
                receiver.changed.notify_all()

    server = await asyncio.start_server(serve, host, port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _read_request(reader: asyncio.StreamReader, read_body: bool) -> Request:
    line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().removesuffix("\r\n\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (header.partition(":") for header in lines)}
    body = await reader.readexactly(int(headers["content-length"])) if read_body else b""
    return Request(line, headers, body)
