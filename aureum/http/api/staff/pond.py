"""The pond: leads that found no agent, and those that a rule offers to a group. Agents claim them."""

from functools import partial

from starlette.responses import Response

from aureum.commands.leads import claim_lead
from aureum.domain.errors import NotAllowed, NotFound
from aureum.domain.routing import reasons
from aureum.http.access.callers import origin
from aureum.http.api.staff.lead_fields import AdminLeadResponse
from aureum.http.api.staff.lead_list import PATH as LEADS
from aureum.http.api.staff.lead_list import details_of, loaded
from aureum.http.api.staff.lead_routing import numbers_of, routed_numbers
from aureum.http.api.staff.leads import NO_LEAD, lead_body
from aureum.http.api.staff.scope import in_brokerage, is_platform_admin, where_lead_is
from aureum.http.api.staff.user_fields import BrokeragePage
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.contract.numbered_pages import FoundPage, NumberedPage, paged
from aureum.http.contract.resource import answered, once
from aureum.projections import admin_leads

PATH = "/api/v1/admin/pond"


class PondPage(NumberedPage[AdminLeadResponse]):
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
        docs = await details_of(context, leads)
        return FoundPage(",".join(encoded(doc).decode() for doc in docs), total)

    return await paged(context, part, (PATH, caller.tenant_id, caller.head, caller.read_version, caller.view), read)


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
    body = partial(lead_body, context, own, await routed_numbers(context, [row["details"]], whole=True))
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
