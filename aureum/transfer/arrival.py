"""What must change when a brokerage arrives: secrets never leave, so what they opened is closed until people renew it.

All of it is events of its own, behind those of the log: the log itself stays what it was.

    webhooks        get a new secret, which is shown to no one, and are disabled
    API keys        are revoked
    calendar feeds  are revoked
    users           have no second step; one whose address has a login here already is disabled
    replays         that were running are cancelled
"""

import secrets
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.domain.aggregate import Aggregate
from aureum.domain.api_key import ApiKey
from aureum.domain.calendar_feed import CalendarFeed
from aureum.domain.user import User
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.domain.webhook_replay import WebhookReplay
from aureum.store.append import GROUP_LIMIT, Append, call
from aureum.store.cipher import TenantKey
from aureum.store.event_store import STREAMS, Stream, prepared, streams_in
from aureum.store.metadata import Origin

COMMAND = "ImportBrokerage"

LOCK_TIMEOUT = "10s"

CLOSED = """
SELECT 'user', user_id FROM users WHERE tenant_id = %(tenant)s
UNION ALL SELECT 'key', key_id FROM api_keys WHERE tenant_id = %(tenant)s AND NOT revoked
UNION ALL SELECT 'endpoint', endpoint_id FROM webhook_endpoints WHERE tenant_id = %(tenant)s AND NOT removed
UNION ALL SELECT 'replay', replay_id FROM webhook_replays WHERE tenant_id = %(tenant)s AND state = 'running'
UNION ALL SELECT 'feed', e.stream_id FROM events e
           WHERE e.tenant_id = %(tenant)s AND e.type = 'calendar_feed.opened'
ORDER BY 1, 2
"""


class NotAppended(Exception):
    """The log that is imported cannot be continued."""


async def arrive(
    connection: AsyncConnection[Any], key: TenantKey, origin: Origin, at: datetime, apart: Collection[UUID]
) -> int:
    """Append what must change, in the caller's transaction; how many events that are. *apart* are the users whose
    address has a login here already. Raises NotAppended."""
    before = await (
        await connection.execute("SELECT position FROM heads WHERE tenant_id = %s", [key.tenant_id])
    ).fetchone()
    group: list[Append] = []
    last = before[0] if before else 0
    async for aggregate, stream in aggregates(connection, key):
        # Never before what its own log says last, wherever that clock stood.
        decide(aggregate, max(at, aggregate.modified_on), apart)
        events: Sequence[Any] = aggregate.collect_events()
        if events:
            group.append(prepared(key, aggregate.id, events, stream, COMMAND, origin))
        if len(group) == GROUP_LIMIT:
            last = await append(connection, group)
            group = []
    if group:
        last = await append(connection, group)
    return int(last) - (before[0] if before else 0)


def decide(aggregate: Aggregate, at: datetime, apart: Collection[UUID]) -> None:
    """What becomes of *aggregate*."""
    match aggregate:
        case User():
            aggregate.disable_totp(at)
            if aggregate.id in apart:
                aggregate.disable(at)
        case ApiKey() | CalendarFeed():
            aggregate.revoke(at)
        case WebhookEndpoint():
            aggregate.rotate_secret(secrets.token_hex(32), 0, at)
            aggregate.disable("staff", at)
        case WebhookReplay():
            aggregate.cancel(at)


async def aggregates(connection: AsyncConnection[Any], key: TenantKey) -> AsyncIterator[tuple[Any, Stream]]:
    """Those that may have to change, each with its stream."""
    cursor = connection.cursor(binary=True)
    await cursor.execute(CLOSED.encode(), {"tenant": key.tenant_id})
    for _, stream_id in await cursor.fetchall():
        await cursor.execute(STREAMS.encode(), {"tenant": key.tenant_id, "streams": [stream_id]})
        for stream in streams_in(key, await cursor.fetchall()).values():
            yield stream.aggregate(), stream


async def append(connection: AsyncConnection[Any], appends: Sequence[Append]) -> int:
    """Append to a log that no other session sees yet, or at its head; the position of the last event. Raises
    NotAppended."""
    outcomes = await call(connection, appends, LOCK_TIMEOUT)
    positions = [one.position for one in outcomes if one.outcome == "appended" and one.position is not None]
    if len(positions) != len(appends):
        raise NotAppended(", ".join(sorted({one.outcome for one in outcomes})))
    return max(positions)
