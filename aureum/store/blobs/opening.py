"""The store of bytes that the settings ask for."""

from aureum.settings import Settings
from aureum.settings.documents import bucket
from aureum.store.blobs.in_bucket import BucketChunks
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.postgres.database import Database

GB = 1_000_000_000


def open_blobs(settings: Settings, database: Database) -> KeptBlobs:
    """In the bucket, if there is one, else in *database*."""
    quota = round(settings.documents_quota_gb * GB) or None
    return KeptBlobs(database, bucket_of(settings.documents_url), quota)


def bucket_of(url: str | None) -> BucketChunks | None:
    """What AUREUM_DOCUMENTS_URL names."""
    return None if url is None else BucketChunks(bucket(url))
