"""Encrypted chunks as one object of an S3-compatible bucket, one behind the other: all but the last have the same size.

The object's name has the ids of the brokerage and the document, and nothing else is known of it there. An upload that
is broken off leaves nothing: an object appears when it is whole.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from aureum.domain.ids import to_wire
from aureum.settings.documents import Bucket
from aureum.store.blobs import BucketUnavailable, DocumentLost
from aureum.store.blobs.chunks import SEALED, in_chunks

PART = 5 << 20
"""Bytes of a part of an upload; S3 takes none that is smaller, but for the last."""

AT_ONCE = 2
"""Parts that are under way at the same time."""

TIMEOUT = "30s"
RETRIES = 3


class BucketChunks:
    """Chunks in a bucket. Credentials are those of the variables ``AWS_…``, or of the machine."""

    def __init__(self, bucket: Bucket) -> None:
        from obstore.store import S3Store

        self.store = S3Store(
            bucket.name,
            prefix=bucket.prefix or None,
            endpoint=bucket.endpoint,
            region=bucket.region,
            client_options={"allow_http": bucket.allows_http, "timeout": TIMEOUT, "connect_timeout": "5s"},
            retry_config={"max_retries": RETRIES},
        )

    async def write(self, tenant_id: UUID, document_id: UUID, chunks: AsyncIterator[bytes]) -> None:
        """Write the chunks of a document. Raises BucketUnavailable, and what *chunks* raise."""
        import obstore

        failed: list[BaseException] = []

        async def noted() -> AsyncIterator[bytes]:
            try:
                async for chunk in chunks:
                    yield chunk
            except BaseException as error:
                failed.append(error)
                raise

        try:
            with reached():
                await obstore.put_async(
                    self.store, name_of(tenant_id, document_id), noted(), chunk_size=PART, max_concurrency=AT_ONCE
                )
        except Exception as error:
            # What *chunks* raised may come out as another error.
            if failed and error is not failed[0]:
                raise failed[0] from None
            raise

    async def read(self, tenant_id: UUID, document_id: UUID) -> AsyncIterator[bytes]:
        """The chunks of a document, in their order. Raises BucketUnavailable, DocumentLost."""
        import obstore

        with reached():
            found = await obstore.get_async(self.store, name_of(tenant_id, document_id))
        blocks = aiter(found.stream(min_chunk_size=SEALED))

        async def parts() -> AsyncIterator[bytes]:
            while True:
                with reached():
                    block = await anext(blocks, None)
                if block is None:
                    return
                yield bytes(block)

        async for chunk in in_chunks(parts(), SEALED):
            yield chunk

    async def delete(self, tenant_id: UUID, document_ids: Sequence[UUID]) -> None:
        """Delete these documents. Raises BucketUnavailable."""
        import obstore

        for document_id in document_ids:
            try:
                with reached():
                    await obstore.delete_async(self.store, name_of(tenant_id, document_id))
            except DocumentLost:
                continue  # it is gone, as it is to be

    async def objects(self) -> AsyncIterator[tuple[str, int]]:
        """The name and size of all objects there. Raises BucketUnavailable."""
        import obstore

        pages = aiter(obstore.list(self.store))
        while True:
            with reached():
                page = await anext(pages, None)
            if page is None:
                return
            for one in page:
                yield one["path"], one["size"]


def name_of(tenant_id: UUID, document_id: UUID) -> str:
    """The name of a document's object, below the prefix."""
    return f"{to_wire(tenant_id)}/{to_wire(document_id)}"


@contextmanager
def reached() -> Iterator[None]:
    """Errors of the package as they are told: what is missing is DocumentLost, all else BucketUnavailable."""
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    try:
        yield
    except (FileNotFoundError, LookupError) as error:
        raise DocumentLost from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise BucketUnavailable(
            "The bucket with the documents refuses Aureum's credentials. The operator checks AUREUM_DOCUMENTS_URL and "
            "the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        ) from error
    except (BaseError, OSError) as error:
        raise BucketUnavailable from error
