"""Who rebuilds: one process a read model of a tenant, by a row with a lease, never by an advisory lock.

Every transaction that writes rows of the new version renews the lease first, in the same transaction. A process that
stood still until another took over therefore writes nothing more: its claim is lost, and so is its transaction.

The same row says, in the same transaction, how far the new version has come. So a rebuild that was killed is gone on
with by the next one, whose step is the same; whatever was written is known to be there, and nothing is written twice.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from uuid_utils.compat import uuid4

from aureum.domain.errors import Busy, NotFound
from aureum.store.postgres.database import connect

LEASE_SECONDS = 30
CLAIM_LOCK_TIMEOUT = "2s"

CLAIM = """
INSERT INTO rebuilds AS r (tenant_id, read_model, read_version, owner, claimed_at, lease_until)
VALUES (%(tenant)s, %(model)s, 0, %(owner)s, now(), now() + make_interval(secs => %(lease)s))
ON CONFLICT (tenant_id, read_model) DO UPDATE SET
       owner = excluded.owner, claimed_at = excluded.claimed_at, lease_until = excluded.lease_until
 WHERE r.owner IS NULL OR r.lease_until < excluded.claimed_at
"""

RENEW = """
UPDATE rebuilds SET lease_until = now() + make_interval(secs => %(lease)s)
 WHERE tenant_id = %(tenant)s AND read_model = %(model)s AND owner = %(owner)s
"""

NOTE = """
UPDATE rebuilds
   SET lease_until = now() + make_interval(secs => %(lease)s), progress_version = read_version,
       progress_step = %(step)s, copies_until = %(until)s, copied_stream = %(copied)s, done = %(done)s
 WHERE tenant_id = %(tenant)s AND read_model = %(model)s AND owner = %(owner)s
"""

UNFINISHED = """
SELECT r.read_version, h.{name}_version, r.copies_until, r.copied_stream, r.done
  FROM rebuilds r
  JOIN heads h ON h.tenant_id = r.tenant_id
 WHERE r.tenant_id = %(tenant)s AND r.read_model = '{name}'
   AND r.progress_version = r.read_version AND r.read_version > h.{name}_version AND r.progress_step = {step}
"""
"""The version that an earlier rebuild by the same step has left behind, and how far it has come."""

FORGET = """
UPDATE rebuilds SET progress_version = NULL
 WHERE tenant_id = %(tenant)s AND read_model = %(model)s AND owner = %(owner)s
"""

RELEASE = """
UPDATE rebuilds SET owner = NULL
 WHERE tenant_id = %(tenant)s AND read_model = %(model)s AND owner = %(owner)s
"""


class Progress(NamedTuple):
    """How far a version has come. While it is copied, the log *until* there, of all streams up to *copied*; then
    everything up to the position *done*."""

    until: int | None = None
    copied: UUID | None = None
    done: int | None = None


@dataclass(frozen=True, slots=True)
class RebuildClaim:
    """The right to write rows of ``version``, while ``live`` is what people read."""

    connection: AsyncConnection[Any]
    tenant_id: UUID
    read_model: str
    owner: UUID
    version: int
    live: int
    resumed: Progress | None = None
    """How far an earlier rebuild has come, if this one goes on with its version."""

    def parameters(self, **more: Any) -> dict[str, Any]:
        """What the statements name: the claim's own, and *more*."""
        named = {"tenant": self.tenant_id, "model": self.read_model, "owner": self.owner, "version": self.version}
        return named | more

    async def renew(self, seconds: float = LEASE_SECONDS) -> None:
        """Keep the claim for *seconds* from now. Raises Busy if it is another's by now."""
        cursor = await self.connection.execute(RENEW, self.parameters(lease=seconds))
        if cursor.rowcount == 0:
            raise Busy(
                LEASE_SECONDS, f"Another process has taken over the rebuild of {self.read_model}: leave it to it."
            )

    @asynccontextmanager
    async def transaction(self, step: int | None = None, progress: Progress | None = None) -> AsyncIterator[None]:
        """A short transaction that is undone if the claim is lost. It need not reach the disk: no reader sees it
        yet. Behind it the version, made by *step*, has come as far as *progress* says."""
        async with self.connection.transaction():
            await self.connection.execute("SET LOCAL synchronous_commit = off")
            await self.renew()
            if progress is not None:
                noted = self.parameters(lease=LEASE_SECONDS, step=step, **progress._asdict())
                await self.connection.execute(NOTE, noted)
            yield


async def claim(
    connection: AsyncConnection[Any], tenant_id: UUID, read_model: str, next_version: str, step: int | None = None
) -> RebuildClaim:
    """Claim the rebuild; *next_version* is the statement that gives out a version and tells the live one. With a *step*
    it goes on with the version that an unfinished rebuild by that step has left, if there is one.

    Raises Busy if another process rebuilds the same, NotFound if there is no such tenant.
    """
    owner = uuid4()
    named = {"tenant": tenant_id, "model": read_model, "owner": owner, "lease": LEASE_SECONDS}
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{CLAIM_LOCK_TIMEOUT}'")
            claimed = (await connection.execute(CLAIM, named)).rowcount == 1
            row = None
            if claimed and step is not None:
                unfinished = UNFINISHED.replace("{name}", read_model).replace("{step}", str(step))
                row = await (await connection.execute(unfinished.encode(), named)).fetchone()
            if claimed and row is None:
                row = await (await connection.execute(next_version, named)).fetchone()
            if claimed and row is None:
                raise NotFound("There is no such brokerage.")
    except psycopg.errors.LockNotAvailable:
        row = None
    if row is None:
        raise Busy(
            LEASE_SECONDS,
            f"Another process is rebuilding {read_model} of this brokerage. Wait until it has finished; "
            f"if it was killed, try again in {LEASE_SECONDS} seconds.",
        )
    version, live, *progress = row
    resumed = Progress(*progress) if progress else None
    return RebuildClaim(connection, tenant_id, read_model, owner, version, live, resumed)


async def forget_progress(given: RebuildClaim) -> None:
    """The next rebuild begins again. Raises the driver's errors."""
    await given.connection.execute(FORGET, given.parameters())


async def release(url: str, given: RebuildClaim) -> None:
    """Give the claim back, on a connection of its own: the other one may be what failed. Raises the driver's errors."""
    async with await connect(url) as connection, connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{CLAIM_LOCK_TIMEOUT}'")
        await connection.execute(RELEASE, given.parameters())
