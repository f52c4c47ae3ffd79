"""The calendar feeds, by the hash of their secrets; and what a feed shows."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from aureum.domain.calendar_feed import CalendarFeed

NAME = "calendar_feeds"
EVENTS: type = CalendarFeed.Event

APPEND = """
INSERT INTO calendar_feeds (tenant_id, user_id, token_hash, details, made_at, stream_version)
SELECT tenants[r.item], r.user_id, decode(r.token_hash, 'hex'), r.details, r.made_at, r.stream_version
  FROM json_to_recordset(rows) AS r (
           item integer, user_id uuid, token_hash text, details boolean, made_at timestamptz, stream_version integer)
 WHERE tenants[r.item] IS NOT NULL
ON CONFLICT (tenant_id, user_id) DO UPDATE SET
       token_hash = excluded.token_hash, details = excluded.details, made_at = excluded.made_at,
       stream_version = excluded.stream_version
"""

Row = dict[str, Any]


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a feed's row. One that was revoked has no hash: nothing finds it."""
    match event:
        case CalendarFeed.Opened():
            made = {"user_id": event.user_id, "token_hash": event.token_hash, "details": event.details}
            return made | {"made_at": event.timestamp, "stream_version": event.originator_version}
        case CalendarFeed.Renewed() if row is not None:
            made = {"token_hash": event.token_hash, "details": event.details, "made_at": event.timestamp}
            return row | made | {"stream_version": event.originator_version}
        case CalendarFeed.Revoked() if row is not None:
            return row | {"token_hash": None, "stream_version": event.originator_version}
    return row


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for a feed's stream, none for others."""
    if not isinstance(new[0], CalendarFeed.Event):
        return []
    row = reduce(step, new, reduce(step, before, None))
    return [] if row is None else [row]


BY_HASH = """
SELECT f.tenant_id, f.user_id, f.details, h.position, h.tour_list_version, h.property_list_version
  FROM calendar_feeds f
  JOIN users u ON u.tenant_id = f.tenant_id AND u.user_id = f.user_id AND NOT u.disabled
  JOIN brokerages b ON b.tenant_id = f.tenant_id AND NOT b.disabled
  JOIN heads h ON h.tenant_id = f.tenant_id
 WHERE f.token_hash = %(hash)s
"""
"""Of all tenants: whose feed it is, while the user and the brokerage are not disabled; and how far the log goes."""

OF_USER = """
SELECT f.details, f.made_at FROM calendar_feeds f
 WHERE f.tenant_id = %(tenant)s AND f.user_id = %(user)s AND f.token_hash IS NOT NULL
"""
"""The user's feed, if there is one."""

SHOWINGS = """
SELECT x.doc, x.stream_version
  FROM tour_list x
 WHERE x.tenant_id = %(tenant)s AND x.assigned_to = %(user)s
   AND x.read_version = (SELECT h.tour_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND x.starts_at >= %(since)s AND x.starts_at < %(before)s AND x.status <> 'cancelled'
 ORDER BY x.starts_at, x.tour_id LIMIT %(limit)s
"""
"""What the feed shows: the user's showings that have a time and were not called off."""

ADDRESSES = """
SELECT b.slug, b.domains, ARRAY(SELECT s.domain FROM domains_seen s WHERE s.tenant_id = b.tenant_id)
  FROM brokerages b
 WHERE b.tenant_id = %(tenant)s
"""
"""Where the brokerage is reached."""
