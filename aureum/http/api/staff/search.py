"""``GET /api/v1/admin/search``: one search over everything that the caller may see."""

from asyncio import gather
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from pydantic import Field
from starlette.responses import Response

from aureum.http.api.contacts.contacts import CONTACTS
from aureum.http.api.leads.lead_list import LEADS
from aureum.http.api.properties.properties import PROPERTIES
from aureum.http.api.staff.scope import in_brokerage
from aureum.http.api.staff.user_fields import OfBrokerage
from aureum.http.api.tours.showings import SHOWINGS
from aureum.http.contract.answers import answer, encoded, log_etag, not_modified
from aureum.http.contract.at_head import tenant_rows_at_head
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.http.contract.lists import LONGEST_SEARCH, Listing
from aureum.http.wire.characters import Characters
from aureum.http.wire.numbers import AS_WHOLE
from aureum.http.wire.shapes import Shape, Timestamp, Wire
from aureum.projections import contact_list, lead_list, property_list, task_search, tour_list
from aureum.projections.document_list import ABOVE_ALL, View
from aureum.projections.search import asked

PATH = "/api/v1/admin/search"

LIMIT, MOST = 5, 20

Kind = Literal["lead", "contact", "property", "task", "showing"]
Doc = Mapping[str, Any]


class Query(OfBrokerage):
    """What is looked for."""

    q: Annotated[
        Annotated[str, Characters(limit=LONGEST_SEARCH)],
        Field(
            description="Words, or parts of them, of a name, an email address, a subject, an address or a title; or "
            "four or more digits of a phone, however it is written. A blank search finds nothing.",
            examples=["(208) 555-0123"],
        ),
    ] = ""
    limit: Annotated[int, Field(ge=1, le=MOST, description="How many of each kind are returned at most."), AS_WHOLE] = (
        LIMIT
    )


class FoundResponse(Shape):
    """Something that was found."""

    kind: Kind
    id: Annotated[Wire, Field(description="The id in the Aureum API, as in `/api/leads/{id}`.")]
    name: str
    detail: Annotated[str, Field(description="An email address and a phone, or the address of a property.")]
    status: Annotated[str | None, Field(description="The status, of kinds that have one.")]
    at: Annotated[Timestamp | None, Field(description="When a lead was created, a task is due, a showing begins.")]


class SearchResponse(Shape):
    """What was found: leads, contacts, properties, showings, tasks, of each the newest first."""

    items: list[FoundResponse]


class Searched(NamedTuple):
    """A list that is searched: what stands for one of its documents."""

    kind: Kind
    listing: Listing
    view: View
    shown: Callable[[Doc], Mapping[str, Any]]


def reached(doc: Doc) -> str:
    """How a person is reached."""
    return " · ".join(filter(None, (doc["email"], doc["phone"])))


SEARCHED = (
    Searched(
        "lead",
        LEADS,
        lead_list.LEADS,
        lambda doc: {"name": doc["name"], "detail": reached(doc), "status": doc["status"], "at": doc["createdAt"]},
    ),
    Searched(
        "contact",
        CONTACTS,
        contact_list.CONTACTS,
        lambda doc: {
            "name": f"{doc['firstName']} {doc['lastName']}".strip(),
            "detail": reached(doc),
            "status": None,
            "at": None,
        },
    ),
    Searched(
        "property",
        PROPERTIES,
        property_list.PROPERTIES,
        lambda doc: {
            "name": doc["title"],
            "detail": ", ".join(filter(None, (doc["address"], doc["city"]))),
            "status": doc["status"],
            "at": None,
        },
    ),
    Searched(
        "showing",
        SHOWINGS,
        tour_list.SHOWINGS,
        lambda doc: {"name": doc["name"], "detail": reached(doc), "status": doc["status"], "at": doc["startsAt"]},
    ),
)


async def get_search(context: Context, query: Query) -> Response:
    """Finds leads, contacts, properties, tasks and showings by words or by a phone in any spelling. All words must be
    found. If nothing has all of them, one typo is forgiven in each word of three letters or more, but for tasks. Of
    tasks the newest 5,000 are searched. Agents find what they may see in the lists."""
    context = await in_brokerage(context, query.brokerage_id, "search")
    etag = log_etag(context.request, context.caller, PATH)
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    words = asked(query.q)
    items: list[Doc] = []
    if words is not None:
        exact, tasks = await gather(by_words(context, words.exact, query.limit), tasks_of(context, query))
        items = exact + tasks or await by_words(context, words.forgiving, query.limit)
    return answer(encoded({"items": items}), headers={"ETag": etag})


async def by_words(context: Context, words: str, limit: int) -> list[Doc]:
    """What the lists find, kind by kind."""
    found = await gather(*(of_list(context, one, words, limit) for one in SEARCHED))
    return [item for items in found for item in items]


async def of_list(context: Context, searched: Searched, words: str, limit: int) -> list[Doc]:
    """What one list finds."""
    assert searched.listing.found is not None
    chosen: dict[str, Any] = {one.name: None for one in searched.view.filters} | {"words": words}
    if "visible_to" in chosen:
        chosen["visible_to"] = context.caller.visible_to
    page = await searched.listing.found.read(context, chosen, ABOVE_ALL, limit)
    docs: list[Doc] = orjson.loads(f"[{page.docs}]")
    return [{"kind": searched.kind, "id": doc["id"], **searched.shown(doc)} for doc in docs[:limit]]


async def tasks_of(context: Context, query: Query) -> list[Doc]:
    """The tasks whose titles have the words."""
    parameters = {
        "tenant": context.tenant_id,
        "visible_to": context.caller.visible_to,
        "words": query.q.split(),
        "most": task_search.MOST,
        "limit": query.limit,
    }
    rows = await tenant_rows_at_head(context, task_search.FOUND, parameters)
    docs = [orjson.loads(doc) for (doc,) in rows]
    return [
        {
            "kind": "task",
            "id": doc["id"],
            "name": doc["title"],
            "detail": "",
            "status": doc["status"],
            "at": doc["dueDate"],
        }
        for doc in docs
    ]


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_search,
        "Search everything",
        access=STAFF,
        dialect="leads",
        query=Query,
        answers=SearchResponse,
        refusals=(400, 404),
    ),
)
