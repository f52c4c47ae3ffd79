"""From a lead to the mail: made once by the worker, sent or written as a file, gone with the person."""

import asyncio
import os
import stat
from email import message_from_bytes, policy
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from aureum.domain import ids
from aureum.domain.lead import Lead
from aureum.domain.user import User
from aureum.mail.queue.retention import drop_erased, prune_mails
from aureum.mail.sending.sender import file_of, prune_files
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from tests.mail.mail_server import mail_server
from tests.mail.queued import SENDER, mailing, queue_mails, states, until_states
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.tenants import head_of
from tests.webhooks.waiting import run, until

ERASE = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(subject)s RETURNING 1"


async def join(store: EventStore, tenant_id: UUID, email: str) -> UUID:
    """An agent's id."""
    user = User.join(
        ids.new_id(),
        ids.now(),
        number=await store.next_number("SELECT nextval('user_numbers')"),
        email=email,
        name="Ann Agent",
        role="agent",
        password_hash=None,
        takes_leads=True,
        specialties=(),
    )
    await store.append(tenant_id, user, NO_STREAM, command="CreateUser", origin=Origin(COMMAND_LINE))
    return user.id


async def entered(store: EventStore, tenant_id: UUID, **fields: Any) -> Lead:
    """A lead that no visitor sent, so that none gets a confirmation."""
    return await capture(store, tenant_id, source="api", **fields)


def all_failed(number: int, rows: list[tuple[int, str, int, str | None]]) -> bool:
    return [state for _, state, *_ in rows] == ["failed"] * number


async def followed(store: EventStore, tenant_id: UUID) -> None:
    """Wait until all that happened is looked at for mail."""
    query = "SELECT position FROM checkpoints WHERE tenant_id = %(tenant)s AND consumer = 'mail'"
    head = await head_of(store, tenant_id)
    async with asyncio.timeout(60):
        while True:
            rows = await store.database.rows(query, {"tenant": tenant_id})
            if rows and rows[0][0] == head:
                return
            await asyncio.sleep(0.02)


def test_the_agent_hears_of_a_lead_from_one_of_two_workers(database_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, mail_server() as server:
            tenant = await open_brokerage(store)
            agent = await join(store, tenant, "ann@example.com")
            async with mailing(database_url, server.at(), tmp_path), mailing(database_url, server.at(), tmp_path):
                leads = [await entered(store, tenant, assigned_to=agent) for _ in range(10)]
                await entered(store, tenant)
                await until(lambda: len(server.received) >= len(leads))
                await followed(store, tenant)
            assert server.addresses == ["ann@example.com"] * len(leads)
            assert len({mail["Message-ID"] for mail in server.mails}) == len(leads)
            assert {mail["Reply-To"] for mail in server.mails} == {"jane@example.com"}
            assert {sender for sender, _, _ in server.received} == {SENDER}
            kept = await store.database.rows("SELECT about, message FROM mails")
            assert not any(b"jane" in part.lower() for row in kept for part in row)

    run(scenario())


def test_without_a_server_mails_are_files_and_go_with_the_person(database_url: str, tmp_path: Path) -> None:
    directory = tmp_path / "mail"

    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            agent = await join(store, tenant, "ann@example.com")
            async with mailing(database_url, None, directory):
                lead, other = [await entered(store, tenant, assigned_to=agent) for _ in range(2)]
                await until(lambda: len(list(directory.glob("*.eml"))) == 2)
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700
            files = {path: path.read_bytes() for path in directory.iterdir()}
            assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
            texts = [message_from_bytes(text, policy=policy.default) for text in files.values()]
            assert {mail["To"] for mail in texts} == {"Ann Agent <ann@example.com>"}
            await store.database.rows(ERASE, {"tenant": tenant, "subject": lead.id})
            assert await drop_erased(store.database, lambda mail_id: file_of(directory, mail_id)) == 1
            assert len(list(directory.iterdir())) == 1
            rows = await store.database.rows("SELECT subject_id, mail_id FROM mails")
            assert rows == [(other.id, rows[0][1])] and file_of(directory, rows[0][1]).exists()
            # Old ones go by themselves: files after a week, rows after a month.
            assert prune_files(directory) == 0
            os.utime(file_of(directory, rows[0][1]), (0, 0))
            assert (prune_files(directory), list(directory.iterdir())) == (1, [])
            assert await prune_mails(store.database) == 0
            await store.database.rows("UPDATE mails SET ended_at = now() - interval '31 days' RETURNING 1")
            assert await prune_mails(store.database) == 1

    run(scenario())


def test_what_waits_for_an_erased_person_is_not_sent(database_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, mail_server() as server:
            tenant = await open_brokerage(store)
            lead = await entered(store, tenant)
            await queue_mails(store, tenant, ["jane@example.com"], subject_id=lead.id)
            await queue_mails(store, tenant, ["ann@example.com"], first=2)
            await store.database.rows(ERASE, {"tenant": tenant, "subject": lead.id})
            # Nor is one queued that was made a moment before.
            await queue_mails(store, tenant, ["jane@example.com"], first=3, subject_id=lead.id)
            async with mailing(database_url, server.at(), tmp_path):
                await until(lambda: server.addresses == ["ann@example.com"])
                await until_states(store, tenant, lambda rows: [row[0] for row in rows] == [2])
            assert server.addresses == ["ann@example.com"]

    run(scenario())


def test_an_address_that_bounces_for_ever_ends(database_url: str, tmp_path: Path) -> None:
    asked = 0

    def refuse(address: str) -> str | None:
        nonlocal asked
        asked += 1
        return "550 5.1.1 no such user"

    async def scenario() -> None:
        async with opened_store(database_url) as store, mail_server() as server:
            tenant = await open_brokerage(store)
            agent = await join(store, tenant, "gone@example.com")
            server.rcpt = refuse
            async with mailing(database_url, server.at(), tmp_path):
                for number in range(1, 8):
                    await entered(store, tenant, assigned_to=agent)
                    await until_states(store, tenant, partial(all_failed, number))
            assert asked == 5
            errors = [error for *_, error in await states(store, tenant)]
            assert errors == ["recipient_refused"] * 5 + ["bounced_before"] * 2

    run(scenario())


def test_an_upgrade_tells_no_one_of_what_is_past(database_url: str, tmp_path: Path) -> None:
    """A checkpoint at the head, as the migration gives it to the tenants that exist."""

    async def scenario() -> None:
        async with opened_store(database_url) as store, mail_server() as server:
            tenant = await open_brokerage(store)
            agent = await join(store, tenant, "ann@example.com")
            await entered(store, tenant, assigned_to=agent)
            checkpoint = "INSERT INTO checkpoints SELECT tenant_id, 'mail', position FROM heads WHERE tenant_id = %(t)s"
            await store.database.rows(f"{checkpoint} RETURNING 1", {"t": tenant})
            async with mailing(database_url, server.at(), tmp_path):
                await entered(store, tenant, assigned_to=agent, first_name="Zoe")
                await until(lambda: len(server.received) == 1)
                await followed(store, tenant)
            assert "Zoe" in server.mails[0]["Subject"]
            assert len(server.received) == 1

    run(scenario())
