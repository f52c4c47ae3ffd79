"""The pond: leads that found no agent, and those that a rule offers to a group. Agents claim them."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from aureum.commands.leads import claim_lead
from aureum.commands.routed import Team, team_of
from aureum.domain.errors import NotAllowed, NotFound
from aureum.domain.ids import leads_time
from aureum.domain.routing import reasons
from aureum.http.access.callers import origin
from aureum.http.api.staff.lead_fields import AdminLeadResponse
from aureum.http.api.staff.lead_list import PATH as LEADS
from aureum.http.api.staff.lead_list import details_of, loaded
from aureum.http.api.staff.lead_routing import numbers_of
from aureum.http.api.staff.leads import NO_LEAD, lead_body, routing
from aureum.http.api.staff.scope import in_brokerage, is_platform_admin, where_lead_is
from aureum.http.api.staff.user_fields import BrokeragePage
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.contract.numbered_pages import FoundPage, NumberedPage, paged
from aureum.http.contract.resource import answered, once
from aureum.http.wire.shapes import LeadsTimestamp, Shape
from aureum.projections import admin_leads
from aureum.projections.document_list import Row

PATH = "/api/v1/admin/pond"


class OfferResponse(Shape):
    """Until this moment only these agents may claim the lead."""

    group: str
    until: LeadsTimestamp
    agents: list[int]


class PondLeadResponse(AdminLeadResponse):
    """A lead that agents may claim."""

    offer: Annotated[
        OfferResponse | None,
        Field(description="The group that a rule offers the lead to. `null` if every agent may claim it."),
    ]


class PondPage(NumberedPage[PondLeadResponse]):
    """One page of the pond. A page beyond the last has no items."""


NO_AGENT = "Only the staff of the brokerage may claim its leads."


async def get_pond(context: Context, part: BrokeragePage) -> Response:
    """Lists the leads that agents may claim, newest first: those that found no agent, and those that a rule offers to a
    group. All users of the brokerage see them."""
    context = await in_brokerage(context, part.brokerage_id, "list leads")
    caller = context.caller
    of = {"tenant": caller.tenant_id, "limit": part.page_size, "skipped": part.skipped}

    async def read() -> FoundPage:
        total, leads = loaded(await context.app.database.tenant_rows(caller.tenant_id, admin_leads.POND, of))
        team = await team_of(context.app.store, caller.tenant_id)
        details = await details_of(context, leads)
        docs = [detail | {"offer": offer_of(team, lead)} for detail, lead in zip(details, leads, strict=True)]
        return FoundPage(",".join(encoded(doc).decode() for doc in docs), total)

    return await paged(context, part, (PATH, caller.tenant_id, caller.head, caller.read_version, caller.view), read)


def offer_of(team: Team, lead: Row) -> dict[str, Any] | None:
    """To whom a lead of the pond is offered first."""
    offer = reasons.offer(lead["details"]["routing"], datetime.fromisoformat(lead["doc"]["createdAt"]))
    if offer is None or offer.until is None:
        return None
    members = team.members(offer.group)
    agents = [agent.number for agent in team.agents if agent.user_id in members]
    return {"group": offer.group, "until": leads_time(offer.until), "agents": agents}


async def post_claim(context: Context, number: int) -> Response:
    """Assigns a lead of the pond, or one that a rule offers to the caller's group, to the caller. The first agent gets
    it; everyone else gets 409."""
    context = await where_lead_is(context, number, NO_LEAD)
    user_id = context.caller.user_id
    parameters = {"tenant": context.tenant_id, "number": number, "visible_to": None}
    rows = await context.app.database.tenant_rows(context.tenant_id, admin_leads.ONE, parameters)
    if not rows:
        raise NotFound(NO_LEAD)
    if user_id is None or is_platform_admin(context):
        raise NotAllowed(NO_AGENT)
    row = admin_leads.loaded(rows[0])
    if not reasons.is_offered(row["details"]["routing"]) and context.caller.visible_to is not None:
        # Of what was never in the pond, agents learn nothing.
        raise NotFound(NO_LEAD)
    (own,) = (await numbers_of(context, {user_id})).values()
    body = partial(lead_body, context.caller.number, own, await routing(context, row["details"]))
    remember = await once(context, body)
    made_by = origin(context.request, context.caller)
    lead, appended = await claim_lead(
        context.app.store, context.tenant_id, row["lead_id"], user_id, made_by, idempotency=remember
    )
    return answered(context, lead, body, appended)


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_pond,
        "List the pond",
        access=STAFF,
        dialect="leads",
        query=BrokeragePage,
        answers=PondPage,
        refusals=(400, 404),
    ),
    Endpoint(
        "POST",
        LEADS + "/{id}/claim",
        post_claim,
        "Claim a lead (admin)",
        access=STAFF,
        dialect="leads",
        id=Id(NO_LEAD, number=True),
        answers=AdminLeadResponse,
        refusals=(403, 409),
    ),
)
