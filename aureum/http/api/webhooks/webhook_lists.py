"""Lists of what workers change as well: an ETag cannot be told from the log, so it is made of the answer itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from starlette.responses import Response

from aureum.http.contract.answers import answer, encoded, list_etag, not_modified
from aureum.http.contract.endpoint import Context
from aureum.http.contract.lists import Paging
from aureum.http.contract.paging import Bound, Place, link, opened_cursor, write_cursor
from aureum.projections.document_list import ABOVE_ALL


async def page(
    context: Context, statement: str, names: Sequence[str], paging: Paging, **chosen: Any
) -> list[dict[str, Any]]:
    """The rows of a page and one more, if there is one; without a limit all. Raises InvalidRequest."""
    parameters = {
        "tenant": context.tenant_id,
        "before": begins(context, paging.cursor, bound(context, paging)) or ABOVE_ALL,
        "limit": None if paging.limit is None else paging.limit + 1,
        "updated_since": paging.updated_since,
        **chosen,
    }
    found = await context.app.database.tenant_rows(context.tenant_id, statement, parameters)
    return [dict(zip(names, row, strict=True)) for row in found]


def listed(
    context: Context,
    path: str,
    paging: Paging,
    rows: Sequence[Mapping[str, Any]],
    stream_id: str,
    document: Callable[[Mapping[str, Any]], Any],
    *state: object,
) -> Response:
    """A list or a page of it with its ``Link``; the ETag is of that and of *state*. The column *stream_id* is what
    pages go by."""
    shown = rows if paging.limit is None else rows[: paging.limit]
    following = ""
    if paging.limit is not None and len(rows) > paging.limit:
        query = context.request.query_params
        filters = {name: query[name] for name in ("updatedSince",) if name in query}
        cursor = write_cursor(bound(context, paging), Place(shown[-1][stream_id], 0))
        following = link(path, {**filters, "limit": paging.limit, "cursor": cursor}, "next")
    return unless_same(context, encoded([document(row) for row in shown]), following, *state)


def bound(context: Context, paging: Paging) -> Bound:
    """What a cursor of this list belongs to."""
    return (context.request.url.path, context.tenant_id.int, paging.updated_since)


def begins(context: Context, cursor: bytes | None, bound: Bound) -> UUID | None:
    """What the page begins behind; None for the first. Raises InvalidRequest for a cursor of another list."""
    return None if cursor is None else opened_cursor(cursor, bound, context.caller.head).after


def unless_same(context: Context, body: bytes, links: str = "", *state: object) -> Response:
    """*body* with an ETag made of it, or 304."""
    etag = list_etag(context.request.url.path, context.tenant_id, body, links, *state)
    headers = {"ETag": etag} | ({"Link": links} if links else {})
    return not_modified(context.request, etag) or answer(body, headers=headers)
