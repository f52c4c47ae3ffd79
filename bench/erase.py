"""How long it takes to erase a person with 1,000 events, in a brokerage with many other contacts: from the request
until the keys are destroyed and nothing is left in the tables. The first one, which makes the plans, does not count.
"""

import asyncio
import time
from itertools import islice
from uuid import UUID

from aureum.commands.erasing import ErasePerson, erase_person
from aureum.commands.erasures import carry_out
from aureum.domain import ids
from aureum.domain.activities import ActivityFields
from aureum.domain.contact import Contact
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.database import Database, connect
from aureum.store.postgres.migrate import migrate
from aureum.store.writer import AppendWriter
from bench.databases import database, server
from bench.people import people
from bench.processes import MASTER_KEY
from bench.rows import Row
from bench.search import CONTACTS, fill

EVENTS = 1_000
PERSONS = 6
AT_MOST = 1.0
ORIGIN = Origin(COMMAND_LINE)


async def person(store: EventStore, tenant_id: UUID, email: str) -> None:
    """A contact with so many events."""
    contact = Contact.add(
        ids.new_id(),
        ids.now(),
        first_name="Ada",
        last_name="Quettabyte",
        email=email,
        phone=None,
        phone_e164=None,
        lead_id=None,
        created_by=None,
    )
    said = ActivityFields(
        type="note",
        direction=None,
        outcome=None,
        duration=None,
        text="Called again",
        happened_at="2025-01-15T10:30:00Z",
    )
    for _ in range(EVENTS - 1):
        contact.log_activity(said, ids.now(), None)
    await store.append(tenant_id, contact, NO_STREAM, command="Fill", origin=ORIGIN)


async def measure(url: str, contacts: list[Contact]) -> list[Row]:
    """One row: the slowest of some persons."""
    await migrate(url, MasterKey(MASTER_KEY))
    async with await connect(url) as connection:
        tenant_id = await fill(connection, contacts)
        await connection.execute("VACUUM (ANALYZE) contact_list")
    took = []
    async with Database(url) as reading, AppendWriter(url) as writer:
        store = EventStore(reading, writer, TenantKeys(MasterKey(MASTER_KEY)))
        for number in range(PERSONS):
            email = f"person{number}@example.com"
            await person(store, tenant_id, email)
            began = time.perf_counter()
            erased = await erase_person(store, ErasePerson(tenant_id=tenant_id, email=email), ORIGIN)
            assert erased.id is not None, "it was just added"
            await carry_out(store, tenant_id, erased.id)
            took.append(time.perf_counter() - began)
    took = sorted(took[1:])
    return [
        Row(
            f"erase a person with {EVENTS:,} events among {len(contacts):,} contacts",
            f"{took[-1]:.2f} s",
            f"median {took[len(took) // 2]:.2f} s",
            "",
            f"< {AT_MOST:.0f} s",
            took[-1] < AT_MOST,
        )
    ]


def run(*, quick: bool = False) -> list[Row]:
    """Make the contacts and measure."""
    contacts = list(islice(people(CONTACTS), CONTACTS // 10 if quick else CONTACTS))
    with server() as server_url, database(server_url, "erase") as url:
        return asyncio.run(measure(url, contacts))
