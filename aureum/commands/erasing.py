"""Erases a person: asked for once, then carried out stream by stream.

    find the person ──▶ erasure.requested ──▶ some streams at a time, each in one transaction ──▶ ended ──▶ settled

A transaction appends ``lead.erased`` and its like through the aggregates, destroys the keys of these streams and
removes what other tables keep of them: all of it or nothing. What was asked for names all streams. So an erasure that
is interrupted goes on wherever it is carried out again, by the same command or by the worker, and an erased stream is
passed over. The chain of hashes covers what is encrypted, which stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from psycopg import AsyncConnection

from aureum.commands.conflicts import deciding_again
from aureum.commands.forgetting import SHORTEST_TERM, forget
from aureum.commands.kept import ALWAYS, Kept, kept_of
from aureum.commands.person import LEADS_BY_NUMBER, NUMBERS, Person, find_person
from aureum.domain import ids
from aureum.domain.aggregate import ERASED
from aureum.domain.contact import Contact
from aureum.domain.erasure import ASKED, Erasure
from aureum.domain.errors import Busy, Conflict, NotFound
from aureum.domain.lead import Lead
from aureum.domain.subscriber import Subscriber
from aureum.domain.task import Task
from aureum.domain.tour import Tour
from aureum.domain.user import User
from aureum.mail.queue.retention import drop_erased
from aureum.mail.sending.sender import file_of
from aureum.store.append import Append, call
from aureum.store.cipher import TenantKey
from aureum.store.event_store import NO_STREAM, EventStore, Idempotency, Stream, prepared, recorded, without_key
from aureum.store.metadata import Actor, Origin

AT_ONCE = 10
"""Streams of one transaction, which holds the brokerage's log for some milliseconds."""

LOCK_TIMEOUT = "5s"

NO_PERSON = "There is no such lead or contact."

LOCK_WEBHOOKS = """
SELECT position FROM checkpoints WHERE tenant_id = %(tenant)s AND consumer = 'webhooks' FOR NO KEY UPDATE
"""
"""Ahead of the head row: while it is held, no messages are made of what has been read before."""

STREAMS = """
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, k.wrapped
  FROM events e
  LEFT JOIN subject_keys k ON k.tenant_id = e.tenant_id AND k.subject_id = e.stream_id
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(subjects)s)
 ORDER BY e.stream_id, e.version
"""

SAVERS = """
SELECT DISTINCT u.user_id FROM users u
  JOIN events e ON e.tenant_id = u.tenant_id AND e.stream_id = u.user_id AND e.type = 'user.view_saved'
 WHERE u.tenant_id = %(tenant)s
"""

ABOUT = """
SELECT erasure_id, cardinality(subjects) FROM erasures
 WHERE tenant_id = %(tenant)s
   AND (subjects @> ARRAY[%(subject)s::uuid] OR numbers @> ARRAY[%(number)s::bigint])
 ORDER BY erasure_id LIMIT 1
"""

OPEN = "SELECT erasure_id FROM erasures WHERE tenant_id = %(tenant)s AND ended_at IS NULL ORDER BY erasure_id"

SUBJECTS = "SELECT subjects FROM erasures WHERE tenant_id = %(tenant)s AND erasure_id = %(id)s"

ENDED = """
UPDATE erasures SET ended_at = clock_timestamp()
 WHERE tenant_id = %(tenant)s AND erasure_id = %(id)s AND ended_at IS NULL
"""

Personal = Lead | Contact | Tour | Subscriber | Task


@dataclass(frozen=True, kw_only=True)
class ErasePerson:
    """Whom to erase: exactly one of the four says it. ``number`` is that of a lead in the Leads API."""

    tenant_id: UUID
    email: str | None = None
    lead_id: UUID | None = None
    number: int | None = None
    contact_id: UUID | None = None
    reason: str = ASKED


@dataclass(frozen=True)
class Erased:
    """How many records were erased, and what is kept, with the reason. Without an id there was nothing to erase."""

    id: UUID | None
    erased: int
    kept: Sequence[Kept]
    records: Mapping[str, int] = field(default_factory=dict)
    """How many of each kind; not told of an erasure that was asked for before."""
    remembered: bytes | None = None


async def erase_person(
    store: EventStore, command: ErasePerson, origin: Origin, *, idempotency: Idempotency | None = None
) -> Erased:
    """Ask for an erasure. It is carried out by ``carry_out``; the answer says what that will have done. Asking again
    for a lead or contact that was erased has the same answer.

    Raises NotFound for a lead or contact that never was, Conflict, and what ``EventStore.append`` raises.
    """
    person = await person_of(store, command)
    if not person.records and command.email is None:
        about = {
            "tenant": command.tenant_id,
            "subject": command.lead_id or command.contact_id,
            "number": command.number,
        }
        rows = await store.database.tenant_rows(command.tenant_id, ABOUT, about)
        if not rows:
            raise NotFound(NO_PERSON)
        ((erasure_id, records),) = rows
        return Erased(erasure_id, records, ALWAYS)
    kept = await kept_of(store, command.tenant_id, person)
    if not person.records:
        nothing = Erased(None, 0, kept)
        if idempotency is None:
            return nothing
        return replace(nothing, remembered=await store.remember(command.tenant_id, nothing, idempotency, origin))
    leads = {"tenant": command.tenant_id, "leads": person.ids("lead")}
    numbers = [number for (number,) in await store.database.tenant_rows(command.tenant_id, NUMBERS, leads)]
    erasure = Erasure.request(ids.new_id(), ids.now(), subjects=person.records, numbers=numbers, reason=command.reason)
    asked = Erased(erasure.id, len(person.records), kept, person.counted)
    remember = None
    if idempotency is not None:
        made = idempotency.answer
        remember = replace(idempotency, answer=lambda _: made(asked))
    appended = await store.append(
        command.tenant_id, erasure, NO_STREAM, command="ErasePerson", origin=origin, idempotency=remember
    )
    return replace(asked, remembered=appended.remembered)


async def rehearse_erasing(store: EventStore, command: ErasePerson) -> Erased:
    """What erasing the person would do now. Nothing changes. Raises NotFound, Unavailable."""
    person = await person_of(store, command)
    if not person.records and command.email is None:
        raise NotFound(NO_PERSON)
    kept = await kept_of(store, command.tenant_id, person)
    return Erased(None, len(person.records), kept, person.counted)


async def person_of(store: EventStore, command: ErasePerson) -> Person:
    """The person who is meant; without records if there is none."""
    lead_id = command.lead_id
    if command.number is not None:
        about = {"tenant": command.tenant_id, "numbers": [command.number]}
        rows = await store.database.tenant_rows(command.tenant_id, LEADS_BY_NUMBER, about)
        if not rows:
            return Person()
        lead_id = rows[0][0]
    return await find_person(
        store, command.tenant_id, email=command.email, lead_id=lead_id, contact_id=command.contact_id
    )


async def carry_out(store: EventStore, tenant_id: UUID, erasure_id: UUID, mails: Path | None = None) -> int:
    """Erase what is left of an erasure; how many records it is about. *mails* is the folder with mails as files, where
    there may be any. Raises Conflict, Busy, Unavailable, OSError."""
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
    return len(subjects)


async def go_on(store: EventStore, tenant_id: UUID, mails: Path | None = None) -> int:
    """Carry out what was asked for before and has not ended; how many records it is about. Raises what ``carry_out``
    raises."""
    found = await store.database.rows(OPEN, {"tenant": tenant_id})
    return sum([await carry_out(store, tenant_id, erasure_id, mails) for (erasure_id,) in found])


async def erase_streams(store: EventStore, tenant_id: UUID, subjects: Sequence[UUID], origin: Origin) -> None:
    """Erase some streams, all or none; what was erased before stays so. Raises Conflict if one of them has grown
    meanwhile, Busy, Unavailable."""
    tenant_key = await store.tenant_key(tenant_id)
    about = {"tenant": tenant_id, "subjects": list(subjects)}
    async with store.database.connection() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute(LOCK_WEBHOOKS, about)
        rows = await (await connection.execute(STREAMS, about, binary=True)).fetchall()
        streams = {stream_id: stream_of(tenant_key, stream_id, group) for stream_id, group in grouped(rows)}
        addresses, texts = await append_erased(connection, tenant_key, streams, origin)
        await forget(connection, tenant_key, subjects, addresses, texts)
    if store.notifier is not None:
        store.notifier.changed()


def grouped(rows: Sequence[Any]) -> list[tuple[UUID, list[Any]]]:
    """The rows of each stream, without its id."""
    return [(stream_id, [row[1:] for row in group]) for stream_id, group in groupby(rows, key=itemgetter(0))]


def stream_of(tenant_key: TenantKey, stream_id: UUID, rows: Sequence[Any]) -> Stream:
    """A stream of its rows, whether it has a key or not."""
    if rows[0][-1] is not None:
        return recorded(tenant_key, stream_id, rows)
    return without_key(tenant_key.tenant_id, stream_id, rows)


async def append_erased(
    connection: AsyncConnection[Any], tenant_key: TenantKey, streams: dict[UUID, Stream], origin: Origin
) -> tuple[set[str], set[str]]:
    """Append that the persons of *streams* were erased. Returns their addresses, and what else answers may have of
    them. Raises Conflict, Busy."""
    addresses: set[str] = set()
    texts: set[str] = set()
    appends = []
    for stream_id, stream in streams.items():
        one = stream.aggregate()
        if not isinstance(one, Personal) or one.erased:
            continue
        addresses |= addresses_of(one)
        texts |= texts_of(one)
        one.erase(max(ids.now(), one.modified_on))
        appends.append(prepared(tenant_key, stream_id, one.collect_events(), stream, "ErasePerson", origin))
    if addresses or texts:
        appends += await views_removed(connection, tenant_key, [*addresses, *texts], origin)
    if appends:
        leader = replace(appends[0], also=tuple(appends[1:]))
        (outcome,) = await call(connection, [leader], LOCK_TIMEOUT)
        if outcome.outcome == "version":
            raise Conflict
        if outcome.outcome != "appended":
            raise Busy
    return addresses, texts


async def views_removed(
    connection: AsyncConnection[Any], tenant_key: TenantKey, texts: Sequence[str], origin: Origin
) -> list[Append]:
    """The appends that remove the saved views of users in whose name or search one of *texts* stands."""
    about = {"tenant": tenant_key.tenant_id}
    users = [user_id for (user_id,) in await (await connection.execute(SAVERS, about, binary=True)).fetchall()]
    rows = await (await connection.execute(STREAMS, about | {"subjects": users}, binary=True)).fetchall()
    wanted = [text.lower() for text in texts if len(text) >= SHORTEST_TERM]
    appends = []
    for user_id, group in grouped(rows):
        stream = stream_of(tenant_key, user_id, group)
        user: User = stream.aggregate()
        for view, saved in user.views.items():
            said = f"{saved.name}\n{unquote_plus(saved.query)}".lower()
            if any(text in said for text in wanted):
                user.remove_view(view, max(ids.now(), user.modified_on))
        new = user.collect_events()
        if new:
            appends.append(prepared(tenant_key, user_id, new, stream, "ErasePerson", origin))
    return appends


def addresses_of(one: Personal) -> set[str]:
    """The addresses of a record, as they were given."""
    given = [getattr(one, "email", None), *getattr(one, "other_emails", ())]
    return {address for address in given if address and address != ERASED}


def texts_of(one: Personal) -> set[str]:
    """A record's names and phones, as answers may have them."""
    match one:
        case Lead() | Contact():
            given = [f"{one.first_name} {one.last_name}".strip(), one.phone, one.phone_e164]
        case Tour():
            given = [one.name, one.phone, one.phone_e164]
        case _:
            given = []
    return {text for text in given if text and ERASED not in text}


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
UPDATE erasures SET settled_at = clock_timestamp() WHERE tenant_id = %(tenant)s AND erasure_id = %(id)s
"""

LATER = """
SELECT t.task_id FROM task_list t
 WHERE t.tenant_id = %(tenant)s AND (t.lead_id = ANY (%(subjects)s) OR t.contact_id = ANY (%(subjects)s))
   AND t.read_version = (SELECT h.task_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 UNION ALL
SELECT t.tour_id FROM tour_list t
 WHERE t.tenant_id = %(tenant)s AND t.lead_id = ANY (%(subjects)s)
   AND t.read_version = (SELECT h.tour_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""
"""What was made about the person while the person was erased."""


async def finish_erasures(store: EventStore, mails: Path | None) -> int:
    """What the worker does for erasures: finish those that were left, and look after a while whether requests that were
    under way have written anything of a person who was erased; how many there were. Raises what ``carry_out``
    raises."""
    left = await store.database.rows(LEFT)
    for tenant_id, erasure_id in left:
        await carry_out(store, tenant_id, erasure_id, mails)
    unsettled = await store.database.rows(UNSETTLED)
    for tenant_id, erasure_id, subjects in unsettled:
        await settle(store, tenant_id, erasure_id, subjects)
    return len(left) + len(unsettled)


async def settle(store: EventStore, tenant_id: UUID, erasure_id: UUID, subjects: Sequence[UUID]) -> None:
    """Forget what was written meanwhile. Raises what ``carry_out`` raises."""
    about = {"tenant": tenant_id, "id": erasure_id, "subjects": list(subjects)}
    later = [stream_id for (stream_id,) in await store.database.rows(LATER, about)]
    asked = (await store.load(tenant_id, erasure_id)).events[0]
    origin = Origin(Actor("system", "erasing"), correlation_id=asked.metadata["correlation"])
    for start in range(0, len(later), AT_ONCE):
        await deciding_again(partial(erase_streams, store, tenant_id, later[start : start + AT_ONCE], origin))
    tenant_key = await store.tenant_key(tenant_id)
    async with store.database.connection() as connection, connection.transaction():
        await connection.execute(LOCK_WEBHOOKS, about)
        await forget(connection, tenant_key, [*subjects, *later])
        await connection.execute(SETTLED, about)
