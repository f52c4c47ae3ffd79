"""The list of leads in another order than the newest first. The function stands in ``lead_sorted.sql``; its filters are
those that the list declares."""

from collections.abc import Mapping

from aureum.domain.lead import STATUSES
from aureum.projections.lead_list import LEADS, LIST
from aureum.projections.list_past import conditions as conditions_of_past
from aureum.projections.list_past import with_rows
from aureum.projections.list_sql import conditions, parameters

MOST = 2_000
"""How many leads are sorted by what no index has."""

PARAMETERS = ("tenant", "words", *(one.name for one in LEADS.filters), "sort", "key", "after", "limit")

PAGE = f"SELECT docs, last_key, last_id, many FROM lead_sorted({', '.join(f'%({name})s' for name in PARAMETERS)})"  # noqa: S608  # of constants
"""``key`` and ``after`` are where the page before ended: its ``last_key`` and ``last_id``."""

REPLACED: Mapping[str, str] = {
    "{parameters}": ", ".join(parameters(LEADS)),
    "{conditions}": "".join(conditions(LEADS)),
    "{statuses}": "{" + ",".join(STATUSES) + "}",
    "{most}": str(MOST),
}

PAST = with_rows(
    LIST,
    """
WITH placed AS MATERIALIZED (
    SELECT x.lead_id, x.doc, row_number() OVER (
               ORDER BY CASE s.sort WHEN 'name' THEN lower(x.doc::json ->> 'name') END,
                        CASE s.sort WHEN '-name' THEN lower(x.doc::json ->> 'name') END DESC,
                        CASE s.sort WHEN 'updatedAt' THEN x.updated_at END,
                        CASE s.sort WHEN '-updatedAt' THEN x.updated_at END DESC,
                        CASE s.sort WHEN 'status' THEN array_position(s.statuses, x.status)
                                    WHEN '-status' THEN -array_position(s.statuses, x.status) END,
                        CASE WHEN s.sort IN ('createdAt', 'updatedAt') THEN x.lead_id END,
                        x.lead_id DESC
           ) AS place
      FROM {rows}
     CROSS JOIN (SELECT %(sort)s::text AS sort, '{statuses}'::text[] AS statuses) s
     WHERE true{conditions}
)
SELECT array_to_string((array_agg(l.doc))[1:%(limit)s], ','), (array_agg(l.place))[least(count(*), %(limit)s)],
       (array_agg(l.lead_id))[least(count(*), %(limit)s)], count(*)
  FROM (
      SELECT p.doc, p.place, p.lead_id FROM placed p
       WHERE %(after)s::uuid IS NULL
          OR p.place > coalesce((SELECT a.place FROM placed a WHERE a.lead_id = %(after)s::uuid), %(key)s::bigint)
       ORDER BY p.place LIMIT %(limit)s::bigint + 1
  ) l
""".replace("{statuses}", REPLACED["{statuses}"]).replace("{conditions}", conditions_of_past(LIST, LEADS)),
)
"""The same of a moment (``aureum.projections.list_past``). All its rows are at hand,
so each order is made at once."""
