"""What a list may be filtered by, declared once: the condition on its rows, the indexes that find what is rare, and
which events end that the condition holds. Pages, changes (``changedAfter``) and indexes are made of it.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple


class Index(NamedTuple):
    """An index of a list's table, behind tenant and version. Pages go by ids, so the id stands last."""

    columns: str
    where: str = ""
    called: str = ""
    method: str = "btree"

    @property
    def name(self) -> str:
        """What stands behind the table's name in that of the index: ``lead_list_assigned``."""
        return self.called or self.columns.partition(",")[0].removeprefix("is_").rsplit("_", 1)[0]


@dataclass(frozen=True)
class Filter:
    """A filter: the parameter's *name* and type, and what must hold of the rows ``x`` where it is given, with
    ``{value}`` in the parameter's place.

    *ended_by* are the types of events that may end it; of those, *said* is what the event ``v`` must say. Where that
    cannot be told from the event, one change too many is reported: an id that the client need not know. Without
    *ended_by* it never ends.
    """

    name: str
    kind: str
    holds: str
    indexes: tuple[Index, ...]
    ended_by: tuple[str, ...] = ()
    said: str = "true"


@dataclass(frozen=True)
class Standing:
    """A condition that every row of a list meets under any filter, and the types of events that end it."""

    holds: str
    ended_by: tuple[str, ...]


PREVIOUS = "convert_from(v.data, 'UTF8')::json ->> 'previous'"
"""What the event says that it was before: status or assignee, neither of which is encrypted."""


def is_now(column: str, kind: str, *ended_by: str, said: str = "true") -> Filter:
    """The row's *column* is what the parameter of the same name says."""
    return Filter(column, kind, f"x.{column} = {{value}}", (Index(f"{column}, {{id}}"),), ended_by, said)


def status_of(*types: str) -> Filter:
    """The status is the one that is asked for; events of *types* change it."""
    return is_now("status", "text", *types, said=f"{PREVIOUS} = {{value}}")


def assigned_by(*types: str) -> Filter:
    """The assignee is the requested one; events of *types* change it."""
    return is_now("assigned_to", "uuid", *types, said=f"{PREVIOUS} = {{value}}::uuid::text")


def seen_by(*types: str) -> Filter:
    """The caller may see it: an agent sees what is assigned to or created by the agent. Events of *types* change the
    assignee."""
    return replace(
        assigned_by(*types),
        name="visible_to",
        holds="(x.assigned_to = {value} OR x.created_by = {value})",
        # Most rows were made by visitors and programs, and cost the second index nothing.
        indexes=(Index("assigned_to, {id}"), Index("created_by, {id}", "created_by IS NOT NULL")),
    )


UPDATED_SINCE = Filter("updated_since", "timestamptz", "x.updated_at >= {value}", (Index("updated_at"),))
"""What every list may be filtered by."""
