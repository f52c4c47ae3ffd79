"""What belongs to a property elsewhere: its showings, and the leads that asked from its page."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import Field
from starlette.responses import Response

from aureum.commands.properties import NO_PROPERTY
from aureum.domain.errors import NotFound
from aureum.http.api.leads.lead_fields import LeadResponse
from aureum.http.api.tours.tour_fields import ShowingResponse
from aureum.http.contract.answers import answer_kept, encoded, kept_as, log_etag, not_modified
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.resource import row
from aureum.http.wire.shapes import Shape
from aureum.projections import property_list, related

PATH = "/api/properties/{id}/related"

BELOW = '(/[^"?#]*)?'
"""Pages below that of a listing, such as its photos, as a pattern."""


class InterestResponse(Shape):
    """Who is interested in a property."""

    leads: Annotated[
        list[LeadResponse],
        Field(
            description="Leads that were sent from a page whose address has the `slug` or `mlsId`, newest first, at "
            "most 20. The newest 2,000 leads are looked through."
        ),
    ]
    showings: Annotated[list[ShowingResponse], Field(description="Its showings, newest first, at most 20.")]


async def get_property_related(context: Context, property_id: UUID) -> Response:
    """Returns who is interested in the property: the leads from its pages, and its showings. Agents see the leads and
    showings that are assigned to them or that they created."""
    found = await row(context, property_list.LIST, property_id)
    if found is None:
        raise NotFound(NO_PROPERTY)
    listed = orjson.loads(found["doc"])
    etag = log_etag(context.request, context.caller, context.request.url.path)
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged

    async def read() -> bytes:
        return b"\n" + encoded(await interest(context, listed))

    return answer_kept(await context.app.answers.get(kept_as(context.caller, etag), read), etag)


async def interest(context: Context, listed: Mapping[str, Any]) -> dict[str, Any]:
    """The answer's body."""
    of = {
        "tenant": context.tenant_id,
        "visible_to": context.caller.visible_to,
        "listing": listed["mlsId"],
        "named": f'"propertyId":"{listed["id"]}"',
        "page": page_of(listed),
    }
    leads, showings = await context.app.database.tenant_results(
        context.tenant_id, [(related.LEADS_OF_PAGE, of), (related.SHOWINGS_OF_PROPERTY, of)]
    )
    return {
        "leads": [orjson.loads(doc) for (doc,) in leads],
        "showings": [orjson.loads(doc) for (doc,) in showings],
    }


def page_of(listed: Mapping[str, Any]) -> str:
    """The pattern of a document whose page has the property's slug or mlsId as a part of its address. One plain word,
    such as ``property``, may as well be the folder of all listings, so it has to be the last part."""
    names = [name for name in (listed["slug"], listed["mlsId"]) if name]
    parts = [re.escape(orjson.dumps(name).decode()[1:-1]) + ("/?" if name.isalpha() else BELOW) for name in names]
    return '"sourcePage":"([^"]*[/=])?(' + "|".join(parts) + ')([?#&][^"]*)?"'


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_property_related,
        "Get who is interested in a property",
        id=Id(NO_PROPERTY),
        answers=InterestResponse,
    ),
)
