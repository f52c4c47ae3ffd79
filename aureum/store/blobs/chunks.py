"""A stream of bytes as encrypted chunks, and back.

A chunk is a nonce, 256 KiB encrypted by AES-GCM, and a tag. Its place is authenticated with it: the brokerage, the
document, the chunk's number, and whether it is the last. So a chunk that was changed, left out, put elsewhere or added
is found, and so is an end that was cut off.
"""

import hashlib
from collections.abc import AsyncIterator
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.store.blobs import DocumentLost, Stored
from aureum.store.cipher import NONCE_BYTES, seal, unseal

CHUNK = 256 * 1024
TAG_BYTES = 16
SEALED = NONCE_BYTES + CHUNK + TAG_BYTES
"""Bytes of every chunk but the last."""


def chunk_context(tenant_id: UUID, document_id: UUID, number: int, last: bool) -> bytes:
    """Where a chunk stands."""
    return b"".join((b"document", tenant_id.bytes, document_id.bytes, number.to_bytes(4, "big"), bytes([last])))


class Measured:
    """Passes *parts* on, and counts and hashes them."""

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        self.parts = parts
        self.bytes = 0
        self.digest = hashlib.sha256()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self.parts:
            self.bytes += len(part)
            self.digest.update(part)
            yield part

    def stored(self) -> Stored:
        """What has passed."""
        return Stored(self.bytes, self.digest.hexdigest())


async def in_chunks(parts: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """What *parts* bring, cut at every *size* bytes; what is left comes last, if there is any."""
    waiting = bytearray()
    async for part in parts:
        waiting += part
        cut = 0
        while len(waiting) - cut >= size:
            yield bytes(waiting[cut : cut + size])
            cut += size
        del waiting[:cut]
    if waiting:
        yield bytes(waiting)


async def sealed(key: AESGCM, tenant_id: UUID, document_id: UUID, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The encrypted chunks of a document; one, if it is empty."""
    number, waiting = 0, b""
    async for chunk in in_chunks(parts, CHUNK):
        if waiting:
            yield seal(key, waiting, chunk_context(tenant_id, document_id, number, False))
            number += 1
        waiting = chunk
    yield seal(key, waiting, chunk_context(tenant_id, document_id, number, True))


async def opened(key: AESGCM, tenant_id: UUID, document_id: UUID, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The inverse of ``sealed``. Raises DocumentLost if any chunk is not what stood in its place."""
    number = 0
    waiting: bytes | None = None
    try:
        async for chunk in chunks:
            if waiting is not None:
                yield unseal(key, waiting, chunk_context(tenant_id, document_id, number, False))
                number += 1
            waiting = chunk
        if waiting is None:
            raise DocumentLost
        yield unseal(key, waiting, chunk_context(tenant_id, document_id, number, True))
    except (InvalidTag, ValueError) as error:
        # ValueError: what is left of the chunk has no room for a nonce.
        raise DocumentLost from error


def sealed_size(size: int) -> int:
    """Bytes of all chunks of a document of *size* bytes."""
    return size + (NONCE_BYTES + TAG_BYTES) * max(1, -(-size // CHUNK))
