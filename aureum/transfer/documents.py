"""The bytes of documents in an exported file, behind the log and the links: a line for each chunk of each document.

    data.document   the id of the document
    data.of         the envelope or template that it belongs to
    data.n          the number of the chunk
    data.last       whether it is the last
    data.bytes      the chunk in base64; or data.sealed: under the file's passphrase

What is encrypted here with the key of an envelope is encrypted there with the new key of the same envelope, in the
transaction of the import: in the database, also where new documents go to a bucket.
"""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import AsyncConnection

from aureum.domain.ids import from_wire, to_wire
from aureum.store.blobs import BlobStore, DocumentLost
from aureum.store.blobs.chunks import CHUNK, chunk_context, in_chunks
from aureum.store.cipher import TenantKey, seal
from aureum.store.event_log import SUBJECT_KEYS
from aureum.transfer.lines import DOCUMENTS, Broken, special
from aureum.transfer.sealing import LineSeal, WrongPassphrase

PAGE = """
SELECT d.document_id, d.subject_id, k.wrapped
  FROM documents d
  JOIN subject_keys k ON k.tenant_id = d.tenant_id AND k.subject_id = d.subject_id
 WHERE d.tenant_id = %(tenant)s AND d.whole AND NOT d.gone AND d.document_id > %(after)s
 ORDER BY d.document_id LIMIT 100
"""

IS_THERE = "SELECT FROM documents WHERE tenant_id = %(tenant)s AND document_id = %(document)s AND whole AND NOT gone"

KEEP = """
INSERT INTO documents (tenant_id, document_id, subject_id, in_bucket, bytes, begun_at, whole)
VALUES (%(tenant)s, %(document)s, %(subject)s, false, %(bytes)s, clock_timestamp(), true)
"""

KEEP_CHUNK = """
INSERT INTO document_chunks (tenant_id, document_id, n, data) VALUES (%(tenant)s, %(document)s, %(n)s, %(data)b)
"""

MOST_CHUNKS = 1 << 20
OF_DOCUMENTS = 1 << 89
"""Lines of documents are sealed under numbers from here on, which no other line has."""

LOST = "The bytes of document {document} are missing or damaged. 'aureum doctor' says which are."


@dataclass(frozen=True, slots=True)
class DocumentPart:
    """A chunk of a document, as a line has it."""

    document_id: UUID
    subject_id: UUID
    number: int
    last: bool
    data: bytes


def sealed_at(document_id: UUID, number: int) -> bytes:
    """What is authenticated with a sealed chunk."""
    return b"document" + document_id.bytes + number.to_bytes(4, "big")


async def document_lines(
    connection: AsyncConnection[Any], blobs: BlobStore, key: TenantKey, seal: LineSeal | None, source: str, at: str
) -> AsyncIterator[bytes]:
    """The lines of all documents of a brokerage. Raises Broken, BucketUnavailable, Unavailable, the driver's errors."""
    cursor, after, line = connection.cursor(binary=True), UUID(int=0), 0
    while True:
        await cursor.execute(PAGE, {"tenant": key.tenant_id, "after": after})
        rows = await cursor.fetchall()
        for document_id, subject_id, wrapped in rows:
            async for part in parts_of(connection, blobs, key, document_id, subject_id, wrapped):
                said = {
                    "document": to_wire(document_id),
                    "of": to_wire(subject_id),
                    "n": part.number,
                    "last": part.last,
                }
                if seal is None:
                    said["bytes"] = b64encode(part.data).decode()
                else:
                    said["sealed"] = seal.seal(OF_DOCUMENTS | line, sealed_at(document_id, part.number), part.data)
                    said["line"] = line
                yield special(source, DOCUMENTS, f"documents.{line}", at, said)
                line += 1
            after = document_id
        if not rows:
            return


async def parts_of(
    connection: AsyncConnection[Any],
    blobs: BlobStore,
    key: TenantKey,
    document_id: UUID,
    subject_id: UUID,
    wrapped: bytes,
) -> AsyncIterator[DocumentPart]:
    """The chunks of one document; none, if it was deleted a moment ago. Raises Broken."""
    opened = key.open_subject_key(subject_id, wrapped)
    number, waiting = 0, b""
    try:
        async for chunk in in_chunks(blobs.get(key.tenant_id, document_id, opened), CHUNK):
            if waiting:
                yield DocumentPart(document_id, subject_id, number, False, waiting)
                number += 1
            waiting = chunk
    except DocumentLost as error:
        about = {"tenant": key.tenant_id, "document": document_id}
        if not number and await (await connection.execute(IS_THERE, about)).fetchone() is None:
            return
        raise Broken(LOST.format(document=to_wire(document_id))) from error
    yield DocumentPart(document_id, subject_id, number, True, waiting)


def read_part(line: Mapping[str, Any], seal: LineSeal | None) -> DocumentPart:
    """The chunk of a line. Raises Broken, WrongPassphrase."""
    try:
        said = line["data"]
        document_id, subject_id = from_wire(said["document"]), from_wire(said["of"])
        number, last = said["n"], said["last"]
        if document_id is None or subject_id is None or type(number) is not int or type(last) is not bool:
            raise Broken("it does not name a document")
        if not 0 <= number < MOST_CHUNKS:
            raise Broken("the number of its chunk is none")
        if seal is None:
            data = b64decode(said["bytes"], validate=True)
        else:
            at = said["line"]
            if type(at) is not int or not 0 <= at < OF_DOCUMENTS:
                raise Broken("its number is none")
            data = seal.open(OF_DOCUMENTS | at, sealed_at(document_id, number), said["sealed"])
    except (Broken, WrongPassphrase):
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Broken("it is not a part of a document as 'aureum export' writes it") from error
    if len(data) > CHUNK or (not last and len(data) < CHUNK):
        raise Broken("it does not have the size of a chunk")
    return DocumentPart(document_id, subject_id, number, last, data)


class DocumentWriter:
    """The documents of one tenant, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection[Any], key: TenantKey) -> None:
        self.connection = connection
        self.key = key
        self.open: DocumentPart | None = None
        """The part before, if its document has not ended."""
        self.of: tuple[UUID, AESGCM | None] | None = None
        self.bytes = 0
        self.documents = 0

    async def write(self, part: DocumentPart) -> None:
        """Store a chunk. What belongs to a subject without a key is left out: it was erased, or came behind the log.
        Raises Broken, and the driver's errors."""
        before = self.open
        if before is None:
            if part.number:
                raise Broken("the chunks of its document before it are missing")
            self.bytes = 0
        elif (part.document_id, part.subject_id, part.number) != (
            before.document_id,
            before.subject_id,
            before.number + 1,
        ):
            raise Broken("it is not the next chunk of its document")
        self.open = None if part.last else part
        self.bytes += len(part.data)
        subject_key = await self.key_of(part.subject_id)
        if subject_key is None:
            return
        where = chunk_context(self.key.tenant_id, part.document_id, part.number, part.last)
        about = {"tenant": self.key.tenant_id, "document": part.document_id, "subject": part.subject_id}
        sealed = seal(subject_key, part.data, where)
        await self.connection.execute(KEEP_CHUNK, about | {"n": part.number, "data": sealed})
        if part.last:
            await self.connection.execute(KEEP, about | {"bytes": self.bytes})
            self.documents += 1

    async def key_of(self, subject_id: UUID) -> AESGCM | None:
        """The key of a subject, which the log has made."""
        if self.of is None or self.of[0] != subject_id:
            cursor = self.connection.cursor(binary=True)
            await cursor.execute(SUBJECT_KEYS, {"tenant": self.key.tenant_id, "subjects": [subject_id]})
            rows = await cursor.fetchall()
            self.of = (subject_id, self.key.open_subject_key(subject_id, rows[0][1]) if rows else None)
        return self.of[1]

    def end(self) -> None:
        """Raises Broken unless the last document is whole."""
        if self.open is not None:
            raise Broken("a document before it is cut short")
