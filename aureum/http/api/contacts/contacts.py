"""Contacts, in the Aureum API: list and search, create, read, change. The contact form is ``contact.py``."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated
from uuid import UUID

import orjson
from pydantic import Field
from starlette.responses import Response

from aureum.commands.batches import Outcome, new_contacts
from aureum.commands.contacts import NO_CONTACT, AddContact, ChangeContact, add_contact, change_contact
from aureum.domain.contact import DETAILS, Contact
from aureum.domain.duplicates import Person
from aureum.domain.errors import NotFound
from aureum.domain.ids import from_wire
from aureum.domain.phones import e164
from aureum.http.access.callers import origin
from aureum.http.api.contacts.contact_fields import ContactBatch, ContactChange, ContactCreate, ContactResponse, Type
from aureum.http.api.duplicates.finding import UnlessSimilar, check_similar, known_duplicates
from aureum.http.contract.answers import encoded, resource_etag
from aureum.http.contract.at_head import stream_at_head
from aureum.http.contract.batch import batch_endpoint
from aureum.http.contract.catching_up import RemovedResponse
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.idempotency import Replayed, replayed
from aureum.http.contract.lists import DeltaPaging, Search, listing
from aureum.http.contract.resource import (
    NOT_YET,
    AsOf,
    answered,
    expected_versions,
    row,
    run_once,
    unless_known,
)
from aureum.http.wire.characters import Characters
from aureum.projections import contact_list
from aureum.store.event_store import Appended, Idempotency
from aureum.store.metadata import Origin

CONTACTS = listing("/api/contacts", contact_list.LIST, contact_list.CONTACTS)


class ContactFilters(DeltaPaging):
    """The document's filters."""

    type: Annotated[Type | None, Field(description="Filter by type.")] = None
    tag: Annotated[
        Annotated[str, Characters(limit=100, lines=False)] | None,
        Field(description="Filter by tag. Upper and lower case differ."),
    ] = None
    search: Search = None


def contact_body(contact: Contact) -> bytes:
    """A contact as the Aureum API shows it, in the same words as the list."""
    return encoded(contact_list.document(contact, contact.id, contact.created_on, contact.modified_on))


async def get_contacts(context: Context, filters: ContactFilters) -> Response:
    """Lists the contacts, newest first: in pages with ``limit``, otherwise streamed as a whole."""
    tag = None if filters.tag is None else filters.tag.strip()
    return await CONTACTS.answer(context, filters, {"type": filters.type, "tag": tag}, filters.search)


async def post_contact(context: Context, asked: UnlessSimilar, new: ContactCreate) -> Response:
    """Returns the new contact. A phone number that cannot be parsed is stored as it was given. If other contacts have
    the same address, the `Link` header names up to five of them with `rel="duplicate"`."""
    command = adding(context, new)

    async def add(origin: Origin, *, idempotency: Idempotency | None) -> tuple[Contact, Appended]:
        emails, phone = (new.email,) if new.email else (), e164(new.phone, context.caller.country)
        person = Person(new.first_name, new.last_name, emails, (phone,) if phone else ())
        await check_similar(context, asked, person)
        return await add_contact(context.app.store, command, origin, idempotency=idempotency)

    try:
        response = await run_once(context, add, contact_body, 201)
    except Replayed as kept:
        response = replayed(kept.answer, 201)
    links = await known_duplicates(context, new.email, orjson.loads(bytes(response.body))["id"])
    if links is not None:
        response.headers["Link"] = links
    return response


def adding(context: Context, new: ContactCreate) -> AddContact:
    """What the caller asks for."""
    caller = context.caller
    return AddContact(tenant_id=caller.tenant_id, country=caller.country, created_by=caller.user_id, **vars(new))


async def decide_contacts(context: Context, rows: Sequence[ContactCreate]) -> Sequence[Outcome]:
    """A contact for each row."""
    return await new_contacts([adding(context, new) for new in rows])


async def get_contact(context: Context, contact_id: UUID, as_of: AsOf) -> Response:
    """Returns the contact, or its state at ``asOf``. The id of a contact that was merged into another one returns the
    other one."""
    if as_of.as_of is None:
        found = await row(context, contact_list.LIST, contact_id)
        if found is None:
            raise NotFound(NO_CONTACT)
        doc: str = found["doc"]
        answering = from_wire(orjson.loads(doc)["id"])
        instead = None if answering == contact_id else answering
        return unless_known(context, doc.encode(), found["stream_version"], instead)
    contact = (await stream_at_head(context, contact_id)).aggregate(as_of.as_of)
    if isinstance(contact, Contact) and contact.merged_into is not None:
        contact = (await stream_at_head(context, contact.merged_into)).aggregate(as_of.as_of)
    if await row(context, contact_list.LIST, contact_id) is None:
        raise NotFound(NO_CONTACT)
    if contact is None:
        raise NotFound(NOT_YET)
    instead = None if contact.id == contact_id else contact.id
    return unless_known(context, contact_body(contact), contact.version, instead)


async def patch_contact(context: Context, contact_id: UUID, change: ContactChange) -> Response:
    """Changes the fields that are sent, and returns the contact. The id of a contact that was merged into another one
    changes that one. Send ``If-Match`` with the ETag to avoid overwriting
    someone else's change."""
    given = change.model_fields_set
    command = ChangeContact(
        tenant_id=context.tenant_id,
        country=context.caller.country,
        contact_id=contact_id,
        details={name: getattr(change, name) for name in DETAILS if name in given},
        type=change.type,
        tags=tuple(change.tags) if "tags" in given else None,
        score=change.score,
        expected_versions=expected_versions(context.request),
    )
    contact = await change_contact(context.app.store, command, origin(context.request, context.caller))
    response = answered(context, contact, contact_body)
    if contact.id != contact_id:
        response.headers["ETag"] = resource_etag(contact.version, context.caller, contact.id)
    return response


SHOWN = ContactResponse
"""What webhooks are sent."""

one = partial(Endpoint, path="/api/contacts/{id}", id=Id(NO_CONTACT), answers=ContactResponse)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/contacts",
        get_contacts,
        "List contacts",
        query=ContactFilters,
        answers=list[ContactResponse | RemovedResponse],
        etag_from_position=True,
    ),
    Endpoint(
        "POST",
        "/api/contacts",
        post_contact,
        "Create a contact",
        query=UnlessSimilar,
        body=ContactCreate,
        answers=ContactResponse,
        status=201,
        headers={"Link": 'Contacts with the same address, each with `rel="duplicate"`.'},
    ),
    batch_endpoint(
        "/api/contacts",
        ContactBatch,
        ContactCreate,
        ContactResponse,
        decide_contacts,
        lambda _, contact: contact_body(contact),
        command="AddContacts",
        names="contacts",
    ),
    one(method="GET", run=get_contact, summary="Get a contact", query=AsOf),
    one(method="PATCH", run=patch_contact, summary="Change a contact", body=ContactChange),
)
