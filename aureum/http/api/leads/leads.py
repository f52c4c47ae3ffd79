"""Leads one at a time, in the Aureum API: create, read, change, convert, and the history of each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from uuid import UUID

import orjson
from starlette.responses import Response

from aureum.commands.batches import Outcome, new_leads
from aureum.commands.leads import NO_LEAD, CaptureLead, ChangeLead, capture_lead, change_lead, clear_lead, convert_lead
from aureum.domain.errors import Invalid
from aureum.domain.lead import LOST, Lead
from aureum.domain.lead_events import DETAILS
from aureum.http.access.callers import origin
from aureum.http.api.duplicates.duplicate_fields import person_of
from aureum.http.api.duplicates.finding import UnlessSimilar, check_similar
from aureum.http.api.leads.lead_fields import (
    LeadBatch,
    LeadChange,
    LeadCreate,
    LeadResponse,
    split_name,
)
from aureum.http.api.leads.lead_list import LeadFilters, get_leads
from aureum.http.contract.answers import encoded
from aureum.http.contract.batch import batch_endpoint
from aureum.http.contract.catching_up import RemovedResponse
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.history import get_history, history_of
from aureum.http.contract.resource import (
    AsOf,
    answered,
    expected_versions,
    reference,
    row,
    run_once,
    shown,
)
from aureum.http.contract.routing import beside, with_routing
from aureum.http.contract.undoing import undo_endpoint
from aureum.http.wire.shapes import EventResponse
from aureum.projections import lead_list
from aureum.store.event_store import Appended, Idempotency
from aureum.store.metadata import Origin


def lead_body(context: Context, lead: Lead) -> bytes:
    """A lead as the Aureum API shows it, in the same words as the list, and how it was routed."""
    return encoded(with_routing(context, lead_list.document(lead, lead.id, lead.created_on, lead.modified_on), lead))


async def post_lead(context: Context, new: LeadCreate) -> Response:
    """Leads created through the API are not routed unless ``route`` is true. Set ``assignedToId`` to assign the lead to
    a user."""
    command = capturing(context, new)
    return await run_once(context, partial(capture_lead, context.app.store, command), partial(lead_body, context), 201)


def capturing(context: Context, new: LeadCreate) -> CaptureLead:
    """What the caller asks for."""
    return CaptureLead(
        tenant_id=context.tenant_id,
        country=context.caller.country,
        fields=new.fields(),
        status=new.status,
        assigned_to=reference(new.assigned_to),
        created_by=context.caller.user_id,
        route=new.route,
    )


ONE_BY_ONE = "route must be false in a batch. Send leads that are to be routed one by one."


async def decide_leads(context: Context, rows: Sequence[LeadCreate]) -> Sequence[Outcome]:
    """A lead for each row. Each routed lead takes a turn that the next one must see, so none is routed here."""
    decided = iter(await new_leads(context.app.store, [capturing(context, new) for new in rows if not new.route]))
    return [Invalid("route", ONE_BY_ONE) if new.route else next(decided) for new in rows]


async def get_lead(context: Context, lead_id: UUID, as_of: AsOf) -> Response:
    """Returns the lead, or its state at ``asOf``."""
    body = partial(lead_body, context)
    return await shown(context, lead_list.LIST, lead_id, NO_LEAD, as_of, body, beside=partial(beside, context))


@contextmanager
def in_these_words() -> Iterator[None]:
    """Raises Invalid with the field names of this API."""
    try:
        yield
    except Invalid as error:
        shown_here = {"lost_reason": "lostReason", "lost_note": "lostNote"}.get(error.field, error.field)
        raise Invalid(shown_here, str(error).replace(error.field, shown_here)) from error


async def patch_lead(context: Context, lead_id: UUID, change: LeadChange) -> Response:
    """Changes the fields that are sent, and returns the lead. Send ``If-Match`` with the ETag to avoid overwriting
    someone else's change."""
    given = change.model_fields_set
    details = {name: getattr(change, name) for name in DETAILS if name in given}
    if change.name is not None:
        details["first_name"], details["last_name"] = split_name(change.name)
    command = ChangeLead(
        tenant_id=context.tenant_id,
        country=context.caller.country,
        lead_id=lead_id,
        status=change.status,
        lost={name: getattr(change, f"lost_{name}") for name in LOST if f"lost_{name}" in given},
        assign="assigned_to" in given,
        assigned_to=reference(change.assigned_to),
        details=details,
        visible_to=context.caller.visible_to,
        expected_versions=expected_versions(context.request),
    )
    with in_these_words():
        lead = await change_lead(context.app.store, command, origin(context.request, context.caller))
    return answered(context, lead, partial(lead_body, context))


async def post_conversion(context: Context, lead_id: UUID, asked: UnlessSimilar) -> Response:
    """Sets the status to ``converted`` and creates a contact from the lead. Converting it again has no further
    effect."""

    async def convert(origin: Origin, *, idempotency: Idempotency | None) -> tuple[Lead, Appended]:
        found = None if asked.unless_similar is None else await row(context, lead_list.LIST, lead_id)
        doc = {} if found is None else orjson.loads(found["doc"])
        if doc and doc["contactId"] is None:
            await check_similar(context, asked, person_of(doc, context.caller.country), lead_id)
        return await convert_lead(
            context.app.store,
            context.tenant_id,
            lead_id,
            origin,
            visible_to=context.caller.visible_to,
            created_by=context.caller.user_id,
            idempotency=idempotency,
        )

    return await run_once(context, convert, partial(lead_body, context))


async def post_lead_clearance(context: Context, lead_id: UUID) -> Response:
    """Marks a suspected lead as genuine. The lead is counted and routed, and webhooks receive it as new. Clearing it
    again has no further effect."""
    command = partial(clear_lead, context.app.store, context.tenant_id, lead_id, visible_to=context.caller.visible_to)
    return await run_once(context, command, partial(lead_body, context))


async def get_lead_history(context: Context, lead_id: UUID, as_of: AsOf) -> Response:
    """Lists every event of the lead, oldest first: who changed what, when, from which value to which. With ``asOf`` it
    ends at that moment."""
    made = partial(history_of, brief=context.caller.visible_to is not None)
    return await get_history(context, lead_list.LIST, lead_id, NO_LEAD, as_of, made)


SHOWN = LeadResponse
"""What webhooks are sent."""

one = partial(Endpoint, path="/api/leads/{id}", id=Id(NO_LEAD), answers=LeadResponse)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/leads",
        get_leads,
        "List leads",
        query=LeadFilters,
        answers=list[LeadResponse | RemovedResponse],
        etag_from_position=True,
    ),
    Endpoint("POST", "/api/leads", post_lead, "Create a lead", body=LeadCreate, answers=LeadResponse, status=201),
    batch_endpoint(
        "/api/leads",
        LeadBatch,
        LeadCreate,
        LeadResponse,
        decide_leads,
        lead_body,
        command="CaptureLeads",
        names="leads",
    ),
    one(method="GET", run=get_lead, summary="Get a lead", query=AsOf),
    one(method="PATCH", run=patch_lead, summary="Change a lead", body=LeadChange),
    one(
        method="POST",
        path="/api/leads/{id}/convert",
        run=post_conversion,
        query=UnlessSimilar,
        summary="Convert a lead into a contact",
    ),
    one(method="POST", path="/api/leads/{id}/clear", run=post_lead_clearance, summary="Clear a suspected lead"),
    one(
        method="GET",
        path="/api/leads/{id}/history",
        run=get_lead_history,
        summary="Get a lead's history",
        query=AsOf,
        answers=list[EventResponse],
    ),
    undo_endpoint("/api/leads", Lead, NO_LEAD, "lead"),
)
