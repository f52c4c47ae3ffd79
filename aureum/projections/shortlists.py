"""The shortlists of clients: a row each, with all listings that were sent or saved and what the client says of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.of_contact import STAFF
from aureum.domain.shortlist import Entry, Shortlist
from aureum.projections.activity_list import id_of
from aureum.projections.document_list import DocumentList, Row, erased, wire_or_none
from aureum.projections.list_filters import Index
from aureum.projections.of_contact import COLUMNS, begun, changed


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a shortlist's row; events of other aggregates leave it as it is."""
    match event:
        case Shortlist.Begun():
            return begun("shortlist_id", event, {"listings": []})
        case Shortlist.Erased() if row is not None:
            return erased(row, event)
        case Shortlist.Event() if row is not None:
            return changed(row, event, {"listings": listings_after(row["doc"]["listings"], event)})
    return row


def listings_after(listings: list[Row], event: Any) -> list[Row]:
    """The listings after *event*."""
    named = to_wire(event.property_id)
    known = next((one for one in listings if one["propertyId"] == named), None)
    others = [one for one in listings if one["propertyId"] != named]
    match event:
        case Shortlist.ListingRemoved():
            return others
        case Shortlist.Reacted():
            said = {"reaction": event.reaction, "comment": event.comment, "reactedAt": aureum_time(event.timestamp)}
            return [one | said if one is known else one for one in listings]
        case Shortlist.ListingSent() if known is not None:
            sent = {"by": STAFF, "note": event.note, "sentById": wire_or_none(event.sent_by)}
            return [one | sent if one is known else one for one in listings]
    return [*others, new_listing(event, named)]


def new_listing(event: Any, property_id: str) -> Row:
    """A listing that was sent or saved for the first time."""
    sent = isinstance(event, Shortlist.ListingSent)
    return shown(
        id=id_of(event.originator_id, event.originator_version),
        property_id=property_id,
        by="staff" if sent else "client",
        sent_by=event.sent_by if sent else None,
        note=event.note if sent else None,
        at=event.timestamp,
    )


def shown(
    *,
    id: str,
    property_id: str,
    by: str,
    sent_by: UUID | None,
    note: str | None,
    at: datetime,
    reaction: str | None = None,
    comment: str | None = None,
    reacted_at: datetime | None = None,
) -> Row:
    """A listing as the Aureum API shows it."""
    return {
        "id": id,
        "propertyId": property_id,
        "by": by,
        "sentById": wire_or_none(sent_by),
        "note": note,
        "reaction": reaction,
        "comment": comment,
        "at": aureum_time(at),
        "reactedAt": None if reacted_at is None else aureum_time(reacted_at),
    }


def listing(of: Shortlist, entry: Entry) -> Row:
    """The same, of the aggregate."""
    return shown(
        id=id_of(of.id, entry.number),
        property_id=to_wire(entry.property_id),
        by=entry.by,
        sent_by=entry.sent_by,
        note=entry.note,
        at=entry.at,
        reaction=entry.reaction,
        comment=entry.comment,
        reacted_at=entry.reacted_at,
    )


def newest(shortlists: Iterable[Shortlist]) -> list[tuple[Shortlist, Entry]]:
    """The listings of all, the newest first. One that stands on two lists since a merge is shown once, as the list
    that comes first has it."""
    found: dict[UUID, tuple[Shortlist, Entry]] = {}
    for of in shortlists:
        for entry in of.entries.values():
            found.setdefault(entry.property_id, (of, entry))
    return sorted(found.values(), key=lambda one: (one[1].at, one[1].number, one[0].id), reverse=True)


LIST = DocumentList(
    "shortlists",
    "shortlist",
    {"shortlist_id": "uuid", **COLUMNS},
    Shortlist,
    step,
    step_version=1,
    indexes=(Index("contact_id, {id}", called="contact"),),
    in_time=False,
)
