"""``/api/v1/admin/mail``: the mails of the last 30 days, what became of each, and sending one again. For brokers and
owners."""

from functools import partial
from typing import Annotated
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.domain.errors import NotFound, WrongState
from aureum.http.access.callers import origin
from aureum.http.access.roles import check_leader
from aureum.http.api.mail.mail_fields import (
    STATUS,
    MailResponse,
    Status,
    WholeMailResponse,
    document,
    whole_document,
)
from aureum.http.api.staff.scope import in_brokerage
from aureum.http.api.staff.user_fields import BrokeragePage, OfBrokerage
from aureum.http.api.webhooks.webhook_lists import unless_same
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.numbered_pages import FoundPage, NumberedPage, page_body
from aureum.http.contract.resource import once
from aureum.http.wire.characters import Characters
from aureum.mail.queue import mail_log
from aureum.mail.queue.mail_log import LoggedMail, logged

PATH = "/api/v1/admin/mail"
NO_MAIL = "There is no such mail."
WAS_SENT = "This mail was sent. Only mails that failed can be sent again."
NEVER_MADE = "This mail cannot be sent: no mail can be sent to its address."


class MailPage(BrokeragePage):
    """The filters and the page of a list of mails."""

    status: Annotated[Status | None, Field(description=STATUS)] = None
    kind: Annotated[
        Annotated[str, Characters(limit=50)] | None,
        Field(description="Filter by kind, for example `lead_assigned` or `confirmation`."),
    ] = None


class MailPageResponse(NumberedPage[MailResponse]):
    """One page of the mails. A page beyond the last has no items."""


async def get_mails(context: Context, part: MailPage) -> Response:
    """Lists the brokerage's mails, newest first: queued mails, and those that were sent or failed in the last 30
    days."""
    context = await leaders(context, part)
    of = {
        "tenant": context.tenant_id,
        "states": None if part.status is None else mail_log.STATES[part.status],
        "kind": part.kind or None,
        "limit": part.page_size,
        "skipped": part.skipped,
    }
    rows, ((total,),) = await context.app.database.tenant_results(
        context.tenant_id, [(mail_log.MAILS, of), (mail_log.COUNT, of)]
    )
    tenant_key = await context.app.store.tenant_key(context.tenant_id)
    items = b",".join(encoded(document(logged(tenant_key, row))) for row in rows)
    return unless_same(context, page_body(part, FoundPage(items.decode(), total)))


async def get_mail(context: Context, mail_id: UUID, of: OfBrokerage) -> Response:
    """Returns the mail with its text, as it was or will be sent."""
    context = await leaders(context, of)
    return unless_same(context, encoded(whole_document(await found(context, mail_id))))


async def post_resend(context: Context, mail_id: UUID, of: OfBrokerage) -> Response:
    """Sends a failed mail again, with the same text and a new schedule of attempts. A queued mail stays in the
    queue."""
    context = await leaders(context, of)
    mail = await found(context, mail_id)
    remember = await once(context, encoded, tagged=False)
    if mail.status == "sent":
        raise WrongState(WAS_SENT)
    if mail.status == "failed" and mail.message is None:
        raise WrongState(NEVER_MADE)
    await context.app.database.rows(mail_log.RESEND, {"tenant": context.tenant_id, "mail": mail_id})
    shown = document(await found(context, mail_id))
    if remember is not None:
        asked = origin(context.request, context.caller)
        remembered = await context.app.store.remember(context.tenant_id, shown, remember, asked)
        if remembered is not None:
            raise Replayed(remembered)
    return answer(encoded(shown), status=202)


async def leaders(context: Context, of: OfBrokerage) -> Context:
    """The request, asked of the brokerage that it means. Raises NotAllowed, and what ``in_brokerage`` raises."""
    check_leader(context.caller.role)
    return await in_brokerage(context, of.brokerage_id, "list mails")


async def found(context: Context, mail_id: UUID) -> LoggedMail:
    """The mail with its bytes. Raises NotFound."""
    about = {"tenant": context.tenant_id, "mail": mail_id}
    rows = await context.app.database.tenant_rows(context.tenant_id, mail_log.MAIL, about)
    if not rows:
        raise NotFound(NO_MAIL)
    return logged(await context.app.store.tenant_key(context.tenant_id), rows[0])


every = partial(Endpoint, access=STAFF, dialect="leads", refusals=(400, 403, 404))
one = partial(every, id=Id(NO_MAIL), query=OfBrokerage)

ENDPOINTS = (
    every("GET", PATH, get_mails, "List mails", query=MailPage, answers=MailPageResponse),
    one("GET", PATH + "/{id}", get_mail, "Get a mail with its text", answers=WholeMailResponse),
    one(
        "POST",
        PATH + "/{id}/resend",
        post_resend,
        "Send a failed mail again",
        answers=MailResponse,
        status=202,
        refusals=(400, 403, 404, 409),
    ),
)
