"""The bytes of documents come along with a brokerage: all of them, and under the new keys of their envelopes."""

import asyncio
from collections.abc import Iterator
from uuid import UUID, uuid4

import orjson
import pytest

from aureum.store.blobs import ledger
from aureum.store.blobs.chunks import CHUNK
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import EventStore
from aureum.store.postgres.database import Database
from aureum.store.writer import AppendWriter
from aureum.transfer.lines import DOCUMENTS, Broken
from aureum.transfer.reading import Unreadable
from tests.conftest import fresh_database
from tests.signing.deals import CONTRACT
from tests.signing.templates import a_template, begun_from
from tests.store.blobs.test_keeping import read, stream
from tests.stores import capture, open_brokerage, opened_store
from tests.transfer.moving import OTHER_MASTER_KEY, exported, imported, lines_of, state

PASSPHRASE = b"correct horse battery"
TEXTS = {
    uuid4(): b"",
    uuid4(): b"short and personal",
    uuid4(): b"%PDF-" + bytes(CHUNK - 5),
    uuid4(): bytes(range(256)) * 3_000,
}


@pytest.fixture(scope="module")
def elsewhere(server_url: str, template: str) -> Iterator[str]:
    """The database of another installation."""
    with fresh_database(server_url, template) as url:
        yield url


async def brokerage_with_documents(store: EventStore) -> tuple[UUID, UUID]:
    """A brokerage, and the subject that has the documents; beside it one that was forgotten, and a broken upload."""
    tenant = await open_brokerage(store)
    blobs = KeptBlobs(store.database)
    owner, other = (await capture(store, tenant)).id, uuid4()
    key = (await store.load(tenant, owner)).subject_key
    assert key is not None
    for document, text in TEXTS.items():
        await blobs.put(tenant, document, key, stream(text), of=owner)
    await blobs.put(tenant, uuid4(), key, stream(b"forgotten"), of=other)
    await store.database.rows(ledger.FORGET, {"tenant": tenant, "subjects": [other]})
    await blobs.put(tenant, uuid4(), key, stream(b"broken off"), of=owner)
    await store.database.rows("UPDATE documents SET whole = false WHERE bytes = 10")
    return tenant, owner


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_documents_come_along(module_database_url: str, elsewhere: str, passphrase: bytes | None) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, owner = await brokerage_with_documents(store)
            file, _ = await exported(module_database_url, tenant, passphrase)
            parts = [line for line in lines_of(file) if line["type"] == DOCUMENTS]
            assert len(parts) == 1 + 1 + 1 + 3
            assert (b"c2hvcnQgYW5kIHBlcnNvbmFs" in file) is (passphrase is None)
            await imported(elsewhere, file, passphrase)
        keys = TenantKeys(MasterKey(OTHER_MASTER_KEY))
        async with Database(elsewhere) as database, AppendWriter(elsewhere) as writer:
            there = EventStore(database, writer, keys)
            key = (await there.load(tenant, owner)).subject_key
            assert key is not None
            for document, text in TEXTS.items():
                assert await read(KeptBlobs(database), tenant, document, key) == text
            about = {"tenant": tenant}
            rows = await database.rows("SELECT bytes FROM documents WHERE tenant_id = %(tenant)s", about)
            assert sorted(size for (size,) in rows) == sorted(map(len, TEXTS.values()))

    asyncio.run(scenario())


def test_an_envelope_begins_elsewhere_from_a_template_that_came_along(module_database_url: str, elsewhere: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant = await open_brokerage(store)
            template = await a_template(store, tenant)
            here, _ = await begun_from(store, tenant, template)
            file, _ = await exported(module_database_url, tenant)
            await imported(elsewhere, file)
            assert await state(elsewhere, tenant) == await state(module_database_url, tenant)
        keys = TenantKeys(MasterKey(OTHER_MASTER_KEY))
        async with Database(elsewhere) as database, AppendWriter(elsewhere) as writer:
            there = EventStore(database, writer, keys)
            begun, original = await begun_from(there, tenant, template)
            assert original == CONTRACT and begun.id != here.id
            assert [(one.kind, one.anchor) for one in begun.fields] == [("signature", "/sig:buyer/")]
            rows = await database.rows("SELECT bytes FROM documents WHERE tenant_id = %(tenant)s", {"tenant": tenant})
            assert rows == [(len(CONTRACT),)] * 3, "of the template, of the envelope that came along, and of this one"

    asyncio.run(scenario())


def test_a_file_with_other_chunks_is_refused_and_a_document_that_is_damaged_is_not_exported(
    module_database_url: str, elsewhere: str
) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, _ = await brokerage_with_documents(store)
            file, _ = await exported(module_database_url, tenant)
            lines = file.splitlines(keepends=True)
            at = [n for n, line in enumerate(lines) if DOCUMENTS.encode() in line]
            long = next(n for n in at if not orjson.loads(lines[n])["data"]["last"])
            for damaged, why in (
                ([*lines[:long], *lines[long + 1 :]], "missing"),
                ([*lines[: long + 1], *lines[long + 2 :]], "not the next chunk"),
                ([*lines[: long + 1], lines[long], *lines[long + 1 :]], "not the next chunk"),
                ([*lines[:long], lines[long].replace(b'"n":0', b'"n":-1'), *lines[long + 1 :]], "is none"),
                ([*lines[:long], lines[long].replace(b'"bytes":"', b'"bytes":"!'), *lines[long + 1 :]], "not a part"),
                ([*lines[:long], lines[long].replace(b'"bytes":"', b'"bytes":"AAAA'), *lines[long + 1 :]], "size"),
            ):
                with pytest.raises(Unreadable, match=why):
                    await imported(elsewhere, b"".join(damaged))
            await store.database.rows("DELETE FROM document_chunks WHERE tenant_id = %(t)s AND n = 1", {"t": tenant})
            with pytest.raises(Broken, match="missing or damaged"):
                await exported(module_database_url, tenant)

    asyncio.run(scenario())
