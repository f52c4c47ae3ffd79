"""Erases some streams of a person in one transaction.

It appends ``lead.erased`` and its like through the aggregates, destroys the keys of these streams, and removes what
other tables keep of them (``forgetting.py``): all of it or nothing. A stream that was erased before is passed over. The
chain of hashes covers what is encrypted, which stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import unquote_plus
from uuid import UUID

from psycopg import AsyncConnection

from aureum.commands.forgetting import SHORTEST_TERM, forget, forget_clients
from aureum.domain import ids
from aureum.domain.aggregate import ERASED
from aureum.domain.contact import Contact
from aureum.domain.conversation import Conversation
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_template import EnvelopeTemplate
from aureum.domain.errors import Busy, Conflict
from aureum.domain.key_dates import KeyDates
from aureum.domain.lead import Lead
from aureum.domain.shortlist import Shortlist
from aureum.domain.subscriber import Subscriber
from aureum.domain.task import Task
from aureum.domain.tour import Tour
from aureum.domain.user import User
from aureum.store.append import Append, call
from aureum.store.cipher import TenantKey
from aureum.store.event_store import STREAMS, EventStore, Stream, prepared, streams_in
from aureum.store.metadata import Origin

LOCK_TIMEOUT = "5s"

LOCK_WEBHOOKS = """
SELECT position FROM checkpoints WHERE tenant_id = %(tenant)s AND consumer = 'webhooks' FOR NO KEY UPDATE
"""
"""Ahead of the head row: while it is held, no messages are made of what has been read before."""

SAVERS = """
SELECT DISTINCT u.user_id FROM users u
  JOIN events e ON e.tenant_id = u.tenant_id AND e.stream_id = u.user_id AND e.type = 'user.view_saved'
 WHERE u.tenant_id = %(tenant)s
"""

Personal = Lead | Contact | Tour | Subscriber | Task | Envelope | EnvelopeTemplate | Conversation | Shortlist | KeyDates


async def erase_streams(
    store: EventStore, tenant_id: UUID, subjects: Sequence[UUID], origin: Origin, *, command: str = "ErasePerson"
) -> None:
    """Erase some streams, all or none; what was erased before stays so, and so does an envelope that was sent
    meanwhile. Raises Conflict if one of them has grown meanwhile, Busy, Unavailable."""
    tenant_key = await store.tenant_key(tenant_id)
    async with store.database.transaction(tenant_id) as connection:
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute(LOCK_WEBHOOKS, {"tenant": tenant_id})
        streams = await streams_of(connection, tenant_key, subjects)
        erased = await append_erased(connection, tenant_key, streams, origin, command)
        gone = [one for one in subjects if one not in erased.staying]
        await forget(connection, tenant_key, gone, erased.addresses, erased.texts)
        await forget_clients(connection, tenant_key, erased.others - erased.addresses)
    if store.notifier is not None:
        store.notifier.changed()


async def streams_of(
    connection: AsyncConnection[Any], tenant_key: TenantKey, stream_ids: Sequence[UUID]
) -> dict[UUID, Stream]:
    """Those of these streams that exist."""
    about = {"tenant": tenant_key.tenant_id, "streams": list(stream_ids)}
    return streams_in(tenant_key, await (await connection.execute(STREAMS, about, binary=True)).fetchall())


class Known(NamedTuple):
    """What was known of those that were erased: their addresses, the other texts by which answers may name them, and
    addresses that may be others'. ``staying`` are streams that were not erased."""

    addresses: set[str]
    texts: set[str]
    others: set[str]
    staying: set[UUID]


async def append_erased(
    connection: AsyncConnection[Any],
    tenant_key: TenantKey,
    streams: Mapping[UUID, Stream],
    origin: Origin,
    command: str,
) -> Known:
    """Append that the persons of *streams* were erased. Raises Conflict, Busy."""
    addresses: set[str] = set()
    texts: set[str] = set()
    others: set[str] = set()
    staying: set[UUID] = set()
    appends = []
    for stream_id, stream in streams.items():
        one = stream.aggregate()
        if isinstance(one, Envelope) and (one.erased or not one.can_be_purged(max(ids.now(), one.modified_on))):
            # What is known of one that was purged went with it. The answer to that request is kept for its twins.
            staying.add(stream_id)
            continue
        if not isinstance(one, Personal) or one.erased:
            continue
        at = max(ids.now(), one.modified_on)
        addresses |= addresses_of(one)
        others |= other_addresses_of(one, stream)
        texts |= texts_of(one)
        one.erase(at)
        appends.append(prepared(tenant_key, stream_id, one.collect_events(), stream, command, origin))
    if addresses or texts:
        appends += await views_removed(connection, tenant_key, [*addresses, *texts], origin)
    if appends:
        leader = replace(appends[0], also=tuple(appends[1:]))
        (outcome,) = await call(connection, [leader], LOCK_TIMEOUT)
        if outcome.outcome == "version":
            raise Conflict
        if outcome.outcome != "appended":
            raise Busy
    return Known(addresses, texts, others, staying)


async def views_removed(
    connection: AsyncConnection[Any], tenant_key: TenantKey, texts: Sequence[str], origin: Origin
) -> list[Append]:
    """The appends that remove the saved views of users in whose name or search one of *texts* stands."""
    about = {"tenant": tenant_key.tenant_id}
    users = [user_id for (user_id,) in await (await connection.execute(SAVERS, about, binary=True)).fetchall()]
    wanted = [text.lower() for text in texts if len(text) >= SHORTEST_TERM]
    appends = []
    for user_id, stream in (await streams_of(connection, tenant_key, users)).items():
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


def other_addresses_of(one: Personal, stream: Stream) -> set[str]:
    """Those that the record had before, and those of an envelope's recipients. They may be other persons' by now: an
    address that still opens something in the portal keeps what it has there."""
    given: list[str | None] = []
    if isinstance(one, Envelope):
        given += [person.email for person in one.recipients.values()]
    for record in stream.events:
        details = getattr(record.event, "details", None)
        given += [getattr(record.event, "email", None), details.get("email") if isinstance(details, dict) else None]
    return {address for address in given if address and address != ERASED}


def texts_of(one: Personal) -> set[str]:
    """A record's names and phones, and the documents of an envelope, as answers may have them."""
    match one:
        case Lead() | Contact():
            given = [f"{one.first_name} {one.last_name}".strip(), one.phone, one.phone_e164]
        case Tour():
            given = [one.name, one.phone, one.phone_e164]
        case Envelope():
            given = [*map(ids.to_wire, one.documents)]
        case _:
            given = []
    return {text for text in given if text and ERASED not in text}
