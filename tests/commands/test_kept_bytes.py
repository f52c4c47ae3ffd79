"""Bytes that no event names are swept after a day, also those of a process that was killed; what is named stays."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

import pytest

from aureum.commands.envelopes.drafting import (
    AttachDocument,
    DraftEnvelope,
    RemoveDocument,
    attach_document,
    draft_envelope,
    remove_document,
)
from aureum.commands.kept_bytes import delete_gone, sweep_unsure
from aureum.domain.envelope_parts import Document
from aureum.store.blobs import DocumentLost, ledger
from aureum.store.metadata import COMMAND_LINE, Origin
from tests.store.blobs.test_keeping import KEY, opened_blobs, read, stream

ORIGIN = Origin(COMMAND_LINE)
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


def test_what_an_event_names_stays_until_it_is_let_go(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, blobs, tenant):
            envelope, _ = await draft_envelope(store, DraftEnvelope(tenant_id=tenant, subject="Offer"), ORIGIN)
            about: dict[str, Any] = {"tenant_id": tenant, "envelope_id": envelope.id}
            documents = [uuid4() for _ in range(5)]
            for document in documents:
                stored = await blobs.put(tenant, document, KEY, stream(document.bytes), of=envelope.id)
            for document in documents[:3]:
                attach = AttachDocument(
                    **about,
                    document=Document(id=document, name="Offer.pdf", sha256=stored.sha256, bytes=stored.bytes, pages=1),
                )
                await attach_document(store, attach, ORIGIN)
            assert await sweep_unsure(store, blobs, at_once=2) == 0
            await store.database.rows(AGE)
            assert await sweep_unsure(store, blobs, at_once=2) == 2
            # What was looked at is not looked at again, unless it is to be taken out.
            await remove_document(store, RemoveDocument(**about, document_id=documents[1]), ORIGIN)
            await store.database.rows(AGE)
            assert await sweep_unsure(store, blobs) == 0
            await ledger.let_go(store.database, tenant, documents[:2])
            assert await sweep_unsure(store, blobs) == 0
            await store.database.rows(AGE)
            assert await sweep_unsure(store, blobs) == 1
            left = await store.database.rows("SELECT document_id FROM documents")
            assert {document for (document,) in left} == {documents[0], documents[2]}
            for document in (documents[0], documents[2]):
                assert await read(blobs, tenant, document) == document.bytes

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
