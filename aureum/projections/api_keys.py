"""The directory of API keys, by their hash: how the gate finds who asks."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from aureum.domain.api_key import ApiKey

NAME = "api_keys"
EVENTS: type = ApiKey.Event

APPEND = """
INSERT INTO api_keys (tenant_id, key_id, key_hash, name, prefix, rate_limit, revoked, issued_at, stream_version,
expires_at) SELECT tenants[r.item], r.key_id, decode(r.key_hash, 'hex'), r.name, r.prefix, r.rate_limit, r.revoked,
r.issued_at, r.stream_version, r.expires_at
  FROM json_to_recordset(rows) AS r (
           item integer, key_id uuid, key_hash text, name text, prefix text, rate_limit integer, revoked boolean,
           issued_at timestamptz, stream_version integer, expires_at timestamptz)
 WHERE tenants[r.item] IS NOT NULL
ON CONFLICT (tenant_id, key_id) DO UPDATE SET
       revoked = excluded.revoked, stream_version = excluded.stream_version
"""

Row = dict[str, Any]


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a key's row."""
    match event:
        case ApiKey.Issued():
            return {
                "key_id": event.originator_id,
                "key_hash": event.key_hash,
                "name": event.name,
                "prefix": event.prefix,
                "rate_limit": event.rate_limit,
                "revoked": False,
                "issued_at": event.timestamp,
                "expires_at": event.expires_at,
                "stream_version": event.originator_version,
            }
        case ApiKey.Revoked() if row is not None:
            return row | {"revoked": True, "stream_version": event.originator_version}
    return row


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for a key's stream, none for others."""
    if not isinstance(new[0], ApiKey.Event):
        return []
    row = reduce(step, new, reduce(step, before, None))
    return [] if row is None else [row]


BY_HASH = "SELECT tenant_id, key_id FROM api_keys WHERE key_hash = %(hash)s"

OF_TENANT = """
SELECT key_id, name, prefix, rate_limit, revoked, expires_at, used_at FROM api_keys
 WHERE tenant_id = %(tenant)s
 ORDER BY key_id
"""

PAGE = """
SELECT key_id, name, prefix, rate_limit, revoked, issued_at, expires_at, used_at FROM api_keys
 WHERE tenant_id = %(tenant)s
 ORDER BY key_id DESC LIMIT %(limit)s OFFSET %(skipped)s
"""

COUNT = "SELECT count(*) FROM api_keys WHERE tenant_id = %(tenant)s"

USED = "SELECT used_at FROM api_keys WHERE tenant_id = %(tenant)s AND key_id = %(key)s"

ONE = "SELECT name, prefix, rate_limit FROM api_keys WHERE tenant_id = %(tenant)s AND key_id = %(key)s"
