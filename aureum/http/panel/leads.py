"""Leads: what visitors ask, and how far each has come. Staff create and change them through the admin side of the
Leads API: it tells what they entered from what came from forms, and has the notes.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, get_args

from aureum.commands.leads import NO_LEAD
from aureum.domain.errors import Invalid, NotFound
from aureum.domain.ids import from_wire, to_wire
from aureum.http.api.leads.lead_fields import LostReason, Status
from aureum.http.panel.acting import BROKERAGE, named, number_of
from aureum.http.panel.activities import log_page
from aureum.http.panel.duplicates import DONE, before_conversion, like_new_lead, of_lead
from aureum.http.panel.erasing import pages_for
from aureum.http.panel.fields import Field
from aureum.http.panel.lead_page import LEAD_DONE, as_of, beside
from aureum.http.panel.lead_steps import steps_of
from aureum.http.panel.resource import Action, Column, PageLink, Resource
from aureum.http.panel.resource_page import pages_of
from aureum.http.panel.visit import ApiAnswer, Visit
from aureum.http.wire.errors import HttpError

API = "/api/v1/admin/leads"
SIMILAR = "Contacts or leads may be the same person."
NOT_OF_IT = "assigned_agent_id must be a user of the brokerage. Choose again."

NAME = (Field("firstName", "First name", required=True), Field("lastName", "Last name"))
"""A visitor who gave only one name on a form has no last name."""

REACHED = (
    Field("email", "Email", "email", hint="Enter an email address or a phone number."),
    Field("phone", "Phone", "tel"),
)
STATUS = Field("status", "Status", "choice", get_args(Status), required=True)
AGENT = Field("assignedToId", "Assigned to", "user")
LOST = (
    Field("lostReason", "Lost because", "choice", get_args(LostReason), hint="For the status lost."),
    Field("lostNote", "Details of why it was lost"),
)
WORDS = (Field("subject", "Subject"), Field("message", "Message", "long"))
NOTES = Field("notes", "Notes", "long", hint="Only staff can see these.")

NEW = (
    BROKERAGE,
    Field("first_name", "First name", required=True),
    Field("last_name", "Last name", required=True),
    Field("email", "Email", "email", required=True),
    Field("phone", "Phone", "tel"),
    STATUS,
    Field("assigned_agent_id", "Assigned to", "user"),
    Field("subject", "Subject", required=True),
    Field("message", "Message", "long", required=True, hint="What the person is looking for."),
    NOTES,
)
"""In the names of the Leads API."""

THERE = {
    "firstName": "first_name",
    "lastName": "last_name",
    "assignedToId": "assigned_agent_id",
    "lostReason": "lost_reason",
    "lostNote": "lost_note",
}
"""How it calls what the Aureum API calls otherwise."""

TENANT = "SELECT tenant_id FROM brokerages WHERE number = %(number)s"

NUMBER = """
SELECT l.number FROM heads h
  JOIN lead_list l ON l.tenant_id = h.tenant_id AND l.read_version = h.lead_list_version
 WHERE h.tenant_id = %(tenant)s AND l.lead_id = %(lead)s
"""
ID = """
SELECT l.lead_id FROM heads h
  JOIN lead_list l ON l.tenant_id = h.tenant_id AND l.read_version = h.lead_list_version
 WHERE h.tenant_id = %(tenant)s AND l.number = %(lead)s
"""
"""Of a lead whose brokerage is known. Whether its reader may see it the endpoints say."""


async def looked_up(visit: Visit, query: str, lead: Any) -> Any:
    """The number of a lead by its id, or its id by its number. Raises NotFound."""
    database = visit.request.app.state.aureum.database
    for (tenant_id,) in await database.rows(TENANT, {"number": int(number_of(visit))}):
        for (found,) in await database.tenant_rows(tenant_id, query, {"tenant": tenant_id, "lead": lead}):
            return found
    raise NotFound(NO_LEAD)


async def read_lead(visit: Visit) -> ApiAnswer:
    """The lead of the Aureum API, with the notes; as it was at the moment that the page is asked for, if any."""
    then = {"asOf": as_of(visit)}
    answer, number = await asyncio.gather(
        visit.ask("GET", "/api/leads/{id}", id=visit.id(), query=then),
        looked_up(visit, NUMBER, from_wire(visit.id())),
    )
    detail = (await visit.ask("GET", API + "/{id}", id=str(number), query=then)).body
    shown = answer.body | {"notes": detail["notes"], "offer": await offered(visit, detail["offer"])}
    shown |= await routing(visit, detail["routing"])
    return ApiAnswer(shown, answer.etag, None)


async def offered(visit: Visit, offer: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The lead's current offer, with the agents by their ids."""
    if offer is None:
        return None
    ids = {user["number"]: user["id"] for user in (await visit.ask("GET", "/api/users")).body}
    return {**offer, "agents": [ids.get(number) for number in offer["agents"]]}


async def routing(visit: Visit, found: Mapping[str, Any] | None) -> dict[str, str | None]:
    """Why the lead went where it went: to agents the reason, to others also what met, and who was in the pool."""
    shown: dict[str, str | None] = {"reason": None, "met": None, "pool": None, "out": None}
    if found is None:
        return shown
    shown["reason"] = found["reason"]
    if "pool" in found:
        names = {user["number"]: user["name"] for user in (await visit.ask("GET", "/api/users")).body}
        shown["met"] = "; ".join(f"“{one['said']}” – {one['profile']}" for one in found["because"]) or None
        pool = [(names.get(one["agent"], "a former user"), one["score"], one["out"]) for one in found["pool"]]
        shown["pool"] = (
            ", ".join(f"{name} {score:g}" if score else name for name, score, out in pool if not out) or None
        )
        shown["out"] = ", ".join(f"{name} ({out})" for name, _, out in pool if out) or None
    return shown


async def change_lead(visit: Visit, body: Mapping[str, Any]) -> str:
    """Notes and all else in one step."""
    number = str(await looked_up(visit, NUMBER, from_wire(visit.id())))
    sent = {THERE.get(name, name): value for name, value in body.items()}
    body = await with_number(visit, sent)
    saved = await visit.ask("PATCH", API + "/{id}", id=number, body=body, if_match=visit.form["etag"])
    return saved.etag


async def make_lead(visit: Visit, body: Mapping[str, Any]) -> str:
    """As entered by staff, unless the user has not seen yet who may be the same person."""
    if visit.form["anyway"] != "yes" and await like_new_lead(visit, body):
        raise HttpError("similar_contacts", SIMILAR)
    lead = (await visit.ask("POST", API, body=await with_number(visit, body) | named(visit))).body
    return to_wire(await looked_up(visit, ID, lead["id"]))


async def with_number(visit: Visit, body: Mapping[str, Any]) -> dict[str, Any]:
    """*body* with the number of the user whom it names by id. Raises Invalid for an id of no user of this brokerage."""
    agent = body.get("assigned_agent_id")
    if agent is None:
        return dict(body)
    numbers = {user["id"]: user["number"] for user in (await visit.ask("GET", "/api/users")).body}
    if agent not in numbers:
        raise Invalid("assigned_agent_id", NOT_OF_IT)
    return {**body, "assigned_agent_id": numbers[agent]}


WHY_LOST = "This lead is lost. Choose why under “Lost because”, so that reports can count it."

CLEAR = Action(
    "clear",
    "Not spam",
    "It is no longer suspected spam.",
    lambda form: bool(form.get("suspect")),
)
"""Of a form that a program seems to have sent."""

LEADS = Resource(
    path="/admin/leads",
    api="/api/leads",
    one="lead",
    many="Leads",
    title=lambda lead: lead["name"],
    # Their list is a page of its own: lead_list.py.
    columns=(),
    filters=(),
    new=NEW,
    change=(STATUS, AGENT, *LOST, *NAME, *REACHED, *WORDS, NOTES),
    read=read_lead,
    write=change_lead,
    make=make_lead,
    like_new=like_new_lead,
    actions=(
        Action(
            "convert",
            "Convert to contact",
            "The lead was converted, and its contact was created.",
            lambda lead: lead["contactId"] is None and not lead.get("suspect"),
            before_conversion,
        ),
        CLEAR,
    ),
    links=(
        PageLink(
            "New showing for this lead",
            "/admin/showings/new",
            {"name": "name", "email": "email", "phone": "phone", "assignedToId": "assignedToId"},
        ),
        PageLink("New task about this lead", "/admin/tasks/new", {"leadId": "id"}),
    ),
    activities=True,
    asks=lambda lead: WHY_LOST if lead["status"] == "lost" and not lead.get("lostReason") else None,
    same=of_lead,
    facts=(
        Column("suspect", "Spam check", "suspect"),
        Column("source", "Source"),
        Column("sourcePage", "Source page"),
        Column("offer", "Offered to", "offer"),
        Column("reason", "Why this agent"),
        Column("met", "Matched"),
        Column("pool", "Eligible agents"),
        Column("out", "Not eligible"),
        Column("createdAt", "Created", "time"),
        Column("updatedAt", "Last changed", "time"),
    ),
    told=DONE | LEAD_DONE | {"claimed": "You claimed this lead. It is assigned to you."},
    template="lead.html",
    beside=beside,
)


async def erasable(visit: Visit) -> dict[str, Any]:
    """How the API names the lead of the page, to erase its person."""
    return {"lead_id": await looked_up(visit, NUMBER, from_wire(visit.id()))}


PAGES = (*pages_of(LEADS)[1:], log_page(LEADS), *steps_of(LEADS), *pages_for(LEADS.path, erasable))
