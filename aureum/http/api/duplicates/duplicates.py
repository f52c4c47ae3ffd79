"""Duplicates of one contact, lead or person who is about to be added; and telling two people apart."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from starlette.responses import Response

from aureum.commands.contacts import NO_CONTACT, TellApart, tell_apart
from aureum.commands.leads import NO_LEAD
from aureum.domain.duplicates import Person
from aureum.domain.errors import NotFound
from aureum.domain.ids import from_wire
from aureum.domain.people import recognized_by
from aureum.domain.phones import e164
from aureum.http.api.contacts.contact_fields import ContactResponse
from aureum.http.api.contacts.contacts import contact_body
from aureum.http.api.duplicates.duplicate_fields import (
    DistinctBody,
    Doc,
    DuplicateResponse,
    PairResponse,
    SimilarTo,
    person_of,
    suggestions,
)
from aureum.http.api.duplicates.finding import contacts_like, leads_like
from aureum.http.api.duplicates.pairs import PATH, PairPaging, get_pairs
from aureum.http.contract.answers import answer_kept, encoded, kept_as, log_etag, not_modified
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.resource import NO_ONE, reference, row, run_once
from aureum.projections import contact_list, lead_list
from aureum.projections.document_list import DocumentList, Row
from aureum.projections.duplicates import TOLD_APART


async def get_contact_duplicates(context: Context, contact_id: UUID) -> Response:
    """Lists the contacts that may be the same person as this one, best match first."""
    doc = await document(context, contact_list.LIST, contact_id, NO_CONTACT)

    async def found() -> list[dict[str, Any]]:
        own = from_wire(doc["id"]) or NO_ONE
        ((distinct,),) = await context.app.database.tenant_rows(
            context.tenant_id, TOLD_APART, {"tenant": context.tenant_id, "id": own}
        )
        person = person_of(doc, context.caller.country)
        others = await contacts_like(context, person, own, distinct)
        return suggestions(person, [(other, "contact") for other in others], context.caller.country)

    return await suggested(context, found)


async def get_lead_duplicates(context: Context, lead_id: UUID) -> Response:
    """Lists the contacts and leads that may be the same person as this lead, best match first. The contact that the
    lead belongs to, and other leads of that contact, are not suggested, because they are known to be the same person.
    Agents see only the leads that are assigned to them or that they created."""
    doc = await document(context, lead_list.LIST, lead_id, NO_LEAD)

    async def found() -> list[dict[str, Any]]:
        country = context.caller.country
        person = person_of(doc, country)
        key = recognized_by(doc["email"], doc["firstName"], doc["lastName"])
        contacts = await contacts_like(context, person, lead_id)
        leads = await leads_like(context, person, key)
        others = [(other, "contact") for other in contacts if other["id"] != doc["contactId"]]
        others += [(other, "lead") for other in leads if not is_known(doc, other)]
        return suggestions(person, others, country)

    return await suggested(context, found)


def is_known(lead: Doc, other: Doc) -> bool:
    """Whether another lead is this one, or is known to be of the same person."""
    return other["id"] == lead["id"] or (other["contactId"] is not None and other["contactId"] == lead["contactId"])


async def document(context: Context, model: DocumentList, stream_id: UUID, missing: str) -> Row:
    """A resource that the caller may see. Raises NotFound."""
    found = await row(context, model, stream_id)
    if found is None:
        raise NotFound(missing)
    doc: Row = orjson.loads(found["doc"])
    return doc


async def suggested(context: Context, found: Callable[[], Awaitable[list[dict[str, Any]]]]) -> Response:
    """The suggestions that *found* returns, with an ETag by the position of the log, or 304."""
    etag = log_etag(context.request, context.caller, context.request.url.path)
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged

    async def kept() -> bytes:
        return b"\n" + encoded(await found())

    return answer_kept(await context.app.answers.get(kept_as(context.caller, etag), kept), etag)


async def get_similar(context: Context, person: SimilarTo) -> Response:
    """Lists the contacts that may be the person with these names, this address or this phone, best match first. With
    ``leads=true`` it lists leads as well. Use it before you create a contact or a lead."""

    async def found() -> list[dict[str, Any]]:
        country = context.caller.country
        emails = (person.email,) if person.email else ()
        phone = e164(person.phone, country)
        asked = Person(person.first_name or "", person.last_name or "", emails, (phone,) if phone else ())
        others = [(other, "contact") for other in await contacts_like(context, asked)]
        if person.leads == "true":
            key = recognized_by(person.email, asked.first_name, asked.last_name)
            others += [(other, "lead") for other in await leads_like(context, asked, key)]
        return suggestions(asked, others, country)

    return await suggested(context, found)


async def post_distinct(context: Context, contact_id: UUID, told: DistinctBody) -> Response:
    """Records that another contact, or the person of a lead, is not the same person as this contact, and returns the
    contact. The two are no longer suggested as duplicates. Saying it again has no further effect."""
    command = TellApart(
        tenant_id=context.tenant_id,
        contact_id=contact_id,
        other=reference(told.other) or NO_ONE,
        visible_to=context.caller.visible_to,
    )
    return await run_once(context, partial(tell_apart, context.app.store, command), contact_body)


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_pairs,
        "List pairs of duplicate contacts",
        query=PairPaging,
        answers=list[PairResponse],
        etag_from_position=True,
    ),
    Endpoint(
        "GET",
        "/api/contacts/similar",
        get_similar,
        "Find contacts like a new person",
        query=SimilarTo,
        answers=list[DuplicateResponse],
    ),
    Endpoint(
        "GET",
        "/api/contacts/{id}/duplicates",
        get_contact_duplicates,
        "List the duplicates of a contact",
        id=Id(NO_CONTACT),
        answers=list[DuplicateResponse],
    ),
    Endpoint(
        "POST",
        "/api/contacts/{id}/distinct",
        post_distinct,
        "Tell two people apart",
        id=Id(NO_CONTACT),
        body=DistinctBody,
        answers=ContactResponse,
    ),
    Endpoint(
        "GET",
        "/api/leads/{id}/duplicates",
        get_lead_duplicates,
        "List the duplicates of a lead",
        id=Id(NO_LEAD),
        answers=list[DuplicateResponse],
    ),
)
