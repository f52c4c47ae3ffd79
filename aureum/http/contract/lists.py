"""Lists as all resources have them: newest first, in pages or streamed whole, unchanged ones not even read; what
changed in them since a client read them; and how they were at a moment."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from aureum.http.contract.answers import JSON, answer_kept, kept_as, log_etag, not_modified
from aureum.http.contract.at_head import at_head, tenant_rows_at_head
from aureum.http.contract.catching_up import Run, changes, in_words, runs_of
from aureum.http.contract.endpoint import Context
from aureum.http.contract.paging import LONGEST_PAGE, Cursor, Limit, Token, link
from aureum.http.contract.past import AS_OF, MOST, check_past, rows_at
from aureum.http.wire.characters import Characters
from aureum.http.wire.times import Time
from aureum.projections.document_list import DocumentList, View
from aureum.projections.list_changes import changes_in
from aureum.projections.list_filters import Filter
from aureum.projections.list_past import page_of_past
from aureum.projections.search import asked as search_asked
from aureum.store.postgres.reading import Reader

CHUNK = 1_000


class Paging(BaseModel):
    """What every list takes besides its own filters."""

    model_config = ConfigDict(frozen=True)

    updated_since: Annotated[
        Time | None,
        Field(
            alias="updatedSince",
            description="Only resources that changed at this moment or later. To keep a copy up to date, use "
            "`changedAfter` instead.",
        ),
    ] = None
    limit: Annotated[
        Limit | None, Field(description="The length of a page. Without it the whole list is returned.")
    ] = None
    cursor: Annotated[
        Cursor | None, Field(description="The position of the page, from the `Link` header of the previous page.")
    ] = None


LONGEST_SEARCH = 200

Search = Annotated[
    Annotated[str, Characters(limit=LONGEST_SEARCH)] | None,
    Field(
        description="Words, or parts of them, of a name, an email address or, for leads, the subject; for properties, "
        "of the title, the address or `mlsId`; or four or more digits of a phone, however it is written. Case and "
        "accents make no difference. All words must be found, in any order. If nothing has all of them, one typo is "
        "forgiven in each word of three letters or more. A blank search finds everything.",
        examples=["jon smith"],
    ),
]
"""What a list that can be searched takes: ``search`` in the Aureum API, ``q`` in the Leads API."""

CHANGED_AFTER = (
    'Only changes since an earlier response of this list, from its `Link` header (`rel="delta"`). The oldest change '
    'comes first. A resource that is no longer in the list comes as `{"id": …, "removed": true}`.'
)


class DeltaPaging(Paging):
    """What a list of the log takes: it can say what has changed in it."""

    changed_after: Annotated[Token | None, Field(alias="changedAfter", description=CHANGED_AFTER)] = None
    as_of: Annotated[Time | None, Field(alias="asOf", description=AS_OF)] = None


class ListPage(NamedTuple):
    """A part of the list: its documents joined by commas, the id it ends with, how many they are (and one more)."""

    docs: str
    last: UUID
    found: int


class Begun(NamedTuple):
    """A list that is being read: what it goes on with, the parameters of its statements, and its first part."""

    run: Run
    chosen: Mapping[str, Any]
    page: ListPage


@dataclass(frozen=True)
class Listing:
    """One list: the path that ``Link`` names, the statement that reads a page, the one that reads what changed, the one
    that reads a page of the past, and the one that reads several pages without filters. Those of pages call a function
    which takes the tenant and needs no role of its own (docs/decisions/hot-reads.md). *found* is the same list of what
    a search finds, if it can be searched."""

    path: str
    model: DocumentList
    statement: str
    changed: str
    past: str
    batched: str | None = None
    found: "Listing | None" = None
    later: frozenset[str] = frozenset()
    """Filters that are younger than tokens which clients keep: a token that knows nothing of them goes on holding."""

    async def read(self, context: Context, chosen: Mapping[str, Any], before: UUID, limit: int) -> ListPage:
        """*limit* resources before the id *before*."""
        return await at_head(context, partial(self.page, context.tenant_id, chosen, before, limit))

    async def page(
        self, tenant_id: UUID, chosen: Mapping[str, Any], before: UUID, limit: int, reader: Reader
    ) -> ListPage:
        """``read`` at the database that *reader* reads."""
        if self.batched is not None and limit <= LONGEST_PAGE and all(value is None for value in chosen.values()):
            ((docs, last, found),) = await reader.batched.ask(self.batched, (tenant_id, before, limit))
        else:
            parameters = {"tenant": tenant_id, "before": before, "limit": limit, **chosen}
            ((docs, last, found),) = await reader.rows(self.statement, parameters)
        return ListPage(docs or "", last or before, found)

    async def read_changes(
        self, context: Context, run: Run, chosen: Mapping[str, Any], after: UUID, limit: int
    ) -> ListPage:
        """*limit* changes after the position *after*; a page like those of the whole list. It may be short, or empty,
        and go on all the same."""
        assert run.since is not None
        reach = {"since": run.since, "after": after.int, "until": run.head, "limit": limit}
        found = await at_head(context, lambda reader: changes(reader, context.caller, self.changed, chosen, **reach))
        docs = ",".join(map(in_words, found.rows))
        return ListPage(docs, UUID(int=found.until), limit + 1 if found.more else len(found.rows))

    async def part(self, context: Context, run: Run, chosen: Mapping[str, Any], after: UUID, limit: int) -> ListPage:
        """The part of the list, or of what changed in it, behind *after*."""
        if run.since is None:
            return await self.read(context, chosen, after, limit)
        return await self.read_changes(context, run, chosen, after, limit)

    async def answer(
        self, context: Context, paging: DeltaPaging, chosen: Mapping[str, Any], search: str | None = None
    ) -> Response:
        """With ``limit`` a page and, if more follows, where; without it the whole list. *chosen* are the parameters of
        the statement that come of filters. Of a *search* the list shows what has all its words; if nothing has, what
        has them with a typo. Its links go on with what it went by."""
        words = search_asked(search)
        if words is None:
            return await self.answered(context, paging, [chosen])
        assert self.found is not None
        choices = [{"words": one, **chosen} for one in (words.exact, words.forgiving)]
        return await self.found.answered(context, paging, choices)

    async def answered(self, context: Context, paging: DeltaPaging, choices: Sequence[Mapping[str, Any]]) -> Response:
        """The answer by the first of *choices* that finds anything."""
        caller, query = context.caller, context.request.query_params
        etag = log_etag(context.request, caller, self.path)
        unchanged = not_modified(context.request, etag)
        if unchanged is not None:
            return unchanged
        check_past(paging.as_of, paging.changed_after)
        choices = [{**chosen, "updated_since": paging.updated_since} for chosen in choices]
        moment = () if paging.as_of is None else ("as of", paging.as_of)
        bounds = [(self.path, caller.tenant_id.int, caller.view, *self.bound(chosen), *moment) for chosen in choices]
        opened = runs_of(paging.changed_after, paging.cursor, bounds, caller.head)
        runs = [(run, choices[place]) for place, run in opened]
        filters = partial(filters_in, query, type(paging))
        if paging.as_of is not None:
            past = partial(self.page_of_past, context, paging.as_of, runs, paging.limit, filters())
            return answer_kept(await context.app.answers.get(kept_as(caller, etag), past), etag)
        if paging.limit is None:
            return await self.whole(context, runs, filters(), etag)
        limit = paging.limit

        async def page_with_links() -> bytes:
            run, _, page = await self.begun(context, runs, limit)
            same = filters()
            links = [self.delta(run, {**same, "limit": limit})]
            if page.found > limit:
                again = {} if run.since is None else {"changedAfter": run.again}
                following = {**same, **again, "limit": limit, "cursor": run.cursor(page.last)}
                links.insert(0, link(self.path, following, "next"))
            return f"{', '.join(links)}\n[{page.docs}]".encode()

        return answer_kept(await context.app.answers.get(kept_as(caller, etag), page_with_links), etag)

    async def page_of_past(
        self,
        context: Context,
        moment: datetime,
        runs: Sequence[tuple[Run, Mapping[str, Any]]],
        limit: int | None,
        filters: Mapping[str, object],
    ) -> bytes:
        """A page of the list at *moment*, or the whole of it, by the first of *runs* that finds anything; as it is
        kept."""
        rows = await rows_at(context, self.model, moment)
        parameters = {"tenant": context.tenant_id, "rows": rows, "limit": limit or MOST, "words": None}
        for run, chosen in runs:  # the last is used below
            asked = {**parameters, "before": run.after, **chosen}
            ((docs, last, found),) = await tenant_rows_at_head(context, self.past, asked)
            if found:
                break
        more = limit is not None and found > limit
        links = link(self.path, {**filters, "limit": limit, "cursor": run.cursor(last)}, "next") if more else ""
        return f"{links}\n[{docs or ''}]".encode()

    def bound(self, chosen: Mapping[str, Any]) -> list[object]:
        """What tokens and cursors belong to, of what was *chosen*."""
        younger = [(name, value) for name, value in chosen.items() if name in self.later and value is not None]
        return [*(value for name, value in chosen.items() if name not in self.later), *younger]

    async def begun(self, context: Context, runs: Sequence[tuple[Run, Mapping[str, Any]]], limit: int) -> Begun:
        """The first of *runs* whose first part has anything, or the last of them."""
        for run, chosen in runs:
            page = await self.part(context, run, chosen, run.after, limit)
            if page.found:
                break
        return Begun(run, chosen, page)

    def delta(self, run: Run, filters: Mapping[str, object]) -> str:
        """Where what changes from now on is found."""
        return link(self.path, {**filters, "changedAfter": run.token}, "delta")

    async def whole(
        self, context: Context, runs: Sequence[tuple[Run, Mapping[str, Any]]], filters: Mapping[str, object], etag: str
    ) -> Response:
        """The list streamed in chunks; of HEAD nothing but the headers."""
        head = context.request.method == "HEAD"
        run, chosen = runs[0]
        page = None
        if not head or len(runs) > 1:
            # Before the answer begins: once it has, a database that is gone could not be told any more.
            run, chosen, page = await self.begun(context, runs, CHUNK)
        headers = {"ETag": etag, "Link": self.delta(run, filters)}
        if head or page is None:
            return StreamingResponse(nothing(), headers=headers, media_type=JSON)
        read = partial(self.part, context, run, chosen, limit=CHUNK)
        return WholeList(parts(read, page), headers)


def listing(path: str, model: DocumentList, view: View, later: Sequence[Filter] = ()) -> Listing:
    """The list that *view* shows of *model*."""
    names = frozenset(one.name for one in later)
    past = page_of_past(model, view)
    found = None
    if model.searched:
        found = Listing(path, model, view.search, changes_in(model, view, searched=True), past, later=names)
    return Listing(path, model, view.page, changes_in(model, view), past, view.pages, found, names)


NOT_FILTERS = {"limit", "cursor", "changedAfter"}
"""Of what a list takes, what says neither which resources are in it nor how they are ordered."""


def filters_in(query: Mapping[str, str], paging: type[DeltaPaging]) -> dict[str, str]:
    """The filters of the list as they were sent."""
    own = {field.alias or name for name, field in paging.model_fields.items()} - NOT_FILTERS
    return {name: value for name, value in query.items() if name in own}


class WholeList(StreamingResponse):
    """A list streamed whole. ``parts`` are its documents, some at a time and joined by commas, for pages that read
    them in this process; to a client they are the body."""

    def __init__(self, parts: AsyncIterator[str], headers: Mapping[str, str]) -> None:
        self.parts = parts
        super().__init__(joined(parts), headers=headers, media_type=JSON)


async def parts(read: Callable[[UUID], Awaitable[ListPage]], page: ListPage) -> AsyncIterator[str]:
    """The whole list from its first *page* on; no transaction is open while the client reads."""
    if page.docs:
        yield page.docs
    while page.found > CHUNK:
        page = await read(page.last)
        # What the chunk before promised may have left the filter meanwhile.
        if page.docs:
            yield page.docs


async def joined(parts: AsyncIterator[str]) -> AsyncIterator[bytes]:
    """The parts of a list as the array that they are."""
    before = "["
    async for docs in parts:
        yield f"{before}{docs}".encode()
        before = ","
    yield b"[]" if before == "[" else b"]"


async def nothing() -> AsyncIterator[bytes]:
    """The body of an answer to HEAD."""
    return
    yield b""
