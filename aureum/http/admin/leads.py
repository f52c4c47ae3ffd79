"""Leads: whoever has asked, and how far that has come."""

from typing import get_args

from aureum.http.admin.fields import Field
from aureum.http.admin.resource import Action, Column, Link, Resource, pages_of
from aureum.http.lead_fields import Status

FIRST_NAME = Field("firstName", "First name", required=True)
NEW_NAME = (FIRST_NAME, Field("lastName", "Last name", required=True))
NAME = (FIRST_NAME, Field("lastName", "Last name"))
"""Whoever gave but one name on a form has no last one."""

REACHED = (
    Field("email", "E-mail", "email", hint="An e-mail address or a phone number is needed."),
    Field("phone", "Phone", "tel"),
)
STATUS = Field("status", "Status", "choice", get_args(Status), required=True)
AGENT = Field("assignedToId", "Taken care of by", "user")
WORDS = (Field("subject", "Subject"), Field("message", "Message", "long"))

LEADS = Resource(
    path="/admin/leads",
    api="/api/leads",
    one="lead",
    many="Leads",
    title=lambda lead: lead["name"],
    columns=(
        Column("name", "Name"),
        Column("status", "Status", "badge"),
        Column("source", "Source"),
        Column("assignedToId", "Taken care of by", "user"),
        Column("createdAt", "Since", "time"),
    ),
    filters=(
        Field("status", "Status", "choice", get_args(Status)),
        Field("source", "Source"),
        Field("assignedToId", "Taken care of by", "user"),
    ),
    new=(*NEW_NAME, *REACHED, STATUS, Field("source", "Source", default="manual"), AGENT, *WORDS),
    change=(STATUS, AGENT, *NAME, *REACHED, *WORDS),
    actions=(
        Action(
            "convert",
            "Make a contact of it",
            "The lead is converted, and the contact is made.",
            lambda lead: lead["contactId"] is None,
        ),
    ),
    links=(Link("New task about this lead", "/admin/tasks/new", {"leadId": "id"}),),
    history=True,
    mentions={"contactId": "/admin/contacts"},
    facts=(
        Column("source", "Source"),
        Column("sourcePage", "From the page"),
        Column("createdAt", "Since", "time"),
        Column("updatedAt", "Changed", "time"),
    ),
)

PAGES = pages_of(LEADS)
