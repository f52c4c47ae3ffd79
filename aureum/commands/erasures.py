"""Carries out the erasures that were asked for, stream by stream.

What was asked for names all streams. So an erasure that is interrupted goes on wherever it is carried out again, by the
same command or by the worker, and an erased stream is passed over. Two minutes after its end the worker looks for what
requests that were under way have written meanwhile.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

from aureum.commands.conflicts import deciding_again
from aureum.commands.erasing_streams import LOCK_WEBHOOKS, erase_streams
from aureum.commands.forgetting import forget
from aureum.mail.queue.retention import drop_erased
from aureum.mail.sending.sender import file_of
from aureum.store.event_store import EventStore
from aureum.store.metadata import Actor, Origin

AT_ONCE = 10
"""Streams of one transaction, which holds the brokerage's log for some milliseconds."""

OPEN = "SELECT erasure_id FROM erasures WHERE tenant_id = %(tenant)s AND ended_at IS NULL ORDER BY erasure_id"

SUBJECTS = "SELECT subjects FROM erasures WHERE tenant_id = %(tenant)s AND erasure_id = %(id)s"

ENDED = """
UPDATE erasures SET ended_at = statement_timestamp()
 WHERE tenant_id = %(tenant)s AND erasure_id = %(id)s AND ended_at IS NULL
"""

LEFT = """
SELECT tenant_id, erasure_id FROM erasures
 WHERE ended_at IS NULL AND requested_at < now() - interval '30 seconds'
 ORDER BY erasure_id LIMIT 20
"""
"""What a command that asked for it did not finish: it needs a second."""

UNSETTLED = """
SELECT tenant_id, erasure_id, subjects FROM erasures
 WHERE settled_at IS NULL AND ended_at < now() - interval '2 minutes'
 ORDER BY erasure_id LIMIT 20
"""

SETTLED = """
UPDATE erasures SET settled_at = statement_timestamp() WHERE tenant_id = %(tenant)s AND erasure_id = %(id)s
"""

LATER = """
SELECT t.task_id FROM task_list t
 WHERE t.tenant_id = %(tenant)s AND (t.lead_id = ANY (%(subjects)s) OR t.contact_id = ANY (%(subjects)s))
   AND t.read_version = (SELECT h.task_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 UNION ALL
SELECT t.tour_id FROM tour_list t
 WHERE t.tenant_id = %(tenant)s AND t.lead_id = ANY (%(subjects)s)
   AND t.read_version = (SELECT h.tour_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 UNION ALL
SELECT c.conversation_id FROM conversation_list c
 WHERE c.tenant_id = %(tenant)s AND c.contact_id = ANY (%(subjects)s)
   AND c.read_version = (SELECT h.conversation_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 UNION ALL
SELECT s.shortlist_id FROM shortlists s
 WHERE s.tenant_id = %(tenant)s AND s.contact_id = ANY (%(subjects)s)
   AND s.read_version = (SELECT h.shortlists_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 UNION ALL
SELECT k.key_dates_id FROM key_dates k
 WHERE k.tenant_id = %(tenant)s AND k.contact_id = ANY (%(subjects)s)
   AND k.read_version = (SELECT h.key_dates_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""
"""What was made about the person while the person was erased."""


async def carry_out(store: EventStore, tenant_id: UUID, erasure_id: UUID, mails: Path | None = None) -> list[UUID]:
    """Erase what is left of an erasure; returns the streams that it is about. *mails* is the folder with mails as
    files, where there may be any. Raises Conflict, Busy, Unavailable, OSError."""
    about = {"tenant": tenant_id, "id": erasure_id}
    ((subjects,),) = await store.database.rows(SUBJECTS, about)
    asked = (await store.load(tenant_id, erasure_id)).events[0]
    actor = asked.metadata["actor"]
    origin = Origin(Actor(actor["type"], actor["id"]), correlation_id=asked.metadata["correlation"])
    for start in range(0, len(subjects), AT_ONCE):
        await deciding_again(partial(erase_streams, store, tenant_id, subjects[start : start + AT_ONCE], origin))
    files = None if mails is None else partial(file_of, mails)
    await drop_erased(store.database, files, tenant_id=tenant_id)
    await store.database.rows(ENDED, about)
    return list(subjects)


async def resume_erasures(store: EventStore, tenant_id: UUID, mails: Path | None = None) -> list[UUID]:
    """Carry out what was asked for before and has not ended; returns the streams that it is about. Raises what
    ``carry_out`` raises."""
    found = await store.database.rows(OPEN, {"tenant": tenant_id})
    return [one for (erasure_id,) in found for one in await carry_out(store, tenant_id, erasure_id, mails)]


async def finish_erasures(store: EventStore, mails: Path | None) -> int:
    """Finish the erasures that were left, and settle those that ended a while ago; returns how many of both there were.
    Raises what ``carry_out`` raises."""
    left = await store.database.rows(LEFT)
    for tenant_id, erasure_id in left:
        await carry_out(store, tenant_id, erasure_id, mails)
    unsettled = await store.database.rows(UNSETTLED)
    for tenant_id, erasure_id, subjects in unsettled:
        await settle(store, tenant_id, erasure_id, subjects)
    return len(left) + len(unsettled)


async def settle(store: EventStore, tenant_id: UUID, erasure_id: UUID, subjects: Sequence[UUID]) -> None:
    """Forget what requests that were under way have written of the person. Raises what ``carry_out`` raises."""
    about = {"tenant": tenant_id, "id": erasure_id, "subjects": list(subjects)}
    later = [stream_id for (stream_id,) in await store.database.rows(LATER, about)]
    asked = (await store.load(tenant_id, erasure_id)).events[0]
    origin = Origin(Actor("system", "erasing"), correlation_id=asked.metadata["correlation"])
    for start in range(0, len(later), AT_ONCE):
        await deciding_again(partial(erase_streams, store, tenant_id, later[start : start + AT_ONCE], origin))
    tenant_key = await store.tenant_key(tenant_id)
    async with store.database.transaction(tenant_id) as connection:
        await connection.execute(LOCK_WEBHOOKS, about)
        await forget(connection, tenant_key, [*subjects, *later])
        await connection.execute(SETTLED, about)
