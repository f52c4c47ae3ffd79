"""``GET /api/v1/admin/leads``: a brokerage's leads in numbered pages; all, for a platform admin who names none. Of one
brokerage it also says what has changed in the list (``changedAfter``), and how it was (``asOf``)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from starlette.responses import Response

from aureum.commands.clock import on_clock
from aureum.http.api.staff.lead_fields import AdminLeadFilters
from aureum.http.api.staff.lead_routing import offer_of, routed_numbers, routing_of
from aureum.http.api.staff.scope import in_brokerage, is_platform_admin
from aureum.http.contract.answers import answer, encoded, list_etag, not_modified
from aureum.http.contract.at_head import at_head, rows_at_head, tenant_rows_at_head
from aureum.http.contract.catching_up import FAR, Run, changes, runs_of
from aureum.http.contract.endpoint import Context
from aureum.http.contract.numbered_pages import FoundPage, page_body, paged
from aureum.http.contract.paging import link
from aureum.http.contract.past import check_past, rows_at
from aureum.http.wire.validation import refused
from aureum.projections import admin_leads, lead_list
from aureum.projections.document_list import Row
from aureum.projections.search import asked as search_asked

PATH = "/api/v1/admin/leads"

FILTERS = ("status", "source", "source_domain", "lost_reason", "assigned_agent_id", "brokerage_id", "q")


async def get_admin_leads(context: Context, filters: AdminLeadFilters) -> Response:
    """Lists the leads, newest first. Agents see the leads that are assigned to them or that they created.

    Raises NotFound, HttpError 400, InvalidRequest.
    """
    database = context.app.database
    chosen: dict[str, Any] = {
        "status": filters.status,
        "source": filters.source,
        "source_domain": filters.source_domain,
        "lost_reason": filters.lost_reason,
        "agent": filters.assigned_agent_id,
        "visible_to": context.caller.visible_to,
    }
    words = search_asked(filters.q)
    # What has all words as they stand; if nothing has, with a typo.
    choices = [{**chosen, "words": one} for one in ((None,) if words is None else words)]
    page = {"limit": filters.page_size, "skipped": filters.skipped}

    if is_platform_admin(context) and filters.brokerage_id is None:
        if filters.changed_after is not None:
            # Each brokerage has a log of its own, and no position of all.
            raise refused("query", "changedAfter", "in_one")
        if filters.as_of is not None:
            raise refused("query", "asOf", "in_one")
        # Before the rows: a list that is newer than its ETag is only sent once more.
        ((head, read_version),) = await database.rows(admin_leads.EVERYWHERE)

        async def of_all() -> FoundPage:
            for one in choices:
                rows = await database.rows(admin_leads.PAGE_OF_ALL, one | page)
                listed = await found(context, rows, everywhere=True)
                if listed.total:
                    break
            return listed

        return await paged(context, filters, (PATH, "everywhere", head, read_version), of_all)

    context = await in_brokerage(context, filters.brokerage_id, "list leads")
    caller = context.caller
    check_past(filters.as_of, filters.changed_after)
    state = (PATH, caller.tenant_id, caller.head, caller.read_version, caller.view)
    bounds = [(PATH, caller.tenant_id.int, caller.view, *one.values()) for one in choices]
    runs = [(run, choices[place]) for place, run in runs_of(filters.changed_after, filters.cursor, bounds, caller.head)]
    run, one = runs[0]
    if run.since is not None:
        return await changed(context, filters, state, run, one)
    if filters.cursor is not None:
        raise refused("query", "cursor", "cursor_of_changes")

    async def of_past(moment: datetime) -> FoundPage:
        rows = await rows_at(context, lead_list.LIST, moment)
        for choice in choices:
            asked = choice | page | {"tenant": caller.tenant_id, "rows": rows}
            listed = await found(context, await tenant_rows_at_head(context, admin_leads.PAST, asked))
            if listed.total:
                break
        return listed

    if filters.as_of is not None:
        (moment,) = await on_clock(database, caller.tenant_id, filters.as_of)
        assert moment is not None
        return await paged(context, filters, state, partial(of_past, moment))

    async def of_one() -> FoundPage:
        for going, choice in runs:
            rows = await rows_at_head(context, admin_leads.PAGE, choice | page | {"tenant": caller.tenant_id})
            listed = (await found(context, rows))._replace(links=delta(context, filters, going))
            if listed.total:
                break
        return listed

    return await paged(context, filters, state, of_one)


async def changed(
    context: Context, filters: AdminLeadFilters, state: tuple[object, ...], run: Run, chosen: Mapping[str, Any]
) -> Response:
    """A page of what changed, the oldest change first. The next one goes on behind the last change of this one, so that
    it is found by the ``Link`` header and not by its number."""
    query = context.request.query_params
    if filters.page > 1 and filters.cursor is None:
        raise refused("query", "page", "page_of_changes")
    etag = list_etag(*state, sorted(query.multi_items()))
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    assert run.since is not None
    size = filters.page_size
    reach = {"since": run.since, "until": run.head, "after": run.after.int, "limit": size}
    part = await at_head(context, lambda reader: changes(reader, context.caller, admin_leads.CHANGED, chosen, **reach))
    total = await count(context, run, chosen)
    links = [delta(context, filters, run)]
    if part.more:
        following = chosen_in(context) | {"changedAfter": run.again, "page_size": size}
        following |= {"page": filters.page + 1, "cursor": run.cursor(UUID(int=part.until))}
        links.insert(0, link(PATH, following, "next"))
    body = page_body(filters, FoundPage(",".join(await in_words(context, part.rows)), total))
    return answer(body, headers={"ETag": etag, "Link": ", ".join(links)})


async def count(context: Context, run: Run, chosen: Mapping[str, Any]) -> int:
    """How many changes the run has; counted once for all its pages."""
    assert run.since is not None
    whole = {**chosen, "tenant": context.tenant_id, "since": run.since, "until": run.head, "limit": None}

    async def counted() -> bytes:
        total = 0
        # Part by part: a statement has a time limit.
        for after in range(run.since or 0, run.head, FAR):
            reach = {**whole, "after": after, "last": min(after + FAR, run.head)}
            ((number,),) = await tenant_rows_at_head(context, admin_leads.CHANGED_COUNT, reach)
            total += number
        return b"%d" % total

    return int(await context.app.answers.get((*run.bound, "count", run.since, run.head), counted))


def chosen_in(context: Context) -> dict[str, object]:
    """The filters as they were sent."""
    query = context.request.query_params
    return {name: query[name] for name in FILTERS if name in query}


def delta(context: Context, filters: AdminLeadFilters, run: Run) -> str:
    """Where what changes from now on is found."""
    query = {**chosen_in(context), "page_size": filters.page_size, "changedAfter": run.token}
    return link(PATH, query, "delta")


async def in_words(context: Context, rows: Sequence[Any]) -> list[str]:
    """The rows of changes as they go over the wire."""
    shown = await in_full(context, [admin_leads.loaded(tuple(lead)) for _, _, _, doc, *lead in rows if doc is not None])
    return [
        encoded({"id": number, "removed": True}).decode() if doc is None else next(shown)
        for _, _, number, doc, *_ in rows
    ]


async def in_full(context: Context, leads: Sequence[Row], *, everywhere: bool = False) -> Iterator[str]:
    """The full details of *leads* as they go over the wire."""
    details = await details_of(context, leads, everywhere=everywhere)
    return (encoded(one).decode() for one in details)


async def details_of(context: Context, leads: Sequence[Row], *, everywhere: bool = False) -> Iterator[Row]:
    """The full details of *leads*."""
    numbers = await routed_numbers(context, [lead["details"] for lead in leads], whole=False, everywhere=everywhere)
    brief = context.caller.visible_to is not None

    def one(lead: Row) -> Row:
        routing = routing_of(lead["details"], numbers, brief=brief, whole=False)
        return admin_leads.detail(lead, lead["brokerage_id"], lead["agent"], routing, offer_of(lead, numbers))

    return map(one, leads)


async def found(context: Context, rows: Sequence[Any], *, everywhere: bool = False) -> FoundPage:
    """A page of details, of the statement's rows."""
    total, leads = loaded(rows)
    return FoundPage(",".join(await in_full(context, leads, everywhere=everywhere)), total)


def loaded(rows: Sequence[Any]) -> tuple[int, list[Row]]:
    """How many there are in all, which is the first column of each row; and the leads of a page."""
    leads = [admin_leads.loaded(tuple(values)) for _, *values in rows if values[0] is not None]
    return rows[0][0] if rows else 0, leads
