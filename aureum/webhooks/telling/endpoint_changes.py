"""What a change of an endpoint means for its lane: one that was changed or enabled starts afresh, without a past; one
that was disabled is not looked at any more. Its deliveries stay where they are.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.background.reading import STREAM, TYPE
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.webhooks.queue.health import SLOTS

AFRESH = frozenset((WebhookEndpoint.Enabled.TOPIC, WebhookEndpoint.DetailsChanged.TOPIC))
AT_REST = frozenset((WebhookEndpoint.Disabled.TOPIC, WebhookEndpoint.Removed.TOPIC))

BEGIN_AFRESH = """
UPDATE webhook_lanes l
   SET slots = %(slots)s, failures = 0, window_tried = 0, window_failed = 0, window_from = NULL, failing_since = NULL,
       openings = 0, open_until = NULL, tokens = NULL, tokens_at = NULL, next_due = now()
 WHERE l.tenant_id = %(tenant)s AND l.endpoint_id = ANY (%(endpoints)s)
"""

REST = """
UPDATE webhook_lanes l
   SET next_due = 'infinity'
  FROM webhook_endpoints w
 WHERE l.tenant_id = %(tenant)s AND l.endpoint_id = ANY (%(endpoints)s)
   AND w.tenant_id = %(tenant)s AND w.endpoint_id = l.endpoint_id
   -- It may have been enabled since.
   AND (w.disabled IS NOT NULL OR w.removed)
"""


def changed(rows: Sequence[Any]) -> list[UUID]:
    """The endpoints that *rows* of the log change."""
    return [row[STREAM] for row in rows if row[TYPE] in AFRESH | AT_REST]


async def follow_changes(connection: AsyncConnection[Any], tenant_id: UUID, rows: Sequence[Any]) -> None:
    """Let lanes, which are locked, follow what *rows* of the log tell of their endpoints."""
    afresh = list({row[STREAM] for row in rows if row[TYPE] in AFRESH})
    at_rest = list({row[STREAM] for row in rows if row[TYPE] in AT_REST})
    if afresh:
        await connection.execute(BEGIN_AFRESH, {"tenant": tenant_id, "endpoints": afresh, "slots": SLOTS})
    if at_rest:
        await connection.execute(REST, {"tenant": tenant_id, "endpoints": at_rest})
