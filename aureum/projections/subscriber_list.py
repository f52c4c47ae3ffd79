"""The subscriber list: a row a subscriber of the newsletter, for the program that sends it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.subscriber import Subscriber
from aureum.projections.document_list import DocumentList, Row

NAME = "subscriber_list"


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a subscriber's row; events of other aggregates leave it as it is."""
    match event:
        case Subscriber.Subscribed():
            return {
                "subscriber_id": event.originator_id,
                "stream_version": event.originator_version,
                "subscribed": True,
                "updated_at": event.timestamp,
                "doc": document(event, event.originator_id, True, event.timestamp, event.timestamp),
            }
        case Subscriber.Consented() | Subscriber.Resubscribed() | Subscriber.Unsubscribed() if row is not None:
            return changed(row, event)
    return row


def document(
    subscriber: Subscriber | Subscriber.Subscribed,
    subscriber_id: UUID,
    subscribed: bool,
    created_at: datetime,
    updated_at: datetime,
) -> Row:
    """A subscriber as the mailing program sees it, of the aggregate or of the event that began it."""
    return {
        "id": to_wire(subscriber_id),
        "email": subscriber.email,
        "firstName": subscriber.first_name,
        "interests": list(subscriber.interests),
        "subscribed": subscribed,
        "sourceDomain": subscriber.source_domain,
        "createdAt": aureum_time(created_at),
        "updatedAt": aureum_time(updated_at),
    }


def changed(row: Row, event: Any) -> Row:
    """A new row with what *event* says; the old one stays as it was."""
    subscribed = not isinstance(event, Subscriber.Unsubscribed)
    doc = row["doc"] | {"subscribed": subscribed, "updatedAt": aureum_time(event.timestamp)}
    if subscribed:
        doc |= {
            "firstName": event.first_name,
            "interests": list(event.interests),
            "sourceDomain": event.source_domain,
        }
    columns = {"stream_version": event.originator_version, "subscribed": subscribed, "updated_at": event.timestamp}
    return row | columns | {"doc": doc}


LIST = DocumentList(
    NAME,
    {
        "subscriber_id": "uuid",
        "stream_version": "int4",
        "subscribed": "bool",
        "updated_at": "timestamptz",
        "doc": "text",
    },
    Subscriber.Event,
    step,
)
EVENTS, APPEND, rows = LIST.events, LIST.append, LIST.rows

SUBSCRIBED = """
SELECT l.subscriber_id, l.doc FROM subscriber_list l
 WHERE l.tenant_id = %(tenant)s AND l.subscriber_id > %(after)s AND l.subscribed
   AND l.read_version = (SELECT subscriber_list_version FROM heads WHERE tenant_id = %(tenant)s)
   AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = l.tenant_id AND k.subject_id = l.subscriber_id)
 ORDER BY l.subscriber_id LIMIT %(limit)s
"""
"""Who gets the next newsletter, in pages by id. Whoever was erased has no key any more, whatever the row still says."""
