"""``/api/leads/{id}/mails`` and ``/api/showings/{id}/mails``: the mails about one lead or showing, for callers who may
see it."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.commands.leads import NO_LEAD
from aureum.domain.errors import NotFound
from aureum.domain.ids import aureum_time, to_wire
from aureum.http.api.mail.mail_fields import STATUS, Status
from aureum.http.api.tours.showings import NO_SHOWING
from aureum.http.api.webhooks.webhook_lists import unless_same
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.resource import row
from aureum.http.wire.shapes import Shape, Timestamp, Wire
from aureum.mail.queue import mail_log
from aureum.mail.queue.mail_log import LoggedMail, logged
from aureum.mail.sending.outcome import explained
from aureum.projections import lead_list, tour_list
from aureum.projections.document_list import DocumentList

MOST = 100
"""Of the mails, which go to staff and once or so to the visitor."""


class MailAboutResponse(Shape):
    """A mail about a lead or a showing."""

    id: Wire
    kind: Annotated[str, Field(description="The kind of mail, for example `lead_assigned` or `confirmation`.")]
    status: Annotated[Status, Field(description=STATUS)]
    to: Annotated[str | None, Field(description="The recipient's address. `null` if the person was erased.")]
    name: Annotated[str | None, Field(description="The recipient's name. `null` if the person was erased.")]
    reason: Annotated[str | None, Field(description="Why the last attempt failed, and what to do.")]
    createdAt: Annotated[Timestamp, Field(description="When the event that caused the mail was stored.")]
    endedAt: Annotated[Timestamp | None, Field(description="When the mail server accepted it, or when it failed.")]


def document(mail: LoggedMail) -> dict[str, Any]:
    """A mail as the list shows it."""
    return {
        "id": to_wire(mail.mail_id),
        "kind": mail.kind,
        "status": mail.status,
        "to": mail.about and mail.about.address,
        "name": mail.about and mail.about.name,
        "reason": None if mail.error is None else explained(mail.error),
        "createdAt": aureum_time(mail.recorded_at),
        "endedAt": mail.ended_at and aureum_time(mail.ended_at),
    }


async def mails_about(context: Context, model: DocumentList, stream_id: UUID, missing: str) -> Response:
    """The newest mails about a resource of the list *model*. Raises NotFound with *missing*."""
    if await row(context, model, stream_id) is None:
        raise NotFound(missing)
    about = {"tenant": context.tenant_id, "subject": stream_id, "limit": MOST}
    rows = await context.app.database.tenant_rows(context.tenant_id, mail_log.MAILS_ABOUT, about)
    tenant_key = await context.app.store.tenant_key(context.tenant_id)
    return unless_same(context, encoded([document(logged(tenant_key, row)) for row in rows]))


async def get_lead_mails(context: Context, lead_id: UUID) -> Response:
    """Lists the mails about the lead, newest first: queued mails, and those that were sent or failed in the last 30
    days. At most 100 are listed."""
    return await mails_about(context, lead_list.LIST, lead_id, NO_LEAD)


async def get_showing_mails(context: Context, tour_id: UUID) -> Response:
    """Lists the mails about the showing, newest first: queued mails, and those that were sent or failed in the last 30
    days. At most 100 are listed."""
    return await mails_about(context, tour_list.LIST, tour_id, NO_SHOWING)


every = partial(Endpoint, answers=list[MailAboutResponse])

ENDPOINTS = (
    every("GET", "/api/leads/{id}/mails", get_lead_mails, "List the mails about a lead", id=Id(NO_LEAD)),
    every("GET", "/api/showings/{id}/mails", get_showing_mails, "List the mails about a showing", id=Id(NO_SHOWING)),
)
