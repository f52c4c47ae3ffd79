"""What the list read models share: a row a resource, with the resource stored as the JSON that goes over the wire.

Such a table has the tenant, the version of the read model, the resource's id, columns that filter and sort, and
``doc``. A row of a step is the table's columns with ``doc`` parsed, whose keys stand in the order of the wire.
The statements are the same but for the names of table and columns, which are constants of the code and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from typing import Any
from uuid import UUID

import orjson

from aureum.domain.ids import to_wire

Row = dict[str, Any]

ABOVE_ALL = UUID(int=(1 << 128) - 1)
"""Where a list begins: above every id."""

APPEND = """
INSERT INTO {table} (tenant_id, read_version, {columns})
SELECT h.tenant_id, h.{table}_version, {appended}
  FROM json_to_recordset(p_rows -> '{table}') AS r (item integer, {typed})
  JOIN heads h ON h.tenant_id = p_tenant[r.item]
 WHERE outcomes[r.item] = 'appended'
ON CONFLICT (tenant_id, read_version, {id}) DO UPDATE SET {replaced}
"""
"""Run by ``append_events`` under the lock of the head row, which names the live version."""

UPDATED_AT = "updated_at"
COUNTED = f"greatest({UPDATED_AT}, recorded_before[r.item])"
"""What lists are filtered by as ``updatedSince``: the moment at which the event happened, as the resource shows it, but
never before the event ahead of it in the log was recorded. So it does not go back from one append to the next, and a
client that goes on from the last ``updatedAt`` it has seen misses nothing, whatever clocks say."""

ONE = """
SELECT {docs}, stream_version FROM {table}
 WHERE tenant_id = %(tenant)s AND {id} = %(id)s
   AND read_version = (SELECT {table}_version FROM heads WHERE tenant_id = %(tenant)s){seen}
"""

SEEN = """
   AND (%(sees)s::uuid IS NULL OR assigned_to = %(sees)s OR created_by = %(sees)s)"""
"""An agent sees what is assigned to or created by him or her; whoever else asks gives no agent."""


@dataclass(frozen=True)
class DocumentList:
    """One list read model. ``columns`` maps those behind tenant and version to their PostgreSQL types, the id first;
    ``docs`` are those that hold JSON; ``events`` is the base of the events that ``step`` takes."""

    table: str
    columns: Mapping[str, str]
    events: type
    step: Callable[[Row | None, Any], Row | None]
    docs: tuple[str, ...] = ("doc",)

    @property
    def id(self) -> str:
        """The column of the resource's id."""
        return next(iter(self.columns))

    @cached_property
    def append(self) -> str:
        """The statement that an append runs."""
        return self.statement(APPEND)

    @cached_property
    def one(self) -> str:
        """The statement that reads one resource: its documents and its stream's version."""
        return self.statement(ONE)

    def statement(self, template: str) -> str:
        """*template* with this table's names."""
        names = {
            "{table}": self.table,
            "{id}": self.id,
            "{columns}": ", ".join(self.columns),
            "{appended}": ", ".join(COUNTED if name == UPDATED_AT else name for name in self.columns),
            "{typed}": ", ".join(f"{name} {kind}" for name, kind in self.columns.items()),
            "{replaced}": ", ".join(f"{name} = excluded.{name}" for name in self.columns if name != self.id),
            "{docs}": ", ".join(self.docs),
            "{seen}": SEEN if "assigned_to" in self.columns else "",
        }
        for place, name in names.items():
            template = template.replace(place, name)
        return template

    def rows(self, before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
        """The row of a resource whose stream grew by *new*, none for the streams of other aggregates."""
        if not isinstance(new[0], self.events):
            return []
        row = reduce(self.step, new, reduce(self.step, before, None))
        return [] if row is None else [self.stored(row)]

    def counted(self, row: Row, before: datetime | None) -> Row:
        """The row with the moment by which it is filtered (``COUNTED``): *before* is when the event ahead of its last
        one was recorded."""
        return row if before is None else row | {UPDATED_AT: max(row[UPDATED_AT], before)}

    def stored(self, row: Row) -> Row:
        """The row as the table keeps it: documents as text."""
        return row | {name: orjson.dumps(row[name]).decode() for name in self.docs}

    def loaded(self, values: Sequence[Any]) -> Row:
        """The inverse of ``stored``, from the values of ``columns``."""
        row = dict(zip(self.columns, values, strict=True))
        return row | {name: orjson.loads(row[name]) for name in self.docs}


def wire_or_none(stream_id: UUID | None) -> str | None:
    """A stream's wire id, if there is one."""
    return None if stream_id is None else to_wire(stream_id)
