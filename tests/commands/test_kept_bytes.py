"""Bytes that no event names are swept after a day, also those of a process that was killed; what is named stays."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Coroutine
from typing import Any
from uuid import UUID, uuid4

import pytest

from aureum.commands import kept_bytes
from aureum.commands.kept_bytes import delete_gone, sweep_unsure
from aureum.store.blobs import DocumentLost, ledger
from tests.store.blobs.test_keeping import KEY, opened_blobs, read, stream
from tests.stores import capture

AGE = "UPDATE documents SET begun_at = begun_at - interval '25 hours'"

KILLED = """
import asyncio, sys
from uuid import UUID
from tests.store.blobs.test_keeping import KEY, KeptBlobs, opened_store

async def put():
    async def stands():
        for _ in range(12):
            yield bytes(1 << 18)
        print("stands", flush=True)
        await asyncio.sleep(60)

    async with opened_store(sys.argv[1]) as store:
        await KeptBlobs(store.database).put(UUID(sys.argv[2]), UUID(int=1), KEY, stands(), of=UUID(int=2))

asyncio.run(put())
"""


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 60))


def test_what_a_killed_process_has_left_is_swept_after_a_day(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, blobs, tenant):
            command = [sys.executable, "-c", KILLED, database_url, str(tenant)]
            process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
            assert process.stdout is not None
            assert await process.stdout.readline() == b"stands\n"
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
            ((chunks,),) = await store.database.rows("SELECT count(*) FROM document_chunks")
            assert chunks
            assert (await sweep_unsure(store, blobs), await delete_gone(store.database, blobs)) == (0, 0)
            await store.database.rows(AGE)
            assert await sweep_unsure(store, blobs) == 1
            assert await store.database.rows("SELECT count(*) FROM document_chunks") == [(0,)]
            assert await store.database.rows("SELECT count(*) FROM documents") == [(0,)]

    run(scenario())


def test_what_an_event_names_stays_until_it_is_let_go(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, blobs, tenant):
            owner = (await capture(store, tenant)).id
            documents = [uuid4() for _ in range(5)]
            for document in documents:
                await blobs.put(tenant, document, KEY, stream(b"text"), of=owner)
            names: set[UUID] = set(documents[:3])

            async def named(*_: object) -> Collection[UUID]:
                return names

            monkeypatch.setattr(kept_bytes, "named_by", named)
            assert await sweep_unsure(store, blobs, at_once=2) == 0
            await store.database.rows(AGE)
            assert await sweep_unsure(store, blobs, at_once=2) == 2
            names.clear()
            assert await sweep_unsure(store, blobs) == 0
            await ledger.let_go(store.database, tenant, documents[:1])
            await store.database.rows(AGE)
            assert await sweep_unsure(store, blobs) == 1
            left = [one for one in documents if [one] == [row[0] for row in await rows_of(store, one)]]
            assert left == documents[1:3]
            for document in documents[1:3]:
                assert await read(blobs, tenant, document) == b"text"

    async def rows_of(store: Any, document: UUID) -> list[Any]:
        return list(
            await store.database.rows(
                "SELECT document_id FROM documents WHERE document_id = %(document)s", {"document": document}
            )
        )

    run(scenario())


def test_what_a_forgotten_subject_had_is_deleted_at_once(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, blobs, tenant):
            subject, others = uuid4(), uuid4()
            mine = [uuid4() for _ in range(5)]
            for document in mine:
                await blobs.put(tenant, document, KEY, stream(b"mine"), of=subject)
            await blobs.put(tenant, others, KEY, stream(b"another's"), of=uuid4())
            await store.database.rows(ledger.FORGET, {"tenant": tenant, "subjects": [subject]})
            assert await delete_gone(store.database, blobs, at_once=2) == 5
            for document in mine:
                with pytest.raises(DocumentLost):
                    await read(blobs, tenant, document)
            assert await read(blobs, tenant, others) == b"another's"
            assert await store.database.rows("SELECT count(*) FROM document_chunks") == [(1,)]

    run(scenario())
