"""What belongs to contacts elsewhere: a contact's leads, tasks and showings, and which agents serve contacts."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from aureum.commands.contacts import NO_CONTACT
from aureum.domain.emails import one_form
from aureum.domain.errors import NotFound
from aureum.domain.ids import aureum_time, from_wire, to_wire
from aureum.domain.phones import e164
from aureum.http.api.leads.lead_fields import LeadResponse
from aureum.http.api.tasks.task_fields import TaskResponse
from aureum.http.api.tours.showings import SHOWINGS
from aureum.http.api.tours.tour_fields import ShowingResponse
from aureum.http.contract.answers import answer_kept, encoded, kept_as, log_etag, not_modified
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.resource import NO_ONE, row
from aureum.http.wire.characters import Characters
from aureum.http.wire.shapes import Shape, Timestamp, Wire
from aureum.projections import contact_list, related
from aureum.projections.document_list import ABOVE_ALL
from aureum.projections.search import asked

PATH = "/api/contacts/{id}/related"
SERVING = "/api/contacts/serving"

MOST_CONTACTS = 100
LONGEST = 30
"""Characters of an id, with the comma behind it."""


class RelatedResponse(Shape):
    """What belongs to a contact. A contact's showings are those with its email address or phone."""

    leads: Annotated[list[LeadResponse], Field(description="Its leads, newest first, at most 20.")]
    tasks: Annotated[list[TaskResponse], Field(description="The tasks about it, newest first, at most 20.")]
    showings: Annotated[
        list[ShowingResponse],
        Field(description="The showings with its email address or phone, newest first, at most 20."),
    ]


class ServingQuery(BaseModel):
    """The contacts."""

    model_config = ConfigDict(frozen=True)

    ids: Annotated[
        Annotated[str, Characters(limit=MOST_CONTACTS * LONGEST)],
        Field(description=f"The ids of contacts, separated by commas, at most {MOST_CONTACTS}."),
    ] = ""


class ServedContact(Shape):
    """A contact with its agent, from the leads that the caller may see."""

    id: Wire
    assignedToId: Annotated[
        Wire | None, Field(description="The agent of its newest open lead, or else of its newest lead.")
    ]
    leadUpdatedAt: Annotated[Timestamp | None, Field(description="When one of its leads last changed.")]


class ServingResponse(Shape):
    """The contacts that were asked for, in the same order. Unknown ids are left out."""

    contacts: list[ServedContact]


async def get_contact_related(context: Context, contact_id: UUID) -> Response:
    """Returns what belongs to the contact: its leads, the tasks about it, and the showings with its email address or
    phone. Agents see the leads, tasks and showings that are assigned to them or that they created."""
    found = await row(context, contact_list.LIST, contact_id)
    if found is None:
        raise NotFound(NO_CONTACT)
    contact = orjson.loads(found["doc"])

    async def read() -> bytes:
        return b"\n" + encoded(await belonging(context, contact))

    return await kept(context, read)


async def kept(context: Context, read: Any) -> Response:
    """What *read* makes, with an ETag by the position of the log, or 304."""
    etag = log_etag(context.request, context.caller, context.request.url.path)
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    return answer_kept(await context.app.answers.get(kept_as(context.caller, etag), read), etag)


async def belonging(context: Context, contact: Mapping[str, Any]) -> dict[str, Any]:
    """The answer's body."""
    of = {
        "tenant": context.tenant_id,
        "visible_to": context.caller.visible_to,
        "contact": from_wire(contact["id"]) or NO_ONE,
    }
    leads, tasks = await context.app.database.tenant_results(
        context.tenant_id, [(related.LEADS_OF_CONTACT, of), (related.TASKS_OF_CONTACT, of)]
    )
    return {
        "leads": [orjson.loads(doc) for (doc,) in leads],
        "tasks": [orjson.loads(doc) for (doc,) in tasks],
        "showings": await showings_of(context, contact),
    }


async def showings_of(context: Context, contact: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The showings with the contact's address or phone, newest first."""
    assert SHOWINGS.found is not None
    found: dict[str, dict[str, Any]] = {}
    for name in ("email", "phone"):
        words = asked(contact[name])
        if words is None:
            continue
        chosen = {
            "words": words.exact,
            "status": None,
            "listing_id": None,
            "assigned_to": None,
            "updated_since": None,
            "visible_to": context.caller.visible_to,
        }
        page = await SHOWINGS.found.read(context, chosen, ABOVE_ALL, related.MOST)
        alike = [one for one in orjson.loads(f"[{page.docs}]") if same(name, one[name], contact[name], context)]
        found |= {one["id"]: one for one in alike}
    newest = sorted(found.values(), key=lambda one: from_wire(one["id"]) or NO_ONE, reverse=True)
    return newest[: related.MOST]


def same(name: str, one: str | None, other: str, context: Context) -> bool:
    """Whether two addresses, or two phones, are the same one in whatever spelling."""
    if one is None:
        return False
    if name == "email":
        return one_form(one) == one_form(other)
    country = context.caller.country
    return one == other or (e164(one, country) or one) == (e164(other, country) or other)


async def get_serving(context: Context, query: ServingQuery) -> Response:
    """Returns which agents serve contacts, and when the leads of these contacts last changed. For agents,
    only leads that are assigned to them or that they created count."""
    given = (from_wire(one.strip()) for one in query.ids.split(","))
    ids = list(dict.fromkeys(one for one in given if one is not None))[:MOST_CONTACTS]

    async def read() -> bytes:
        return b"\n" + encoded({"contacts": await serving(context, ids)})

    return await kept(context, read)


async def serving(context: Context, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Of each contact that there is what its leads say."""
    of = {"tenant": context.tenant_id, "visible_to": context.caller.visible_to, "contacts": ids}
    there, rows = await context.app.database.tenant_results(
        context.tenant_id, [(contact_list.THERE, of), (related.SERVING, of)]
    )
    known = {contact for (contact,) in there}
    return [
        {
            "id": to_wire(contact),
            "assignedToId": None if agent is None else to_wire(agent),
            "leadUpdatedAt": None if touched is None else aureum_time(touched),
        }
        for contact, agent, touched in rows
        if contact in known
    ]


ENDPOINTS = (
    Endpoint(
        "GET",
        SERVING,
        get_serving,
        "Tell which agents serve contacts",
        query=ServingQuery,
        answers=ServingResponse,
    ),
    Endpoint(
        "GET", PATH, get_contact_related, "Get what belongs to a contact", id=Id(NO_CONTACT), answers=RelatedResponse
    ),
)
