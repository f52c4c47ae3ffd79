"""Makes a brokerage of an exported file: in one transaction, so that a process that is killed has done nothing.

    read       line by line: each event is sealed with new keys, and stands in the log where it stood
    build      what people read, by the same steps that rebuild it; its hash must be the one in the file
    arrive     what must change here, as events of its own (``arrival.py``)
    open       the brokerage itself, in the platform's log: from the commit on it is there

Nothing of the past is sent again: webhooks, mails and timers begin behind it. Memory does not grow with the file. The
connection is the owner's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from eventsourcing.domain import EventSourcingError
from psycopg import AsyncConnection

from aureum.domain import ids
from aureum.domain.brokerage import RESERVED_SLUGS, SLUG
from aureum.domain.errors import DomainError
from aureum.domain.ids import to_wire
from aureum.store.cipher import MasterKey
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.timers.setting import TIMERS
from aureum.transfer import numbers
from aureum.transfer.arrival import LOCK_TIMEOUT, NotAppended, arrive
from aureum.transfer.building import ProgressOf, build
from aureum.transfer.documents import DocumentPart, DocumentWriter
from aureum.transfer.lines import Broken, LoggedEvent
from aureum.transfer.log_writer import LogWriter
from aureum.transfer.opening import open_brokerage
from aureum.transfer.reading import Begun, ExportFile, Link, Unreadable
from aureum.transfer.state import differing, state_of
from aureum.webhooks.telling.projector import WEBHOOKS

ONWARDS = ("mail", TIMERS.name, WEBHOOKS.name)
"""Consumers that begin behind what is imported. Figures are counted from its first event: they tell nothing."""

HERE = "SELECT b.slug FROM heads h LEFT JOIN brokerages b ON b.tenant_id = h.tenant_id WHERE h.tenant_id = %(tenant)s"
SLUG_TAKEN = "SELECT FROM brokerages WHERE slug = %(slug)s"
BEGIN = "INSERT INTO heads (tenant_id) VALUES (%(tenant)s)"
KEEP_KEY = "INSERT INTO tenant_keys (tenant_id, wrapped) VALUES (%(tenant)s, %(wrapped)s)"
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
DURABLE = "SET LOCAL synchronous_commit = on"

IS_HERE = "This brokerage is here already, as {slug!r}. It cannot be imported a second time, under any slug."
BEING_IMPORTED = "Another process is importing this brokerage at this moment. Wait until it has finished."
HELD = "Another process holds what the import needs, such as the platform's log. Nothing was imported: run it again."
GAPS = "The file is incomplete: a version of a stream is missing or occurs twice. Export again."
TWICE = "An event or a link stands twice in the file, the second time in line {number} or a little before it."
IMPORTED_MEANWHILE = "This brokerage is here already: another process has just imported it."
TAKEN = "The slug {slug!r} is taken by another brokerage here. Choose another one: --slug."
NO_SLUG = "A slug has 1 to 63 of the characters a-z, 0-9 and -, and is not www, api, admin or app."
TAKEN_MEANWHILE = "Another brokerage has taken the slug or a domain meanwhile. Nothing was imported. Run it again."
OTHER_STATE = (
    "The imported data differs from the data of the other installation: {models}. Nothing was imported. Run 'aureum "
    "projections rebuild --verify' on the other installation to check its data."
)
NOT_FOLDED = "The events of the file do not make a brokerage ({error}). Nothing was imported. Export again."

NOT_AN_EVENT = (
    *(LookupError, ArithmeticError, TypeError, ValueError, AttributeError, AssertionError),
    *(DomainError, EventSourcingError),
)
"""What folding raises for events that no aggregate has decided."""

CHUNK = 2_000
OWN_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Imported:
    """The imported brokerage. ``events`` and ``hash`` are those of the file, ``arrival`` is how many events were added
    behind them. ``domains`` were left out and ``logins`` disabled, since they are taken here. ``renewed`` are the
    sequences whose numbers are new, ``uncompared`` the read models that another version has made."""

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
    progress_of: ProgressOf,
) -> Imported:
    """Make the brokerage of *file*. *may_have* says which domains a brokerage here may have at all.

    Raises Unreadable, WrongPassphrase, NumbersTaken, and the driver's errors; then nothing was imported.
    """
    if slug is not None:
        check_slug(slug)
    begun = file.begin()
    slug = slug or begun.slug
    check_slug(slug)
    try:
        async with connection.transaction():
            return await in_transaction(connection, master, file, begun, slug, may_have, progress_of)
    except (psycopg.errors.LockNotAvailable, NotAppended) as error:
        raise Unreadable(HELD) from error
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
    progress_of: ProgressOf,
) -> Imported:
    """Import all of the file, in the caller's transaction. Raises what ``import_brokerage`` raises, and NotAppended."""
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
    except psycopg.errors.LockNotAvailable as error:
        raise Unreadable(BEING_IMPORTED) from error
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
    try:
        own = await write_log(connection, file, log, begun, progress_of("the log"))
        apart = await build(connection, key, begun.about, progress_of)
        wrong, uncompared = differing(begun.about["state"], await state_of(connection, begun.tenant_id))
        if wrong:
            raise Unreadable(OTHER_STATE.format(models=", ".join(wrong)))
        arrival = await arrive(connection, key, Origin(COMMAND_LINE), ids.now(), [user for user, _ in apart])
        await connection.execute(ONWARD, tenant | {"consumers": list(ONWARDS)})
        await settled.keep(connection)
        left = await open_brokerage(connection, key, begun, own, settled, slug, may_have)
    except Unreadable:
        raise
    except NOT_AN_EVENT as error:
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
    documents = DocumentWriter(connection, log.key)

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
                case DocumentPart():
                    # Its subject's key comes with the log.
                    if events:
                        await flush()
                    await documents.write(line)
                case LoggedEvent(position=0):
                    if line.stream_id != begun.tenant_id or line.version != len(own) + 1 or line.version > OWN_MOST:
                        raise Broken("it is not the next event of the brokerage itself")
                    own.append(line)
                case LoggedEvent():
                    log.check(line)
                    events.append(line)
            if len(events) + len(links) >= CHUNK:
                await flush()
        await flush()
        documents.end()
        if log.position != begun.position:
            raise Broken("it is not the last event of the log")
    except Broken as error:
        file.refuse(error)
    except psycopg.errors.UniqueViolation as error:
        raise Unreadable(TWICE.format(number=file.number)) from error
    if await log.has_gaps():
        raise Unreadable(GAPS)
    await log.end()
    return own
