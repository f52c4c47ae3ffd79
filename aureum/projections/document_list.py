"""A list read model, declared once: a row a resource, with the resource stored as the JSON that goes over the wire.

Of the declaration come the table with its indexes, rights and row security and the functions that read its pages
(``list_sql``), what changed (``list_changes``), the statement of the append, the rebuild, the version that the gate
reports, and the counts on the command line. Nothing of that is written by hand for a list.

Such a table has the tenant, the version of the read model, the resource's id, columns that filter and sort, and
``doc``. A row of a step is the table's columns with ``doc`` parsed, whose keys stand in the order of the wire.
The statements are the same but for the names of table and columns, which are constants of the code and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, reduce
from typing import Any
from uuid import UUID

import orjson

from aureum.domain.aggregate import Aggregate, PersonErased, ResourceRemoved
from aureum.domain.ids import aureum_time, to_wire
from aureum.projections.emits import Emits
from aureum.projections.list_filters import Filter, Index, Standing

Row = dict[str, Any]

ABOVE_ALL = UUID(int=(1 << 128) - 1)
"""Where a list begins: above every id."""

BEGIN = """
INSERT INTO {table} (tenant_id, read_version, {columns}{unsearched})
SELECT h.tenant_id, CASE WHEN coalesce(r.step, 1) = h.{table}_step THEN h.{table}_version ELSE other_step() END,
       {appended}{behind}
  FROM json_to_recordset(rows) AS r (item integer, step integer, {typed})
  JOIN heads h ON h.tenant_id = tenants[r.item]"""
"""For an append whose streams all begin: their rows are new, so it need not look for old ones."""

APPEND = (
    BEGIN
    + """
ON CONFLICT (tenant_id, read_version, {id}) DO UPDATE SET {replaced}{still}
"""
)
"""Run by ``append_events`` under the lock of the head row, which names the live version and the step that made it.
Rows that another step made, a program's of before or after, are refused."""

UPDATED_AT = "updated_at"
COUNTED = f"greatest({UPDATED_AT}, recorded_before[r.item])"
"""What lists are filtered by as ``updatedSince``: the moment at which the event happened, as the resource shows it, but
never before the event ahead of it in the log was recorded. So it does not go back from one append to the next, and a
client that goes on from the last ``updatedAt`` it has seen misses nothing, even where clocks are wrong."""

ONE = """
SELECT {docs}, stream_version FROM {table}
 WHERE tenant_id = %(tenant)s AND {id} = {asked}
   AND read_version = (SELECT {table}_version FROM heads WHERE tenant_id = %(tenant)s){seen}
"""

MOVED = """(
           SELECT coalesce(o.{moved}, o.{id}) FROM {table} o
            WHERE o.tenant_id = %(tenant)s AND o.{id} = %(id)s
              AND o.read_version = (SELECT {table}_version FROM heads WHERE tenant_id = %(tenant)s)
       )"""
"""The resource that is returned for the requested id. ``coalesce`` is only within the subquery: PostgreSQL does not
take it for leakproof, so beside row security it would keep the index from being used."""

SEEN = """
   AND (%(visible_to)s::uuid IS NULL OR assigned_to = %(visible_to)s OR created_by = %(visible_to)s)"""
"""An agent sees what is assigned to that agent, or created by it. For all other callers ``visible_to`` is NULL."""


SEARCHED = {
    "{unsearched}": ", unsearched",
    "{behind}": ", r.{id} <= h.{table}_searched",
    "{still}": ", unsearched = excluded.unsearched AND ({table}.unsearched"
    " OR {table}.search IS DISTINCT FROM excluded.search)",
}
"""Of a list that is searched: whether the row stands behind what was copied for searching (``search.sql``) and is
not as it was copied. So an append writes no index of words."""


@dataclass(frozen=True)
class View:
    """One way in which a list is read: *name* is that of its functions, *filters* are its parameters, *doc* is what
    stands for a row ``x``, and *number* how the dialect calls it, if not by its id."""

    name: str
    filters: tuple[Filter, ...]
    doc: str = "x.doc"
    number: str = "NULL::bigint"
    standing: Standing | None = None
    """The condition that every row of the list meets."""

    @property
    def page(self) -> str:
        """Newest first, since ids sort by time: the documents joined by commas, the last id, how many, and one more
        than ``limit`` if another page follows. ``before`` is the id that the page begins after, ``visible_to`` the
        agent who asks, if it is one."""
        named = ", ".join(f"%({name})s" for name in ("tenant", *(one.name for one in self.filters), "before", "limit"))
        return f"SELECT docs, last_id, found FROM {self.name}_page({named})"  # noqa: S608  # of constants

    @property
    def pages(self) -> str:
        """Without filters, of several requests at once (``aureum.store.postgres.batched_reads``): of which tenant,
        before which id, how many."""
        return f"SELECT ord, docs, last_id, found FROM {self.name}_pages(%b::uuid[], %b::uuid[], %b::integer[])"  # noqa: S608  # as above

    @property
    def search(self) -> str:
        """As ``page``, of what the words of a search find (``aureum.projections.search``)."""
        filters = (one.name for one in self.filters)
        named = ", ".join(f"%({name})s" for name in ("tenant", "words", *filters, "before", "limit"))
        return f"SELECT docs, last_id, many FROM {self.name}_search({named})"  # noqa: S608  # as above


@dataclass(frozen=True)
class DocumentList:
    """One list read model. ``columns`` maps those behind tenant and version to their PostgreSQL types, the id first;
    ``docs`` are those that hold JSON; ``step`` takes the events of ``aggregate``, whose types begin with ``kind``;
    ``emits`` is what webhooks are sent, if they are.

    ``step_version`` is raised whenever ``step`` makes other rows of the same events: ``aureum migrate`` then rebuilds
    the rows."""

    table: str
    kind: str
    columns: Mapping[str, str]
    aggregate: type[Aggregate]
    step: Callable[[Row | None, Any], Row | None]
    step_version: int
    views: tuple[View, ...] = ()
    indexes: tuple[Index, ...] = ()
    """Besides those of the views' filters."""
    docs: tuple[str, ...] = ("doc",)
    emits: Emits | None = None
    moved: str = ""
    """The column, if any, with the resource that is returned in place of this one."""
    taken: Mapping[str, str] = field(default_factory=dict)
    """Where a unique index may refuse a row: what that means, by the index's name."""
    in_time: bool = True
    """Whether ids are in the order of creation."""
    seen: str = ""
    """What lets an agent see one, where that is not who it is assigned to or created by."""

    def view(self, name: str) -> View:
        """The view of that name."""
        return next(view for view in self.views if view.name == name)

    @property
    def id(self) -> str:
        """The column of the resource's id."""
        return next(iter(self.columns))

    @property
    def searched(self) -> bool:
        """Whether it can be searched: its column ``search`` is what ``aureum.projections.search`` finds a row by."""
        return "search" in self.columns

    @property
    def TAKEN(self) -> Mapping[str, str]:
        """As ``taken``."""
        return self.taken

    @property
    def NAME(self) -> str:
        """What the command line and ``append_events`` call it."""
        return self.table

    @property
    def EVENTS(self) -> type:
        """The base of the events that it is made of."""
        return self.aggregate.Event

    @property
    def STEP_VERSION(self) -> int:
        """The version of its step."""
        return self.step_version

    @cached_property
    def BEGIN(self) -> str:
        """The statement of an append whose streams all begin."""
        return self.statement(BEGIN)

    @cached_property
    def APPEND(self) -> str:
        """The statement that an append runs."""
        return self.statement(APPEND)

    @cached_property
    def one(self) -> str:
        """The statement that reads one resource: its documents and its stream's version."""
        return self.statement(ONE)

    def statement(self, template: str) -> str:
        """*template* with this table's names."""
        names = (SEARCHED if self.searched else dict.fromkeys(SEARCHED, "")) | {
            "{asked}": MOVED.replace("{moved}", self.moved) if self.moved else "%(id)s",
            "{table}": self.table,
            "{id}": self.id,
            "{columns}": ", ".join(self.columns),
            "{appended}": ", ".join(COUNTED if name == UPDATED_AT else name for name in self.columns),
            "{typed}": ", ".join(f"{name} {kind}" for name, kind in self.columns.items()),
            "{replaced}": ", ".join(f"{name} = excluded.{name}" for name in self.columns if name != self.id),
            "{docs}": ", ".join(self.docs),
            "{seen}": self.seen or (SEEN if "assigned_to" in self.columns else ""),
        }
        for place, name in names.items():
            template = template.replace(place, name)
        return template

    def rows(self, before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
        """The row of a resource whose stream grew by *new*, none for the streams of other aggregates."""
        if not isinstance(new[0], self.EVENTS):
            return []
        row = reduce(self.step, new, reduce(self.step, before, None))
        return [] if row is None or is_gone(row) else [self.stored(row)]

    def counted(self, row: Row, before: datetime | None) -> Row:
        """The row with the moment by which it is filtered (``COUNTED``): *before* is when the event ahead of its last
        one was recorded."""
        return row if before is None or before <= row[UPDATED_AT] else row | {UPDATED_AT: before}

    def stored(self, row: Row) -> Row:
        """The row as the table keeps it: documents as text."""
        return row | {name: orjson.dumps(row[name]).decode() for name in self.docs}

    def loaded(self, values: Sequence[Any]) -> Row:
        """The inverse of ``stored``, from the values of ``columns``."""
        row = dict(zip(self.columns, values, strict=True))
        return row | {name: orjson.loads(row[name]) for name in self.docs}


def erased(row: Row, event: PersonErased) -> Row:
    """A row whose person was erased, for what is told of it: the table keeps none. What was personal in it cannot be
    read any more by then."""
    doc = row["doc"] | {"updatedAt": aureum_time(event.timestamp), "erased": True}
    return row | {"stream_version": event.originator_version, "updated_at": event.timestamp, "doc": doc}


def removed(row: Row, event: ResourceRemoved) -> Row:
    """A row that was taken back, for what is told of it: the table keeps none."""
    doc = row["doc"] | {"updatedAt": aureum_time(event.timestamp), "removed": True}
    return row | {"stream_version": event.originator_version, "updated_at": event.timestamp, "doc": doc}


def is_gone(row: Row) -> bool:
    """Whether the person was erased, or the resource was taken back: it is in no list any more."""
    return bool(row["doc"].get("erased") or row["doc"].get("removed"))


def moment_or_none(text: str | None) -> datetime | None:
    """The moment of a time as the Aureum API writes it, if there is one."""
    return None if text is None else datetime.fromisoformat(text)


def wire_or_none(stream_id: UUID | None) -> str | None:
    """A stream's wire id, if there is one."""
    return None if stream_id is None else to_wire(stream_id)
