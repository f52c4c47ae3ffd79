"""What the worker does about envelopes at DocuSign: sends them, asks where they stand when Connect is silent, fetches
what was signed, and ends there what was ended here.

Each step can be repeated: a worker that dies, or a call that fails, leaves the step due again.
"""

import asyncio
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import structlog

from aureum.background.waiting import all_of, wait_for
from aureum.commands.docusign_connections import connection
from aureum.domain.envelope import Envelope
from aureum.domain.errors import Unavailable
from aureum.log import places
from aureum.signing.docusign.account import account_of
from aureum.signing.docusign.failures import Failed
from aureum.signing.docusign.http import Docusign
from aureum.signing.docusign.steps import DONE, Next, Work, work_on
from aureum.store.blobs import BlobStore
from aureum.store.event_store import EventStore
from aureum.store.postgres.citus.by_tenant import Everywhere
from aureum.store.postgres.database import Database

log = structlog.get_logger()

TAKEN = 4
"""How many envelopes are worked on at the same time. A call that carries documents has five minutes."""

LEASE = timedelta(minutes=15)
"""After this an envelope is due again whose worker has died."""

FIRST_PAUSE = 30.0
LONGEST_PAUSE = 3_600.0

TAKE = Everywhere(
    """
UPDATE docusign_envelopes d
   SET due_at = now() + %(lease)s, failures = least(d.failures + 1, 1000)
  FROM (
           SELECT w.tenant_id, w.envelope_id FROM docusign_envelopes w
            WHERE w.due_at <= now()
            ORDER BY w.due_at
            LIMIT %(limit)s
              FOR NO KEY UPDATE SKIP LOCKED
       ) AS w
 WHERE d.tenant_id = w.tenant_id AND d.envelope_id = w.envelope_id
RETURNING d.tenant_id, d.envelope_id, d.version, d.failures
""",
    "docusign_envelopes w",
    "w.due_at <= now()",
)
"""By the database's now(), because an index cannot be used with clock_timestamp()."""

END = """
DELETE FROM docusign_envelopes
 WHERE tenant_id = %(tenant)s AND envelope_id = %(envelope)s AND version = %(version)s
"""
"""Of an envelope that was purged."""

SETTLE = """
UPDATE docusign_envelopes
   SET due_at = now() + make_interval(secs => %(pause)s::float8),
       failures = CASE WHEN %(failed)s::boolean THEN failures ELSE 0 END
 WHERE tenant_id = %(tenant)s AND envelope_id = %(envelope)s AND version = %(version)s
"""
"""Leaves alone what an append has changed meanwhile. Without a pause nothing is due."""


class Due(NamedTuple):
    """An envelope that is due."""

    tenant_id: UUID
    envelope_id: UUID
    version: int
    failures: int


async def docusign_round(
    store: EventStore, blobs: BlobStore, docusign: Docusign, poll_seconds: float, stop: asyncio.Event
) -> None:
    """Work on what is due; if nothing is, wait for *poll_seconds*. Raises Unavailable."""
    taken = await take(store.database)
    await all_of(attend(store, blobs, docusign, one) for one in taken)
    if not taken:
        await wait_for(stop, poll_seconds)


async def take(database: Database) -> list[Due]:
    """Envelopes that are due. Raises Unavailable."""
    return [Due(*row) for row in await database.everywhere(TAKE, {"lease": LEASE, "limit": TAKEN})]


async def attend(store: EventStore, blobs: BlobStore, docusign: Docusign, due: Due) -> None:
    """Do the envelope's step. One that fails holds up no other. Raises Unavailable."""
    try:
        came = await step(store, blobs, docusign, due)
    except Unavailable:
        raise
    except Exception as error:
        log.error("docusign_failed", tenant=str(due.tenant_id), error=type(error).__name__, trace=places(error))
        came = Next(Failed("unavailable"))
    if came.over:
        await store.database.rows(END, named(due))
    elif came.failed is None:
        await settle(store.database, due, came.pause)
    else:
        await settle(store.database, due, max(pause_after(due.failures), came.failed.wait or 0.0), failed=True)


async def step(store: EventStore, blobs: BlobStore, docusign: Docusign, due: Due) -> Next:
    """What came of it."""
    stream = await store.load(due.tenant_id, due.envelope_id)
    envelope = stream.aggregate()
    if not isinstance(envelope, Envelope):
        return DONE
    found = await connection(store, due.tenant_id)
    if found is None:
        log.warning("docusign_not_connected", tenant=str(due.tenant_id), envelope=str(due.envelope_id))
        return Next(Failed("credentials", wait=LONGEST_PAUSE))
    came = await work_on(
        Work(
            store,
            blobs,
            docusign,
            account_of(found),
            due.tenant_id,
            envelope,
            stream.subject_key,
            again=due.failures > 1,
        )
    )
    if came.failed is not None:
        log.warning(
            "docusign_refused",
            tenant=str(due.tenant_id),
            envelope=str(due.envelope_id),
            state=envelope.state,
            kind=came.failed.kind,
            code=came.failed.code,
            status=came.failed.status,
        )
    return came


def pause_after(failures: int) -> float:
    """Seconds until the next try."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10))


async def settle(database: Database, due: Due, pause: float | None, *, failed: bool = False) -> None:
    """Say when the envelope is due again, if ever. Raises Unavailable."""
    await database.rows(SETTLE, named(due) | {"pause": pause, "failed": failed})


def named(due: Due) -> dict[str, object]:
    """The row, unless an append has changed it."""
    return {"tenant": due.tenant_id, "envelope": due.envelope_id, "version": due.version}
