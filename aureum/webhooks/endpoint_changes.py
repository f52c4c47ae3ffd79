"""What a change of an endpoint means for its lane: one that was changed or enabled begins anew, without a past; one
that was disabled is not looked at any more. Its deliveries stay where they are.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.webhooks.health import SLOTS
from aureum.webhooks.reading import STREAM, TYPE

AFRESH = frozenset((WebhookEndpoint.Enabled.TOPIC, WebhookEndpoint.DetailsChanged.TOPIC))
AT_REST = frozenset((WebhookEndpoint.Disabled.TOPIC, WebhookEndpoint.Removed.TOPIC))

BEGIN_AFRESH = """
UPDATE webhook_lanes l
   SET slots = %(slots)s, failures = 0, window_tried = 0, window_failed = 0, window_from = NULL, failing_since = NULL,
       openings = 0, open_until = NULL, tokens = NULL, tokens_at = NULL, next_due = now()
  FROM (
           SELECT x.endpoint_id FROM webhook_lanes x
            WHERE x.tenant_id = %(tenant)s AND x.endpoint_id = ANY (%(endpoints)s)
            ORDER BY x.endpoint_id
              FOR NO KEY UPDATE
       ) AS x
 WHERE l.tenant_id = %(tenant)s AND l.endpoint_id = x.endpoint_id
"""

REST = """
UPDATE webhook_lanes l
   SET next_due = 'infinity'
  FROM (
           SELECT x.endpoint_id
             FROM webhook_lanes x
             JOIN webhook_endpoints w ON w.tenant_id = x.tenant_id AND w.endpoint_id = x.endpoint_id
            WHERE x.tenant_id = %(tenant)s AND x.endpoint_id = ANY (%(endpoints)s)
              -- It may have been enabled since.
              AND (w.disabled IS NOT NULL OR w.removed)
            ORDER BY x.endpoint_id
              FOR NO KEY UPDATE OF x
       ) AS x
 WHERE l.tenant_id = %(tenant)s AND l.endpoint_id = x.endpoint_id
"""


async def follow_changes(connection: AsyncConnection[Any], tenant_id: UUID, rows: Sequence[Any]) -> None:
    """Let lanes follow what *rows* of the log tell of their endpoints, in the projector's transaction."""
    afresh = list({row[STREAM] for row in rows if row[TYPE] in AFRESH})
    at_rest = list({row[STREAM] for row in rows if row[TYPE] in AT_REST})
    if afresh:
        await connection.execute(BEGIN_AFRESH, {"tenant": tenant_id, "endpoints": afresh, "slots": SLOTS})
    if at_rest:
        await connection.execute(REST, {"tenant": tenant_id, "endpoints": at_rest})
