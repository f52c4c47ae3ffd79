"""Workers that are killed in the middle of an import, and of its undo: the next one goes on, no row is done twice, and
in the end nothing tells that one was killed."""

import io
import subprocess
import sys
from uuid import UUID

from aureum.commands.importing.imports import Import, Wanted, get_import
from aureum.commands.importing.requesting import request_import
from aureum.commands.importing.steering import undo_import
from aureum.domain import ids
from aureum.domain.contact import Contact
from aureum.store.chain import Verified, verify
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Actor, Origin
from aureum.store.postgres.database import connect
from tests.stores import open_brokerage, opened_store
from tests.webhooks.waiting import run

ROWS = 220
CONTACTS = """
SELECT count(*), count(DISTINCT doc::json ->> 'firstName'), count(*) FILTER (WHERE doc::json ->> 'lastName' = 'New')
  FROM contact_list WHERE tenant_id = %(tenant)s
"""
ORIGIN = Origin(Actor("user", ids.to_wire(ids.new_id())))


def known(number: int) -> Contact:
    """A contact that a row of the file changes."""
    return Contact.add(
        ids.new_id(),
        ids.now(),
        first_name=f"P{number}",
        last_name="Old",
        email=f"p{number}@example.com",
        phone=None,
        phone_e164=None,
        type="BUYER",
        tags=(),
        score=0,
        lead_id=None,
        created_by=None,
    )


def work_and_be_killed(url: str) -> int:
    """How many workers were killed before the last one had nothing left to do."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.commands.importing.killed", url], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


async def asked(store: EventStore, tenant_id: UUID) -> Import:
    """An import that waits for a worker. Every other row has no address, by which a duplicate would be known."""
    lines = "".join(f"P{n},New,{'' if n % 2 else f'p{n}@example.com'}\n" for n in range(ROWS))
    file = io.BytesIO(f"First name,Last name,Email\n{lines},,refused\n".encode())
    return await request_import(store, Wanted(tenant_id, "contacts", "update"), file, ORIGIN, state="running")


def test_no_row_is_done_twice_and_an_undo_is_done_to_its_end(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            for number in (0, 150):
                contact = known(number)
                await store.append(tenant_id, contact, NO_STREAM, command="Add", origin=Origin(COMMAND_LINE))
            job = await asked(store, tenant_id)
            assert work_and_be_killed(database_url) > 4
            done = await get_import(store, tenant_id, job.import_id)
            assert (done.state, done.done) == ("completed", ROWS + 1)
            assert (done.made, done.updated, done.skipped, done.refused) == (ROWS - 2, 2, 0, 1)
            assert await store.database.rows(CONTACTS, {"tenant": tenant_id}) == [(ROWS, ROWS, ROWS)]

            await undo_import(store, tenant_id, job.import_id, ORIGIN)
            assert work_and_be_killed(database_url) > 4
            undone = await get_import(store, tenant_id, job.import_id)
            assert (undone.state, undone.kept) == ("undone", 0)
            assert await store.database.rows(CONTACTS, {"tenant": tenant_id}) == [(2, 2, 0)]
        async with await connect(database_url) as connection:
            assert isinstance(await verify(connection, tenant_id), Verified)

    run(scenario())
