"""A pooler between Aureum and PostgreSQL is found out: it names another process than the one that answers."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from urllib.parse import quote, urlencode

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from structlog.testing import capture_logs

from aureum.domain.errors import Unavailable
from aureum.store.cipher import MasterKey
from aureum.store.postgres.database import PREPARED_BEHIND_POOLER, Database, connect
from aureum.store.postgres.migrate import BehindPooler, migrate
from aureum.store.postgres.watch import Watch
from tests.conftest import MASTER_KEY

KEY_DATA = b"K" + struct.pack("!i", 12)
"""How the message begins that tells a client its process, and the secret to cancel with."""

SETTINGS = "SELECT current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')"


@contextlib.asynccontextmanager
async def pooler(url: str) -> AsyncIterator[str]:
    """Passes everything on, but tells each client a process number of its own, as poolers do."""
    about = conninfo_to_dict(url)
    host, port = str(about["host"]), int(about.get("port") or 5432)
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rename: bool) -> None:
        try:
            while data := await reader.read(65536):
                if rename and (at := data.find(KEY_DATA)) >= 0:
                    data = data[: at + 5] + struct.pack("!i", 4_711) + data[at + 9 :]
                    rename = False
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.transport.abort()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await (
            asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
            if host.startswith("/")
            else asyncio.open_connection(host, port)
        )
        for work in (pump(reader, back, False), pump(there, writer, True)):
            task = asyncio.create_task(work)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(join, "127.0.0.1", 0)
    password = f":{quote(str(about['password']), safe='')}" if about.get("password") else ""
    rest = urlencode({"sslmode": "disable", "gssencmode": "disable"})
    place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield f"postgresql://{about['user']}{password}@{place}/{about['dbname']}?{rest}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
        await asyncio.sleep(0.05)  # until what was aborted is closed


@pytest.mark.parametrize(("prepared", "threshold"), [(None, None), (True, 5), (False, None)])
def test_behind_a_pooler_nothing_is_set_or_prepared_unless_it_is_wanted(
    module_database_url: str, prepared: bool | None, threshold: int | None
) -> None:
    async def scenario() -> None:
        async with pooler(module_database_url) as url, await connect(url, prepared=prepared) as connection:
            assert connection.pooled
            assert connection.prepare_threshold == threshold
            (row,) = await (await connection.execute(SETTINGS)).fetchall()
            assert row == ("0", "0")

    asyncio.run(scenario())


@pytest.mark.parametrize(("prepared", "threshold"), [(None, 5), (True, 5)])
def test_without_one_both_is_done(module_database_url: str, prepared: bool | None, threshold: int | None) -> None:
    async def scenario() -> None:
        watch = Watch(10.0)
        async with await connect(module_database_url, prepared=prepared, watch=watch) as connection:
            assert not connection.pooled
            assert connection.prepare_threshold == threshold
            (row,) = await (await connection.execute(SETTINGS)).fetchall()
            assert row == ("8s", "20s")

    asyncio.run(scenario())


def test_it_is_told_once(module_database_url: str) -> None:
    async def scenario() -> None:
        async with pooler(module_database_url) as url, Database(url, pool_size=3) as database:
            await asyncio.gather(*(database.rows("SELECT pg_sleep(0.1)") for _ in range(3)))

    with capture_logs() as logged:
        asyncio.run(scenario())
    assert [entry for entry in logged if entry["event"] == "pooler_found"] == [
        {"event": "pooler_found", "prepared_statements": False, "log_level": "info"}
    ]


def test_nothing_is_migrated_through_it(module_database_url: str) -> None:
    async def scenario() -> None:
        async with pooler(module_database_url) as url:
            with pytest.raises(BehindPooler, match=r"leads to a connection pooler\. Migrating holds a lock"):
                await migrate(url, MasterKey(MASTER_KEY))

    asyncio.run(scenario())


@pytest.mark.parametrize("code", ["invalid_sql_statement_name", "duplicate_prepared_statement"])
def test_prepared_statements_that_are_not_found_are_named(module_database_url: str, code: str) -> None:
    async def scenario() -> None:
        async with Database(module_database_url, prepared=True) as database:
            with pytest.raises(Unavailable, match="AUREUM_PREPARED_STATEMENTS=false") as refused:
                await database.rows(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$")
            assert isinstance(refused.value.__cause__, psycopg.Error)
            assert database.watch.trouble() == PREPARED_BEHIND_POOLER

    asyncio.run(scenario())
