"""What stands beside contacts and properties on their pages and in their list: the people, tasks and showings that
belong to them. All of it is asked of the API as the reader of the page."""

from collections.abc import Sequence
from typing import NamedTuple

from aureum.domain import ids
from aureum.http.panel.acting import named
from aureum.http.panel.client import last_messages
from aureum.http.panel.envelopes import of_person
from aureum.http.panel.lead_page import QUICK
from aureum.http.panel.lead_rows import FORMER, ago, names_of
from aureum.http.panel.visit import Doc, Visit

SUBSCRIBERS = "/api/v1/admin/newsletter"


class Served(NamedTuple):
    """Of a contact in the list: who serves it, and when something about it changed last."""

    agent: str
    touched: str
    ago: str


async def around_contact(visit: Visit, contact: Doc) -> Doc:
    """Its leads, tasks, showings and documents, and for brokers and owners the subscriber who has its address."""
    found: Doc = (await visit.ask("GET", "/api/contacts/{id}/related", id=contact["id"])).body
    return {
        **found,
        "subscriber": await subscriber_of(visit, contact["email"]),
        "envelopes": await of_person(visit, contactId=contact["id"]),
        "client": await last_messages(visit, contact),
        "quick": QUICK,
    }


async def subscriber_of(visit: Visit, email: str | None) -> Doc | None:
    """The newsletter's subscriber with this address in any spelling, if the reader may see the subscribers."""
    if not email or visit.role == "agent":
        return None
    items = (await visit.ask("GET", SUBSCRIBERS, query={"email": email} | named(visit))).body["items"]
    return items[0] if items else None


async def served(visit: Visit, contacts: Sequence[Doc]) -> dict[str, Served]:
    """Of each contact the agent, and the last touch: the last change of the contact or of one of its leads."""
    if not contacts:
        return {}
    users, now = await names_of(visit), ids.now()
    asked = {"ids": ",".join(contact["id"] for contact in contacts)}
    serving = (await visit.ask("GET", "/api/contacts/serving", query=asked)).body["contacts"]
    found = {one["id"]: one for one in serving}
    rows = {}
    for contact in contacts:
        one = found.get(contact["id"], {"assignedToId": None, "leadUpdatedAt": None})
        touched = max(contact["updatedAt"], one["leadUpdatedAt"] or "")
        agent = users.get(one["assignedToId"], FORMER) if one["assignedToId"] else ""
        rows[contact["id"]] = Served(agent, touched, ago(touched, now))
    return rows


async def around_property(visit: Visit, listed: Doc) -> Doc:
    """Who is interested in it: its showings, and the leads from its pages; with the names of their agents."""
    found: Doc = (await visit.ask("GET", "/api/properties/{id}/related", id=listed["id"])).body
    return {**found, "users": await names_of(visit)}
