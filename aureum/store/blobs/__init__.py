"""The bytes of documents: encrypted, in chunks, in the database or in a bucket.

    BlobStore        what all others use: put, get, delete
    keeping.py       keeps the ledger, and encrypts what passes through
    ledger.py        which documents there are, whose they are, and how much room they take
    chunks.py        a stream of bytes as encrypted chunks, and back
    in_database.py   chunks as rows of ``document_chunks``
    in_bucket.py     the same chunks as one object of an S3-compatible bucket
    opening.py       the store that the settings ask for

Bytes are put before the events that name them are appended, never under a lock of the log. What no event names is swept
after a day (``commands/kept_bytes.py``). docs/decisions/documents.md says why it is so.
"""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.domain.errors import AlreadyTaken, Busy, WrongState


class Stored(NamedTuple):
    """What was put: how many *bytes*, and their SHA-256 in hexadecimal digits."""

    bytes: int
    sha256: str


class AlreadyStored(AlreadyTaken):
    """Another upload has stored a document under this id. Upload it again."""


class QuotaFull(WrongState):
    """The brokerage's documents take all the room that they may."""

    def __init__(self, quota: int) -> None:
        super().__init__(
            f"The brokerage's documents take all of the {quota / 1e9:g} GB that they may. Delete drafts that are no "
            "longer needed, or ask the operator to raise AUREUM_DOCUMENTS_QUOTA_GB."
        )


class DocumentLost(Busy):
    """The bytes of this document are missing or damaged. The operator runs 'aureum doctor', and restores a backup."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(retry_after=60, message=message or " ".join((type(self).__doc__ or "").split()))


class BucketUnavailable(Busy):
    """The bucket with the documents cannot be reached at the moment. Try again shortly."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(retry_after=5, message=message)


class BlobStore(Protocol):
    """Where the bytes of documents are. Memory does not grow with a document."""

    async def put(
        self,
        tenant_id: UUID,
        document_id: UUID,
        key: AESGCM,
        parts: AsyncIterator[bytes],
        *,
        of: UUID,
        at_most: int | None = None,
    ) -> Stored:
        """Store what *parts* bring, encrypted with the *key* of the subject *of*: the envelope or the template. With
        *at_most* the brokerage's quota must have room for so many bytes.

        If it fails, or *parts* do, nothing stays. Raises AlreadyStored, QuotaFull, BucketUnavailable, Unavailable, and
        what *parts* raise.
        """
        ...

    def get(self, tenant_id: UUID, document_id: UUID, key: AESGCM) -> AsyncIterator[bytes]:
        """The bytes of a document, in parts of up to 256 KiB. Raises DocumentLost, BucketUnavailable, Unavailable."""
        ...

    async def delete(self, tenant_id: UUID, document_ids: Sequence[UUID]) -> None:
        """Delete these documents; those that are not there are passed over. Raises BucketUnavailable, Unavailable."""
        ...
