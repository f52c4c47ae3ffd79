"""Showings: the visitor, the property, the time, and the agent who shows it."""

from collections.abc import Mapping
from functools import partial
from typing import Any, get_args
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.responses import Response

from aureum.domain.errors import NotFound
from aureum.http.api.tours.icalendar import CALENDAR
from aureum.http.api.tours.tour_fields import Status
from aureum.http.panel.fields import Field
from aureum.http.panel.leads import CLEAR
from aureum.http.panel.page import Page
from aureum.http.panel.resource import Column, Doc, Resource, pages_of
from aureum.http.panel.showing_calendar import DONE, show_calendar
from aureum.http.panel.showing_steps import step
from aureum.http.panel.times import on_clock
from aureum.http.panel.visit import ApiAnswer, Visit

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
    """Who and where, by name: the lead and the property, if the reader may see them; and the mail with which the
    calendar file is sent."""
    lead = await named(visit, "/api/leads/{id}", showing["leadId"])
    listed = await named(visit, "/api/properties/{id}", showing["propertyId"])
    return {"lead": lead, "listed": listed, "mail": mail_to(visit, showing, listed)}


async def named(visit: Visit, path: str, id: str | None) -> Doc | None:
    """Another resource; None without an *id*, and of one that the reader may not see."""
    if id is None:
        return None
    try:
        found: Doc = (await visit.ask("GET", path, id=id)).body
    except NotFound:
        return None
    return found


def mail_to(visit: Visit, showing: Doc, listed: Doc | None) -> str | None:
    """The address of a new mail to the visitor that says when and where, to which the calendar file is attached."""
    if showing["email"] is None or showing["startsAt"] is None or visit.acting is None:
        return None
    at = on_clock(showing["startsAt"], ZoneInfo(showing["timeZone"]))
    place = f"{listed['address']}, {listed['city']}" if listed else "the property"
    when = f"{at:%A, %-d %B %Y, %H:%M %Z}"
    text = (
        f"Hello {showing['name']},\r\n\r\nyour showing of {place} is on {when}. The calendar file is attached.\r\n\r\n"
    )
    words = {"subject": f"Your showing of {place}", "body": f"{text}{visit.acting['name']}\r\n"}
    return f"mailto:{quote(showing['email'], safe='@')}?" + "&".join(
        f"{name}={quote(said)}" for name, said in words.items()
    )


async def calendar_file(visit: Visit) -> Response:
    """The calendar file of a showing."""
    file = await visit.answer("GET", "/api/showings/{id}.ics", id=visit.id())
    headers = {"Content-Disposition": 'attachment; filename="showing.ics"'}
    return Response(bytes(file.body), headers=headers, media_type=CALENDAR)


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
