"""The conversation with the agent. Who opens the page has read what stands there, unless staff look at it."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from starlette.responses import Response

from aureum.commands.conversations import SendMessage, read_messages, send_message
from aureum.domain.conversation import Conversation
from aureum.domain.errors import Invalid, WrongState
from aureum.domain.ids import to_wire
from aureum.domain.of_contact import CLIENT
from aureum.http.portal.clients import around_client, names_of, written_to
from aureum.http.portal.page import PortalPage
from aureum.http.portal.typed import once_of, origin_of, text_of
from aureum.http.portal.visit import PortalVisit
from aureum.http.wire.headers import header
from aureum.projections.conversation_list import newest

PATH = "/portal/messages"

A_PAGE = 50


class ClientMessage(NamedTuple):
    """All that a client sees of a message. ``agent`` is the name of the one who wrote it; ``own`` are the client's."""

    at: datetime
    own: bool
    agent: str | None
    text: str
    read: bool


async def show_messages(visit: PortalVisit) -> Response:
    """The messages, newest first, and the form for another one."""
    return await page(visit)


async def page(visit: PortalVisit, *, typed: str = "", problem: str | None = None) -> Response:
    """The same; of a form that was refused with what was *typed*, and the *problem*."""
    conversations = await around_client(visit, Conversation)
    found = newest(one for around in conversations for one in around.kept)
    skipped = offset(visit)
    shown = found[skipped : skipped + A_PAGE]
    agents = await names_of(visit, {one.author for _, one in shown})
    messages = [
        ClientMessage(
            one.at,
            one.sender == CLIENT,
            agents.get(to_wire(one.author)) if one.author is not None else None,
            one.text,
            one.read_at is not None,
        )
        for _, one in shown
    ]
    response = visit.render(
        "messages.html",
        status=422 if problem else 200,
        messages=messages,
        typed=typed,
        problem=problem,
        once=secrets.token_urlsafe(12),
        writable=bool(visit.client.contact_ids),
        sent=visit.request.query_params.get("done") == "sent",
        older=skipped + A_PAGE if len(found) > skipped + A_PAGE else None,
    )
    if is_read(visit):
        for around in conversations:
            if any(one.unread(CLIENT) for one in around.kept):
                about = (visit.client.tenant_id, around.contact.id, CLIENT, origin_of(visit))
                await read_messages(visit.app.store, *about)
    return response


def offset(visit: PortalVisit) -> int:
    """How many newer messages stand on the pages before; 0 for what is no number."""
    text = visit.request.query_params.get("older", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def is_read(visit: PortalVisit) -> bool:
    """Whether the client looks at the page: no staff, and no browser that only fetches it in advance."""
    purpose = header(visit.request.scope, b"sec-purpose") or ""
    return visit.preview is None and visit.request.method == "GET" and "prefetch" not in purpose


async def write(visit: PortalVisit) -> Response:
    """A message to the agent. Raises NotFound, TooMany, AlreadyTaken, Unavailable."""
    text = text_of(visit, "text")
    contact_id = written_to(visit, await around_client(visit, Conversation))
    command = SendMessage(tenant_id=visit.client.tenant_id, contact_id=contact_id, text=text, sender=CLIENT)
    try:
        await send_message(visit.app.store, command, origin_of(visit), idempotency=once_of(visit, text))
    except Invalid:
        problem = visit.gettext("Write a message of at most 10,000 characters.")
        return await page(visit, typed=text, problem=problem)
    except WrongState:
        problem = visit.gettext("This conversation is full. Please call or email us.")
        return await page(visit, typed=text, problem=problem)
    return visit.go(f"{PATH}?done=sent")


async def unread(visit: PortalVisit) -> Mapping[str, Any] | None:
    """How many messages wait for the client, if any do."""
    conversations = await around_client(visit, Conversation)
    number = sum(one.unread(CLIENT) for around in conversations for one in around.kept)
    return {"unread": number} if number else None


PAGES = (
    PortalPage("GET", PATH, show_messages, preview=True),
    PortalPage("POST", PATH, write),
)
