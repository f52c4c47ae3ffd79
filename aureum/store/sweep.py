"""Removes what is not needed any more: remembered answers after a day, counted requests after an hour, what tells a
form that was sent twice when its time is over, confirmations after a day, tokens that have expired, failed logins after
a quarter of an hour, addresses without a login for 90 days, links at which a password can be chosen when they have
expired, requests for them that no worker has answered in an hour, and sign-ins and sessions of clients that have
expired.

Tenant by tenant where there is one, only of those that have anything old, and in batches; a row that a request holds is
left for the next time, so that the sweep never waits for a request and no request waits for more than one batch.
"""

from uuid import UUID

from aureum.store.postgres.database import Database

BATCH = 5_000

OLD_ANSWERS = """
DELETE FROM idempotency_keys
 WHERE tenant_id = %(tenant)s AND key IN (
           SELECT key FROM idempotency_keys
            WHERE tenant_id = %(tenant)s AND recorded_at < now() - interval '24 hours'
            ORDER BY recorded_at
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""

OLD_REQUESTS = """
DELETE FROM rate_limits
 WHERE tenant_id = %(tenant)s AND bucket IN (
           SELECT bucket FROM rate_limits
            WHERE tenant_id = %(tenant)s AND window_start < now() - interval '1 hour'
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""

OLD_STREAMS = """
DELETE FROM recent_streams
 WHERE tenant_id = %(tenant)s AND once IN (
           SELECT once FROM recent_streams
            WHERE tenant_id = %(tenant)s AND expires_at < now()
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""

OLD_CONFIRMATIONS = """
DELETE FROM confirmations
 WHERE tenant_id = %(tenant)s AND address IN (
           SELECT address FROM confirmations
            WHERE tenant_id = %(tenant)s AND sent_at < now() - interval '24 hours'
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""

OLD_TOKENS = """
DELETE FROM user_tokens
 WHERE token_hash IN (
           SELECT token_hash FROM user_tokens WHERE expires_at < now() LIMIT %(limit)s FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""

OLD_FAILURES = """
DELETE FROM login_failures
 WHERE account_and_address IN (
           SELECT account_and_address FROM login_failures
            WHERE since < now() - interval '15 minutes' AND (next_at IS NULL OR next_at < now())
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""

OLD_LINKS = """
DELETE FROM password_links
 WHERE token_hash IN (
           SELECT token_hash FROM password_links WHERE expires_at < now() LIMIT %(limit)s FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""

OLD_RESETS = """
DELETE FROM reset_requests
 WHERE number IN (
           SELECT number FROM reset_requests
            WHERE asked_at < now() - interval '1 hour'
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""


OLD_ADDRESSES = """
DELETE FROM login_addresses
 WHERE account_and_address IN (
           SELECT account_and_address FROM login_addresses
            WHERE last_at < now() - interval '90 days'
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""


OLD_SIGN_INS = """
DELETE FROM portal_sign_ins
 WHERE pending_hash IN (
           SELECT pending_hash FROM portal_sign_ins WHERE expires_at < now() LIMIT %(limit)s FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""

OLD_CLIENTS = """
DELETE FROM portal_sessions
 WHERE token_hash IN (
           SELECT token_hash FROM portal_sessions WHERE expires_at < now() LIMIT %(limit)s FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""


OLD_MOVES = """
DELETE FROM portal_moves
 WHERE session_hash IN (
           SELECT session_hash FROM portal_moves WHERE expires_at < now() LIMIT %(limit)s FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""


OLD_LANGUAGES = """
DELETE FROM portal_languages
 WHERE tenant_id = %(tenant)s AND address_key IN (
           SELECT address_key FROM portal_languages
            WHERE tenant_id = %(tenant)s AND signed_in_at < now() - interval '2 years'
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""


OLD_WRITERS = """
DELETE FROM given_up_writers
 WHERE writer IN (
           SELECT writer FROM given_up_writers
            WHERE given_up_at < now() - interval '7 days'
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""
"""No connection takes a week to deliver what it was given; and each call has an end of its own."""


OF_ALL = (
    OLD_TOKENS,
    OLD_FAILURES,
    OLD_LINKS,
    OLD_RESETS,
    OLD_ADDRESSES,
    OLD_SIGN_INS,
    OLD_CLIENTS,
    OLD_MOVES,
    OLD_WRITERS,
)


WITH_OLD_ANSWERS = """
SELECT tenant_id FROM idempotency_keys
 WHERE recorded_at < now() - interval '24 hours'
 GROUP BY tenant_id
"""
WITH_OLD_REQUESTS = """
SELECT tenant_id FROM rate_limits
 WHERE window_start < now() - interval '1 hour'
 GROUP BY tenant_id
"""
WITH_OLD_STREAMS = """
SELECT tenant_id FROM recent_streams
 WHERE expires_at < now()
 GROUP BY tenant_id
"""
WITH_OLD_CONFIRMATIONS = """
SELECT tenant_id FROM confirmations
 WHERE sent_at < now() - interval '24 hours'
 GROUP BY tenant_id
"""
WITH_OLD_LANGUAGES = """
SELECT tenant_id FROM portal_languages
 WHERE signed_in_at < now() - interval '2 years'
 GROUP BY tenant_id
"""

OF_TENANTS = {
    "idempotency_keys": (WITH_OLD_ANSWERS, OLD_ANSWERS),
    "rate_limits": (WITH_OLD_REQUESTS, OLD_REQUESTS),
    "recent_streams": (WITH_OLD_STREAMS, OLD_STREAMS),
    "confirmations": (WITH_OLD_CONFIRMATIONS, OLD_CONFIRMATIONS),
    "portal_languages": (WITH_OLD_LANGUAGES, OLD_LANGUAGES),
}
"""By the table: which tenants have anything old, and how it is removed. Of ten thousand hardly one may have any."""


async def sweep(database: Database, batch: int = BATCH) -> int:
    """Sweep all tenants; how many rows were removed. Raises Unavailable."""
    removed = 0
    for statement in OF_ALL:
        removed += await sweep_all(database, statement, batch)
    for table, (find, statement) in OF_TENANTS.items():
        for (tenant_id,) in await database.look(find, table):
            removed += await sweep_all(database, statement, batch, tenant_id)
    return removed


async def sweep_all(database: Database, statement: str, batch: int, tenant_id: UUID | None = None) -> int:
    """Run *statement*, for one tenant if it is about one, until less than a batch is left."""
    removed = 0
    while True:
        found = len(await database.rows(statement, {"tenant": tenant_id, "limit": batch}))
        removed += found
        if found < batch:
            return removed
