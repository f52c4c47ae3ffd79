"""Documents in a bucket of a server that was written elsewhere (moto, which speaks S3)."""

import asyncio
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import obstore
import pytest

from aureum.cli.installation import tenant_of
from aureum.commands.kept_bytes import delete_gone, sweep_unsure
from aureum.settings.documents import bucket
from aureum.store.blobs import BucketUnavailable, DocumentLost, ledger
from aureum.store.blobs.chunks import CHUNK, SEALED
from aureum.store.blobs.in_bucket import BucketChunks, name_of
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from tests.cli.conftest import Terminal, terminal
from tests.clients.tools import Tools
from tests.conftest import fresh_database
from tests.store.blobs.test_keeping import KEY, opened_blobs, read, stream

__all__ = ["terminal"]

pytestmark = pytest.mark.clients

NAME = "documents"
LARGE = 100 * CHUNK + 17
"""25 MiB: several parts of an upload."""


@pytest.fixture(scope="module")
def bucket_url(tools: Tools) -> Iterator[str]:
    """A bucket, as AUREUM_DOCUMENTS_URL names it."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [str(tools.folder / "python" / "bin" / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, env=tools.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        while not is_made(endpoint):
            assert process.poll() is None
            time.sleep(0.1)
        yield f"s3://{NAME}/aureum/test?endpoint={endpoint}&region=us-east-1"
    finally:
        process.kill()
        process.wait()


def is_made(endpoint: str) -> bool:
    """Make the bucket, unless the server does not answer yet."""
    try:
        asked(f"{endpoint}/{NAME}", "PUT")
    except urllib.error.URLError:
        return False
    return True


def asked(url: str, method: str = "GET") -> bytes:
    """What the server says. Raises URLError."""
    request = urllib.request.Request(url, method=method, headers={"Authorization": CREDENTIAL})  # noqa: S310  our own server
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body


CREDENTIAL = "AWS4-HMAC-SHA256 Credential=test/20261130/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the server wants: any."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 60))


async def objects(chunks: BucketChunks) -> dict[str, int]:
    """Of each object its name and size."""
    return {name: size async for name, size in chunks.objects()}


def test_documents_are_put_got_and_deleted_there(database_url: str, bucket_url: str) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, rows, tenant):
            chunks = BucketChunks(bucket(bucket_url))
            blobs = KeptBlobs(store.database, chunks)
            texts = {uuid4(): bytes(size) for size in (0, 1, CHUNK, LARGE)}
            for document, text in texts.items():
                assert (await blobs.put(tenant, document, KEY, stream(text), of=uuid4())).bytes == len(text)
                assert await read(blobs, tenant, document) == text
            assert await store.database.rows("SELECT count(*) FROM document_chunks") == [(0,)]
            assert set(await objects(chunks)) == {name_of(tenant, document) for document in texts}
            # What was put before there was a bucket stays where it is.
            before = uuid4()
            await rows.put(tenant, before, KEY, stream(b"before"), of=uuid4())
            assert await read(blobs, tenant, before) == b"before"
            with pytest.raises(DocumentLost, match="AUREUM_DOCUMENTS_URL"):
                await read(rows, tenant, next(iter(texts)))
            await blobs.delete(tenant, [*texts, before])
            assert await objects(chunks) == {}
            assert await store.database.rows("SELECT count(*) FROM documents") == [(0,)]

    run(scenario())


def test_what_fails_or_is_forgotten_leaves_nothing_there(database_url: str, bucket_url: str) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, _, tenant):
            chunks = BucketChunks(bucket(bucket_url))
            blobs = KeptBlobs(store.database, chunks)
            with pytest.raises(KeyError):
                await blobs.put(tenant, uuid4(), KEY, stream(bytes(LARGE), then=KeyError()), of=uuid4())
            assert b"<UploadId>" not in asked(f"{bucket(bucket_url).endpoint}/{NAME}?uploads")
            stands = asyncio.Event()

            async def still() -> AsyncIterator[bytes]:
                yield bytes(LARGE)
                stands.set()
                await asyncio.sleep(60)

            putting = asyncio.create_task(blobs.put(tenant, uuid4(), KEY, still(), of=uuid4()))
            await stands.wait()
            putting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await putting
            assert await objects(chunks) == {}
            subject, document = uuid4(), uuid4()
            await blobs.put(tenant, document, KEY, stream(b"of a person"), of=subject)
            await store.database.rows(ledger.FORGET, {"tenant": tenant, "subjects": [subject]})
            with pytest.raises(DocumentLost):
                await read(blobs, tenant, document)
            assert await delete_gone(store.database, blobs) == 1
            await blobs.put(tenant, uuid4(), KEY, stream(b"of no event"), of=uuid4())
            await store.database.rows("UPDATE documents SET begun_at = begun_at - interval '25 hours'")
            assert await sweep_unsure(store, blobs) == 1
            assert await objects(chunks) == {}

    run(scenario())


def test_what_is_damaged_there_is_never_passed_on_as_whole(database_url: str, bucket_url: str) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, _, tenant):
            chunks = BucketChunks(bucket(bucket_url))
            blobs = KeptBlobs(store.database, chunks)
            document = uuid4()
            await blobs.put(tenant, document, KEY, stream(bytes(3 * CHUNK)), of=uuid4())
            name = name_of(tenant, document)
            whole = bytes(await (await obstore.get_async(chunks.store, name)).bytes_async())
            first, second = whole[:SEALED], whole[SEALED : 2 * SEALED]
            flipped = bytearray(whole)
            flipped[SEALED + 99] ^= 1
            for damaged in (
                whole[: 2 * SEALED],
                whole[:-1],
                whole + b"\0",
                second + first + whole[2 * SEALED :],
                bytes(flipped),
                b"",
            ):
                await obstore.put_async(chunks.store, name, damaged)
                with pytest.raises(DocumentLost):
                    await read(blobs, tenant, document)
            await obstore.put_async(chunks.store, name, whole)
            assert await read(blobs, tenant, document) == bytes(3 * CHUNK)
            await obstore.delete_async(chunks.store, name)
            with pytest.raises(DocumentLost):
                await read(blobs, tenant, document)
            await blobs.delete(tenant, [document])

    run(scenario())


def test_a_bucket_that_cannot_be_used_says_so(database_url: str, bucket_url: str) -> None:
    async def scenario() -> None:
        async with opened_blobs(database_url) as (store, _, tenant):
            there = bucket(bucket_url)
            for wrong in (replace(there, name="another"), replace(there, endpoint="http://127.0.0.1:9")):
                blobs = KeptBlobs(store.database, BucketChunks(wrong))
                with pytest.raises((BucketUnavailable, DocumentLost)):
                    await blobs.put(tenant, uuid4(), KEY, stream(b"text"), of=uuid4())
            # The second could not take back what it had begun: the sweep does, once the bucket is there again.
            assert await store.database.rows("SELECT bool_and(gone) FROM documents") == [(True,)]
            assert await delete_gone(store.database, KeptBlobs(store.database, BucketChunks(there))) >= 1

    run(scenario())


def incomplete(terminal: Terminal) -> int:
    """How many documents ``aureum doctor`` says are not whole."""
    found = terminal.run("doctor", "--json").json["findings"]
    return sum(one["check"] == "documents" for one in found)


@pytest.mark.parametrize("to_bucket", [True, False])
def test_a_backup_has_them(
    terminal: Terminal, server_url: str, bucket_url: str, tmp_path: Path, to_bucket: bool
) -> None:
    slug = terminal.brokerage()
    texts = {uuid4(): bytes(size) for size in (0, 1, LARGE)}
    chunks = BucketChunks(bucket(bucket_url))
    tenants: list[UUID] = []

    async def put(store: EventStore) -> None:
        tenants.append(await tenant_of(store.database, slug))
        await store.tenant_key(tenants[0])
        for document, text in texts.items():
            await KeptBlobs(store.database, chunks).put(tenants[0], document, KEY, stream(text), of=uuid4())

    async def empty(_: EventStore) -> None:
        await chunks.delete(tenants[0], list(texts))

    async def same(store: EventStore) -> None:
        blobs = KeptBlobs(store.database, chunks if to_bucket else None)
        for document, text in texts.items():
            assert await read(blobs, tenants[0], document) == text
        await blobs.delete(tenants[0], list(texts))
        assert await objects(chunks) == {}

    with fresh_database(server_url, "template0") as elsewhere:
        terminal.in_store(put)
        terminal.monkeypatch.setenv("AUREUM_DOCUMENTS_URL", bucket_url)
        assert incomplete(terminal) == 0
        file = tmp_path / "one.backup"
        assert terminal.json("backup", "--file", str(file))["documents"] == 3
        terminal.in_store(empty)
        assert incomplete(terminal) == 3
        here, terminal.url = terminal.url, elsewhere
        terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", elsewhere)
        if not to_bucket:
            terminal.monkeypatch.delenv("AUREUM_DOCUMENTS_URL")
        terminal.json("restore", "--file", str(file))
        assert incomplete(terminal) == 0
        terminal.in_store(same)
        terminal.url = here
        terminal.in_store(lambda store: KeptBlobs(store.database, chunks).delete(tenants[0], list(texts)))
