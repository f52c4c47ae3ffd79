"""``GET /api/leads``: the leads of the caller's brokerage, or those that the agent may see."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.http.api.leads.lead_fields import LostReason, Status
from aureum.http.contract.endpoint import Context
from aureum.http.contract.lists import DeltaPaging, Search, listing
from aureum.http.contract.resource import reference
from aureum.http.contract.sorted_lists import AnyCursor, SortedListing
from aureum.http.wire.fields import Source
from aureum.http.wire.times import Time
from aureum.projections import lead_list, lead_sorted

PATH = "/api/leads"
LEADS = listing(PATH, lead_list.LIST, lead_list.LEADS, lead_list.LATER)
SORTED = SortedListing(PATH, lead_sorted.PAGE, lead_list.LIST, lead_sorted.PAST)

YesOrNo = Literal["true", "false"]
Sort = Literal["-createdAt", "createdAt", "-updatedAt", "updatedAt", "name", "-name", "status", "-status"]


class LeadFilters(DeltaPaging):
    """The document's filters, and the assigned user."""

    status: Annotated[Status | None, Field(description="Filter by status.")] = None
    source: Annotated[Source | None, Field(description="Filter by source.")] = None
    lost_reason: Annotated[
        LostReason | None, Field(alias="lostReason", description="Filter by why leads are lost.")
    ] = None
    assigned_to: Annotated[str | None, Field(alias="assignedToId", description="Filter by assigned user.")] = None
    unassigned: Annotated[
        YesOrNo | None,
        Field(description="`true`: only leads that are assigned to no user. `false`: only leads that are assigned."),
    ] = None
    suspect: Annotated[
        YesOrNo | None,
        Field(description="`true`: only leads that are suspected spam. `false`: only leads that are not."),
    ] = None
    pond: Annotated[
        Literal["true"] | None, Field(description="`true`: only leads that wait in the pond for an agent.")
    ] = None
    created_since: Annotated[
        Time | None, Field(alias="createdSince", description="Only leads that were created at this moment or later.")
    ] = None
    created_before: Annotated[
        Time | None, Field(alias="createdBefore", description="Only leads that were created before this moment.")
    ] = None
    search: Search = None
    sort: Annotated[
        Sort | None,
        Field(
            description="The order of the leads, with `limit`. `-` reverses it. `status` is the order of the pipeline. "
            "By `name`, and for any order of what `search` finds, at most 2,000 leads are sorted."
        ),
    ] = None
    cursor: Annotated[
        AnyCursor | None, Field(description="The position of the page, from the `Link` header of the previous page.")
    ] = None


def chosen_by(filters: LeadFilters, visible_to: UUID | None) -> dict[str, Any]:
    """What the filters ask, as the list's parameters."""
    yes_or_no = {name: getattr(filters, name) for name in ("unassigned", "suspect", "pond")}
    return {
        "status": filters.status,
        "source": filters.source,
        "lost_reason": filters.lost_reason,
        "assigned_to": reference(filters.assigned_to),
        "visible_to": visible_to,
        **{name: None if value is None else value == "true" for name, value in yes_or_no.items()},
        "created_since": filters.created_since,
        "created_before": filters.created_before,
    }


async def get_leads(context: Context, filters: LeadFilters) -> Response:
    """Lists the leads, newest first: in pages with ``limit``, otherwise streamed as a whole. With ``sort`` they come in
    another order. Agents see the leads that are assigned to them or that they created."""
    chosen = chosen_by(filters, context.caller.visible_to)
    if filters.sort is None or filters.sort == "-createdAt":
        return await LEADS.answer(context, filters, chosen, filters.search)
    return await SORTED.answer(context, filters, chosen, filters.sort, filters.search)
