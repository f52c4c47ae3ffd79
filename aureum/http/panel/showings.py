"""Showings: the visitor, the property, the time, and the agent who shows it."""

from typing import get_args

from aureum.http.api.tours.tour_fields import Status
from aureum.http.panel.fields import Field
from aureum.http.panel.leads import CLEAR
from aureum.http.panel.resource import Column, Resource, pages_of
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
    mentions={"propertyId": "/admin/properties", "leadId": "/admin/leads"},
    actions=(CLEAR,),
    history=True,
    facts=(
        Column("suspect", "Spam check", "suspect"),
        Column("startsAt", "Starts at", "wall"),
        Column("timeZone", "Time zone"),
        Column("reason", "Why this agent"),
        Column("createdAt", "Created", "time"),
        Column("updatedAt", "Last changed", "time"),
    ),
)

PAGES = pages_of(SHOWINGS)
