"""``/api/v1/admin/routing/rehearse``: what other routing settings would have done with past leads. Nothing is changed.
For brokers and owners."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from starlette.responses import Response, StreamingResponse

from aureum.commands.routing_rehearsals import NO_REHEARSAL, RequestRehearsal, cancel_rehearsal, request_rehearsal
from aureum.domain import ids
from aureum.domain.errors import Invalid, NotFound
from aureum.domain.routing.settings import from_json, to_json
from aureum.domain.routing_rehearsal import RoutingRehearsal
from aureum.http.access import named_brokerage
from aureum.http.access.callers import origin
from aureum.http.access.roles import check_leader
from aureum.http.api.routing.rehearsal_fields import (
    DAYS,
    NEWEST,
    RehearsalCreate,
    RehearsalResponse,
    RehearsalsResponse,
    RehearsedPage,
    Staff,
    csv_head,
    csv_of,
    lead_document,
    rehearsal_document,
)
from aureum.http.api.routing.setting_fields import settings
from aureum.http.api.routing.settings import PATH as ROUTING
from aureum.http.api.routing.settings import OfBrokerage
from aureum.http.api.staff.scope import in_brokerage
from aureum.http.api.webhooks.webhook_lists import unless_same
from aureum.http.contract.answers import answer, encoded, list_etag, not_modified
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.numbered_pages import FoundPage, Numbered, page_body
from aureum.http.contract.resource import once
from aureum.projections import brokerages, routing_rehearsals, users

PATH = ROUTING + "/rehearsals"

CSV = "text/csv"
CHUNK = 1_000
"""Leads that are read at once for a CSV file."""


class LeadsPage(Numbered):
    """A part of a rehearsal's leads."""

    brokerage_id: Annotated[
        named_brokerage.InQuery | None,
        Field(description="For platform admins only: the brokerage. Default: their own. Ignored for all other users."),
    ] = None


async def post_rehearsal(context: Context, of: OfBrokerage, new: RehearsalCreate) -> Response:
    """Starts a job that routes past leads and tours again under other settings, and tells who would have got them.
    Nothing is changed. Turns and daily caps count as if the settings had been in force; agents have the profiles, caps
    and absences that they have now."""
    check_leader(context.caller.role)
    context = await in_brokerage(context, of.brokerage_id, "rehearse routing")
    staff = await staff_of(context)
    command = RequestRehearsal(
        tenant_id=context.tenant_id,
        routing=await wanted(context, new, staff),
        since=new.since or ids.now() - timedelta(days=DAYS),
    )

    def body(rehearsal: RoutingRehearsal) -> bytes:
        return encoded(rehearsal_document(row_of_new(rehearsal), staff))

    remember = await once(context, body, tagged=False)
    try:
        rehearsal, appended = await request_rehearsal(
            context.app.store, command, origin(context.request, context.caller), idempotency=remember
        )
    except Invalid as error:
        raise in_settings(error) from error
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    return answer(body(rehearsal), status=202)


async def wanted(context: Context, new: RehearsalCreate, staff: Staff) -> Any:
    """The settings to rehearse. Raises Invalid."""
    if new.settings is not None:
        try:
            return settings(new.settings, {number: user_id for user_id, (number, _) in staff.items()})
        except Invalid as error:
            raise in_settings(error) from error
    ((_, kept),) = await context.app.database.rows(brokerages.ROUTING, {"tenant": context.tenant_id})
    return from_json(kept)


def in_settings(error: Invalid) -> Invalid:
    """*error*, whose field stands in ``settings``."""
    return Invalid(f"settings.{error.field}", str(error))


def row_of_new(rehearsal: RoutingRehearsal) -> dict[str, Any]:
    """The row of a rehearsal that has not begun."""
    return {
        "rehearsal_id": rehearsal.id,
        "settings": to_json(rehearsal.routing),
        "since": rehearsal.since,
        "until": rehearsal.until,
        "cursor": rehearsal.since - 1,
        "since_time": rehearsal.since_time,
        "state": "running",
        "rehearsal": None,
        "requested_at": rehearsal.created_on,
        "ended_at": None,
    }


async def get_rehearsals(context: Context, of: OfBrokerage) -> Response:
    """Lists the newest rehearsals, newest first."""
    context = await leaders(context, of.brokerage_id)
    parameters = {"tenant": context.tenant_id, "limit": NEWEST}
    found = await context.app.database.tenant_rows(context.tenant_id, routing_rehearsals.NEWEST, parameters)
    staff = await staff_of(context)
    listed = [rehearsal_document(dict(zip(routing_rehearsals.NAMES, one, strict=True)), staff) for one in found]
    return unless_same(context, encoded({"rehearsals": listed}))


async def post_rehearsal_cancellation(context: Context, rehearsal_id: UUID, of: OfBrokerage) -> Response:
    """Stops a running rehearsal. What it has found so far is kept like the results of any other rehearsal. Cancelling
    it again has no further effect."""
    context = await leaders(context, of.brokerage_id)
    staff = await staff_of(context)
    before = await row(context, rehearsal_id)

    def body(rehearsal: RoutingRehearsal) -> bytes:
        return encoded(rehearsal_document(before | {"state": "cancelled", "ended_at": rehearsal.modified_on}, staff))

    remember = await once(context, body, tagged=False)
    rehearsal, appended = await cancel_rehearsal(
        context.app.store,
        context.tenant_id,
        rehearsal_id,
        origin(context.request, context.caller),
        idempotency=remember,
    )
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    return answer(body(rehearsal))


async def get_rehearsal(context: Context, rehearsal_id: UUID, of: OfBrokerage) -> Response:
    """Returns the rehearsal: its progress, and how the load of the agents shifts."""
    context = await leaders(context, of.brokerage_id)
    found = await row(context, rehearsal_id)
    return unless_same(context, encoded(rehearsal_document(found, await staff_of(context))))


async def get_rehearsed(context: Context, rehearsal_id: UUID, part: LeadsPage) -> Response:
    """Lists the leads and tours of the rehearsal in the order in which they were routed: who had each, who would have
    got it, and why. They are kept for seven days, of the five newest rehearsals, up to 100,000 of each."""
    context = await leaders(context, part.brokerage_id)
    await row(context, rehearsal_id)
    parameters = {"tenant": context.tenant_id, "id": rehearsal_id, "after": part.skipped, "limit": part.page_size}
    (rows, ((total,),)) = await context.app.database.tenant_results(
        context.tenant_id, [(routing_rehearsals.LEADS, parameters), (routing_rehearsals.LEADS_KEPT, parameters)]
    )
    staff = await staff_of(context)
    items = b",".join(encoded(lead_document(one, staff)) for one in rows)
    return unless_same(context, page_body(part, FoundPage(items.decode(), total)))


async def get_rehearsed_csv(context: Context, rehearsal_id: UUID, of: OfBrokerage) -> Response:
    """Returns the same list as a CSV file."""
    context = await leaders(context, of.brokerage_id)
    state = await row(context, rehearsal_id)
    ((kept,),) = await context.app.database.tenant_rows(
        context.tenant_id, routing_rehearsals.LEADS_KEPT, {"tenant": context.tenant_id, "id": rehearsal_id}
    )
    staff = await staff_of(context)
    etag = list_etag(context.request.url.path, context.tenant_id, state["cursor"], kept, sorted(staff.items()))
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged

    async def lines() -> AsyncIterator[str]:
        yield csv_head()
        after = 0
        while True:
            parameters = {"tenant": context.tenant_id, "id": rehearsal_id, "after": after, "limit": CHUNK}
            rows = await context.app.database.tenant_rows(context.tenant_id, routing_rehearsals.LEADS, parameters)
            if rows:
                yield csv_of(rows, staff)
                after = rows[-1][0]
            if len(rows) < CHUNK:
                return

    headers = {"ETag": etag, "Content-Disposition": 'attachment; filename="rehearsal.csv"'}
    return StreamingResponse(lines(), 200, headers, CSV)


async def leaders(context: Context, brokerage_id: int | None) -> Context:
    """The request, asked of the brokerage that it means. Raises NotAllowed for agents."""
    check_leader(context.caller.role)
    return await in_brokerage(context, brokerage_id, "show rehearsals")


async def row(context: Context, rehearsal_id: UUID) -> dict[str, Any]:
    """The rehearsal's row. Raises NotFound."""
    parameters = {"tenant": context.tenant_id, "id": rehearsal_id}
    found = await context.app.database.tenant_rows(context.tenant_id, routing_rehearsals.ONE, parameters)
    if not found:
        raise NotFound(NO_REHEARSAL)
    return dict(zip(routing_rehearsals.NAMES, found[0], strict=True))


async def staff_of(context: Context) -> Staff:
    """The brokerage's users, disabled ones too: a user is never removed."""
    rows = await context.app.database.tenant_rows(context.tenant_id, users.ASSIGNABLE, {"tenant": context.tenant_id})
    return {user_id: (number, name) for user_id, number, name, *_ in rows}


one = partial(Endpoint, "GET", access=STAFF, dialect="leads", id=Id(NO_REHEARSAL), refusals=(400, 403))

ENDPOINTS = (
    Endpoint(
        "POST",
        ROUTING + "/rehearse",
        post_rehearsal,
        "Rehearse routing settings",
        access=STAFF,
        dialect="leads",
        query=OfBrokerage,
        body=RehearsalCreate,
        bodiless=True,
        answers=RehearsalResponse,
        status=202,
        refusals=(400, 403, 409),
    ),
    Endpoint(
        "GET",
        PATH,
        get_rehearsals,
        "List rehearsals",
        access=STAFF,
        dialect="leads",
        query=OfBrokerage,
        answers=RehearsalsResponse,
        refusals=(400, 403),
    ),
    Endpoint(
        "POST",
        PATH + "/{id}/cancel",
        post_rehearsal_cancellation,
        "Cancel a rehearsal",
        access=STAFF,
        dialect="leads",
        id=Id(NO_REHEARSAL),
        query=OfBrokerage,
        answers=RehearsalResponse,
        refusals=(400, 403, 409),
    ),
    one(PATH + "/{id}", get_rehearsal, "Get a rehearsal", query=OfBrokerage, answers=RehearsalResponse),
    one(PATH + "/{id}/leads", get_rehearsed, "List a rehearsal's leads", query=LeadsPage, answers=RehearsedPage),
    one(
        PATH + "/{id}/leads.csv",
        get_rehearsed_csv,
        "Get a rehearsal's leads as CSV",
        query=OfBrokerage,
        answers=str,
        media=CSV,
        headers={"Content-Disposition": "The name of the file."},
    ),
)
