"""The histories of what stands around a contact, in the Aureum API: its messages, its listings and its key dates. Each
is a stream of its own, so each has a history of its own."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from starlette.responses import Response

from aureum.commands.contacts import NO_CONTACT
from aureum.domain.conversation import Conversation
from aureum.domain.ids import to_wire
from aureum.domain.key_dates import KeyDates
from aureum.domain.of_contact import OfContact
from aureum.domain.shortlist import Shortlist
from aureum.http.api.clients.access import WITH_PORTAL
from aureum.http.contract.answers import answer, living_etag, not_modified
from aureum.http.contract.at_head import stream_at_head
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.history import history_in, with_names
from aureum.http.contract.resource import AsOf, as_it_was, loaded_ever
from aureum.http.wire.shapes import ClientEventResponse
from aureum.projections import contact_list, conversation_list, key_dates, shortlists
from aureum.projections.document_list import wire_or_none
from aureum.store.event_store import Stream

Entries = list[dict[str, Any]]


async def history_around(
    context: Context, contact_id: UUID, kind: type[OfContact], as_of: AsOf, made: Callable[[Stream], Entries]
) -> Response:
    """The entries that *made* makes of the contact's own stream of this *kind*; none before it has begun. Raises
    NotFound, also for a moment at which there was no such contact."""
    as_it_was(await loaded_ever(context, contact_list.OWN, contact_id, NO_CONTACT), as_of.as_of)
    stream = (await stream_at_head(context, kind.stream_of(contact_id))).until(as_of.as_of)
    if not stream.events:
        etag = living_etag(0, context.caller.read_version or None)
        return not_modified(context.request, etag) or answer(b"[]", headers={"ETag": etag})
    return await with_names(context, stream, made(stream))


async def get_messages_history(context: Context, contact_id: UUID, as_of: AsOf) -> Response:
    """Lists every event of the conversation, oldest first: who wrote what, and which side read it when. With ``asOf``
    it ends at that moment. The messages of a contact that was merged into this one are in the history of its id."""
    return await history_around(context, contact_id, Conversation, as_of, of_messages)


async def get_listings_history(context: Context, contact_id: UUID, as_of: AsOf) -> Response:
    """Lists every event of the contact's listings, oldest first: sent, saved, reacted, taken back, and by whom. With
    ``asOf`` it ends at that moment. The listings of a contact that was merged into this one are in the history of its
    id."""
    return await history_around(context, contact_id, Shortlist, as_of, of_listings)


async def get_key_dates_history(context: Context, contact_id: UUID, as_of: AsOf) -> Response:
    """Lists every change of the key dates, oldest first: who set them, from which dates to which. With ``asOf`` it ends
    at that moment. The dates of a contact that was merged into this one are in the history of its id."""
    return await history_around(context, contact_id, KeyDates, as_of, partial(history_in, key_dates.LIST))


def of_messages(stream: Stream) -> Entries:
    """The entries of a conversation: besides its counts, what was written."""
    entries = history_in(conversation_list.LIST, stream)
    for one, recorded in zip(entries, stream.events, strict=True):
        event = recorded.event
        if isinstance(event, Conversation.MessageSent):
            said = {"text": event.text, "from": event.sender, "authorId": wire_or_none(event.author)}
            one["changes"] = {name: {"from": None, "to": value} for name, value in said.items()} | one["changes"]
    return entries


def of_listings(stream: Stream) -> Entries:
    """The entries of the listings: of each event the one listing that it changed, as it was and as it is."""
    entries = history_in(shortlists.LIST, stream)
    for one, recorded in zip(entries, stream.events, strict=True):
        property_id = getattr(recorded.event, "property_id", None)
        if property_id is None or "listings" not in one["changes"]:
            continue
        before, after = (
            next((listing for listing in side or () if listing["propertyId"] == to_wire(property_id)), None)
            for side in (one["changes"]["listings"]["from"], one["changes"]["listings"]["to"])
        )
        one["changes"] = {"listing": {"from": before, "to": after}}
    return entries


many = partial(
    Endpoint, method="GET", id=Id(NO_CONTACT), access=WITH_PORTAL, query=AsOf, answers=list[ClientEventResponse]
)

ENDPOINTS = (
    many(
        path="/api/contacts/{id}/messages/history",
        run=get_messages_history,
        summary="Get the history of a contact's messages",
    ),
    many(
        path="/api/contacts/{id}/listings/history",
        run=get_listings_history,
        summary="Get the history of a contact's listings",
    ),
    many(
        path="/api/contacts/{id}/key-dates/history",
        run=get_key_dates_history,
        summary="Get the history of a contact's key dates",
    ),
)
