"""The logo of a brokerage: set and removed by its owner, shown to everyone at the brokerage's own hosts."""

import base64
from functools import partial
from typing import Annotated

from pydantic import ConfigDict, Field
from starlette.responses import Response

from aureum.commands.brokerages import change_logo
from aureum.domain.errors import Invalid, NotFound
from aureum.domain.images import MOST_BYTES, NOT_ONE
from aureum.http.access.callers import by_link, origin
from aureum.http.api.brokerages.brokerage_fields import BrokerageResponse
from aureum.http.api.brokerages.brokerages import PATH, brokerage_body, managed_row
from aureum.http.api.staff.managed import NO_BROKERAGE
from aureum.http.contract.answers import not_modified
from aureum.http.contract.endpoint import ANYONE, STAFF, Context, Endpoint, Id
from aureum.http.contract.resource import answered, expected_versions
from aureum.http.contract.visitor_page import LOGO
from aureum.http.wire.characters import Characters
from aureum.http.wire.sent import Body
from aureum.projections import brokerages

NO_LOGO = "This brokerage has no logo."
LONGEST = MOST_BYTES * 2

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

PICTURE = "^(iVBORw0KGgo|/9j/)[A-Za-z0-9+/]+={0,2}$"
"""How pictures begin in base64: a PNG, or a JPEG."""

KEPT = {"Cache-Control": "public, max-age=86400", "Content-Security-Policy": "default-src 'none'; sandbox"}
"""Everyone may see it. Nothing in it is ever run."""


class LogoChange(Body):
    """A picture."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"image": PIXEL}})

    image: Annotated[
        str,
        Characters(limit=LONGEST, lines=False),
        Field(
            description="A PNG or JPEG picture in base64, of at most 200 KB and 2,000 pixels a side.",
            json_schema_extra={"contentEncoding": "base64", "pattern": PICTURE},
        ),
    ]


async def put_logo(context: Context, number: int, change: LogoChange) -> Response:
    """Shows the picture on the brokerage's public pages. SVG is refused, because it can hold scripts."""
    row = await managed_row(context, number)
    try:
        image = base64.b64decode(change.image, validate=True)
    except ValueError as error:
        raise Invalid("image", NOT_ONE) from error
    who = origin(context.request, context.caller)
    changed = await change_logo(context.app.store, row.tenant_id, image, who, expected_versions(context.request))
    return answered(context, changed, brokerage_body)


async def delete_logo(context: Context, number: int) -> Response:
    """Removes the logo. If there is none, nothing changes."""
    row = await managed_row(context, number)
    who = origin(context.request, context.caller)
    changed = await change_logo(context.app.store, row.tenant_id, None, who)
    return answered(context, changed, brokerage_body)


async def get_logo(context: Context) -> Response:
    """Returns the logo of the brokerage that ``Host`` names."""
    tenant_id = (await by_link(context.request)).tenant_id
    rows = await context.app.database.tenant_rows(tenant_id, brokerages.LOGO, {"tenant": tenant_id})
    if not rows:
        raise NotFound(NO_LOGO)
    digest, media, image = rows[0]
    etag = f'"{digest[:32]}"'
    return not_modified(context.request, etag) or Response(
        bytes(image), media_type=media, headers={**KEPT, "ETag": etag}
    )


one = partial(
    Endpoint,
    path=PATH + "/{id}/logo",
    access=STAFF,
    dialect="leads",
    id=Id(NO_BROKERAGE, number=True),
    answers=BrokerageResponse,
    refusals=(403, 409),
)

ENDPOINTS = (
    one(method="PUT", run=put_logo, summary="Set a brokerage's logo", body=LogoChange),
    one(method="DELETE", run=delete_logo, summary="Remove a brokerage's logo"),
    Endpoint(
        "GET",
        LOGO,
        get_logo,
        "Show the brokerage's logo",
        access=ANYONE,
        dialect="leads",
        media="image/png",
        refusals=(404,),
        # A picture has no schema: the how-to about contact forms tells of it.
        documented=False,
    ),
)
