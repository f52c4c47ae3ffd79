"""How many guesses a password stands: five failures of an account and an address together in 15 minutes, from the
contract; and those who fail often are slowed down, each by their own failures.

Failures are counted for four things: account and address together, the address, its network, and the account. The first
has an end: the sixth attempt is refused. The others, past a number of failures that people stay below, let through one
attempt in so many seconds, and refuse when the wait would be longer than a client waits.

No failure of others keeps an account's owner out. At an address from which the account has logged in before, neither
the account's failures nor the network's count. At a new one the first two attempts wait for some seconds at most,
however many networks fail at that account meanwhile; only later ones can be refused. One address alone never slows its
network down, since only its first failures count there.

All of it is in the database, for all processes, under hashes, and goes after a quarter of an hour. An account that does
not exist is counted like any other.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from aureum.commands.hashing import network_of
from aureum.domain.errors import TooMany
from aureum.store.postgres.database import Database

ATTEMPTS = 5
"""Failures of one account from one address within 15 minutes, from the contract."""

FREE_OF_ADDRESS = 20
FREE_OF_NETWORK = 60
FREE_OF_ACCOUNT = 10
"""Failures within 15 minutes that slow nothing down."""

SECONDS_OF_ADDRESS = 3.0
SECONDS_OF_NETWORK = 1.0
SECONDS_OF_ACCOUNT = 2.0
"""Between two attempts after that."""

LONGEST_WAIT = 6.0
"""Seconds that an attempt waits for its turn; a longer wait is refused at once."""

NEVER_REFUSED = 2
"""Attempts at an account from a new address that its failures elsewhere do not refuse ..."""

LONGEST_FIRST_WAIT = 5.0
"""... but make wait so many seconds at most."""

ATTEMPT = """
WITH pair AS (
    INSERT INTO login_failures AS f (account_and_address, failures, since)
    SELECT %(pair)s, 1, now()
     WHERE NOT EXISTS (
               SELECT FROM login_failures a
                WHERE a.account_and_address = %(address)s AND a.next_at >= now() + %(longest)s * interval '1 second'
           )
    ON CONFLICT (account_and_address) DO UPDATE SET
           failures = CASE WHEN f.since > now() - interval '15 minutes' THEN least(f.failures, %(most)s) + 1 ELSE 1 END,
           since = CASE WHEN f.since > now() - interval '15 minutes' THEN f.since ELSE now() END
    RETURNING failures, since + interval '15 minutes' AS until
)
SELECT pair.failures, pair.until, EXISTS (SELECT FROM login_addresses WHERE account_and_address = %(pair)s),
       coalesce((SELECT failures FROM login_failures
                  WHERE account_and_address = %(address)s AND since > now() - interval '15 minutes'), 0),
       coalesce((SELECT failures FROM login_failures
                  WHERE account_and_address = %(network)s AND since > now() - interval '15 minutes'), 0),
       coalesce((SELECT failures FROM login_failures
                  WHERE account_and_address = %(account)s AND since > now() - interval '15 minutes'), 0)
  FROM pair
"""
"""Counted for account and address before the password is looked at: however many guesses come at once, no more than
five are judged. Of an address whose turn does not come in time, nothing is written."""

TAKE_TURN = """
UPDATE login_failures
   SET next_at = least(greatest(next_at, now()), now() + %(longest)s * interval '1 second')
                 + %(seconds)s * interval '1 second'
 WHERE account_and_address = %(bucket)s
RETURNING extract(epoch FROM next_at - now())::double precision - %(seconds)s
"""
"""The seconds to wait. A turn that is refused is taken all the same, yet never later than LONGEST_WAIT from now: a
client that stops is let in soon."""

FAILURE = """
INSERT INTO login_failures AS f (account_and_address, failures, since)
SELECT bucket, 1, now() FROM unnest(%(buckets)s::bytea[]) AS bucket
ON CONFLICT (account_and_address) DO UPDATE SET
       failures = CASE WHEN f.since > now() - interval '15 minutes' THEN f.failures + 1 ELSE 1 END,
       since = CASE WHEN f.since > now() - interval '15 minutes' THEN f.since ELSE now() END
"""
"""The rows in one order, that of their keys, so that no two attempts wait for each other."""

SUCCESS = """
WITH forgiven AS (
    DELETE FROM login_failures WHERE account_and_address = %(pair)s
)
INSERT INTO login_addresses (account_and_address, last_at) VALUES (%(pair)s, now())
ON CONFLICT (account_and_address) DO UPDATE SET last_at = now()
"""


class Counted(NamedTuple):
    """What an attempt finds: ``failures`` of account and address with itself, until when they count, whether the
    account has logged in from there before, and the failures of address, network and account."""

    failures: int
    until: datetime
    known: bool
    of_address: int
    of_network: int
    of_account: int


class Slow(NamedTuple):
    """Something of which an attempt waits for a turn: one comes every so many *seconds*. Its wait is cut to *longest*,
    or, where there is none, refused if it is too long."""

    of: str
    seconds: float
    longest: float | None = None


def slowed(counted: Counted) -> list[Slow]:
    """What an attempt waits for, by the rules above."""
    waits = []
    if counted.of_address >= FREE_OF_ADDRESS:
        waits.append(Slow("address", SECONDS_OF_ADDRESS))
    if counted.of_network >= FREE_OF_NETWORK and not counted.known:
        waits.append(Slow("network", SECONDS_OF_NETWORK))
    if counted.of_account >= FREE_OF_ACCOUNT and not counted.known:
        longest = LONGEST_FIRST_WAIT if counted.failures <= NEVER_REFUSED else None
        waits.append(Slow("account", SECONDS_OF_ACCOUNT, longest))
    return waits


@dataclass
class Attempt:
    """An attempt of *client*, an address as it is counted, to log in as *email*, in its one form, whether anyone has
    that or not."""

    database: Database
    email: str
    client: str

    def __post_init__(self) -> None:
        account, network = self.email, network_of(self.client)
        self.buckets = {
            "pair": hashed(f"{account}\n{self.client}"),
            "address": hashed(f"address\n\n{self.client}"),
            "network": hashed(f"network\n\n{network}"),
            "account": hashed(f"account\n\n{account}"),
        }
        self.of_address = 0

    async def admit(self) -> float:
        """Count it; the seconds to wait before the password is looked at. Raises TooMany."""
        about = {**self.buckets, "most": ATTEMPTS, "longest": LONGEST_WAIT}
        rows = await self.database.rows(ATTEMPT, about)
        if not rows:
            raise TooMany(datetime.now(UTC) + timedelta(seconds=LONGEST_WAIT))
        counted = Counted(*rows[0])
        if counted.failures > ATTEMPTS:
            raise TooMany(counted.until)
        self.of_address = counted.of_address
        return max([await self.take_turn(slow) for slow in slowed(counted)], default=0.0)

    async def take_turn(self, slow: Slow) -> float:
        """The seconds until there is a turn for this attempt. Raises TooMany if that is too long."""
        about = {"bucket": self.buckets[slow.of], "seconds": slow.seconds, "longest": LONGEST_WAIT}
        rows = await self.database.rows(TAKE_TURN, about)
        seconds = max(0.0, float(rows[0][0])) if rows else 0.0
        if slow.longest is not None:
            return min(seconds, slow.longest)
        if seconds >= LONGEST_WAIT:
            raise TooMany(datetime.now(UTC) + timedelta(seconds=LONGEST_WAIT))
        return seconds

    async def failed(self) -> None:
        """The password was not right."""
        names: Sequence[str] = ("address", "account")
        if self.of_address < FREE_OF_ADDRESS:
            names = (*names, "network")
        await self.database.rows(FAILURE, {"buckets": sorted(self.buckets[name] for name in names)})

    async def succeeded(self) -> None:
        """It was."""
        await self.database.rows(SUCCESS, {"pair": self.buckets["pair"]})


def hashed(text: str) -> bytes:
    """The key of a count, which tells neither address nor account."""
    return hashlib.sha256(text.encode()).digest()
