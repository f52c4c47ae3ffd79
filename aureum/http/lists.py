"""Lists as all resources have them: newest first, in pages or streamed whole, unchanged ones not even read."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from aureum.http.answers import JSON, answer, log_etag, not_modified
from aureum.http.endpoint import Asked
from aureum.http.fields import Time
from aureum.http.paging import LONGEST_PAGE, Cursor, Limit, next_link
from aureum.projections.document_list import ABOVE_ALL

CHUNK = 1_000


class Paging(BaseModel):
    """What every list takes besides its own filters."""

    model_config = ConfigDict(frozen=True)

    updated_since: Annotated[
        Time | None, Field(alias="updatedSince", description="Changed at this moment or later.")
    ] = None
    limit: Annotated[Limit | None, Field(description="The length of a page. Without it the whole list comes.")] = None
    cursor: Annotated[
        Cursor | None, Field(description="Where the page begins, as the `Link` header of the page before gave it.")
    ] = None


class Page(NamedTuple):
    """A part of the list: its documents joined by commas, the id it ends with, how many they are (and one more)."""

    docs: str
    last: UUID
    found: int


@dataclass(frozen=True)
class Listing:
    """One list: the path that ``Link`` names, the statement that reads a page, and the one that reads several without
    filters. Both call a function which takes the tenant and needs no role of its own (docs/decisions/hot-reads.md)."""

    path: str
    statement: str
    together: str | None = None

    async def read(self, asked: Asked, chosen: Mapping[str, Any], before: UUID, limit: int) -> Page:
        """*limit* resources before the id *before*."""
        database = asked.app.database
        if self.together is not None and limit <= LONGEST_PAGE and all(value is None for value in chosen.values()):
            ((docs, last, found),) = await database.together.ask(self.together, (asked.tenant_id, before, limit))
        else:
            parameters = {"tenant": asked.tenant_id, "before": before, "limit": limit, **chosen}
            ((docs, last, found),) = await database.rows(self.statement, parameters)
        return Page(docs or "", last or before, found)

    async def answer(self, asked: Asked, paging: Paging, chosen: Mapping[str, Any]) -> Response:
        """With ``limit`` a page and, if more follows, ``Link``; without it the whole list. *chosen* are the parameters
        of the statement that come of filters."""
        about, query = asked.about, asked.request.query_params
        chosen = {**chosen, "updated_since": paging.updated_since}
        state = (self.path, about.tenant_id, about.head, about.read_version, about.view)
        etag = log_etag(asked.request, about, self.path)
        unchanged = not_modified(asked.request, etag)
        if unchanged is not None:
            return unchanged
        before = paging.cursor or ABOVE_ALL
        if paging.limit is None:
            return await self.whole(asked, chosen, before, etag)
        limit = paging.limit

        async def page_with_link() -> bytes:
            # What is kept begins with the Link, on a line of its own.
            page = await self.read(asked, chosen, before, limit)
            link = ""
            if page.found > limit:
                own = {field.alias or name for name, field in type(paging).model_fields.items()} - {"limit", "cursor"}
                filters = {name: value for name, value in query.items() if name in own}
                link = next_link(self.path, filters, limit, page.last)
            return f"{link}\n[{page.docs}]".encode()

        kept = await asked.app.answers.get((*state, before, limit, *chosen.values()), page_with_link)
        link, _, body = kept.partition(b"\n")
        headers = {"ETag": etag, "Link": link.decode()} if link else {"ETag": etag}
        return answer(body, headers=headers)

    async def whole(self, asked: Asked, chosen: Mapping[str, Any], before: UUID, etag: str) -> Response:
        """The list streamed in chunks; of HEAD nothing but the headers."""
        headers = {"ETag": etag}
        if asked.request.method == "HEAD":
            return StreamingResponse(nothing(), headers=headers, media_type=JSON)
        # Before the answer begins: once it has, a database that is gone could not be told any more.
        first = await self.read(asked, chosen, before, CHUNK)
        return StreamingResponse(self.stream(asked, chosen, first), headers=headers, media_type=JSON)

    async def stream(self, asked: Asked, chosen: Mapping[str, Any], page: Page) -> AsyncIterator[bytes]:
        """The whole list from its first *page* on; no transaction is open while the client reads."""
        yield f"[{page.docs}".encode()
        while page.found > CHUNK:
            page = await self.read(asked, chosen, page.last, CHUNK)
            # What the chunk before promised may have left the filter meanwhile.
            if page.docs:
                yield f",{page.docs}".encode()
        yield b"]"


async def nothing() -> AsyncIterator[bytes]:
    """The body of an answer to HEAD."""
    return
    yield b""
