"""The primary dies in the middle of a migration, and its successor in the middle of a rebuild: the next run does what
is left, and nothing is there twice or half."""

import asyncio
import contextlib
import time
from typing import Any
from uuid import UUID

import psycopg
import pytest

from aureum.domain.errors import Unavailable
from aureum.store.cipher import MasterKey
from aureum.store.postgres.migrate import migrate, migrations, pending
from aureum.store.rebuild import list as rebuild_list
from aureum.store.rebuild.rebuild import rebuild
from tests.conftest import MASTER_KEY
from tests.replication import PATIENCE, PROGRAMS, Postgres, replicated, url_of
from tests.store.read_models import live, shown, versions
from tests.stores import capture, open_brokerage, opened_store

NAME = "lead_list"

DONE = "SELECT count(*) FROM migrations"
WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'migrations'::regclass AND NOT granted)"
EXPIRE = "UPDATE rebuilds SET lease_until = now() - interval '1 second' WHERE tenant_id = %(tenant)s"


def test_the_next_run_does_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    if not PROGRAMS.exists():
        pytest.skip("PostgreSQL 15 is not installed (Debian's package postgresql-15)")
    monkeypatch.setattr(rebuild_list, "BATCH_ROWS", 2)
    every = [name for _, name, _ in migrations()]
    with replicated(synchronous=True) as (primary, standby):
        url = url_of(primary.host, standby.host, target_session_attrs="read-write")
        done = asyncio.run(killed_in_a_migration(primary, url))
        standby.promote()
        assert asyncio.run(migrate(url, MasterKey(MASTER_KEY))) == [*every[done:], "tables", "functions"]
        assert asyncio.run(pending(url)) == []

        tenant_id, before = asyncio.run(killed_in_a_rebuild(standby, url))
        standby.start()
        asyncio.run(goes_on(url, tenant_id, before))


async def killed_in_a_migration(primary: Postgres, url: str) -> int:
    """How many migrations were committed when the primary died in the next one."""
    migrating = asyncio.create_task(migrate(url, MasterKey(MASTER_KEY)))
    with psycopg.connect(primary.url, autocommit=True) as connection:
        await ledger_is_there(connection)
        with contextlib.suppress(psycopg.OperationalError), connection.transaction():
            # The migration that is under way has done all but to say so.
            # In a thread: the one before may still have to commit, on this event loop.
            await asyncio.to_thread(connection.execute, "LOCK TABLE migrations IN SHARE MODE")
            ((done,),) = connection.execute(DONE).fetchall()
            while connection.execute(WAITS).fetchone() != (True,):
                assert not migrating.done()
                await asyncio.sleep(0.01)
            primary.stop()
            # To be noticed here, too.
            connection.execute(DONE)
    with pytest.raises((Unavailable, psycopg.OperationalError)):
        await migrating
    return int(done)


async def ledger_is_there(connection: "psycopg.Connection[Any]") -> None:
    """Wait until some migrations have run."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.errors.UndefinedTable):
            ((done,),) = connection.execute(DONE).fetchall()
            if done > 2:
                return
        await asyncio.sleep(0.005)
    raise AssertionError("It does not migrate.")


async def killed_in_a_rebuild(server: Postgres, url: str) -> tuple[UUID, Any]:
    """A brokerage whose list was being rebuilt when the server died, and what the list showed."""
    async with opened_store(url) as store:
        tenant_id = await open_brokerage(store)
        for _ in range(10):
            await capture(store, tenant_id)
        before = await shown(store, tenant_id)
    with pytest.raises(Unavailable):
        await rebuild(url, store.keys, NAME, tenant_id, progress=lambda _, __: server.stop())
    return tenant_id, before


async def goes_on(url: str, tenant_id: UUID, before: Any) -> None:
    """The next rebuild ends, and the list shows the same."""
    async with opened_store(url) as store:
        assert await shown(store, tenant_id) == before and (await live(store, tenant_id))[NAME] == 1
        await store.database.rows(EXPIRE, {"tenant": tenant_id})
        made = await rebuild(url, store.keys, NAME, tenant_id)
        assert made.rows == 10
        assert await shown(store, tenant_id) == before
        version = (await live(store, tenant_id))[NAME]
        assert version > 1 and (await versions(store, tenant_id))[NAME] == {version}
