"""What waits for a user's next digest: only ids and moments. The rest is read when the digest is made, so that it
leaves out persons who were erased meanwhile."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

REMEMBER = """
INSERT INTO digest_items (tenant_id, user_id, position, kind, stream_id, at)
SELECT %(tenant)s, r.user_id, r.position, r.kind, r.stream_id, r.at
  FROM unnest(%(users)s::uuid[], %(positions)s::bigint[], %(kinds)s::text[], %(streams)s::uuid[],
              %(moments)s::timestamptz[]) AS r (user_id, position, kind, stream_id, at)
ON CONFLICT (tenant_id, user_id, position, kind) DO NOTHING
"""


class Item(NamedTuple):
    """A letter of this *kind*, about this lead or tour, that waits for the user's morning."""

    user_id: UUID
    position: int
    kind: str
    stream_id: UUID
    at: datetime


async def remember(connection: AsyncConnection[Any], tenant_id: UUID, items: Sequence[Item]) -> None:
    """Keep *items*, in the transaction of *connection*."""
    if items:
        columns = zip(*items, strict=True)
        named = dict(zip(("users", "positions", "kinds", "streams", "moments"), map(list, columns), strict=True))
        await connection.execute(REMEMBER, {"tenant": tenant_id} | named)
