"""The endpoints of a tenant and the events each wants. The secret is not here: workers read it from the stream."""

from collections.abc import Sequence
from typing import Any

from aureum.domain.webhook_endpoint import WebhookEndpoint

NAME = "webhook_endpoints"

APPEND = """
INSERT INTO webhook_endpoints (tenant_id, endpoint_id, stream_version, url, events, registered_at)
SELECT a.tenant_id, r.endpoint_id, r.stream_version, r.url, r.events, r.registered_at
  FROM json_to_recordset(p_rows -> 'webhook_endpoints') AS r (
           item integer, endpoint_id uuid, stream_version integer, url text, events text[], registered_at timestamptz)
  JOIN unnest(accepted) AS a ON a.item = r.item
ON CONFLICT (tenant_id, endpoint_id) DO UPDATE SET
       stream_version = excluded.stream_version, url = excluded.url, events = excluded.events
"""

Row = dict[str, Any]


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of an endpoint's row."""
    match event:
        case WebhookEndpoint.Registered():
            return {
                "endpoint_id": event.originator_id,
                "stream_version": event.originator_version,
                "url": event.url,
                "events": event.events,
                "registered_at": event.timestamp,
            }
    return row


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for an endpoint's stream, none for others."""
    if not isinstance(new[0], WebhookEndpoint.Event):
        return []
    row = None
    for event in (*before, *new):
        row = step(row, event)
    return [] if row is None else [row]


OF_TENANT = """
SELECT endpoint_id, stream_version, url, events FROM webhook_endpoints
 WHERE tenant_id = %(tenant)s
 ORDER BY endpoint_id
"""
