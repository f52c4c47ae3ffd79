"""What processes that answer requests may do in the database, if they log in as a role that owns nothing.

What belongs to a brokerage's log and its lists they read as ``aureum_service``, which sees one tenant a transaction,
and change by functions. Tables with the policy ``own_tenant`` they read and change in a transaction that names the
tenant, and see no other's rows in them. Tables without that policy, such as logins, links and limits, they need before
they know whose request it is, and so they read and change all rows. A new table needs no line here, unless they may do
less with it than that.
"""

from collections.abc import Mapping

WRITES = "SELECT, INSERT, UPDATE, DELETE"
READS = "SELECT"
ADDS = "INSERT, UPDATE (tenant_id)"
NOTHING = ""

LESS: Mapping[str, str] = {
    # Events are appended by functions, and never changed; so whatever lists have can be made again of them.
    "events": NOTHING,
    # Which part of a log was archived. The events there are read as a part of "events".
    "archives": READS,
    # What the worker alone works with.
    "webhook_parked": NOTHING,
    # A new brokerage's key, wrapped by the master key. The policy lets no tenant_id change, but without that right the
    # row could not be locked.
    "tenant_keys": ADDS,
    # An erasure forgets what came lately.
    "recent_streams": "SELECT, DELETE",
    "searched_texts": "SELECT, DELETE",
    # Directories, which functions change with the log.
    "brokerages": READS,
    "domains": READS,
    "users": READS,
    "api_keys": f"{READS}, UPDATE (used_at)",
    "calendar_feeds": READS,
    "heads": READS,
    "taken_names": READS,
    # What has brought the database up to date.
    "rebuilds": READS,
    "migrations": READS,
    "installed_functions": READS,
    "data_steps": READS,
    "sealing": READS,
}
"""The tables of which they may do less than read, add, change and delete."""

EVERYWHERE = frozenset(
    {
        # Directories.
        "api_keys",
        "brokerages",
        "calendar_feeds",
        "domains",
        "heads",
        "users",
        # Links, limits, and what came in.
        "domains_seen",
        "rate_limits",
        "unsubscribe_tokens",
        # What is on every page of a brokerage.
        "brokerage_logos",
        # The key of a brokerage that is only being made.
        "tenant_keys",
    }
)
"""Tables that have the policy, and of which they need all rows nevertheless."""

OF_THE_TENANT = frozenset({"searched_texts"})
"""What has no policy, and of which they see the rows of the tenant that they name nevertheless."""
