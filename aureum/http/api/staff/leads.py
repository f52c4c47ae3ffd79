"""Leads on the admin's side of the Leads API: entered by staff, read, changed, and the history of each."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from starlette.responses import Response

from aureum.commands.clock import on_clock
from aureum.commands.leads import CaptureLead, ChangeLead, capture_lead, change_lead
from aureum.domain.errors import NotFound
from aureum.domain.lead import LOST, Lead, LeadFields
from aureum.domain.lead_events import DETAILS
from aureum.http.access.callers import origin
from aureum.http.api.staff.lead_fields import (
    AdminEventResponse,
    AdminLeadChange,
    AdminLeadCreate,
    AdminLeadFilters,
    AdminLeadResponse,
    RemovedAdminLead,
)
from aureum.http.api.staff.lead_history import history_of, named_in, routings_in
from aureum.http.api.staff.lead_list import PATH, get_admin_leads
from aureum.http.api.staff.lead_routing import numbers_of, offer_of, routed_numbers, routing_of
from aureum.http.api.staff.scope import in_brokerage, where_lead_is
from aureum.http.contract.agents import check_agent
from aureum.http.contract.answers import encoded
from aureum.http.contract.at_head import stream_at_head, tenant_rows_at_head
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.contract.history import with_names
from aureum.http.contract.numbered_pages import NumberedPage
from aureum.http.contract.resource import NOT_YET, AsOf, answered, as_it_was, expected_versions, once, unless_known
from aureum.projections import admin_leads, lead_list, users
from aureum.projections.document_list import Row

NO_LEAD = "Lead not found"

# What tells leads that staff entered from the organic ones.
SOURCE = "manual"
SOURCE_DOMAIN = "admin-manual"
SOURCE_PAGE = "/admin/leads"


def lead_body(context: Context, agent: int | None, numbers: Mapping[UUID, int], lead: Lead) -> bytes:
    """The full detail of a lead of the caller's brokerage, in the care of this *agent*."""
    return encoded(detail(context, admin_leads.row_of(lead), context.caller.number, agent, numbers))


async def body_of(context: Context, lead: Lead) -> partial[bytes]:
    """What makes the body of this lead."""
    agent = lead.assigned_to
    number = None if agent is None else (await numbers_of(context, {agent})).get(agent)
    numbers = await routed_numbers(context, [lead_list.routed_of(lead)], whole=True)
    return partial(lead_body, context, number, numbers)


def detail(context: Context, row: Row, brokerage: int, agent: int | None, numbers: Mapping[UUID, int]) -> Row:
    """The full detail of a row, as the caller may see it; *numbers* are those of all users whom its routing names."""
    routing = routing_of(row["details"], numbers, brief=context.caller.visible_to is not None, whole=True)
    return admin_leads.detail(row, brokerage, agent, routing, offer_of(row, numbers))


async def post_admin_lead(context: Context, new: AdminLeadCreate) -> Response:
    """Leads that staff enter are not routed unless ``route`` is true. Set ``assigned_agent_id`` to assign the lead to
    an agent.

    Raises NotFound, HttpError 400.
    """
    context = await in_brokerage(context, new.brokerage_id, "create lead")
    numbers: dict[UUID, int] = {}
    if new.route:
        staff = await context.app.database.tenant_rows(
            context.tenant_id, users.ASSIGNABLE, {"tenant": context.tenant_id}
        )
        numbers = {user_id: number for user_id, number, *_ in staff}

    def body(lead: Lead) -> bytes:
        agent = None if lead.assigned_to is None else numbers.get(lead.assigned_to, new.assigned_agent_id)
        return lead_body(context, agent, numbers, lead)

    remember = await once(context, body)
    command = CaptureLead(
        tenant_id=context.tenant_id,
        country=context.caller.country,
        fields=LeadFields(
            first_name=new.first_name,
            last_name=new.last_name,
            email=new.email,
            phone=new.phone,
            subject=new.subject,
            message=new.message,
            notes=new.notes,
            source=SOURCE,
            source_domain=SOURCE_DOMAIN,
            source_page=SOURCE_PAGE,
            utm_source=None,
            utm_medium=None,
            utm_campaign=None,
        ),
        status=new.status,
        assigned_to=await check_agent(context, new.assigned_agent_id),
        created_by=context.caller.user_id,
        route=new.route,
    )
    lead, appended = await capture_lead(
        context.app.store, command, origin(context.request, context.caller), idempotency=remember
    )
    return answered(context, lead, body, appended, 201)


async def find_lead(context: Context, number: int) -> tuple[Context, Row]:
    """The lead's row, and the request, asked of its brokerage. Raises NotFound."""
    context = await where_lead_is(context, number, NO_LEAD)
    parameters = {"tenant": context.tenant_id, "number": number, "visible_to": context.caller.visible_to}
    rows = await tenant_rows_at_head(context, admin_leads.ONE, parameters)
    if not rows:
        raise NotFound(NO_LEAD)
    return context, admin_leads.loaded(rows[0])


async def get_admin_lead(context: Context, number: int, as_of: AsOf) -> Response:
    """Returns the lead, or its state at ``asOf``."""
    context, row = await find_lead(context, number)
    if as_of.as_of is None:
        numbers = await routed_numbers(context, [row["details"]], whole=True)
        shown = detail(context, row, row["brokerage_id"], row["agent"], numbers)
        return unless_known(context, encoded(shown), row["stream_version"])
    (at,) = await on_clock(context.app.database, context.tenant_id, as_of.as_of)
    stream = (await stream_at_head(context, row["lead_id"])).until(at)
    lead = stream.aggregate()
    if lead is None:
        raise NotFound(NOT_YET)
    body = await body_of(context, lead)
    return unless_known(context, body(lead), lead.version)


async def patch_admin_lead(context: Context, number: int, change: AdminLeadChange) -> Response:
    """Changes the fields that are sent, and returns the lead. Send ``If-Match`` with the ETag to avoid overwriting
    someone else's change."""
    context, row = await find_lead(context, number)
    given: dict[str, Any] = change.model_dump(exclude_unset=True)
    command = ChangeLead(
        tenant_id=context.tenant_id,
        country=context.caller.country,
        lead_id=row["lead_id"],
        status=given.get("status"),
        lost={name: given[f"lost_{name}"] for name in LOST if f"lost_{name}" in given},
        assign="assigned_agent_id" in given,
        assigned_to=await check_agent(context, given.get("assigned_agent_id")),
        details={name: given[name] for name in DETAILS if name in given},
        clear="suspect" in given,
        visible_to=context.caller.visible_to,
        expected_versions=expected_versions(context.request),
    )
    lead = await change_lead(context.app.store, command, origin(context.request, context.caller))
    return answered(context, lead, await body_of(context, lead))


async def get_admin_lead_history(context: Context, number: int, as_of: AsOf) -> Response:
    """Lists every event of the lead, oldest first: who changed what, when, from which value to which. With ``asOf`` it
    ends at that moment."""
    context, row = await find_lead(context, number)
    stream = as_it_was(await stream_at_head(context, row["lead_id"]), as_of.as_of)
    routings = [details for details in routings_in(stream) if details["routing"] is not None]
    numbers = await numbers_of(context, named_in(stream))
    numbers |= await routed_numbers(context, routings, whole=True)
    history = history_of(stream, numbers, brief=context.caller.visible_to is not None)
    return await with_names(context, stream, history)


leads = partial(Endpoint, path=PATH, access=STAFF, dialect="leads")
one = partial(leads, path=f"{PATH}/{{id}}", id=Id(NO_LEAD, number=True), answers=AdminLeadResponse)

ENDPOINTS = (
    leads(
        method="GET",
        run=get_admin_leads,
        summary="List leads (admin)",
        query=AdminLeadFilters,
        answers=NumberedPage[AdminLeadResponse | RemovedAdminLead],
        own_clock=True,
        refusals=(400, 404),
    ),
    leads(
        method="POST",
        run=post_admin_lead,
        summary="Create a lead (admin)",
        body=AdminLeadCreate,
        answers=AdminLeadResponse,
        status=201,
        refusals=(400, 404),
    ),
    one(method="GET", run=get_admin_lead, summary="Get a lead (admin)", query=AsOf, own_clock=True),
    one(method="PATCH", run=patch_admin_lead, summary="Change a lead (admin)", body=AdminLeadChange, refusals=(400,)),
    one(
        method="GET",
        path=f"{PATH}/{{id}}/history",
        run=get_admin_lead_history,
        summary="Get a lead's history (admin)",
        query=AsOf,
        answers=list[AdminEventResponse],
    ),
)
