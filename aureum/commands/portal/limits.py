"""How many mails an address gets, and how often a code may be tried: counted in windows of 15 minutes and of a day,
before anything is looked up.

A stranger may ask for a mail to any address, so the mails must have a bound, and the true client must still get in.
Therefore strangers share two limits, of the stranger's network and of the address, and requests above the first do not
count for the second. A browser in which the address has signed in before has a reserve of its own. And a browser whose
request got no mail may use the code of any mail that did go out: the client reads all of them.

A code has six digits, so strangers who guess for days must have a bound, too: so many codes a day by browsers that are
not known. Then the link of a mail still signs in the browser that asked for it, which no guess can do.
"""

from typing import Any

from aureum.commands.hashing import network_of
from aureum.commands.login_limits import hashed
from aureum.domain.errors import TooMany
from aureum.store.cipher import TenantKey
from aureum.store.postgres.database import Database

MOST_OF_NETWORK_TO_ADDRESS = 3
MOST_OF_ADDRESS = 6
MOST_OF_KNOWN = 3
"""Mails: asked for from one network for one address, from all networks, and by browsers that are known."""

MOST_OF_CLIENT = 20
MOST_OF_NETWORK = 200
"""Requests that are answered; what is above is refused."""

TRIES = 5
"""Wrong codes of a sign-in. Of an address, if the code is not that of the browser's own request: so many by browsers
that are known, and so many by all others."""

TRIES_A_DAY = 20
"""Codes of an address in 24 hours by browsers that are not known, of their own sign-ins and of others. Once there is a
session the browser is known, so a person hardly comes near it."""

COUNT = """
INSERT INTO login_failures AS f (account_and_address, failures, since)
SELECT bucket, 1, now() FROM unnest(%(buckets)s::bytea[]) AS bucket
ON CONFLICT (account_and_address) DO UPDATE SET
       failures = CASE WHEN f.since > now() - interval '15 minutes' THEN f.failures + 1 ELSE 1 END,
       since = CASE WHEN f.since > now() - interval '15 minutes' THEN f.since ELSE now() END
RETURNING account_and_address, failures, since + interval '15 minutes'
"""
"""The rows in the order of their keys, so that no two requests wait for each other."""

COUNT_OF_DAY = """
INSERT INTO login_failures AS f (account_and_address, failures, since, next_at)
VALUES (%(bucket)s, 1, now(), now() + interval '1 day')
ON CONFLICT (account_and_address) DO UPDATE SET
       failures = CASE WHEN f.next_at > now() THEN least(f.failures, %(most)s) + 1 ELSE 1 END,
       since = CASE WHEN f.next_at > now() THEN f.since ELSE now() END,
       next_at = CASE WHEN f.next_at > now() THEN f.next_at ELSE now() + interval '1 day' END
RETURNING failures, next_at
"""
"""``next_at`` is when the day is over; the sweep leaves the row until then."""

Counted = dict[bytes, tuple[int, Any]]


async def count(database: Database, buckets: tuple[bytes, ...]) -> Counted:
    """How often each was counted in 15 minutes, with this time, and until when that holds. Raises Unavailable."""
    rows = await database.rows(COUNT, {"buckets": sorted(buckets)})
    return {bytes(bucket): (number, until) for bucket, number, until in rows}


def refuse(counted: Counted, limits: dict[bytes, int]) -> None:
    """Raises TooMany for what was counted more often than its limit."""
    over = [counted[bucket][1] for bucket, most in limits.items() if counted[bucket][0] > most]
    if over:
        raise TooMany(max(over))


async def count_mail(database: Database, tenant_key: TenantKey, address_key: bytes, client: str, known: bool) -> bool:
    """Count a request for a mail to the address; whether it gets one. Raises TooMany for a *client* address or network
    that asks too often, Unavailable."""
    network = network_of(client)
    address = f"{tenant_key.tenant_id}\n{address_key.hex()}"
    limits = {
        hashed(f"portal\n\n{client}"): MOST_OF_CLIENT,
        hashed(f"portal network\n\n{network}"): MOST_OF_NETWORK,
    }
    own = hashed(f"portal mail of known\n\n{address}" if known else f"portal mail of network\n{network}\n{address}")
    counted = await count(database, (own, *limits))
    refuse(counted, limits)
    if known:
        return counted[own][0] <= MOST_OF_KNOWN
    if counted[own][0] > MOST_OF_NETWORK_TO_ADDRESS:
        return False
    everyone = hashed(f"portal mail\n\n{address}")
    return (await count(database, (everyone,)))[everyone][0] <= MOST_OF_ADDRESS


class NoMoreCodes(TooMany):
    """Too many codes of the address were tried today by browsers that are not known."""


async def count_guess(database: Database, tenant_key: TenantKey, address_key: bytes) -> None:
    """Count a code of the address that a browser tries which is not known. Raises NoMoreCodes, Unavailable."""
    bucket = hashed(f"portal codes of day\n\n{tenant_key.tenant_id}\n{address_key.hex()}")
    ((tries, until),) = await database.rows(COUNT_OF_DAY, {"bucket": bucket, "most": TRIES_A_DAY})
    if tries > TRIES_A_DAY:
        raise NoMoreCodes(until)


async def may_try(database: Database, tenant_key: TenantKey, address_key: bytes, known: bool) -> bool:
    """Count a code of the address that is not that of the browser's own request; whether it is looked at. Raises
    Unavailable."""
    of = "portal code of known" if known else "portal code of address"
    tries = hashed(f"{of}\n\n{tenant_key.tenant_id}\n{address_key.hex()}")
    return (await count(database, (tries,)))[tries][0] <= TRIES
