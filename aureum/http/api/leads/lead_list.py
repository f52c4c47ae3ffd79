"""``GET /api/leads``: the leads of the caller's brokerage, or those that the agent may see."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from aureum.http.api.leads.lead_fields import LostReason, Status
from aureum.http.contract.endpoint import Context
from aureum.http.contract.lists import DeltaPaging, Search, listing
from aureum.http.contract.resource import reference
from aureum.http.wire.fields import Source
from aureum.projections import lead_list

LEADS = listing("/api/leads", lead_list.LIST, lead_list.LEADS)


class LeadFilters(DeltaPaging):
    """The document's filters, and the assigned user."""

    status: Annotated[Status | None, Field(description="Filter by status.")] = None
    source: Annotated[Source | None, Field(description="Filter by source.")] = None
    lost_reason: Annotated[
        LostReason | None, Field(alias="lostReason", description="Filter by why leads are lost.")
    ] = None
    assigned_to: Annotated[str | None, Field(alias="assignedToId", description="Filter by assigned user.")] = None
    search: Search = None


async def get_leads(context: Context, filters: LeadFilters) -> Response:
    """Lists the leads, newest first: in pages with ``limit``, otherwise streamed as a whole. Agents see the leads that
    are assigned to them or that they created."""
    chosen = {
        "status": filters.status,
        "source": filters.source,
        "lost_reason": filters.lost_reason,
        "assigned_to": reference(filters.assigned_to),
        "visible_to": context.caller.visible_to,
    }
    return await LEADS.answer(context, filters, chosen, filters.search)
