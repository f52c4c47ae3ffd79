"""The listings of a client, in the Aureum API: sent, listed with the client's reactions, taken back."""

from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from aureum.commands.contacts import NO_CONTACT
from aureum.commands.of_contacts import Around, around
from aureum.commands.shortlists import SendListing, remove_listing, send_listing
from aureum.domain.errors import NotFound
from aureum.domain.of_contact import STAFF
from aureum.domain.shortlist import LONGEST, NO_ENTRY, Entry, Shortlist
from aureum.http.access.callers import origin
from aureum.http.api.activities.activities import Named, parse_id
from aureum.http.api.activities.activity_fields import ID
from aureum.http.api.clients.access import WITH_PORTAL
from aureum.http.api.clients.shown import answered_around, versions
from aureum.http.contract.answers import answer, encoded, not_modified
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.resource import NO_ONE, once, reference
from aureum.http.wire.characters import Characters
from aureum.http.wire.fields import WireId
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Timestamp, Wire
from aureum.http.wire.times import Time
from aureum.projections import shortlists

PATH = "/api/contacts/{id}/listings"
ONE = "/api/contact-listings/{id}"

NOTE = "What the agent says about it. The client sees this."
REACTION = "What the client thinks of it."
COMMENT = "What the client says about it."


class ListingCreate(Body):
    """A listing for a client."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {"propertyId": "c0000000000000000000000000", "note": "It has the yard you want."}
        },
    )

    propertyId: Annotated[WireId, Field(description="The property.")]
    note: Annotated[Annotated[str, Characters(limit=LONGEST)] | None, Field(description=NOTE)] = None


class ListingFilters(BaseModel):
    """The filter of the list."""

    model_config = ConfigDict(frozen=True)

    by: Annotated[
        Literal["client", "staff"] | None,
        Field(description="Filter by who added it: `staff` sent it, or the `client` saved it."),
    ] = None
    as_of: Annotated[
        Time | None, Field(alias="asOf", description="Returns the listings as they were at this moment.")
    ] = None


class ListingResponse(Shape):
    """A listing that was sent to a client, or that the client saved."""

    id: Annotated[str, Field(pattern=ID)]
    propertyId: Wire
    by: Annotated[Literal["client", "staff"], Field(description="Whether the client saved it or staff sent it.")]
    sentById: Annotated[Wire | None, Field(description="The user who sent it. `null` for the client or an API key.")]
    note: Annotated[str | None, Field(description=NOTE)]
    reaction: Annotated[Literal["love", "maybe", "no"] | None, Field(description=REACTION)]
    comment: Annotated[str | None, Field(description=COMMENT)]
    at: Annotated[Timestamp, Field(description="When it was sent or saved for the first time.")]
    reactedAt: Annotated[Timestamp | None, Field(description="When the client last reacted or commented.")]


async def get_listings(context: Context, contact_id: UUID, filters: ListingFilters) -> Response:
    """Lists the listings that were sent to the client or that the client saved, newest first, with the client's
    reactions, now or at ``asOf``. They include those of contacts that were merged into this one."""
    of = await around(context.app.store, context.tenant_id, contact_id, Shortlist, filters.as_of)
    etag = versions(context, of)
    found = shortlists.newest(of.kept)
    shown = [shortlists.listing(*one) for one in found if filters.by in (None, one[1].by)]
    return not_modified(context.request, etag) or answer(encoded(shown), headers={"ETag": etag})


async def post_listing(context: Context, contact_id: UUID, new: ListingCreate) -> Response:
    """Sends a listing to the client, who sees it in the portal, and returns it. Sending it again changes the note."""
    property_id = reference(new.propertyId) or NO_ONE
    command = SendListing(
        tenant_id=context.tenant_id,
        contact_id=contact_id,
        property_id=property_id,
        note=new.note,
        sent_by=context.caller.user_id,
    )
    body = partial(listing_body, property_id)
    remember = await once(context, body)
    of, appended = await send_listing(
        context.app.store, command, origin(context.request, context.caller), idempotency=remember
    )
    return answered_around(context, of, body, appended, 201)


def listing_body(property_id: UUID, of: Around[Shortlist]) -> bytes:
    """The listing of this property."""
    return encoded(
        next(shortlists.listing(*one) for one in shortlists.newest(of.kept) if one[1].property_id == property_id)
    )


async def delete_listing(context: Context, named: Named) -> Response:
    """Takes back a listing that was sent. One that the client saved stays."""
    shortlist, entry = await found_by(context, named)
    await remove_listing(
        context.app.store,
        context.tenant_id,
        shortlist.contact_id,
        entry.property_id,
        STAFF,
        origin(context.request, context.caller),
    )
    return Response(status_code=204)


async def found_by(context: Context, named: Named) -> tuple[Shortlist, Entry]:
    """The listing of this id, and the list that it stands on. Raises NotFound."""
    stream_id, number = named
    shortlist = (await context.app.store.load(context.tenant_id, stream_id)).aggregate()
    if isinstance(shortlist, Shortlist) and not shortlist.erased:
        for entry in shortlist.entries.values():
            if entry.number == number:
                return shortlist, entry
    raise NotFound(NO_ENTRY)


many = partial(Endpoint, path=PATH, id=Id(NO_CONTACT), access=WITH_PORTAL)

ENDPOINTS = (
    many(
        method="GET",
        run=get_listings,
        summary="List the listings of a contact",
        query=ListingFilters,
        answers=list[ListingResponse],
    ),
    many(
        method="POST",
        run=post_listing,
        summary="Send a listing to a contact",
        body=ListingCreate,
        answers=ListingResponse,
        status=201,
    ),
    Endpoint(
        "DELETE",
        ONE,
        delete_listing,
        "Take a listing back",
        access=WITH_PORTAL,
        tag="contacts",
        id=Id(NO_ENTRY, parse=parse_id, pattern=ID),
        status=204,
    ),
)
