"""Takes back properties that an import added, as if the file had never come: ``property.removed`` through the
aggregates, their rows, and their slugs, which are free again. All of it happens in one transaction, under the lock of
the brokerage's log. A property that was changed since stays, and so does one that something refers to.

What refers to properties is looked for twice. The first look is at all tasks, showings, lists of clients and pages of
leads, without any lock. The looks under the lock are at what was appended since, so that appends wait for little, and
a task that was created a moment ago counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.commands.forgetting import of_list
from aureum.commands.properties import SLUG
from aureum.commands.undoing_all import SINCE, Undone
from aureum.domain import ids
from aureum.domain.errors import Busy, Conflict
from aureum.domain.property import Property
from aureum.domain.routing.enquiry import page_parts
from aureum.projections import lead_list, property_list, shortlists, task_list, tour_list
from aureum.store.append import call
from aureum.store.event_log import rows_on
from aureum.store.event_store import STREAMS, EventStore, Read, Stream, prepared, streams_in
from aureum.store.metadata import Origin

KIND = "property"

REMOVED = "removed"
"""What went back of a resource that the import added."""

COMMAND = "UndoImport"

REFERRED_TO = "A lead, a showing, a task or a client's list refers to it."

LOCK_TIMEOUT = "5s"

LOCK_HEAD = "SELECT position FROM heads WHERE tenant_id = %(tenant)s FOR NO KEY UPDATE"

HEAD = "SELECT position FROM heads WHERE tenant_id = %(tenant)s"

APPENDED = """
SELECT DISTINCT stream_id FROM events
 WHERE tenant_id = %(tenant)s AND position > %(after)s AND NOT starts_with(type, 'property.')
"""

ALL = """
SELECT DISTINCT n.name FROM {table} x CROSS JOIN LATERAL ({names}) AS n (name)
 WHERE x.tenant_id = %(tenant)s AND n.name IS NOT NULL
   AND x.read_version = (SELECT h.{table}_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""

SOME = " AND x.{id} = ANY (%(streams)s::uuid[])"

REFERRING = (
    (task_list.LIST, "SELECT x.doc::json ->> 'propertyId'"),
    (tour_list.LIST, "VALUES (x.doc::json ->> 'propertyId'), (x.listing_id)"),
    (shortlists.LIST, "SELECT l ->> 'propertyId' FROM json_array_elements(x.doc::json -> 'listings') AS l"),
    (lead_list.LIST, "SELECT x.doc::json ->> 'sourcePage'"),
)
"""What refers to properties: tasks, showings and the lists of clients by wire ids, showings also by listing ids. Leads
have the page that they came from, whose address has the slug or the listing id."""

FREE_SLUGS = """
DELETE FROM taken_names
 WHERE tenant_id = %(tenant)s AND purpose = %(purpose)s AND name = ANY (%(slugs)s) AND stream_id = ANY (%(subjects)s)
"""


@dataclass
class References:
    """What something in a brokerage refers to: ids of properties, slugs and listing ids, as of the position *until* of
    its log."""

    tenant_id: UUID
    names: set[str] = field(default_factory=set)
    until: int | None = None

    async def look(self, read: Read) -> None:
        """Take in what was appended since the last look. The first look is at everything."""
        about: dict[str, Any] = {"tenant": self.tenant_id, "after": self.until, "streams": None}
        ((head,),) = await read(HEAD, about)
        if self.until is not None:
            about["streams"] = [stream_id for (stream_id,) in await read(APPENDED, about)]
        if about["streams"] != []:
            which = ALL if self.until is None else ALL + SOME
            for model, names in REFERRING:
                rows = await read(model.statement(which).replace("{names}", names), about)
                self.names.update(name for (said,) in rows for name in (said, *page_parts(said)))
        self.until = head

    def to(self, listed: Property) -> bool:
        """Whether something refers to this property."""
        called = {ids.to_wire(listed.id), listed.slug, listed.mls_id}
        return not called.isdisjoint(self.names)


async def remove_properties(
    store: EventStore, added: Mapping[UUID, set[int]], references: References, origin: Origin, *, rehearsed: bool
) -> list[Undone]:
    """Take back these properties, each *added* by these versions; an outcome for each. Raises Conflict, Busy,
    Unavailable."""
    tenant_id = references.tenant_id
    if not added:
        return []
    if references.until is None or rehearsed:
        await references.look(partial(store.database.tenant_rows, tenant_id))
    if rehearsed:
        return outcomes(await store.load_all(tenant_id, list(added)), added, references)
    tenant_key = await store.tenant_key(tenant_id)
    async with store.database.transaction(tenant_id) as connection:
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute(LOCK_HEAD, {"tenant": tenant_id})
        read = rows_on(connection)
        await references.look(read)
        streams = streams_in(tenant_key, await read(STREAMS, {"tenant": tenant_id, "streams": list(added)}))
        done = outcomes(streams, added, references)
        gone = [streams[one.stream_id] for one in done if one.back]
        if gone:
            appends = []
            for stream in gone:
                listed: Property = stream.aggregate()
                listed.remove(max(ids.now(), listed.modified_on))
                appends.append(prepared(tenant_key, listed.id, listed.collect_events(), stream, COMMAND, origin))
            (outcome,) = await call(connection, [replace(appends[0], also=tuple(appends[1:]))], LOCK_TIMEOUT)
            if outcome.outcome == "version":
                raise Conflict
            if outcome.outcome != "appended":
                raise Busy
            await forget_properties(connection, tenant_id, [stream.aggregate() for stream in gone])
    if store.notifier is not None:
        store.notifier.changed()
    return done


def outcomes(streams: Mapping[UUID, Stream], added: Mapping[UUID, set[int]], references: References) -> list[Undone]:
    """What becomes of each, in their order."""
    found = []
    for stream_id, versions in added.items():
        listed: Property = streams[stream_id].aggregate()
        if listed.removed:
            continue
        why = REFERRED_TO if references.to(listed) else ""
        if any(recorded.event.originator_version not in versions for recorded in streams[stream_id].events):
            why = SINCE
        found.append(Undone(KIND, stream_id, () if why else (REMOVED,), (), why))
    return found


async def forget_properties(connection: AsyncConnection[Any], tenant_id: UUID, removed: Sequence[Property]) -> None:
    """Remove their rows, of every version of the list, and free their slugs, in the transaction of *connection*, which
    is the owner's."""
    about = {
        "tenant": tenant_id,
        "subjects": [listed.id for listed in removed],
        "slugs": [listed.slug for listed in removed],
        "purpose": SLUG,
    }
    for statement in (*of_list(property_list.LIST), FREE_SLUGS):
        await connection.execute(statement, about)
