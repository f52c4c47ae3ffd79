"""Activities of leads and contacts, in the Aureum API: log, list, read, correct, remove.

They are folded from the stream of the lead or contact, and so is their ETag: its version.
"""

from functools import partial
from uuid import UUID

from starlette.responses import Response

from aureum.commands.activities import ChangeActivity, LogActivity, change_activity, log_activity
from aureum.commands.changes import visible
from aureum.commands.contacts import NO_CONTACT
from aureum.commands.leads import NO_LEAD
from aureum.domain.activities import NO_ACTIVITY, HasActivities
from aureum.domain.errors import NotFound
from aureum.domain.ids import from_wire
from aureum.http.access.callers import origin
from aureum.http.api.activities.activity_fields import (
    ID,
    ActivityChange,
    ActivityCreate,
    ActivityFilters,
    ActivityResponse,
)
from aureum.http.api.activities.activity_listing import get_contact_activities, get_lead_activities
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.resource import (
    NOT_YET,
    AsOf,
    answered,
    expected_versions,
    run_once,
    unless_known,
)
from aureum.projections import activity_list

PATH = "/api/activities"

Named = tuple[UUID, int]
"""The lead or contact, and the activity's number in it."""


def parse_id(text: str) -> Named | None:
    """The inverse of ``activity_list.id_of``; None for a text that is no activity's id."""
    wire, _, number = text.partition("_")
    stream_id = from_wire(wire)
    whole = number.isascii() and number.isdigit() and len(number) <= 9 and not number.startswith("0")
    return (stream_id, int(number)) if stream_id is not None and whole else None


def last_body(of: HasActivities) -> bytes:
    """The activity that was logged last."""
    return encoded(activity_list.document(of, of.activities[of.version]))


def body(number: int, of: HasActivities) -> bytes:
    """The activity of this number."""
    return encoded(activity_list.document(of, of.activities[number]))


def logging(context: Context, of: UUID, missing: str, new: ActivityCreate) -> LogActivity:
    """The command that logs *new*."""
    return LogActivity(
        tenant_id=context.tenant_id,
        of=of,
        missing=missing,
        type=new.type,
        direction=new.direction,
        outcome=new.outcome,
        duration=new.duration,
        text=new.text,
        happened_at=new.at,
        logged_by=context.caller.user_id,
        visible_to=context.caller.visible_to,
    )


async def logged(context: Context, of: UUID, missing: str, new: ActivityCreate) -> Response:
    """Log *new*, unless this request was made before. Raises what ``log_activity`` raises."""
    command = logging(context, of, missing, new)
    return await run_once(context, partial(log_activity, context.app.store, command), last_body, 201)


async def post_lead_activity(context: Context, lead_id: UUID, new: ActivityCreate) -> Response:
    """Logs a note, call, mail or visit with the person. It appears in the lead's history, and webhooks receive
    ``lead.updated``. It does not change the lead's ``notes`` field, which is one text that staff overwrite."""
    return await logged(context, lead_id, NO_LEAD, new)


async def post_contact_activity(context: Context, contact_id: UUID, new: ActivityCreate) -> Response:
    """Logs a note, call, mail or visit with the person. Webhooks receive ``contact.updated``."""
    return await logged(context, contact_id, NO_CONTACT, new)


async def get_activity(context: Context, named: Named, as_of: AsOf) -> Response:
    """Returns the activity, or its state at ``asOf``."""
    of = await found_by(context, named, as_of)
    return unless_known(context, body(named[1], of), of.version)


async def found_by(context: Context, named: Named, as_of: AsOf) -> HasActivities:
    """The lead or contact with the activity, as the caller may see it. Raises NotFound."""
    stream_id, number = named
    stream = await context.app.store.load(context.tenant_id, stream_id)
    of = stream.aggregate()
    if not isinstance(of, HasActivities) or not visible(of, context.caller.visible_to):
        raise NotFound(NO_ACTIVITY)
    if as_of.as_of is not None:
        of = stream.aggregate(as_of.as_of)
        if not isinstance(of, HasActivities) or number not in of.activities:
            raise NotFound(NOT_YET)
    if number not in of.activities:
        raise NotFound(NO_ACTIVITY)
    return of


async def patch_activity(context: Context, named: Named, change: ActivityChange) -> Response:
    """Corrects the fields that are sent, and returns the activity. Agents may correct only what they logged themselves.
    The history keeps the previous values. Send ``If-Match`` with the ETag to avoid overwriting someone else's
    change."""
    command = ChangeActivity(
        tenant_id=context.tenant_id,
        of=named[0],
        number=named[1],
        changes=change.changes(),
        happened_at=change.at,
        visible_to=context.caller.visible_to,
        expected_versions=expected_versions(context.request),
    )
    of = await change_activity(context.app.store, command, origin(context.request, context.caller))
    return answered(context, of, partial(body, named[1]))


async def delete_activity(context: Context, named: Named) -> Response:
    """Removes an activity that was logged by mistake. Agents may remove only what they logged themselves. The history
    still shows that it was logged and removed."""
    command = ChangeActivity(
        tenant_id=context.tenant_id,
        of=named[0],
        number=named[1],
        remove=True,
        visible_to=context.caller.visible_to,
    )
    await change_activity(context.app.store, command, origin(context.request, context.caller))
    return Response(status_code=204)


many = partial(Endpoint, method="GET", query=ActivityFilters, answers=list[ActivityResponse])
new = partial(Endpoint, method="POST", body=ActivityCreate, answers=ActivityResponse, status=201)
one = partial(Endpoint, path=PATH + "/{id}", id=Id(NO_ACTIVITY, parse=parse_id, pattern=ID), answers=ActivityResponse)

OF_LEAD, LEAD = "/api/leads/{id}/activities", Id(NO_LEAD)
OF_CONTACT, CONTACT = "/api/contacts/{id}/activities", Id(NO_CONTACT)

ENDPOINTS = (
    many(path=OF_LEAD, id=LEAD, run=get_lead_activities, summary="List a lead's activities"),
    new(path=OF_LEAD, id=LEAD, run=post_lead_activity, summary="Log an activity of a lead"),
    many(path=OF_CONTACT, id=CONTACT, run=get_contact_activities, summary="List a contact's activities"),
    new(path=OF_CONTACT, id=CONTACT, run=post_contact_activity, summary="Log an activity of a contact"),
    one(method="GET", run=get_activity, summary="Get an activity", query=AsOf),
    one(method="PATCH", run=patch_activity, summary="Correct an activity", body=ActivityChange),
    one(method="DELETE", run=delete_activity, summary="Remove an activity", answers=None, status=204),
)
