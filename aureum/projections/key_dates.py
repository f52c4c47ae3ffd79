"""The key dates of clients' deals: a row each, with all dates."""

from collections.abc import Iterable
from typing import Any

from aureum.domain.key_dates import KeyDate, KeyDates, in_order, read
from aureum.projections.document_list import DocumentList, Row, erased
from aureum.projections.list_filters import Index
from aureum.projections.of_contact import COLUMNS, begun, changed


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of the row of a contact's dates; events of other aggregates leave it as it is."""
    match event:
        case KeyDates.Begun():
            return begun("key_dates_id", event, {"dates": []})
        case KeyDates.Erased() if row is not None:
            return erased(row, event)
        case KeyDates.DatesSet() if row is not None:
            # An erased person's dates are a placeholder, not a list.
            dates = event.dates if isinstance(event.dates, list) else []
            return changed(row, event, {"dates": [shown(read(one)) for one in dates]})
    return row


def shown(one: KeyDate) -> Row:
    """A date as the Aureum API shows it."""
    return {"label": one.label, "date": one.date, "note": one.note}


def together(several: Iterable[KeyDates]) -> list[KeyDate]:
    """The dates of all, in the order of the calendar."""
    return list(in_order([one for of in several for one in of.dates]))


LIST = DocumentList(
    "key_dates",
    "key_dates",
    {"key_dates_id": "uuid", **COLUMNS},
    KeyDates,
    step,
    step_version=1,
    indexes=(Index("contact_id, {id}", called="contact"),),
    in_time=False,
)
