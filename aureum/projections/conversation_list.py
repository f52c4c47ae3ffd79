"""The conversations with clients: a row each, with counts and times but no text. Messages are folded from the stream.

Today asks it for what waits for an answer, and erasures for the streams of a person.
"""

from collections.abc import Iterable
from typing import Any

from aureum.domain.conversation import Conversation, Message
from aureum.domain.ids import aureum_time
from aureum.domain.of_contact import CLIENT, STAFF
from aureum.projections.activity_list import id_of
from aureum.projections.document_list import DocumentList, Row, erased, wire_or_none
from aureum.projections.list_filters import Index
from aureum.projections.of_contact import begun, changed


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a conversation's row; events of other aggregates leave it as it is."""
    match event:
        case Conversation.Begun():
            none = {"messages": 0, "unread": 0, "unreadByClient": 0, "lastFrom": None, "lastAt": None}
            return begun("conversation_id", event, none) | {"unread": False}
        case Conversation.Erased() if row is not None:
            return erased(row, event)
        case Conversation.MessageSent() | Conversation.Read() if row is not None:
            after = changed(row, event, counted(row["doc"], event))
            return after | {"unread": after["doc"]["unread"] > 0}
    return row


def counted(doc: Row, event: Any) -> Row:
    """What a message, or that it was read, changes in the counts. A side that answers has read what there was."""
    if isinstance(event, Conversation.Read):
        return {"unread": 0} if event.by == STAFF else {"unreadByClient": 0}
    if event.sender == CLIENT:
        unread = {"unread": doc["unread"] + 1, "unreadByClient": 0}
    else:
        unread = {"unread": 0, "unreadByClient": doc["unreadByClient"] + 1}
    return {
        **unread,
        "messages": doc["messages"] + 1,
        "lastFrom": event.sender,
        "lastAt": aureum_time(event.timestamp),
    }


def message(of: Conversation, one: Message) -> Row:
    """A message as the Aureum API shows it."""
    return {
        "id": id_of(of.id, one.number),
        "text": one.text,
        "from": one.sender,
        "authorId": wire_or_none(one.author),
        "at": aureum_time(one.at),
        "readAt": None if one.read_at is None else aureum_time(one.read_at),
    }


def newest(conversations: Iterable[Conversation]) -> list[tuple[Conversation, Message]]:
    """The messages of all, the newest first."""
    found = [(of, one) for of in conversations for one in of.messages.values()]
    return sorted(found, key=lambda one: (one[1].at, one[1].number, one[0].id), reverse=True)


LIST = DocumentList(
    "conversation_list",
    "conversation",
    {
        "conversation_id": "uuid",
        "stream_version": "int4",
        "contact_id": "uuid",
        "unread": "bool",
        "updated_at": "timestamptz",
        "doc": "text",
    },
    Conversation,
    step,
    step_version=1,
    indexes=(Index("contact_id, {id}", called="contact"), Index("updated_at", "unread", called="unread")),
    in_time=False,
)
