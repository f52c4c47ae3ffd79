"""The documents of a bucket in a backup: copied into the file, and back."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import IO

from aureum.cli.installation import Installation

FOLDER = "documents/"

BLOCK = 1 << 20


async def add_documents(here: Installation, archive: zipfile.ZipFile) -> int:
    """Copy all documents of the bucket into *archive*. Returns how many. Raises DocumentLost, BucketUnavailable."""
    from aureum.store.blobs import DocumentLost
    from aureum.store.blobs.backing_up import in_bucket, is_missing
    from aureum.store.blobs.opening import bucket_of
    from aureum.store.postgres.database import Database

    count = 0
    async with Database(here.url, prepared=here.settings.prepared_statements) as database:
        async for one, blocks in in_bucket(database, bucket_of(here.settings.documents_url)):
            try:
                first = await anext(blocks, b"")
            except DocumentLost:
                if await is_missing(database, one):
                    raise
                continue  # it was deleted a moment ago
            with archive.open(zipfile.ZipInfo(FOLDER + one.name), "w", force_zip64=True) as copied:
                copied.write(first)
                async for block in blocks:
                    copied.write(block)
            count += 1
    return count


async def restore_documents(here: Installation, archive: zipfile.ZipFile) -> int:
    """Store the documents that *archive* has beside the database, which is restored. Returns how many. Raises
    BucketUnavailable, Unavailable."""
    from aureum.store.blobs.backing_up import Kept, bring_back
    from aureum.store.blobs.opening import bucket_of
    from aureum.store.postgres.database import Database

    count = 0
    bucket = bucket_of(here.settings.documents_url)
    async with Database(here.url, prepared=here.settings.prepared_statements) as database:
        for name in archive.namelist():
            one = Kept.named(name.removeprefix(FOLDER)) if name.startswith(FOLDER) else None
            if one is not None:
                with archive.open(name) as copied:
                    count += await bring_back(database, bucket, one, blocks_of(copied))
    return count


def blocks_of(file: IO[bytes]) -> Iterator[bytes]:
    """The file, a block at a time."""
    while block := file.read(BLOCK):
        yield block
