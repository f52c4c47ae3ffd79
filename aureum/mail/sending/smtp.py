"""Hands mails to a server by SMTP: on connections that are used again, with one time limit for a whole attempt, and
with a ``Failure`` for each way in which a server can fail.
"""

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import aiosmtplib

from aureum.domain.emails import one_form
from aureum.mail.sending.outcome import Failure, Outcome
from aureum.settings.smtp import SmtpServer

TIMEOUT = 30.0
"""For one attempt, from the connection to the server's last word."""

IDLE_SECONDS = 20.0
"""How long a connection is kept for the next mail. Servers end those that are idle after minutes."""

MAILS_A_CONNECTION = 100

CLOSE_SECONDS = 1.0

USABLE = re.compile(r"[^\s\x00-\x20\x7f-\x9f\ud800-\udfff\"(),:;<>@\[\\\]]+@[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
"""An address that a command carries as it is, in one form. The library would look for one in any other text."""

UNAVAILABLE = 421
"""The server is about to end the connection (RFC 5321 §3.8)."""


class Ended(Exception):
    """The attempt is over, with an outcome."""

    def __init__(self, failure: Failure, code: int | None = None, answer: str = "") -> None:
        super().__init__(failure)
        self.outcome = Outcome(failure, code, answer)


@dataclass
class Open:
    """A connection that has said hello, encrypted and logged in as it should; what it has carried so far, and whether
    the server may have the mail that is under way."""

    client: aiosmtplib.SMTP
    mails: int = 0
    since: float = 0.0
    sent: bool = False


class SmtpSender:
    """One a worker. *sender* is the address that mail comes from; its domain is what we say hello with. *trusted* is
    what a server's certificate is verified by, if not by the system's authorities."""

    def __init__(
        self, server: SmtpServer, sender: str, timeout: float = TIMEOUT, trusted: ssl.SSLContext | None = None
    ) -> None:
        self.server = server
        self.name = server.name
        self.sender = sender
        self.timeout = timeout
        self.tls = unverified() if server.starttls == "optional" else trusted
        self.idle: list[Open] = []

    async def send(self, mail_id: UUID, recipient: str, message: bytes) -> Outcome:
        """One attempt, which ends within the time limit."""
        address = one_form(recipient)
        if not USABLE.fullmatch(address):
            return Outcome(Failure.ADDRESS)
        try:
            async with asyncio.timeout(self.timeout):
                while self.idle:
                    used = self.idle.pop()
                    if used.client.is_connected and time.monotonic() - used.since < IDLE_SECONDS:
                        outcome = await self._hand_over(used, address, message)
                        # The server may have ended it in silence, before it saw this mail.
                        if used.sent or outcome.failure is not Failure.DISCONNECTED:
                            return outcome
                    else:
                        used.client.close()
                return await self._hand_over(Open(await self._connect()), address, message)
        except TimeoutError:
            return Outcome(Failure.TIMEOUT)
        except Ended as end:
            return end.outcome

    async def probe(self) -> Outcome:
        """Whether the server would let us send: connect, encrypt, log in, and leave."""
        try:
            async with asyncio.timeout(self.timeout):
                await leave(await self._connect())
        except TimeoutError:
            return Outcome(Failure.TIMEOUT)
        except Ended as end:
            return end.outcome
        return Outcome(None)

    async def _hand_over(self, connection: Open, address: str, message: bytes) -> Outcome:
        """One mail on a connection, which is kept if it may be used again."""
        client, connection.sent = connection.client, False
        try:
            async with told_apart():
                outcome = await self._transaction(connection, address, message)
        except Ended as end:
            outcome = end.outcome
        except BaseException:
            client.close()
            raise
        connection.mails += 1
        if not client.is_connected:
            return outcome
        if outcome.code == UNAVAILABLE or connection.mails >= MAILS_A_CONNECTION:
            await leave(client)
        else:
            connection.since = time.monotonic()
            self.idle.append(connection)
        return outcome

    async def _transaction(self, connection: Open, address: str, message: bytes) -> Outcome:
        """MAIL, RCPT, DATA. A refusal leaves the connection as it was."""
        client = connection.client
        options: list[str] = []
        encoding = "ascii"
        # Whom to reply to may have such letters where the recipient has none.
        beyond_ascii = not (address.isascii() and message.isascii())
        if beyond_ascii and client.supports_extension("smtputf8"):
            options, encoding = ["SMTPUTF8", "BODY=8BITMIME"], "utf-8"
        elif not address.isascii():
            return Outcome(Failure.ADDRESS, answer="The server does not take addresses with such letters.")
        refused: aiosmtplib.SMTPResponseException
        try:
            await client.mail(self.sender, options=options, encoding=encoding)
            await client.rcpt(address, encoding=encoding)
            connection.sent = True
            said = await client.data(message)
            return Outcome(None, said.code, said.message)
        except aiosmtplib.SMTPSenderRefused as error:
            failure, refused = of_code(error.code, Failure.SERVER_REFUSED, Failure.SENDER_REFUSED), error
        except aiosmtplib.SMTPRecipientRefused as error:
            failure, refused = of_code(error.code, Failure.RECIPIENT_DEFERRED, Failure.RECIPIENT_REFUSED), error
        except aiosmtplib.SMTPDataError as error:
            failure, refused = of_code(error.code, Failure.DEFERRED, Failure.REFUSED), error
        if client.is_connected and refused.code != UNAVAILABLE:
            with suppress(aiosmtplib.SMTPResponseException):
                await client.rset()
        return Outcome(failure, refused.code, refused.message)

    async def _connect(self) -> aiosmtplib.SMTP:
        """Connect, encrypt as the settings say, log in. Raises Ended."""
        server = self.server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=one_form(self.sender).rpartition("@")[2],
            timeout=self.timeout,
            use_tls=server.tls,
            start_tls=False,
            tls_context=self.tls,
        )
        try:
            async with told_apart(Failure.CONNECT):
                await client.connect()
            async with told_apart():
                await client.ehlo()
                if server.starttls != "never" and client.supports_extension("starttls"):
                    async with told_apart(Failure.TLS):
                        await client.starttls()
                    await client.ehlo()
                elif server.starttls == "required":
                    raise Ended(Failure.STARTTLS_MISSING)
                if server.user is not None and server.password is not None:
                    await self._login(client, server.user, server.password)
        except BaseException:
            client.close()
            raise
        return client

    async def _login(self, client: aiosmtplib.SMTP, user: str, password: str) -> None:
        if not client.supported_auth_methods:
            raise Ended(Failure.LOGIN_MISSING)
        try:
            await client.login(user, password)
        except aiosmtplib.SMTPAuthenticationError as error:
            # What it answers may quote what it was sent.
            raise Ended(Failure.LOGIN_REFUSED, error.code) from error

    async def close(self) -> None:
        """Say goodbye on the connections that are kept."""
        idle, self.idle = self.idle, []
        await asyncio.gather(*(leave(connection.client) for connection in idle))


def of_code(code: int, later: Failure, never: Failure) -> Failure:
    """*later* for what the server defers, *never* for what it refuses."""
    if code == UNAVAILABLE:
        return Failure.SERVER_REFUSED
    return later if 400 <= code < 500 else never


@asynccontextmanager
async def told_apart(silent: Failure = Failure.DISCONNECTED) -> AsyncIterator[None]:
    """The library's errors as ``Ended``; *silent* is what a connection that is lost, or never made, is called."""
    try:
        yield
    except aiosmtplib.SMTPTimeoutError as error:
        raise Ended(Failure.TIMEOUT) from error
    except aiosmtplib.SMTPResponseException as error:
        raise Ended(Failure.SERVER_REFUSED, error.code, error.message) from error
    except ssl.SSLError as error:
        raise Ended(Failure.TLS, answer=error.reason or "") from error
    except (aiosmtplib.SMTPException, OSError) as error:
        failure = Failure.TLS if isinstance(error.__cause__, ssl.SSLError) else silent
        raise Ended(failure) from error


def unverified() -> ssl.SSLContext:
    """Encrypted without a check of the certificate: an attacker could suppress optional encryption anyway."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def leave(client: aiosmtplib.SMTP) -> None:
    """Send QUIT, and close the connection also if that fails."""
    with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        await client.quit(timeout=CLOSE_SECONDS)
    client.close()
