"""Documents in the database. What fails leaves nothing, quotas hold under races, tenants are apart."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.commands.kept_bytes import sweep_unsure
from aureum.domain.errors import NotFound
from aureum.store.blobs import AlreadyStored, DocumentLost, QuotaFull, Stored, ledger
from aureum.store.blobs.chunks import CHUNK
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from tests.stores import open_brokerage, opened_store

KEY = AESGCM(bytes(32))
CHUNKS = "SELECT count(*) FROM document_chunks"
LEDGER = "SELECT document_id, bytes, whole, gone FROM documents"


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 30))


@asynccontextmanager
async def opened_blobs(url: str, quota: int | None = None) -> AsyncIterator[tuple[EventStore, KeptBlobs, UUID]]:
    """A store of bytes, and a brokerage."""
    async with opened_store(url) as store:
        tenant = await open_brokerage(store)
        await store.tenant_key(tenant)
        yield store, KeptBlobs(store.database, quota=quota), tenant


async def stream(*parts: bytes, then: BaseException | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if then is not None:
        raise then


async def read(blobs: KeptBlobs, tenant: UUID, document: UUID, key: AESGCM = KEY) -> bytes:
    return b"".join([part async for part in blobs.get(tenant, document, key)])


def test_what_is_put_is_got_until_it_is_deleted(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, blobs, tenant):
            texts = {uuid4(): text for text in (b"", b"short", bytes(range(256)) * 8_200)}
            for document, text in texts.items():
                stored = await blobs.put(tenant, document, KEY, stream(text[:70_000], text[70_000:]), of=uuid4())
                assert stored.bytes == len(text)
            assert await ledger.used(store.database, tenant) == sum(map(len, texts.values()))
            for document, text in texts.items():
                assert await read(blobs, tenant, document) == text
            again = next(iter(texts))
            with pytest.raises(AlreadyStored):
                await blobs.put(tenant, again, KEY, stream(b"other"), of=uuid4())
            assert await read(blobs, tenant, again) == texts[again]
            other = await open_brokerage(store)
            await store.tenant_key(other)
            await blobs.delete(other, list(texts))
            for document, text in texts.items():
                with pytest.raises(DocumentLost):
                    await read(blobs, other, document)
                assert await read(blobs, tenant, document) == text
            await blobs.delete(tenant, [*texts, uuid4()])
            with pytest.raises(DocumentLost):
                await read(blobs, tenant, again)
            assert await store.database.rows(CHUNKS) == [(0,)]
            assert await store.database.rows(LEDGER) == []

    run(scenario())


def test_an_upload_that_fails_leaves_nothing(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, blobs, tenant):
            with pytest.raises(KeyError):
                await blobs.put(tenant, uuid4(), KEY, stream(bytes(6 * CHUNK), then=KeyError()), of=uuid4())
            stands = asyncio.Event()

            async def still() -> AsyncIterator[bytes]:
                yield bytes(6 * CHUNK)
                stands.set()
                await asyncio.sleep(60)

            putting = asyncio.create_task(blobs.put(tenant, uuid4(), KEY, still(), of=uuid4()))
            await stands.wait()
            putting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await putting
            assert await store.database.rows(CHUNKS) == [(0,)]
            assert await store.database.rows(LEDGER) == []
            with pytest.raises(NotFound):
                await blobs.put(uuid4(), uuid4(), KEY, stream(b"of no brokerage"), of=uuid4())

    run(scenario())


def test_what_is_left_of_a_document_makes_room_for_the_same_one(database_url: str) -> None:
    """Ids that are made of hashes come again."""

    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, blobs, tenant):
            document = uuid4()
            await blobs.put(tenant, document, KEY, stream(b"picture"), of=uuid4())
            for broken in ("gone = true", "whole = false, begun_at = begun_at - interval '11 minutes'"):
                await store.database.rows(f"UPDATE documents SET {broken}")
                await blobs.put(tenant, document, KEY, stream(b"picture"), of=uuid4())
                assert await read(blobs, tenant, document) == b"picture"
            await store.database.rows("UPDATE documents SET whole = false")
            with pytest.raises(AlreadyStored):
                # Another request is about to put it.
                await blobs.put(tenant, document, KEY, stream(b"picture"), of=uuid4())
            await store.database.rows("UPDATE documents SET whole = true, begun_at = begun_at - interval '2 days'")
            with pytest.raises(AlreadyStored):
                await blobs.put(tenant, document, KEY, stream(b"picture"), of=uuid4())
            assert await sweep_unsure(store, blobs) == 0, "an event may be about to name it"

    run(scenario())


def test_of_uploads_at_the_same_time_as_many_are_taken_as_fit(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url, quota=1_000) as (store, blobs, tenant):

            async def put(size: int) -> Stored | BaseException:
                try:
                    return await blobs.put(tenant, uuid4(), KEY, stream(bytes(size)), of=uuid4(), at_most=300)
                except QuotaFull as full:
                    return full

            outcomes = await asyncio.gather(*(put(300) for _ in range(8)))
            assert sum(isinstance(one, Stored) for one in outcomes) == 3
            assert await ledger.used(store.database, tenant) == 900
            # What the worker makes itself is never refused.
            await blobs.put(tenant, uuid4(), KEY, stream(bytes(400)), of=uuid4())
            full = await put(1)
            assert isinstance(full, QuotaFull) and "AUREUM_DOCUMENTS_QUOTA_GB" in str(full)
            other = await open_brokerage(store)
            await store.tenant_key(other)
            assert await blobs.put(other, uuid4(), KEY, stream(bytes(300)), of=uuid4(), at_most=300)

    run(scenario())


DAMAGES = (
    "DELETE FROM document_chunks WHERE n = 0",
    "DELETE FROM document_chunks WHERE n = (SELECT max(n) FROM document_chunks)",
    "DELETE FROM document_chunks",
    "UPDATE document_chunks SET data = set_byte(data, 100, 255 - get_byte(data, 100)) WHERE n = 1",
    "UPDATE document_chunks SET n = 100 - n",
    "UPDATE documents SET in_bucket = true",
)


def test_what_is_damaged_in_the_database_is_never_passed_on_as_whole(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, blobs, tenant):
            for damage in DAMAGES:
                document = uuid4()
                await blobs.put(tenant, document, KEY, stream(bytes(5 * CHUNK + 1)), of=uuid4())
                await store.database.rows(damage)
                with pytest.raises(DocumentLost):
                    await read(blobs, tenant, document)
                await store.database.rows("TRUNCATE documents, document_chunks")

    run(scenario())


def test_what_a_forgotten_subject_had_is_no_longer_there(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, blobs, tenant):
            subject, document, late = uuid4(), uuid4(), uuid4()
            await blobs.put(tenant, document, KEY, stream(b"of a person"), of=subject)

            async def forgotten_meanwhile() -> AsyncIterator[bytes]:
                yield b"of the same"
                await store.database.rows(ledger.FORGET, {"tenant": tenant, "subjects": [subject]})

            with pytest.raises(AlreadyStored):
                await blobs.put(tenant, late, KEY, forgotten_meanwhile(), of=subject)
            with pytest.raises(DocumentLost):
                await read(blobs, tenant, document)
            assert await ledger.used(store.database, tenant) == 0
            assert await store.database.rows(LEDGER) == [(document, 11, True, True)]

    run(scenario())


def test_the_service_sees_no_chunk_of_another_tenant(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, blobs, tenant):
            document = uuid4()
            await blobs.put(tenant, document, KEY, stream(b"mine"), of=uuid4())
            for table in ("documents", "document_chunks"):
                assert len(await store.database.tenant_rows(tenant, f"SELECT 1 FROM {table}", {})) == 1
                assert await store.database.tenant_rows(uuid4(), f"SELECT 1 FROM {table}", {}) == []

    run(scenario())
