"""How long duplicates of one brokerage's contacts take in the database: pages of 50 pairs, and those of one person.

Each is what ``GET /api/contacts/duplicates`` and ``GET /api/contacts/{id}/duplicates`` ask, prepared, from a client on
the same machine that has made its plan. Names, addresses and phones are as frequent as among people.
"""

import asyncio
import random
import time
from itertools import islice
from typing import Any
from uuid import UUID

from aureum.domain.contact import Contact
from aureum.domain.people import email_key, name_key, phone_key
from aureum.projections.duplicates import ALIKE, BEGINNING, KEYS, PAIRS_BY, Place
from aureum.store.cipher import MasterKey
from aureum.store.postgres.database import Database, connect
from aureum.store.postgres.migrate import migrate
from bench.databases import database, server
from bench.people import people
from bench.processes import MASTER_KEY
from bench.rows import Row
from bench.search import CONTACTS, LIMIT, fill, judged

PERSONS = 200
PAGES = 50
BUDGET = 50.0

SUBJECTS = """
INSERT INTO subject_keys (tenant_id, subject_id, wrapped)
SELECT tenant_id, contact_id, '' FROM contact_list WHERE tenant_id = %(tenant)s
"""

dice = random.Random(11)


async def pages(database: Database, tenant_id: UUID, kind: int, most: int) -> tuple[list[float], int]:
    """How long each page of pairs took that share this key, and how many pairs there were. After the last page comes
    the first one again."""
    took: list[float] = []
    found, place = 0, beginning(kind)
    # The first call of a connection makes the plan.
    await database.rows(PAIRS_BY[kind], {"tenant": tenant_id, "limit": 1, **place._asdict()})
    while len(took) < most:
        parameters = {"tenant": tenant_id, "limit": LIMIT + 1, **place._asdict()}
        started = time.perf_counter()
        rows = await database.rows(PAIRS_BY[kind], parameters)
        took.append((time.perf_counter() - started) * 1_000)
        found += len(rows)
        place = Place(kind, *rows[-1][:3]) if len(rows) > LIMIT else beginning(kind)
    return took, found


def beginning(kind: int) -> Place:
    """Where the pairs by this key begin."""
    return BEGINNING._replace(kind=kind)


async def persons(database: Database, tenant_id: UUID, contacts: list[Contact], many: int) -> tuple[list[float], int]:
    """How long those of one person took each, and how many there were."""
    took: list[float] = []
    found = 0
    for contact in dice.sample(contacts, many):
        keys = {
            "email_keys": [key for key in (email_key(contact.email),) if key],
            "phone_keys": [key for key in (phone_key(contact.phone_e164),) if key],
            "name_keys": [key for key in (name_key(contact.first_name, contact.last_name),) if key],
        }
        parameters: dict[str, Any] = {"tenant": tenant_id, "own": contact.id, "distinct": [], **keys}
        started = time.perf_counter()
        found += len(await database.tenant_rows(tenant_id, ALIKE, parameters))
        took.append((time.perf_counter() - started) * 1_000)
    return took, found


async def measure(url: str, contacts: list[Contact], quick: bool) -> list[Row]:
    """A row for each key, and one for single persons."""
    await migrate(url, MasterKey(MASTER_KEY))
    async with await connect(url) as connection:
        tenant_id = await fill(connection, contacts)
        await connection.execute(SUBJECTS, {"tenant": tenant_id})
        await connection.execute("VACUUM (ANALYZE) contact_list, subject_keys")
    rows = []
    async with Database(url, pool_size=1) as reading:
        for kind, key in enumerate(KEYS):
            took, found = await pages(reading, tenant_id, kind, PAGES // 10 if quick else PAGES)
            rows.append(judged(f"a page of pairs by {key}", took, f"{found / len(took):.0f} pairs", BUDGET))
        took, found = await persons(reading, tenant_id, contacts, PERSONS // 10 if quick else PERSONS)
        rows.append(judged("contacts like one person", took, f"{found / len(took):.1f} contacts", BUDGET))
    return rows


def run(*, quick: bool = False) -> list[Row]:
    """Make the contacts and measure."""
    contacts = list(islice(people(CONTACTS), CONTACTS // 10 if quick else CONTACTS))
    with server() as server_url, database(server_url, "duplicates") as url:
        return asyncio.run(measure(url, contacts, quick))
