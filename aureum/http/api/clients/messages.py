"""The conversation with a client, in the Aureum API: read, write, mark as read.

Messages are folded from the streams of the contact's conversations. They cannot be changed: the client has the mail.
"""

from datetime import datetime
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from aureum.commands.contacts import NO_CONTACT
from aureum.commands.conversations import SendMessage, read_messages, send_message
from aureum.commands.of_contacts import Around, around
from aureum.domain.clock import EPOCH
from aureum.domain.conversation import LONGEST, Conversation, Message
from aureum.domain.ids import MILLISECOND, aureum_time, to_wire
from aureum.domain.of_contact import STAFF
from aureum.http.access.callers import origin
from aureum.http.api.activities.activity_fields import ID
from aureum.http.api.clients.access import WITH_PORTAL
from aureum.http.api.clients.shown import answered_around, versions
from aureum.http.contract.answers import answer, encoded, not_modified
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.paging import Cursor, Limit, Place, link, opened_cursor, write_cursor
from aureum.http.contract.resource import once
from aureum.http.wire.characters import Characters
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Timestamp, Wire
from aureum.http.wire.times import Time
from aureum.projections import conversation_list

PATH = "/api/contacts/{id}/messages"

LOW_BITS = 64


class MessageCreate(Body):
    """A message to the client."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"text": "The seller accepted. The inspection is on Friday."}}
    )

    text: Annotated[
        Annotated[str, Characters(limit=LONGEST, blank=False)],
        Field(description="The text. The client gets it as a mail too, with a link to the portal."),
    ]


class MessagePage(BaseModel):
    """The page of a list of messages."""

    model_config = ConfigDict(frozen=True)

    limit: Annotated[
        Limit | None, Field(description="The length of a page. Without it the whole list is returned.")
    ] = None
    cursor: Annotated[
        Cursor | None, Field(description="The position of the page, from the `Link` header of the previous page.")
    ] = None
    as_of: Annotated[
        Time | None, Field(alias="asOf", description="Returns the messages as they were at this moment.")
    ] = None


class ClientMessageResponse(Shape):
    """A message of the client, or of staff."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"required": ["id", "text", "from", "authorId", "at", "readAt"]}
    )

    id: Annotated[str, Field(pattern=ID)]
    text: str
    sender: Annotated[Literal["client", "staff"], Field(alias="from", description="Which side wrote it.")]
    authorId: Annotated[Wire | None, Field(description="The user who wrote it. `null` for the client or an API key.")]
    at: Timestamp
    readAt: Annotated[Timestamp | None, Field(description="When the other side read it. `null` before.")]


class ConversationResponse(Shape):
    """The state of the conversation with a client."""

    contactId: Wire
    messages: Annotated[int, Field(ge=0, description="How many messages there are.")]
    unread: Annotated[int, Field(ge=0, description="The client's messages that staff have not read.")]
    unreadByClient: Annotated[int, Field(ge=0, description="The messages of staff that the client has not read.")]
    lastAt: Annotated[Timestamp | None, Field(description="When the last message was written.")]


async def get_messages(context: Context, contact_id: UUID, page: MessagePage) -> Response:
    """Lists the messages between the client and the brokerage, newest first, now or at ``asOf``. They include those of
    contacts that were merged into this one. Reading the list marks nothing as read."""
    of = await around(context.app.store, context.tenant_id, contact_id, Conversation, page.as_of)
    path, then = context.request.url.path, {}
    if page.as_of is not None:
        then = {"asOf": context.request.query_params["asOf"]}
    bound = (path, context.tenant_id.int, *then.values())
    found = [(place(one, message), one, message) for one, message in conversation_list.newest(of.kept)]
    if page.cursor is not None:
        before = opened_cursor(page.cursor, bound, context.caller.head).after.int
        found = [one for one in found if one[0] < before]
    shown = found if page.limit is None else found[: page.limit]
    headers = {"ETag": versions(context, of)}
    if len(shown) < len(found):
        cursor = write_cursor(bound, Place(UUID(int=shown[-1][0]), 0))
        headers["Link"] = link(path, {**then, "limit": page.limit, "cursor": cursor}, "next")
    body = encoded([conversation_list.message(one, message) for _, one, message in shown])
    return not_modified(context.request, headers["ETag"]) or answer(body, headers=headers)


def place(of: Conversation, message: Message) -> int:
    """The sort key, which fits into a cursor: when it was written, then the number, then the id of the conversation."""
    since: datetime = message.at
    own = of.id.int % (1 << LOW_BITS)
    return (((since - EPOCH) // MILLISECOND << 20) + message.number << LOW_BITS) + own


async def post_message(context: Context, contact_id: UUID, new: MessageCreate) -> Response:
    """Writes to the client. The client reads the message in the portal, and gets a mail with its text and a link. At
    most 30 messages of a conversation are mailed in 24 hours; later ones are in the portal only. Messages that the
    client wrote before count as read."""
    command = SendMessage(
        tenant_id=context.tenant_id, contact_id=contact_id, text=new.text, author=context.caller.user_id
    )
    remember = await once(context, last_body)
    of, appended = await send_message(
        context.app.store, command, origin(context.request, context.caller), idempotency=remember
    )
    return answered_around(context, of, last_body, appended, 201)


def last_body(of: Around[Conversation]) -> bytes:
    """The message that was written last: in the contact's own conversation."""
    own = of.own
    assert own is not None, "a message was written to it"
    return encoded(conversation_list.message(own, next(reversed(own.messages.values()))))


async def post_read(context: Context, contact_id: UUID) -> Response:
    """Marks all messages of the client as read. Marking them again has no further effect."""
    remember = await once(context, state_body)
    of, appended = await read_messages(
        context.app.store,
        context.tenant_id,
        contact_id,
        STAFF,
        origin(context.request, context.caller),
        idempotency=remember,
    )
    return answered_around(context, of, state_body, appended)


def state_body(of: Around[Conversation]) -> bytes:
    """Counts and times of the conversation."""
    last = max((one.at for kept in of.kept for one in kept.messages.values()), default=None)
    return encoded(
        {
            "contactId": to_wire(of.contact.id),
            "messages": sum(len(one.messages) for one in of.kept),
            "unread": sum(one.unread(STAFF) for one in of.kept),
            "unreadByClient": sum(one.unread("client") for one in of.kept),
            "lastAt": None if last is None else aureum_time(last),
        }
    )


many = partial(Endpoint, path=PATH, id=Id(NO_CONTACT), access=WITH_PORTAL)

ENDPOINTS = (
    many(
        method="GET",
        run=get_messages,
        summary="List the messages of a contact",
        query=MessagePage,
        answers=list[ClientMessageResponse],
    ),
    many(
        method="POST",
        run=post_message,
        summary="Write to a contact",
        body=MessageCreate,
        answers=ClientMessageResponse,
        status=201,
        refusals=(429,),
    ),
    Endpoint(
        "POST",
        f"{PATH}/read",
        post_read,
        "Mark a contact's messages as read",
        id=Id(NO_CONTACT),
        access=WITH_PORTAL,
        answers=ConversationResponse,
    ),
)
