"""``/api/v1/admin/signing/docusign``: whether a brokerage is connected to its DocuSign account. For owners. Keys come
and go by the command line (``aureum esign``), and are never shown."""

from typing import Annotated, Literal

from pydantic import Field
from starlette.responses import Response

from aureum.domain.docusign_connection import DocusignConnection, connection_of
from aureum.http.access.roles import check_manager
from aureum.http.api.routing.settings import OfBrokerage
from aureum.http.api.staff.scope import in_brokerage
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.http.contract.resource import unless_known
from aureum.http.wire.shapes import Shape

PATH = "/api/v1/admin/signing/docusign"


class DocusignResponse(Shape):
    """A brokerage's connection to its DocuSign account. Its keys are never shown."""

    connected: Annotated[bool, Field(description="Whether envelopes can be sent by DocuSign.")]
    environment: Annotated[
        Literal["demo", "production"] | None, Field(description="Which of DocuSign's environments the account is in.")
    ]
    account_id: Annotated[str | None, Field(description="The API account id at DocuSign.")]
    connect_keys: Annotated[
        int, Field(description="How many HMAC keys of DocuSign Connect there are. Without one its calls are refused.")
    ]


def body(found: DocusignConnection | None) -> bytes:
    """The connection in this dialect."""
    here = found if found is not None and found.connected else None
    return encoded(
        {
            "connected": here is not None,
            "environment": here and ("production" if here.production else "demo"),
            "account_id": here and here.account_id,
            "connect_keys": 0 if here is None else len(here.connect_keys),
        }
    )


async def get_docusign(context: Context, of: OfBrokerage) -> Response:
    """Returns whether the brokerage is connected to its DocuSign account. Connect it with `aureum esign connect`."""
    check_manager(context.caller.role)
    context = await in_brokerage(context, of.brokerage_id, "show the connection to DocuSign")
    found = (await context.app.store.load(context.tenant_id, connection_of(context.tenant_id))).aggregate()
    connection = found if isinstance(found, DocusignConnection) else None
    return unless_known(context, body(connection), 0 if connection is None else connection.version)


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_docusign,
        "Get the connection to DocuSign",
        access=STAFF,
        dialect="leads",
        query=OfBrokerage,
        answers=DocusignResponse,
        refusals=(400, 403),
    ),
)
