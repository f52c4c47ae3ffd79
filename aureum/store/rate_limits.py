"""One more of what is limited to so many a minute, counted as the gate and the appends of forms count requests."""

from uuid import UUID

from aureum.domain.errors import TooMany
from aureum.sql_functions import COUNT_REQUESTS, COUNTED
from aureum.store.postgres.database import Database

COUNT = """
WITH asking AS (
    SELECT %(tenant)s::uuid AS tenant_id, %(bucket)b::bytea AS bucket, clock_timestamp() AS moment,
           %(limit)s::integer AS rate_limit, 1 AS waiting
), counted AS (
    -- {count requests}
)
SELECT granted, window_start + interval '60 seconds' FROM counted
""".replace(COUNT_REQUESTS, COUNTED[COUNT_REQUESTS])


async def count(database: Database, tenant_id: UUID, bucket: bytes, limit: int) -> None:
    """Count one of *bucket*, of which there may be *limit* a minute. Raises TooMany, Unavailable."""
    ((granted, again_at),) = await database.rows(COUNT, {"tenant": tenant_id, "bucket": bucket, "limit": limit})
    if not granted:
        raise TooMany(again_at)
