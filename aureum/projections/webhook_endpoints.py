"""The endpoints of a tenant and what each wants. The secrets are not here: workers read them from the stream."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.domain.webhook_urls import read_url

NAME = "webhook_endpoints"
EVENTS: type = WebhookEndpoint.Event

APPEND = """
INSERT INTO webhook_endpoints (
       tenant_id, endpoint_id, stream_version, url, host, events, mode, rate_limit, description, overlap_until,
       disabled, disabled_at, disabled_version, enabled_version, removed, registered_at, updated_at)
SELECT tenants[r.item], r.endpoint_id, r.stream_version, r.url, r.host, r.events, r.mode, r.rate_limit, r.description,
       r.overlap_until, r.disabled, r.disabled_at, r.disabled_version, r.enabled_version, r.removed, r.registered_at,
       r.updated_at
  FROM json_to_recordset(rows) AS r (
           item integer, endpoint_id uuid, stream_version integer, url text, host text, events text[], mode text,
           rate_limit integer, description text, overlap_until timestamptz, disabled text, disabled_at timestamptz,
           disabled_version integer, enabled_version integer, removed boolean, registered_at timestamptz,
           updated_at timestamptz)
 WHERE tenants[r.item] IS NOT NULL
ON CONFLICT (tenant_id, endpoint_id) DO UPDATE SET
       stream_version = excluded.stream_version, url = excluded.url, host = excluded.host, events = excluded.events,
       mode = excluded.mode, rate_limit = excluded.rate_limit, description = excluded.description,
       overlap_until = excluded.overlap_until, disabled = excluded.disabled, disabled_at = excluded.disabled_at,
       disabled_version = excluded.disabled_version, enabled_version = excluded.enabled_version,
       removed = excluded.removed, updated_at = excluded.updated_at
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
                "host": read_url(event.url).key,
                "events": event.events,
                "mode": "parallel",
                "rate_limit": None,
                "description": None,
                "overlap_until": None,
                "disabled": None,
                "disabled_at": None,
                "disabled_version": None,
                "enabled_version": None,
                "removed": False,
                "registered_at": event.timestamp,
                "updated_at": event.timestamp,
            }
        case WebhookEndpoint.Event() if row is not None:
            return row | {
                "stream_version": event.originator_version,
                "updated_at": event.timestamp,
                **changed(event),
            }
    return row


def changed(event: WebhookEndpoint.Event) -> Row:
    """The columns that an endpoint's later event sets, besides version and time."""
    match event:
        case WebhookEndpoint.DetailsChanged():
            url = event.details.get("url")
            return event.details | ({} if url is None else {"host": read_url(url).key})
        case WebhookEndpoint.SecretRotated():
            until = event.timestamp + timedelta(hours=event.overlap_hours) if event.overlap_hours else None
            return {"overlap_until": until}
        case WebhookEndpoint.Disabled():
            # The version of enabling, if any, is that of an earlier time.
            return {
                "disabled": event.reason,
                "disabled_at": event.timestamp,
                "disabled_version": event.originator_version,
                "enabled_version": None,
            }
        case WebhookEndpoint.Enabled():
            return {"disabled": None, "disabled_at": None, "enabled_version": event.originator_version}
        case WebhookEndpoint.Removed():
            return {"removed": True}
    return {}


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for an endpoint's stream, none for others."""
    if not isinstance(new[0], WebhookEndpoint.Event):
        return []
    row = reduce(step, new, reduce(step, before, None))
    return [] if row is None else [row]


OF_TENANT = """
SELECT endpoint_id, stream_version, url, events FROM webhook_endpoints
 WHERE tenant_id = %(tenant)s AND NOT removed
 ORDER BY endpoint_id
"""

COLUMNS = """
SELECT w.endpoint_id, w.stream_version, w.url, w.events, w.mode, w.rate_limit, w.description, w.overlap_until,
       w.disabled, w.disabled_at, w.registered_at, w.updated_at, l.failing_since
  FROM webhook_endpoints w
  LEFT JOIN webhook_lanes l ON l.tenant_id = w.tenant_id AND l.endpoint_id = w.endpoint_id
 WHERE w.tenant_id = %(tenant)s AND NOT w.removed"""
NAMES = (
    "endpoint_id",
    "stream_version",
    "url",
    "events",
    "mode",
    "rate_limit",
    "description",
    "overlap_until",
    "disabled",
    "disabled_at",
    "registered_at",
    "updated_at",
    "failing_since",
)

ONE = f"{COLUMNS} AND w.endpoint_id = %(id)s"

PAGE = f"""{COLUMNS}
   AND w.endpoint_id < %(before)s AND (%(updated_since)s::timestamptz IS NULL OR w.updated_at >= %(updated_since)s)
 ORDER BY w.endpoint_id DESC LIMIT %(limit)s::bigint
"""


def document(row: Mapping[str, Any], at: datetime) -> Row:
    """An endpoint as the Aureum API shows it at that moment, of a row with ``NAMES``. Its secret is nowhere."""
    failing, overlap = row["failing_since"], row["overlap_until"]
    return {
        "id": to_wire(row["endpoint_id"]),
        "url": row["url"],
        "events": list(row["events"]),
        "mode": row["mode"],
        "rateLimit": row["rate_limit"],
        "description": row["description"],
        "status": "enabled" if row["disabled"] is None else "disabled",
        "disabledReason": row["disabled"],
        "disabledAt": time_or_none(row["disabled_at"]),
        "failingSince": time_or_none(failing if failing and failing <= at else None),
        "secretOverlapUntil": time_or_none(overlap if overlap and overlap > at else None),
        "createdAt": aureum_time(row["registered_at"]),
        "updatedAt": aureum_time(row["updated_at"]),
    }


def time_or_none(moment: datetime | None) -> str | None:
    """A moment as the Aureum API writes it, if there is one."""
    return None if moment is None else aureum_time(moment)
