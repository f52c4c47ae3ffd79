"""Real SMTP servers for tests: aiosmtpd, which accepts, defers and refuses as told, and servers that misbehave."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from queue import Queue
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from aureum.settings.smtp import SmtpServer

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class MailServer:
    """What arrived, and how the next is answered: ``rcpt`` and ``data`` answer an address or a mail other than with
    250; ``seconds`` is how long it takes to accept one, ``hold`` how long for an address."""

    received: list[tuple[str, str, bytes]] = field(default_factory=list)
    options: list[list[str]] = field(default_factory=list)
    connections: int = 0
    mail: str | None = None
    rcpt: Callable[[str], str | None] = lambda address: None
    data: Callable[[str], str | None] = lambda address: None
    seconds: float = 0.0
    hold: Callable[[str], Awaitable[None]] | None = None
    port: int = 0

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mail is not None:
            return self.mail
        envelope.mail_from = address
        self.options.append(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refused = self.rcpt(address)
        if refused is None:
            envelope.rcpt_tos.append(address)
        return refused or "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.seconds)
        (address,) = envelope.rcpt_tos
        if self.hold is not None:
            await self.hold(address)
        refused = self.data(address)
        if refused is None:
            assert envelope.mail_from is not None and isinstance(envelope.content, bytes)
            self.received.append((envelope.mail_from, address, envelope.content))
        return refused or "250 2.0.0 queued"

    @property
    def mails(self) -> list[EmailMessage]:
        """What arrived, read as a mail program reads it."""
        return [message_from_bytes(content, policy=policy.default) for _, _, content in self.received]

    @property
    def addresses(self) -> list[str]:
        """Who got mail, in the order in which it came."""
        return [address for _, address, _ in self.received]

    def at(self, starttls: str = "never", user: str | None = None, password: str | None = None) -> SmtpServer:
        """Where it is, as a setting says."""
        return SmtpServer("127.0.0.1", self.port, False, starttls, user, password)


@asynccontextmanager
async def mail_server(
    login: tuple[bytes, bytes] | None = None, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[MailServer]:
    """A server on the loopback address; *login* is what it asks for, *tls* what it offers STARTTLS with."""
    box = MailServer()

    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=(data.login, data.password) == login, handled=False)

    def connection() -> SMTP:
        box.connections += 1
        return SMTP(
            box,
            hostname="mail.test",
            tls_context=tls,
            enable_SMTPUTF8=True,
            authenticator=authenticate if login else None,
            auth_require_tls=tls is not None,
            # Without TLS it only offers a login: to ask for one is what aiosmtpd warns of.
            auth_required=login is not None and tls is not None,
            loop=asyncio.get_running_loop(),
        )

    listener = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", port)
    box.port = listener.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        listener.close()


@contextmanager
def mail_server_thread(login: tuple[bytes, bytes]) -> Iterator[int]:
    """The port of such a server, in a thread: for tests that have no event loop."""
    ready: Queue[int] = Queue()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with mail_server(login) as server:
            ready.put(server.port)
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield ready.get(timeout=10)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@asynccontextmanager
async def peer(behave: Peer) -> AsyncIterator[SmtpServer]:
    """A server that does as *behave* says with each connection."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        yield SmtpServer("127.0.0.1", port, False, "never")
    finally:
        listener.close()


def dialogue(*answers: bytes, then: Callable[[asyncio.StreamWriter], Awaitable[None]] | None = None) -> Peer:
    """Says the first of *answers* at once and each other after a command, or after the end of a mail; then *then*."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = b"\r\n"
        for number, answer in enumerate(answers):
            if number:
                await reader.readuntil(ends)
            writer.write(answer)
            await writer.drain()
            ends = b"\r\n.\r\n" if answer.startswith(b"354") else b"\r\n"
        if then is not None:
            await then(writer)

    return behave
