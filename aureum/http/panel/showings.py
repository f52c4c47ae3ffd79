"""Showings: the visitor, the property, the time, and the agent who shows it."""

from collections.abc import Mapping
from functools import partial
from typing import Any, get_args

from starlette.responses import Response

from aureum.domain.errors import NotFound, WrongState
from aureum.http.api.tours.icalendar import CALENDAR
from aureum.http.api.tours.tour_fields import Status
from aureum.http.panel.fields import Field
from aureum.http.panel.leads import CLEAR
from aureum.http.panel.mail_words import mails_about
from aureum.http.panel.page import Page
from aureum.http.panel.resource import Column, Resource
from aureum.http.panel.resource_page import pages_of
from aureum.http.panel.showing_calendar import DONE, show_calendar
from aureum.http.panel.showing_steps import step
from aureum.http.panel.visit import ApiAnswer, Doc, Visit

FIELDS = (
    Field("name", "Name", required=True),
    Field("email", "Email", "email", hint="Enter an email address or a phone number."),
    Field("phone", "Phone", "tel"),
    Field("listingId", "Listing id in the MLS"),
    Field("propertyId", "Property", "property"),
    Field("status", "Status", "choice", get_args(Status), required=True),
    Field("preferredDate", "Preferred date", "date"),
    Field("preferredTime", "Preferred time", hint="Such as Saturday morning."),
    Field("startsAt", "Starts at", "wall", hint="In the property's local time."),
    Field("assignedToId", "Assigned to", "user"),
    Field("message", "Message", "long"),
)


async def read_showing(visit: Visit) -> ApiAnswer:
    """The showing of the Aureum API, with what it leaves out where there is nothing to say."""
    answer = await visit.ask("GET", "/api/showings/{id}", id=visit.id())
    more = {"leadId": answer.body.get("leadId"), "reason": answer.body.get("routing", {}).get("reason")}
    return ApiAnswer(answer.body | more, answer.etag, None)


async def about(visit: Visit, showing: Doc) -> Mapping[str, Any]:
    """Who and where, by name: the lead and the property, if the reader may see them; and the mails about it."""
    lead = await named(visit, "/api/leads/{id}", showing["leadId"])
    listed = await named(visit, "/api/properties/{id}", showing["propertyId"])
    mails = await mails_about(visit, "/api/showings/{id}/mails", showing["id"])
    return {"lead": lead, "listed": listed, "mails": mails}


async def named(visit: Visit, path: str, id: str | None) -> Doc | None:
    """Another resource; None without an *id*, and of one that the reader may not see."""
    if id is None:
        return None
    try:
        found: Doc = (await visit.ask("GET", path, id=id)).body
    except NotFound:
        return None
    return found


async def calendar_file(visit: Visit) -> Response:
    """The calendar file of a showing."""
    file = await visit.answer("GET", "/api/showings/{id}.ics", id=visit.id())
    headers = {"Content-Disposition": 'attachment; filename="showing.ics"'}
    return Response(bytes(file.body), headers=headers, media_type=CALENDAR)


async def send_file(visit: Visit, made: Mapping[str, Any]) -> str:
    """Send the visitor the calendar file of a showing that was just made. One that lacks what the file needs is there
    nonetheless, and its page says that nothing was sent."""
    try:
        await visit.ask("POST", "/api/showings/{id}/send-calendar", id=made["id"], body={})
    except WrongState:
        return "not_sent"
    return "sent"


SHOWINGS = Resource(
    path="/admin/showings",
    api="/api/showings",
    one="showing",
    many="Showings",
    title=lambda showing: showing["name"],
    columns=(
        Column("name", "Name"),
        Column("status", "Status", "badge"),
        Column("suspect", "Spam check", "suspect"),
        Column("listingId", "Listing"),
        Column("preferredDate", "Preferred date"),
        Column("startsAt", "Starts at", "wall"),
        Column("assignedToId", "Assigned to", "user"),
    ),
    filters=(
        Field("search", "Search"),
        Field("status", "Status", "choice", get_args(Status)),
        Field("listingId", "Listing id in the MLS"),
        Field("assignedToId", "Assigned to", "user"),
    ),
    new=FIELDS,
    change=FIELDS,
    read=read_showing,
    actions=(CLEAR,),
    history=True,
    view=show_calendar,
    template="showing.html",
    beside=about,
    told=DONE,
    also=("send", "Create and send the calendar file", send_file),
    facts=(
        Column("suspect", "Spam check", "suspect"),
        Column("startsAt", "Starts at", "wall"),
        Column("timeZone", "Time zone"),
        Column("reason", "Why this agent"),
        Column("createdAt", "Created", "time"),
        Column("updatedAt", "Last changed", "time"),
    ),
)

PAGES = (
    *pages_of(SHOWINGS),
    Page(SHOWINGS.path + "/{id}/step", act=partial(step, SHOWINGS)),
    Page(SHOWINGS.path + "/{id}/calendar.ics", calendar_file),
)
