"""The calls of DocuSign Connect: each brokerage has an address of its own for them. A call proves itself by the
brokerage's HMAC key; all others get the same answer, whatever is wrong with them."""

import re
from typing import Annotated
from uuid import UUID

from pydantic import Field
from starlette.responses import Response
from starlette.routing import Route

from aureum.commands.docusign_connections import connection
from aureum.domain.docusign_connection import DocusignConnection
from aureum.domain.envelope import Envelope
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import ANYONE, Address, Context, Endpoint, Id
from aureum.http.wire.errors import HttpError
from aureum.http.wire.shapes import Shape
from aureum.projections import brokerages, docusign_envelopes
from aureum.signing.docusign.connect import ConnectCall, is_genuine, read_call
from aureum.signing.docusign.recording import record
from aureum.store.event_store import EventStore

PATH = "/webhooks/docusign/{id}"

NOT_GENUINE = (
    "This call is not signed with an HMAC key of the brokerage. Turn on 'Include HMAC Signature' in DocuSign Connect, "
    "and give Aureum the key with 'aureum esign connect --connect-keys'."
)

SLUG = re.compile(r"[a-z0-9-]{1,63}")


class ReceivedResponse(Shape):
    """The call was genuine. What it says of other envelopes is ignored."""

    received: Annotated[bool, Field(description="Always true.")]


RECEIVED = encoded({"received": True})


def slug(text: str) -> str:
    """A slug, or an empty one, which no brokerage has."""
    return text if SLUG.fullmatch(text) else ""


async def post_docusign_call(context: Context, named: str) -> Response:
    """Takes a call of DocuSign Connect about an envelope of the brokerage. It must have the header
    `X-DocuSign-Signature-1` (up to `-100`): the HMAC-SHA256 of the body in base64, by a key of the brokerage's
    connection. A call that comes twice or late changes nothing."""
    store = context.app.store
    tenant_id, found = await connected(store, named)
    if not is_genuine(context.body, context.request.scope["headers"], found.connect_keys):
        raise HttpError("credentials_invalid", NOT_GENUINE)
    call = read_call(context.body)
    if call is not None and call.account_id in ("", found.account_id):
        envelope = await meant(store, tenant_id, call)
        if envelope is not None:
            await record(store, tenant_id, envelope.id, call.envelope_id, call.status)
    return answer(RECEIVED)


async def connected(store: EventStore, named: str) -> tuple[UUID, DocusignConnection]:
    """The brokerage and its connection. Raises HttpError as for a wrong signature."""
    for tenant_id, *_, disabled in await store.database.rows(brokerages.BY_SLUG, {"slug": named}):
        found = None if disabled else await connection(store, tenant_id)
        if found is not None:
            return tenant_id, found
    raise HttpError("credentials_invalid", NOT_GENUINE)


async def meant(store: EventStore, tenant_id: UUID, call: ConnectCall) -> Envelope | None:
    """The envelope that *call* is about, if it is one of ours."""
    about = {"tenant": tenant_id, "provider": call.envelope_id}
    rows = await store.database.tenant_rows(tenant_id, docusign_envelopes.OF_PROVIDER, about)
    envelope_id = rows[0][0] if rows else call.transaction_id
    if envelope_id is None:
        return None
    envelope = (await store.load(tenant_id, envelope_id)).aggregate()
    if not isinstance(envelope, Envelope) or envelope.erased or envelope.provider != "docusign":
        return None
    return envelope if envelope.provider_id in (None, call.envelope_id) and envelope.sent_at is not None else None


CALL = Endpoint(
    "POST",
    PATH,
    post_docusign_call,
    "Take a call of DocuSign Connect",
    access=ANYONE,
    id=Id("", parse=slug, pattern="^[a-z0-9-]{1,63}$"),
    answers=ReceivedResponse,
    refusals=(401,),
    idempotent=False,
    documented=False,
)
"""No endpoint of the API: only DocuSign calls it, and what it sends is DocuSign's to say. docs/how-to/docusign.md tells
of it."""


def routes() -> list[Route]:
    """The calls that DocuSign makes."""
    return [Route(PATH, Address(CALL), include_in_schema=False)]
