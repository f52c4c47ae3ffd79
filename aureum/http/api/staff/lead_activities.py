"""A lead's activities on the admin's side of the Leads API: those of the Aureum API, in the names of this dialect."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.commands.activities import log_activity
from aureum.domain.activities import HasActivities
from aureum.domain.ids import leads_time
from aureum.domain.lead import Lead
from aureum.http.access.callers import origin
from aureum.http.api.activities.activities import logging
from aureum.http.api.activities.activity_fields import (
    DIRECTION,
    DURATION,
    ID,
    OUTCOME,
    ActivityCreate,
    Direction,
    Outcome,
    Type,
)
from aureum.http.api.activities.activity_listing import newest
from aureum.http.api.staff.lead_list import PATH as LEADS
from aureum.http.api.staff.lead_routing import numbers_of
from aureum.http.api.staff.leads import NO_LEAD, find_lead
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.contract.numbered_pages import FoundPage, Numbered, NumberedPage, page_body
from aureum.http.contract.resource import answered, once, unless_known
from aureum.http.wire.shapes import LeadsTimestamp, Shape
from aureum.projections import activity_list
from aureum.projections.admin_leads import in_seconds

PATH = f"{LEADS}/{{id}}/activities"


class AdminActivityFilters(Numbered):
    """The filter and the page of a list of activities."""

    type: Annotated[Type | None, Field(description="Filter by type.")] = None


class AdminActivityResponse(Shape):
    """An activity of a lead."""

    id: Annotated[str, Field(pattern=ID)]
    lead_id: int
    type: Annotated[Type, Field(description="What happened.")]
    at: Annotated[LeadsTimestamp, Field(description="When it happened.")]
    direction: Annotated[Direction | None, Field(description=DIRECTION)]
    outcome: Annotated[Outcome | None, Field(description=OUTCOME)]
    duration: Annotated[int | None, Field(description=DURATION)]
    text: Annotated[str | None, Field(description="What was said or agreed.")]
    created_by_id: Annotated[
        int | None,
        Field(description="The number of the user who logged it. `null` for an API key or a platform admin."),
    ]
    created_at: LeadsTimestamp
    updated_at: LeadsTimestamp


def document(lead: Lead, number: int, agents: Mapping[UUID, int]) -> dict[str, Any]:
    """The activity in the names of this dialect; *agents* are the numbers of users by their ids."""
    activity = lead.activities[number]
    said = activity_list.shown(activity_list.id_of(lead.id, number), vars(activity))
    return {
        **{"id": said.pop("id"), "lead_id": lead.number, **said, "at": in_seconds(said["at"])},
        "created_by_id": None if activity.logged_by is None else agents.get(activity.logged_by),
        "created_at": leads_time(activity.logged_at),
        "updated_at": leads_time(activity.changed_at),
    }


async def post_admin_activity(context: Context, number: int, new: ActivityCreate) -> Response:
    """Logs a note, call, mail or visit with the person. It appears in the lead's history, and webhooks receive
    ``lead.updated``. It does not change the lead's ``notes`` field, which is one text that staff overwrite."""
    context, row = await find_lead(context, number)
    user = context.caller.user_id
    agents = await numbers_of(context, set() if user is None else {user})

    def body(lead: HasActivities) -> bytes:
        assert isinstance(lead, Lead)
        return encoded(document(lead, lead.version, agents))

    command = logging(context, row["lead_id"], NO_LEAD, new)
    remember = await once(context, body)
    lead, appended = await log_activity(
        context.app.store, command, origin(context.request, context.caller), idempotency=remember
    )
    return answered(context, lead, body, appended, 201)


async def get_admin_activities(context: Context, number: int, filters: AdminActivityFilters) -> Response:
    """Lists the lead's activities, newest first by ``at``. Removed activities are not listed."""
    context, row = await find_lead(context, number)
    lead = (await context.app.store.load(context.tenant_id, row["lead_id"])).aggregate()
    assert isinstance(lead, Lead)
    found = [one.activity for one in newest([lead], filters.type)]
    page = found[filters.skipped : filters.skipped + filters.page_size]
    agents = await numbers_of(context, {one.logged_by for one in page if one.logged_by is not None})
    docs = ",".join(encoded(document(lead, one.number, agents)).decode() for one in page)
    return unless_known(context, page_body(filters, FoundPage(docs, len(found))), lead.version)


one = partial(Endpoint, path=PATH, access=STAFF, dialect="leads", id=Id(NO_LEAD, number=True))

ENDPOINTS = (
    one(
        method="GET",
        run=get_admin_activities,
        summary="List a lead's activities (admin)",
        query=AdminActivityFilters,
        answers=NumberedPage[AdminActivityResponse],
    ),
    one(
        method="POST",
        run=post_admin_activity,
        summary="Log an activity of a lead (admin)",
        body=ActivityCreate,
        answers=AdminActivityResponse,
        status=201,
    ),
)
