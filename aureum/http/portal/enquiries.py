"""A client's enquiries: when, about what, in which state, and which agent answers. Nothing else of a lead is shown.

They are the leads of the client's contacts, and those with the client's address: what public forms sent from it, too,
because the address is proved. What was taken for spam is left out.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from starlette.responses import Response

from aureum.commands.portal.opening import leads_of_address
from aureum.domain.ids import from_wire
from aureum.http.portal.catalogue import later
from aureum.http.portal.page import PortalPage
from aureum.http.portal.visit import PortalVisit

MOST = 100
MOST_ON_HOME = 2

OF_CONTACTS = """
SELECT l.lead_id, l.doc FROM lead_list l
 WHERE l.tenant_id = %(tenant)s AND l.contact_id = ANY (%(contacts)s::uuid[])
   AND l.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 ORDER BY l.lead_id DESC LIMIT %(limit)s
"""

VISIBLE = """
SELECT l.lead_id FROM lead_list l
 WHERE l.tenant_id = %(tenant)s AND l.lead_id = ANY (%(leads)s::uuid[])
   AND l.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND (l.assigned_to = %(visible_to)s OR l.created_by = %(visible_to)s)
"""
"""Of a preview: the leads that the agent may see."""

AGENTS = """
SELECT u.user_id, u.name FROM users u
 WHERE u.tenant_id = %(tenant)s AND u.user_id = ANY (%(users)s::uuid[]) AND NOT u.disabled
"""

STATES = {
    "new": later("Received"),
    "contacted": later("In conversation"),
    "qualified": later("In conversation"),
    "showing": later("Showings"),
    "offer": later("Offer"),
    "converted": later("Completed"),
    "lost": later("Closed"),
}
"""What a client reads of a lead's status: not what staff think of the lead."""


class ClientEnquiry(NamedTuple):
    """All that a client sees of a lead. It ``waits`` until an agent has answered."""

    at: datetime
    subject: str | None
    message: str | None
    state: str
    waits: bool
    agent: str | None


async def find_enquiries(visit: PortalVisit, most: int = MOST) -> list[ClientEnquiry]:
    """The newest of the client's. Raises Unavailable."""
    docs = await leads_of_client(visit, most)
    agents = await names(visit, [doc["assignedToId"] for doc in docs])
    return [
        ClientEnquiry(
            datetime.fromisoformat(doc["createdAt"]),
            doc["subject"],
            doc["message"],
            visit.gettext(STATES[doc["status"]]),
            doc["status"] == "new",
            agents.get(doc["assignedToId"]),
        )
        for doc in docs
    ]


async def leads_of_client(visit: PortalVisit, most: int) -> list[dict[str, Any]]:
    """The leads' documents, newest first."""
    client, database = visit.client, visit.app.database
    about = {"tenant": client.tenant_id, "contacts": list(client.contact_ids), "limit": MOST}
    found: dict[UUID, dict[str, Any]] = {}
    for lead_id, doc in await database.tenant_rows(client.tenant_id, OF_CONTACTS, about):
        found[lead_id] = orjson.loads(doc)
    for lead_id, lead in await leads_of_address(database, client.tenant_id, client.address):
        found[lead_id] = lead
    if visit.visible_to is not None:
        seen = {"tenant": client.tenant_id, "leads": list(found), "visible_to": visit.visible_to}
        kept = {lead_id for (lead_id,) in await database.tenant_rows(client.tenant_id, VISIBLE, seen)}
        found = {lead_id: doc for lead_id, doc in found.items() if lead_id in kept}
    newest = sorted(found, reverse=True)
    return [found[one] for one in newest if not found[one].get("suspect")][:most]


async def names(visit: PortalVisit, users: Sequence[str | None]) -> Mapping[str | None, str]:
    """The names of the agents among *users*, by their wire ids."""
    asked = {found: wire for wire in users if wire is not None and (found := from_wire(wire)) is not None}
    if not asked:
        return {}
    about = {"tenant": visit.client.tenant_id, "users": list(asked)}
    rows = await visit.app.database.tenant_rows(visit.client.tenant_id, AGENTS, about)
    return {asked[user_id]: name for user_id, name in rows}


async def newest(visit: PortalVisit) -> Mapping[str, Any] | None:
    """Those that the first page shows."""
    found = await find_enquiries(visit, MOST_ON_HOME)
    return {"enquiries": found} if found else None


async def show_enquiries(visit: PortalVisit) -> Response:
    """All of them."""
    return visit.render("enquiries.html", enquiries=await find_enquiries(visit))


PAGES = (PortalPage("GET", "/portal/enquiries", show_enquiries, preview=True),)
