"""The subscriber list: a row a subscriber of the newsletter, for the program that sends it."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.subscriber import Subscriber
from aureum.projections.document_list import DocumentList, Row, erased
from aureum.projections.list_past import with_rows


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a subscriber's row; events of other aggregates leave it as it is."""
    match event:
        case Subscriber.Subscribed() | Subscriber.Doubted():
            subscribed = isinstance(event, Subscriber.Subscribed)
            doc = document(event, event.originator_id, subscribed, event.timestamp, event.timestamp)
            return {
                "subscriber_id": event.originator_id,
                "stream_version": event.originator_version,
                "subscribed": subscribed,
                "updated_at": event.timestamp,
                "doc": doc if subscribed else doc | {"suspect": True},
            }
        case Subscriber.Suspected() if row is not None:
            return row | {"stream_version": event.originator_version}
        case Subscriber.United():
            doc = document(event, event.originator_id, event.subscribed, event.timestamp, event.timestamp)
            return {
                "subscriber_id": event.originator_id,
                "stream_version": event.originator_version,
                "subscribed": event.subscribed,
                "updated_at": event.timestamp,
                "doc": doc | {"createdAt": event.since, "updatedAt": event.consented_at},
            }
        case Subscriber.Erased() if row is not None:
            return erased(row, event) | {"subscribed": False}
        case Subscriber.Consented() | Subscriber.Resubscribed() | Subscriber.Unsubscribed() | Subscriber.Merged() if (
            row is not None
        ):
            return changed(row, event)
    return row


def document(
    subscriber: Subscriber | Subscriber.Subscribed | Subscriber.Doubted | Subscriber.United,
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
    subscribed = not isinstance(event, Subscriber.Unsubscribed | Subscriber.Merged)
    doc = row["doc"] | {"subscribed": subscribed, "updatedAt": aureum_time(event.timestamp)}
    if subscribed:
        doc |= {
            "firstName": event.first_name,
            "interests": list(event.interests),
            "sourceDomain": event.source_domain,
        }
        doc |= {"suspect": False} if "suspect" in doc else {}
    if isinstance(event, Subscriber.Merged):
        doc["mergedInto"] = to_wire(event.into)
    columns = {"stream_version": event.originator_version, "subscribed": subscribed, "updated_at": event.timestamp}
    return row | columns | {"doc": doc}


LIST = DocumentList(
    "subscriber_list",
    "subscriber",
    {
        "subscriber_id": "uuid",
        "stream_version": "int4",
        "subscribed": "bool",
        "updated_at": "timestamptz",
        "doc": "text",
    },
    Subscriber,
    step,
    step_version=1,
    # They are made of the addresses.
    in_time=False,
)

SUBSCRIBED = """
SELECT l.subscriber_id, l.doc FROM subscriber_list l
 WHERE l.tenant_id = %(tenant)s AND l.subscriber_id > %(after)s AND l.subscribed
   AND l.read_version = (SELECT subscriber_list_version FROM heads WHERE tenant_id = %(tenant)s)
   AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = l.tenant_id AND k.subject_id = l.subscriber_id)
 ORDER BY l.subscriber_id LIMIT %(limit)s
"""
"""The subscribers, in pages by id. An erased subscriber has no key any more, and is left out even if the row is
there."""

UNUSUAL = """
SELECT l.subscriber_id, l.doc::json ->> 'email' FROM subscriber_list l
 WHERE l.tenant_id = %(tenant)s AND l.doc::json ->> 'mergedInto' IS NULL
   AND (l.doc::json ->> 'email' ~ '[^ -~]' OR l.doc::json ->> 'email' ILIKE '%%xn--%%')
   AND l.read_version = (SELECT subscriber_list_version FROM heads WHERE tenant_id = %(tenant)s)
   AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = l.tenant_id AND k.subject_id = l.subscriber_id)
 ORDER BY l.subscriber_id
"""
"""Subscribers whose addresses may be spelled in more ways than in capitals and small letters."""

MERGED = """
WITH merged AS (
    SELECT l.tenant_id, l.read_version, l.doc::json ->> 'email' AS email, l.doc::json ->> 'mergedInto' AS into_id
      FROM subscriber_list l
      JOIN heads h ON h.tenant_id = l.tenant_id AND h.subscriber_list_version = l.read_version
      JOIN subject_keys k ON k.tenant_id = l.tenant_id AND k.subject_id = l.subscriber_id
     WHERE l.doc::json ->> 'mergedInto' IS NOT NULL
), spelled AS (
    SELECT tenant_id, into_id, email FROM merged
     UNION
    SELECT m.tenant_id, m.into_id, l.doc::json ->> 'email'
      FROM merged m
      JOIN subscriber_list l ON l.tenant_id = m.tenant_id AND l.read_version = m.read_version
       AND l.doc::json ->> 'id' = m.into_id
)
SELECT b.slug, s.into_id, array_agg(s.email ORDER BY s.email)
  FROM spelled s
  JOIN brokerages b ON b.tenant_id = s.tenant_id
 GROUP BY b.slug, s.into_id
HAVING count(*) > 1
 ORDER BY b.slug, s.into_id
"""
"""Of all tenants, as the owner: subscribers who became one, with their spellings of the address."""


class Reading(NamedTuple):
    """The statements that read the list: a *page* and the *total* of what the filters let through, and the subscribers
    *of_address*: those whose streams an address may have."""

    page: str
    total: str
    of_address: str


LIVE = """subscriber_list x
      WHERE x.tenant_id = %(tenant)s
        AND x.read_version = (SELECT h.subscriber_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
        AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = x.tenant_id AND k.subject_id = x.subscriber_id)"""
"""The rows of now, without those of subscribers who were erased."""

THEN = "{rows} WHERE true"
"""The rows of a moment, as JSON."""

LISTED = """
 FROM (
     SELECT x.subscriber_id, x.stream_version, x.updated_at, x.doc, x.doc::json AS said FROM {source}
        AND (%(subscribed)s::boolean IS NULL OR x.subscribed = %(subscribed)s)
 ) l
 WHERE l.said ->> 'mergedInto' IS NULL
   AND (%(interest)s::text IS NULL OR %(interest)s IN (SELECT json_array_elements_text(l.said -> 'interests')))
"""

PAGE = f"""
SELECT l.subscriber_id, l.stream_version, l.doc {LISTED}
 ORDER BY l.updated_at DESC, l.subscriber_id LIMIT %(limit)s OFFSET %(skipped)s
"""
"""The latest change first. Those who became a part of another are not among them."""

COUNT = f"SELECT count(*) {LISTED}"

OF_ADDRESS = """
SELECT x.subscriber_id, x.stream_version, x.doc FROM {source}
   AND x.subscriber_id = ANY (%(ids)s) AND x.doc::json ->> 'mergedInto' IS NULL
"""

NOW = Reading(*(one.replace("{source}", LIVE) for one in (PAGE, COUNT, OF_ADDRESS)))
PAST = Reading(*(with_rows(LIST, one.replace("{source}", THEN)) for one in (PAGE, COUNT, OF_ADDRESS)))

ONE = """
SELECT x.doc FROM subscriber_list x
 WHERE x.tenant_id = %(tenant)s AND x.subscriber_id = %(subscriber)s
   AND x.read_version = (SELECT h.subscriber_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND x.doc::json ->> 'mergedInto' IS NULL
   AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = x.tenant_id AND k.subject_id = x.subscriber_id)
"""
"""One of them."""
