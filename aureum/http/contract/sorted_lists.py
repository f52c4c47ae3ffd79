"""Pages of a list in another order than the newest first. Their cursor says where the page before ended: by the value
that orders the list, as a number, and by the id of what stood there. Like any other it belongs to one list of one
brokerage, seen by one caller through the same filters, in one order."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from aureum.http.contract.answers import answer_kept, kept_as, log_etag
from aureum.http.contract.at_head import rows_at_head, tenant_rows_at_head
from aureum.http.contract.endpoint import Context
from aureum.http.contract.lists import DeltaPaging, filters_in
from aureum.http.contract.paging import CURSOR, DIGEST, POSITION, Bound, decoded, digest, encoded, link
from aureum.http.contract.past import check_past, rows_at
from aureum.http.wire.validation import refused
from aureum.projections.document_list import DocumentList
from aureum.projections.search import asked as search_asked

SORTED = 8 + 16 + POSITION + DIGEST
"""The bytes of such a cursor."""


def _cursor(text: Any) -> bytes:
    raw = decoded(text, CURSOR) or decoded(text, SORTED)
    if raw is None:
        raise PydanticCustomError("cursor", "cursor")
    return raw


AnyCursor = Annotated[
    bytes,
    PlainValidator(_cursor),
    WithJsonSchema({"type": "string", "pattern": "^([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]|[A-Za-z0-9_-]{53}[AQgw])$"}),
]
"""Where a page begins, in either kind of list."""


class Ended(NamedTuple):
    """Where the page before ended."""

    key: int
    after: UUID
    head: int


def write_cursor(bound: Bound, ended: Ended) -> str:
    """*ended* as ``opened`` reads it."""
    payload = ended.key.to_bytes(8, signed=True) + ended.after.bytes + ended.head.to_bytes(POSITION)
    return encoded(payload + digest(bound, payload))


def opened(raw: bytes, bound: Bound, head: int) -> Ended | None:
    """Where the page before ended; None if the cursor is not of this list."""
    payload = raw[:-DIGEST]
    if len(raw) != SORTED or raw[-DIGEST:] != digest(bound, payload):
        return None
    ended = Ended(int.from_bytes(payload[:8], signed=True), UUID(bytes=payload[8:24]), int.from_bytes(payload[24:]))
    return None if ended.head > head else ended


@dataclass(frozen=True)
class SortedListing:
    """One list: the path that ``Link`` names, and the statements that read a page of it in an order, now and of a
    moment in the past."""

    path: str
    statement: str
    model: DocumentList
    past: str

    async def answer(
        self, context: Context, paging: DeltaPaging, chosen: Mapping[str, Any], sort: str, search: str | None
    ) -> Response:
        """A page of what *chosen* filters and the words of a *search* leave. Raises InvalidRequest for what cannot be
        sorted: changes, a whole list, and more leads than an order without an index takes."""
        caller, query = context.caller, context.request.query_params
        if paging.changed_after is not None:
            raise refused("query", "changedAfter", "unsorted")
        check_past(paging.as_of, paging.changed_after)
        if paging.limit is None:
            raise refused("query", "sort", "whole_unsorted")
        words = search_asked(search)
        chosen = {**chosen, "updated_since": paging.updated_since, "sort": sort}
        moment = () if paging.as_of is None else ("as of", paging.as_of)
        choices = [{"words": one, **chosen} for one in ((None,) if words is None else words)]
        bounds = [(self.path, caller.tenant_id.int, caller.view, *sorted(one.items()), *moment) for one in choices]
        begun: Ended | None = None
        if paging.cursor is not None:
            place, begun = next(
                (
                    (at, ended)
                    for at, bound in enumerate(bounds)
                    if (ended := opened(paging.cursor, bound, caller.head))
                ),
                (0, None),
            )
            if begun is None:
                raise refused("query", "cursor", "cursor")
            choices, bounds = choices[place : place + 1], bounds[place : place + 1]
        etag, limit = log_etag(context.request, caller, self.path), int(paging.limit)

        async def page_with_links() -> bytes:
            part: dict[str, Any] = {
                "tenant": caller.tenant_id,
                "limit": limit,
                "key": begun and begun.key,
                "after": begun and begun.after,
            }
            read = partial(rows_at_head, context)
            statement = self.statement
            if paging.as_of is not None:
                part["rows"] = await rows_at(context, self.model, paging.as_of)
                statement, read = self.past, partial(tenant_rows_at_head, context)
            for one, bound in zip(choices, bounds, strict=True):  # noqa: B007  # the last is used below
                ((docs, key, last, found),) = await read(statement, one | part)
                if found:
                    break
            if found < 0:
                raise refused("query", "sort", "too_many_to_sort")
            links = ""
            if found > limit:
                ended = Ended(key, last, caller.head if begun is None else begun.head)
                following = {**filters_in(query, type(paging)), "limit": limit, "cursor": write_cursor(bound, ended)}
                links = link(self.path, following, "next")
            return f"{links}\n[{docs or ''}]".encode()

        return answer_kept(await context.app.answers.get(kept_as(caller, etag), page_with_links), etag)
