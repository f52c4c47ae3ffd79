"""One attempt over SMTP: whatever a server does, it ends in time, and is called by its name."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from aureum.mail.sending.outcome import EXPLAINED, Failure, Outcome
from aureum.mail.sending.smtp import SmtpSender
from aureum.settings.smtp import SmtpServer
from tests.mail.mail_server import Peer, dialogue, mail_server, peer
from tests.webhooks.conftest import Run, run
from tests.webhooks.sending.test_sender_tls import Certificate

__all__ = ["run"]

SENDER = "crm@example.com"
MESSAGE = b"Subject: Hello\r\n\r\n.A line that begins with a dot.\r\n"
REPLY_TO = "Reply-To: <ñora@example.com>\r\n".encode()
READY, OK, GO = b"220 ready\r\n", b"250 OK\r\n", b"354 go on\r\n"


async def attempt(
    server: SmtpServer, address: str = "ann@example.com", seconds: float = 5.0, message: bytes = MESSAGE
) -> Outcome:
    sender = SmtpSender(server, SENDER, seconds)
    outcome = await sender.send(uuid4(), address, message)
    await sender.close()
    return outcome


def test_mails_are_accepted_on_one_connection_byte_for_byte(run: Run) -> None:
    async def scenario() -> None:
        async with mail_server() as server:
            sender = SmtpSender(server.at(), SENDER)
            for name in ("ann", "bob", "cid"):
                assert (await sender.send(uuid4(), f"{name}@example.com", MESSAGE)).failure is None
            await sender.close()
            assert server.received == [(SENDER, f"{name}@example.com", MESSAGE) for name in ("ann", "bob", "cid")]
            assert server.connections == 1

    run(scenario())


def test_a_refused_recipient_leaves_the_connection_to_the_next(run: Run) -> None:
    answers = {"gone@example.com": "550 5.1.1 no such user", "busy@example.com": "451 4.2.1 try later"}

    async def scenario() -> None:
        async with mail_server() as server:
            server.rcpt = answers.get
            sender = SmtpSender(server.at(), SENDER)
            gone, busy, ann = [
                await sender.send(uuid4(), f"{name}@example.com", MESSAGE) for name in ("gone", "busy", "ann")
            ]
            await sender.close()
            assert (gone.failure, gone.code, gone.bounced) == (Failure.RECIPIENT_REFUSED, 550, True)
            assert (busy.failure, busy.code, busy.bounced) == (Failure.RECIPIENT_DEFERRED, 451, False)
            assert ann.failure is None
            assert server.addresses == ["ann@example.com"]
            assert server.connections == 1

    run(scenario())


def test_a_rule_against_us_says_nothing_of_the_mailbox(run: Run) -> None:
    async def scenario() -> None:
        async with mail_server() as server:
            server.rcpt = lambda address: "554 5.7.1 relay access denied"
            outcome = await attempt(server.at())
            assert (outcome.failure, outcome.bounced) == (Failure.RECIPIENT_REFUSED, False)
            server.rcpt = lambda address: None
            server.data = lambda address: "550 5.7.1 looks like spam"
            assert (await attempt(server.at())).failure is Failure.REFUSED
            server.data = lambda address: "452 4.3.1 disk full"
            assert (await attempt(server.at())).failure is Failure.DEFERRED
            server.mail = "550 5.7.1 not your address"
            assert (await attempt(server.at())).failure is Failure.SENDER_REFUSED
            assert not server.received

    run(scenario())


async def forever(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


def slowly(text: bytes, seconds: float) -> Peer:
    """Says *text* letter by letter."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for letter in text:
            writer.write(bytes([letter]))
            await writer.drain()
            await asyncio.sleep(seconds)

    return behave


FAULTS: dict[str, tuple[Peer, Failure | None]] = {
    "it hangs before a word": (dialogue(then=forever), Failure.TIMEOUT),
    "it hangs at the end": (dialogue(READY, OK, OK, OK, GO, then=forever), Failure.TIMEOUT),
    "it speaks slowly": (slowly(b"220 " + b"x" * 1000, 0.01), Failure.TIMEOUT),
    "it hangs up at once": (dialogue(), Failure.CONNECT),
    "it hangs up after hello": (dialogue(READY, OK), Failure.DISCONNECTED),
    "it hangs up in the mail": (dialogue(READY, OK, OK, OK, GO), Failure.DISCONNECTED),
    "it is too busy": (dialogue(b"421 too many connections\r\n"), Failure.SERVER_REFUSED),
    "it ends in the middle": (dialogue(READY, OK, b"421 shutting down\r\n"), Failure.SERVER_REFUSED),
    "it refuses all": (dialogue(b"554 no service\r\n"), Failure.SERVER_REFUSED),
    "it speaks something else": (dialogue(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Failure.SERVER_REFUSED),
    "it accepts and hangs up before QUIT": (dialogue(READY, OK, OK, OK, GO, OK), None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_fails(run: Run, fault: str) -> None:
    behave, expected = FAULTS[fault]

    async def scenario() -> None:
        async with peer(behave) as server:
            started = time.monotonic()
            outcome = await attempt(server, seconds=0.5)
            assert outcome.failure is expected
            assert time.monotonic() - started < 15

    run(scenario())


def test_no_server_at_all(run: Run) -> None:
    async def scenario() -> None:
        async with peer(dialogue()) as server:
            closed = server
        assert (await attempt(closed)).failure is Failure.CONNECT
        assert (await attempt(replace(closed, host="no-such-host.invalid"))).failure is Failure.CONNECT

    run(scenario())


def test_a_connection_that_the_server_has_ended_costs_no_attempt(run: Run) -> None:
    connections = 0

    async def one_mail_each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await dialogue(READY, OK, OK, OK, GO, OK)(reader, writer)
        # The next one's MAIL is not answered any more.
        await reader.readline()

    async def scenario() -> None:
        async with peer(one_mail_each) as server:
            sender = SmtpSender(server, SENDER)
            for name in ("ann", "bob"):
                assert (await sender.send(uuid4(), f"{name}@example.com", MESSAGE)).failure is None
            await sender.close()
            assert connections == 2

    run(scenario())


def test_starttls_as_the_setting_says(run: Run, tmp_path: Path) -> None:
    trusted = Certificate(tmp_path, "localhost")

    async def scenario() -> None:
        async with mail_server(tls=trusted.server(), login=(b"me", b"hidden")) as server:
            required = replace(server.at("required", "me", "hidden"), host="localhost")
            sender = SmtpSender(required, SENDER, trusted=trusted.client())
            assert (await sender.send(uuid4(), "ann@example.com", MESSAGE)).failure is None
            await sender.close()
            # No authority vouches for it: required means verified, optional does not.
            assert (await attempt(required)).failure is Failure.TLS
            assert (await attempt(replace(required, starttls="optional"))).failure is None
            wrong = await attempt(replace(required, starttls="optional", password="wrong"))
            assert wrong.failure is Failure.LOGIN_REFUSED
            assert "wrong" not in f"{wrong}"
        async with mail_server() as plain:
            missing = await attempt(plain.at("required"))
            assert missing.failure is Failure.STARTTLS_MISSING
            assert "AUREUM_SMTP_URL" in EXPLAINED[missing.failure]
            assert (await attempt(plain.at("optional"))).failure is None
        async with peer(dialogue(READY, OK)) as trusting:
            login = replace(trusting, user="me", password="hidden")
            assert (await attempt(login)).failure is Failure.LOGIN_MISSING

    run(scenario())


def test_addresses_beyond_ascii(run: Run) -> None:
    async def scenario() -> None:
        async with mail_server() as server:
            assert (await attempt(server.at(), "nora@bücher.example")).failure is None
            assert (await attempt(server.at(), "ñora@example.com")).failure is None
            assert server.addresses == ["nora@xn--bcher-kva.example", "ñora@example.com"]
            assert (await attempt(server.at(), "a@b.example\r\nRCPT TO:<c@d.example>")).failure is Failure.ADDRESS
            assert (await attempt(server.at(), "\ud800@example.com")).failure is Failure.ADDRESS
            # A mail with such an address in it asks for the same.
            assert (await attempt(server.at(), message=REPLY_TO + MESSAGE)).failure is None
            assert (await attempt(server.at())).failure is None
            assert ["SMTPUTF8" in one for one in server.options] == [False, True, True, False]
        async with peer(dialogue(READY, OK, OK)) as old:
            assert (await attempt(old, "ñora@example.com")).failure is Failure.ADDRESS

    run(scenario())


def test_every_failure_is_explained() -> None:
    assert set(EXPLAINED) == set(Failure)
