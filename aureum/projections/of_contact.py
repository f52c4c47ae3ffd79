"""Rows of what stands around a contact in a stream of its own (``aureum.domain.of_contact``): how each begins, and what
every later event changes in it."""

from typing import Any

from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.of_contact import OfContact
from aureum.projections.document_list import Row

COLUMNS = {"stream_version": "int4", "contact_id": "uuid", "updated_at": "timestamptz", "doc": "text"}
"""Of each of them, besides its id."""


def begun(id_column: str, event: OfContact.Begun, said: Row) -> Row:
    """The first row. *said* is what is special in its document."""
    at = aureum_time(event.timestamp)
    return {
        id_column: event.originator_id,
        "stream_version": event.originator_version,
        "contact_id": event.contact_id,
        "updated_at": event.timestamp,
        "doc": {
            "id": to_wire(event.originator_id),
            "contactId": to_wire(event.contact_id),
            **said,
            "createdAt": at,
            "updatedAt": at,
        },
    }


def changed(row: Row, event: Any, said: Row) -> Row:
    """The row after *event*, which changes what is *said* in its document."""
    return row | {
        "stream_version": event.originator_version,
        "updated_at": event.timestamp,
        "doc": row["doc"] | said | {"updatedAt": aureum_time(event.timestamp)},
    }
