"""``GET /api/leads``: the leads of the key's brokerage, newest first, in pages or streamed whole."""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from aureum.domain.errors import Invalid
from aureum.domain.ids import from_wire
from aureum.domain.lead import check_status
from aureum.http.access import by_key
from aureum.http.answers import JSON, answer, list_etag, not_modified
from aureum.http.fields import LONGEST_SOURCE, parse_time
from aureum.http.gate import Brokerage
from aureum.http.paging import cursor_of, limit_of, next_link
from aureum.http.validation import bad_parameter
from aureum.projections import lead_list

if TYPE_CHECKING:
    from aureum.app import Aureum

CHUNK = 1_000
FILTERS = ("status", "source", "assignedToId", "updatedSince")
NO_SUCH_USER = UUID(int=0)


class Page(NamedTuple):
    """A part of the list: its documents joined by commas, the id it ends with, how many they are (and one more)."""

    docs: str
    last: UUID
    found: int


def filters(query: Any) -> dict[str, Any]:
    """The parameters of ``lead_list.PAGE`` that a client may set. Raises InvalidRequest."""
    status, source, assigned_to = query.get("status"), query.get("source"), query.get("assignedToId")
    if status is not None:
        try:
            check_status(status)
        except Invalid as error:
            raise bad_parameter("status", str(error).removeprefix("status ").removesuffix(".")) from error
    if source is not None and "\0" in source:
        raise bad_parameter("source", "must not hold NUL characters")
    # No source is longer, and what is asked becomes part of a cached answer's key.
    if source is not None and len(source) > LONGEST_SOURCE:
        raise bad_parameter("source", f"must have at most {LONGEST_SOURCE} characters")
    try:
        updated_since = None if (since := query.get("updatedSince")) is None else parse_time(since)
    except ValueError as error:
        raise bad_parameter("updatedSince", "must be a time such as 2025-01-15T10:30:00Z") from error
    return {
        "status": status,
        "source": source,
        # An id that never was one belongs to nobody: the list is empty.
        "assigned_to": None if assigned_to is None else from_wire(assigned_to) or NO_SUCH_USER,
        "updated_since": updated_since,
    }


async def get_leads(request: Request) -> Response:
    """With ``limit`` a page and, if more follows, ``Link``; without it the whole list, streamed."""
    app: Aureum = request.app.state.aureum
    about = (await by_key(request)).brokerage
    query = request.query_params
    limit, cursor = limit_of(query.get("limit")), cursor_of(query.get("cursor"))
    chosen = filters(query)
    etag = list_etag(
        "lead_list", about.tenant_id, about.head, about.lead_list_version, "broker", sorted(query.multi_items())
    )
    unchanged = not_modified(request, etag)
    if unchanged is not None:
        return unchanged
    before = cursor or lead_list.ABOVE_ALL
    if limit is None:
        headers = {**request.state.limit_headers, "ETag": etag}
        # Before the answer begins: once it has, a database that is gone could not be told any more.
        first = await read(app, about.tenant_id, chosen, before, CHUNK)
        return StreamingResponse(stream(app, about.tenant_id, chosen, first), headers=headers, media_type=JSON)
    # What is kept begins with the Link, on a line of its own.
    key = ("lead_list", about.tenant_id, about.head, about.lead_list_version, "broker", before, limit, *chosen.values())
    kept = await app.answers.get(key, lambda: page_with_link(app, about, chosen, before, limit, query))
    link, _, body = kept.partition(b"\n")
    headers = {"ETag": etag, "Link": link.decode()} if link else {"ETag": etag}
    return answer(request, body, headers=headers)


async def page_with_link(
    app: "Aureum", about: Brokerage, chosen: dict[str, Any], before: UUID, limit: int, query: Mapping[str, str]
) -> bytes:
    """A page as it is kept: its ``Link`` (or nothing), a line feed, its body."""
    page = await read(app, about.tenant_id, chosen, before, limit)
    link = ""
    if page.found > limit:
        link = next_link("/api/leads", {name: query[name] for name in FILTERS if name in query}, limit, page.last)
    return f"{link}\n[{page.docs}]".encode()


async def read(app: "Aureum", tenant_id: UUID, chosen: dict[str, Any], before: UUID, limit: int) -> Page:
    """*limit* leads before the id *before*."""
    parameters = {"tenant": tenant_id, "before": before, "limit": limit}
    ((docs, last, found),) = await app.database.rows(lead_list.PAGE, parameters | chosen)
    return Page(docs or "", last or before, found)


async def stream(app: "Aureum", tenant_id: UUID, chosen: dict[str, Any], page: Page) -> AsyncIterator[bytes]:
    """The whole list from its first *page* on; no transaction is open while the client reads."""
    yield f"[{page.docs}".encode()
    while page.found > CHUNK:
        page = await read(app, tenant_id, chosen, page.last, CHUNK)
        # What the chunk before promised may have left the filter meanwhile.
        if page.docs:
            yield f",{page.docs}".encode()
    yield b"]"
