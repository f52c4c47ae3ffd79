"""Showings: who wants to see a property, when, and who shows it."""

from typing import get_args

from aureum.http.api.tours.tour_fields import Status
from aureum.http.panel.fields import Field
from aureum.http.panel.leads import CLEAR
from aureum.http.panel.resource import Column, Resource, pages_of

FIELDS = (
    Field("name", "Name", required=True),
    Field("email", "E-mail", "email", hint="An e-mail address or a phone number is needed."),
    Field("phone", "Phone", "tel"),
    Field("listingId", "Listing id in the MLS"),
    Field("propertyId", "Property", hint="As it ends the address of its page."),
    Field("status", "Status", "choice", get_args(Status), required=True),
    Field("preferredDate", "Preferred date", "date"),
    Field("preferredTime", "Preferred time", hint="In any words."),
    Field("startsAt", "Starts at", "wall", hint="On the clock where the property is."),
    Field("assignedToId", "Shown by", "user"),
    Field("message", "Message", "long"),
)

SHOWINGS = Resource(
    path="/admin/showings",
    api="/api/showings",
    one="showing",
    many="Showings",
    title=lambda showing: showing["name"],
    columns=(
        Column("name", "Name"),
        Column("status", "Status", "badge"),
        Column("suspect", "Suspect", "suspect"),
        Column("listingId", "Listing"),
        Column("preferredDate", "Preferred date"),
        Column("startsAt", "Starts at", "wall"),
        Column("assignedToId", "Shown by", "user"),
    ),
    filters=(
        Field("search", "Search"),
        Field("status", "Status", "choice", get_args(Status)),
        Field("listingId", "Listing id in the MLS"),
        Field("assignedToId", "Shown by", "user"),
    ),
    new=FIELDS,
    change=FIELDS,
    mentions={"propertyId": "/admin/properties"},
    actions=(CLEAR,),
    facts=(
        Column("suspect", "Suspect", "suspect"),
        Column("startsAt", "Starts at", "wall"),
        Column("timeZone", "Time zone"),
        Column("createdAt", "Since", "time"),
        Column("updatedAt", "Changed", "time"),
    ),
)

PAGES = pages_of(SHOWINGS)
