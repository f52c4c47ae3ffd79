"""Pages of a list as it was at a moment. The rows of that moment come as JSON, since no table has them
(``aureum.store.lists_as_of``); filters, words of a search and order are those that the list declares, so that a page of
the past is cut as one of the present is."""

from collections.abc import Sequence

from aureum.projections.document_list import DocumentList, View
from aureum.projections.list_changes import condition, found_in

ROWS = "(SELECT %(tenant)s::uuid AS tenant_id, r.* FROM json_to_recordset(%(rows)s::json) AS r ({typed})) x"
"""The rows, with their tenant beside them as in the table."""

PAGE = """
SELECT array_to_string((array_agg(l.doc))[1:%(limit)s], ','), (array_agg(l.id))[least(count(*), %(limit)s)], count(*)
  FROM (
      SELECT {doc} AS doc, x.{id} AS id
        FROM {rows}
       WHERE x.{id} < %(before)s{conditions}
       ORDER BY x.{id} DESC LIMIT %(limit)s::bigint + 1
  ) l
"""
"""As ``View.page`` has it."""


def page_of_past(model: DocumentList, view: View) -> str:
    """The statement for a page of *view*. ``words`` are those of a search, or NULL."""
    return with_rows(model, PAGE.replace("{doc}", view.doc).replace("{conditions}", conditions(model, view)))


def with_rows(model: DocumentList, statement: str) -> str:
    """*statement* with the rows in the place of the table *model*."""
    return model.statement(statement.replace("{rows}", ROWS))


def conditions(model: DocumentList, view: View) -> str:
    """What *view* asks of the rows ``x``, each beginning with AND."""
    return all_hold(
        [
            *([] if view.standing is None else [view.standing.holds]),
            *(condition(one).holds for one in view.filters),
            *([found_in().holds] if model.searched else []),
        ]
    )


def all_hold(conditions: Sequence[str]) -> str:
    """The *conditions*, each beginning with AND."""
    return "".join(f"\n         AND {one}" for one in conditions)
