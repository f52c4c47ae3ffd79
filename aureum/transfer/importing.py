"""Makes a brokerage of an exported file: in one transaction, so that a process that is killed has done nothing.

    read       line by line: each event is sealed with new keys, and stands in the log where it stood
    build      what people read, by the same steps that rebuild it; its hash must be the one in the file
    arrive     what must change here, as events of its own (``arrival.py``)
    open       the brokerage itself, in the platform's log: from the commit on it is there

Nothing of the past is told again: webhooks, mails and timers begin behind it. Memory does not grow with the file. The
connection is the owner's.
"""

import hashlib
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from eventsourcing.persistence import StoredEvent
from psycopg import AsyncConnection

from aureum.domain import ids
from aureum.domain.aggregate import replay
from aureum.domain.brokerage import RESERVED_SLUGS, SLUG, Brokerage
from aureum.domain.ids import PLATFORM, to_wire
from aureum.registry import rows_of
from aureum.store.append import Append
from aureum.store.cipher import MasterKey, TenantKey
from aureum.store.event_store import NO_STREAM, prepared
from aureum.store.mapper import EventMapper, join_topic
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.timers.setting import TIMERS
from aureum.transfer import numbers
from aureum.transfer.arrival import COMMAND, LOCK_TIMEOUT, append, arrive
from aureum.transfer.building import Told, build
from aureum.transfer.lines import Broken, LoggedEvent, stored
from aureum.transfer.log_writer import LogWriter
from aureum.transfer.reading import Begun, ExportFile, Link, Unreadable
from aureum.transfer.state import differing, state_of
from aureum.webhooks.telling.projector import WEBHOOKS

ONWARDS = ("mail", TIMERS.name, WEBHOOKS.name)
"""Consumers that begin behind what is imported. Figures are counted from its first event: they tell nothing."""

HERE = "SELECT b.slug FROM heads h LEFT JOIN brokerages b ON b.tenant_id = h.tenant_id WHERE h.tenant_id = %(tenant)s"
SLUG_TAKEN = "SELECT FROM brokerages WHERE slug = %(slug)s"
BEGIN = "INSERT INTO heads (tenant_id) VALUES (%(tenant)s)"
KEEP_KEY = "INSERT INTO tenant_keys (tenant_id, wrapped) VALUES (%(tenant)s, %(wrapped)s)"
DOMAINS_TAKEN = "SELECT domain FROM domains WHERE domain = ANY (%(domains)s)"
ONWARD = """
INSERT INTO checkpoints (tenant_id, consumer, position)
SELECT h.tenant_id, c.consumer, h.position FROM heads h CROSS JOIN unnest(%(consumers)s::text[]) AS c (consumer)
 WHERE h.tenant_id = %(tenant)s
"""
KEEP_LINKS = """
INSERT INTO unsubscribe_tokens (tenant_id, token_hash, subscriber_id)
SELECT %(tenant)s, t.hash, t.subscriber
  FROM unnest(%(hashes)s::bytea[], %(subscribers)s::uuid[]) AS t (hash, subscriber)
"""
KEEP_LOGO = "INSERT INTO brokerage_logos (tenant_id, digest, image) VALUES (%(tenant)s, %(digest)s, %(image)s)"
DURABLE = "SET LOCAL synchronous_commit = on"

IS_HERE = "This brokerage is here already, as {slug!r}. It cannot be imported beside itself, under any slug."
BEING_IMPORTED = "Another process is importing this brokerage at this moment. Wait until it has finished."
IMPORTED_MEANWHILE = "This brokerage is here already: another process has just imported it."
TAKEN = "The slug {slug!r} is taken by another brokerage here. Name another one: --slug."
NO_SLUG = "A slug is 1-63 of a-z, 0-9 and -, and none of www, api, admin, app."
TAKEN_MEANWHILE = "A slug or a domain was taken by another brokerage meanwhile. Nothing was imported: run it again."
OTHER_STATE = (
    "What the events make here is not what people read in the other installation: {models} differ. Nothing was "
    "imported. 'aureum projections rebuild --verify' on the other installation says if something is wrong there."
)
NOT_FOLDED = "The events of the file do not make a brokerage ({error}). Nothing was imported."

CHUNK = 2_000
OWN_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of it. ``events`` and ``hash`` are those of the file; *domains* and *logins* were taken here already;
    *renewed* are the sequences whose numbers are new; *uncompared* the read models that another version has made."""

    id: str
    slug: str
    events: int
    hash: str
    arrival: int
    domains: Sequence[str]
    logins: Sequence[str]
    renewed: Sequence[str]
    uncompared: Sequence[str]


async def import_brokerage(
    connection: AsyncConnection[Any],
    master: MasterKey,
    file: ExportFile,
    *,
    slug: str | None,
    may_have: Callable[[str], bool],
    told: Told,
) -> Imported:
    """The brokerage of *file*. *may_have* says which domains a brokerage here may have at all; *told* hears what is
    done.

    Raises Unreadable, WrongPassphrase, NumbersTaken, and the driver's errors; then nothing was imported.
    """
    if slug is not None:
        check_slug(slug)
    begun = file.begin()
    slug = slug or begun.slug
    check_slug(slug)
    try:
        async with connection.transaction():
            return await in_transaction(connection, master, file, begun, slug, may_have, told)
    except psycopg.errors.LockNotAvailable as error:
        raise Unreadable(BEING_IMPORTED) from error
    except psycopg.errors.UniqueViolation as error:
        raise Unreadable(TAKEN_MEANWHILE) from error
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise Unreadable(NOT_FOLDED.format(error=type(error).__name__)) from error


def check_slug(slug: str) -> None:
    """Raises Unreadable for what is no slug."""
    if not SLUG.fullmatch(slug) or slug in RESERVED_SLUGS:
        raise Unreadable(NO_SLUG)


async def in_transaction(
    connection: AsyncConnection[Any],
    master: MasterKey,
    file: ExportFile,
    begun: Begun,
    slug: str,
    may_have: Callable[[str], bool],
    told: Told,
) -> Imported:
    """All of it, in the caller's transaction."""
    await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    tenant = {"tenant": begun.tenant_id, "slug": slug}
    here = await (await connection.execute(HERE, tenant)).fetchone()
    if here is not None:
        raise Unreadable(IS_HERE.format(slug=here[0] or to_wire(begun.tenant_id)))
    if await (await connection.execute(SLUG_TAKEN, tenant)).fetchone() is not None:
        raise Unreadable(TAKEN.format(slug=slug))
    # Of two that import the same, the second waits here for the first.
    try:
        await connection.execute(BEGIN, tenant)
    except psycopg.errors.UniqueViolation as error:
        raise Unreadable(IMPORTED_MEANWHILE) from error
    wrapped = master.new_tenant_key(begun.tenant_id, begun.stream_key)
    key = master.open_tenant_key(begun.tenant_id, wrapped)
    await connection.execute(KEEP_KEY, tenant | {"wrapped": wrapped})
    try:
        settled = await numbers.settle(connection, begun.about["numbers"])
    except (numbers.TooManyNumbers, KeyError, TypeError, ValueError) as error:
        raise Unreadable("The first line does not say which numbers the brokerage has.") from error
    log = LogWriter(connection, key, settled, ids.now())
    own = await write_log(connection, file, log, begun, told("the log"))
    try:
        apart = await build(connection, key, begun.about, told)
        wrong, uncompared = differing(begun.about["state"], await state_of(connection, begun.tenant_id))
        if wrong:
            raise Unreadable(OTHER_STATE.format(models=", ".join(wrong)))
        arrival = await arrive(connection, key, Origin(COMMAND_LINE), ids.now(), [user for user, _ in apart])
        await connection.execute(ONWARD, tenant | {"consumers": list(ONWARDS)})
        await keep_logo(connection, begun)
        await settled.keep(connection)
        left = await open_brokerage(connection, key, own, settled, slug, may_have)
    except (LookupError, ArithmeticError, TypeError, ValueError, AttributeError, AssertionError) as error:
        if isinstance(error, Unreadable):
            raise
        # Lines of a true hash that no version of Aureum has written.
        raise Unreadable(NOT_FOLDED.format(error=type(error).__name__)) from error
    await connection.execute(DURABLE)
    return Imported(
        id=to_wire(begun.tenant_id),
        slug=slug,
        events=log.position,
        hash=file.digest,
        arrival=arrival,
        domains=left,
        logins=[address for _, address in apart],
        renewed=settled.renewed,
        uncompared=uncompared,
    )


async def write_log(
    connection: AsyncConnection[Any],
    file: ExportFile,
    log: LogWriter,
    begun: Begun,
    progress: Callable[[int, int], None],
) -> list[LoggedEvent]:
    """Write what the file holds into the log; the brokerage's own events, which are in another one. Raises
    Unreadable."""
    own: list[LoggedEvent] = []
    events: list[LoggedEvent] = []
    links: list[Link] = []

    async def flush() -> None:
        await log.write(events)
        events.clear()
        if links:
            hashes, subscribers = [one.hash for one in links], [one.subscriber_id for one in links]
            named = {"tenant": begun.tenant_id, "hashes": hashes, "subscribers": subscribers}
            await connection.execute(KEEP_LINKS, named)
            links.clear()
        progress(log.position, begun.position)

    try:
        for line in file.events():
            match line:
                case Link():
                    links.append(line)
                case LoggedEvent(position=0):
                    if line.stream_id != begun.tenant_id or len(own) >= OWN_MOST:
                        raise Broken("it is not an event of this brokerage")
                    own.append(line)
                case LoggedEvent():
                    log.check(line)
                    events.append(line)
            if len(events) + len(links) >= CHUNK:
                await flush()
        await flush()
        if log.position != begun.position:
            raise Broken("it is not the last event of the log")
        await log.end()
    except (Broken, psycopg.errors.UniqueViolation) as error:
        file.refuse(error if isinstance(error, Broken) else "it stands in the file twice")
    return own


async def keep_logo(connection: AsyncConnection[Any], begun: Begun) -> None:
    """The picture that the brokerage's pages show. Raises ValueError for another than the one that is named."""
    logo = begun.about["logo"]
    if logo is None:
        return
    image = b64decode(logo["image"], validate=True)
    if hashlib.sha256(image).hexdigest() != logo["digest"]:
        raise ValueError("another picture")
    await connection.execute(KEEP_LOGO, {"tenant": begun.tenant_id, "digest": logo["digest"], "image": image})


async def open_brokerage(
    connection: AsyncConnection[Any],
    key: TenantKey,
    own: Sequence[LoggedEvent],
    settled: numbers.Numbers,
    slug: str,
    may_have: Callable[[str], bool],
) -> list[str]:
    """Append the brokerage's own events to the platform's log, with the slug and number that it has here; the domains
    that were left out, since it cannot have them."""
    mapper = EventMapper(PLATFORM, lambda _: None)
    kept = []
    for event in own:
        if event.name in numbers.SEQUENCE_OF:
            event.fields["number"] = settled.number(event.name, event.fields.get("number"))
            event.fields["slug"] = slug
        topic = join_topic(event.name, event.schema_version)
        kept.append(StoredEvent(event.stream_id, event.version, topic, stored(event, PLATFORM, None)))
    events = [mapper.to_domain_event(one) for one in kept]
    brokerage = replay(events)
    if not isinstance(brokerage, Brokerage):
        raise ValueError("no brokerage")
    cursor = await connection.execute(DOMAINS_TAKEN, {"domains": list(brokerage.domains)})
    taken = {domain for (domain,) in await cursor.fetchall()}
    left = [domain for domain in brokerage.domains if domain in taken or not may_have(domain)]
    brokerage.change_domains(
        tuple(domain for domain in brokerage.domains if domain not in left), max(ids.now(), brokerage.modified_on)
    )
    new: Sequence[Any] = brokerage.collect_events()
    metadata = [event.metadata for event in own]
    if new:
        # Encoded alone; the rows are those of all events.
        more = prepared(key, brokerage.id, new, NO_STREAM, COMMAND, Origin(COMMAND_LINE))
        kept += more.events
        metadata += more.metadata
    one = Append(PLATFORM, brokerage.id, 0, kept, metadata, rows_of([], [*events, *new]))
    await append(connection, [one])
    return left
