"""A person is erased while a rebuild is unfinished: its rows forget the person too, and the next rebuild goes on."""

import asyncio
import signal
import subprocess
import sys
from uuid import UUID

from aureum.commands.erasing import ErasePerson, erase_person
from aureum.commands.erasures import carry_out, finish_erasures
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.rebuild.rebuild import rebuild
from aureum.store.rebuild.verifying import verify_read_model
from tests.stores import capture, open_brokerage, opened_store

VERSIONS = (
    "SELECT read_version FROM lead_list WHERE tenant_id = %(tenant)s AND lead_id = %(lead)s ORDER BY read_version"
)
EXPIRE = "UPDATE rebuilds SET lease_until = now() - interval '1 second' WHERE tenant_id = %(tenant)s"
SET_ASIDE = "CREATE TABLE set_aside AS SELECT * FROM lead_list WHERE lead_id = %(lead)s AND read_version = 2"
WRITTEN_LATE = "INSERT INTO lead_list SELECT * FROM set_aside"
OLD = "UPDATE erasures SET ended_at = now() - interval '3 minutes' WHERE tenant_id = %(tenant)s"


def killed(url: str, tenant_id: UUID) -> None:
    """A rebuild of the lead list that has made some rows, as a process of its own."""
    program = [sys.executable, "-m", "tests.store.rebuild.killed_process"]
    done = subprocess.run([*program, url, str(tenant_id), "lead_list", "2"], capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_unfinished_rows_forget_the_person(database_url: str) -> None:
    async def versions(store: EventStore, tenant_id: UUID, lead_id: UUID) -> list[int]:
        rows = await store.database.rows(VERSIONS, {"tenant": tenant_id, "lead": lead_id})
        return [version for (version,) in rows]

    async def begun() -> tuple[UUID, UUID]:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            leads = [await capture(store, tenant_id, email=f"p{number}@example.com") for number in range(20)]
            return tenant_id, leads[0].id

    async def erased(tenant_id: UUID, lead_id: UUID) -> None:
        about = {"tenant": tenant_id, "lead": lead_id}
        async with opened_store(database_url) as store:
            assert await versions(store, tenant_id, lead_id) == [1, 2]
            await store.database.rows(SET_ASIDE, about)
            command = ErasePerson(tenant_id=tenant_id, lead_id=lead_id)
            asked = await erase_person(store, command, Origin(COMMAND_LINE))
            assert asked.id is not None
            await carry_out(store, tenant_id, asked.id)
            assert await versions(store, tenant_id, lead_id) == []

            # A rebuild that had read the lead before may write its row afterwards.
            await store.database.rows(WRITTEN_LATE)
            await store.database.rows(OLD, about)
            assert await finish_erasures(store, None) == 1
            assert await versions(store, tenant_id, lead_id) == []

            await store.database.rows(EXPIRE, about)
            made = await rebuild(database_url, store.keys, "lead_list", tenant_id)
            assert (made.rows, await versions(store, tenant_id, lead_id)) == (19, [])
            assert (await verify_read_model(database_url, store.keys, "lead_list", tenant_id)).differences == 0

    tenant_id, lead_id = asyncio.run(begun())
    killed(database_url, tenant_id)
    asyncio.run(erased(tenant_id, lead_id))
