"""What has changed in a list since a position of the log, for clients that catch up (``changedAfter``).

The log itself says it, so that a read model needs neither a column nor an index for it, and what was made before or
rebuilt since is right as well: the streams that have an event in the range, each once, at the last of its events
there. Behind it stands the resource as it is now. A resource that is not in the list now, for the caller and through
the same filters, is reported as removed if an event since the client's position took it out. A client that cannot have
had it is told nothing. So an agent hears of a lead that went to a colleague, and of no lead that was always a
colleague's.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from aureum.projections.document_list import DocumentList, View
from aureum.projections.list_filters import Filter


class Condition(NamedTuple):
    """Something that a list asks of the rows ``x`` of its table; and which events ``v`` end that it holds, by their
    type and what they say (``list_filters.Filter``)."""

    holds: str
    ended_by: tuple[str, ...] = ()
    said: str = "true"

    @property
    def told(self) -> str:
        """Whether an event since ``since`` ended it. The case is an order: only these events say what is asked."""
        if not self.ended_by:
            return "false"
        return ENDED.replace("{ended_by}", ",".join(self.ended_by)).replace("{said}", self.said)


CHANGED = """
SELECT e.position, e.stream_id, x.number, CASE WHEN {there} THEN x.doc END{more}
  FROM events e
  LEFT JOIN LATERAL (
           SELECT {number} AS number, {doc} AS doc{conditions}{more_of}
             FROM {table} x
            WHERE x.tenant_id = %(tenant)s AND x.{id} = e.stream_id
              AND x.read_version = (SELECT h.{table}_version FROM heads h WHERE h.tenant_id = %(tenant)s)
            LIMIT 1
       ) x ON true
 WHERE e.tenant_id = %(tenant)s AND e.position > %(after)s AND e.position <= %(last)s
   AND starts_with(e.type, '{kind}.')
   AND e.version = (
           SELECT max(n.version) FROM events n
            WHERE n.tenant_id = %(tenant)s AND n.stream_id = e.stream_id AND n.position <= %(until)s
       )
   AND {told}
 ORDER BY e.position LIMIT %(limit)s
"""
"""Positions above ``after``, up to ``last``; the whole run goes up to ``until``, and began at ``since``. Row by row by
indexes: how much it reads depends on how much happened, not on how long the list is. The type begins with the word for
the aggregate, and old versions of a type have the same fields ``previous``."""

ENDED = """EXISTS (
               SELECT FROM events v
                WHERE v.tenant_id = %(tenant)s AND v.stream_id = e.stream_id AND v.position > %(since)s
                 AND CASE WHEN v.type = ANY ('{{ended_by}}') THEN {said} END
           )"""


def condition(one: Filter) -> Condition:
    """What the filter asks, if it is given."""
    value = f"%({one.name})s"
    holds = f"({value}::{one.kind} IS NULL OR {one.holds})"
    return Condition(holds.replace("{value}", value), one.ended_by, one.said.replace("{value}", value))


FOUND = """(%(words)s::json IS NULL OR NOT EXISTS (
                          SELECT FROM json_to_recordset(%(words)s::json) AS w (likes text[], near text[], typo text)
                           WHERE x.search NOT LIKE ALL (w.likes)
                             AND NOT (x.search LIKE ANY (w.near) AND coalesce(x.search ~ w.typo, false))
                      ))"""


def found_in(*types: str) -> Condition:
    """The words of a search find it (``aureum.projections.search``), if there is one. Events of *types* change what it
    is found by; what that was is encrypted in them."""
    return Condition(FOUND, types)


def changes_in(model: DocumentList, view: View, *, searched: bool = False) -> str:
    """What changed behind a position, in the list as *view* shows it; or in what the words of a search find there."""
    asked = [] if view.standing is None else [Condition(view.standing.holds, view.standing.ended_by)]
    ending = [f"{model.kind}.details_changed", *([f"{model.kind}.unmerged"] if model.moved else [])]
    asked += [found_in(*ending)] if searched else []
    asked += [condition(one) for one in view.filters]
    return changes_of(model, asked, doc=view.doc, number=view.number)


def changes_of(
    model: DocumentList,
    conditions: Sequence[Condition],
    *,
    doc: str = "x.doc",
    number: str = "NULL::bigint",
    more: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The statement for the list *model*. It yields the position, the stream's id, its *number*, and the *doc*, which
    is NULL for what is removed; behind them the columns *more*, by name."""
    names = [f"c{place}" for place in range(len(conditions))]
    held = [f", coalesce({one.holds}, false) AS {name}" for one, name in zip(conditions, names, strict=True)]
    told = [f"(x.{name} OR {one.told})" for one, name in zip(conditions, names, strict=True)]
    statement = model.statement(CHANGED)
    for place, text in {
        "{there}": " AND ".join(f"x.{name}" for name in names),
        "{number}": number,
        "{doc}": doc,
        "{conditions}": "".join(held),
        "{more_of}": "".join(f", {column} AS {name}" for name, column in more.items()),
        "{more}": "".join(f", x.{name}" for name in more),
        "{kind}": model.kind,
        # Without a row it is in no list any more.
        "{told}": f"(x.c0 IS NULL OR ({' AND '.join(told)}))",
    }.items():
        statement = statement.replace(place, text)
    return statement
