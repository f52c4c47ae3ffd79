"""The key dates of a client's deal, as staff set them: inspection, appraisal, closing. They are set all together."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar, NamedTuple

from aureum.domain.aggregate import Aggregate, PersonErased
from aureum.domain.errors import Invalid
from aureum.domain.of_contact import OfContact

MOST = 50

LONGEST_LABEL = 200
LONGEST_NOTE = 2_000

EARLIEST, LATEST = date(1990, 1, 1), date(2199, 12, 31)

TOO_MANY = f"dates must have at most {MOST} dates."
NOT_A_DATE = f"date must be a day between {EARLIEST} and {LATEST}, such as 2027-03-31."


class KeyDate(NamedTuple):
    """A date, in the form ``2027-03-31``, and what it is."""

    date: str
    label: str
    note: str | None


class KeyDates(OfContact):
    """The aggregate. ``dates`` are in the order of the calendar."""

    NAME: ClassVar[str] = "key dates"

    dates: tuple[KeyDate, ...]

    def __init__(self) -> None:
        """Begun.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of the events of key dates."""

    class Begun(Event, OfContact.Begun):
        """The first dates were set."""

        TOPIC: ClassVar[str] = "key_dates.begun"

    class DatesSet(Event):
        """The dates are these. Each is an object with ``date``, ``label`` and ``note``."""

        TOPIC: ClassVar[str] = "key_dates.set"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("dates",))

        dates: list[dict[str, str | None]]

        def apply(self, aggregate: "KeyDates") -> None:
            # An erased person's dates are a placeholder, not a list.
            dates = self.dates if isinstance(self.dates, list) else []
            aggregate.dates = tuple(read(one) for one in dates)

    class Erased(Event, PersonErased):
        """The person was erased."""

        TOPIC: ClassVar[str] = "key_dates.erased"

    def begun(self) -> None:
        self.dates = ()

    def set(self, dates: Sequence[KeyDate], at: datetime) -> None:
        """Set all dates. What holds already records nothing. Raises Invalid."""
        check(dates)
        wanted = in_order(dates)
        if wanted != self.dates:
            self.trigger_event(self.DatesSet, timestamp=at, dates=[one._asdict() for one in wanted])

    def erase(self, at: datetime) -> None:
        """The person is erased; once."""
        if not self.erased:
            self.trigger_event(self.Erased, timestamp=at)


def read(one: Mapping[str, str | None]) -> KeyDate:
    """A date as the event has it."""
    return KeyDate(str(one["date"]), str(one["label"]), one["note"])


def in_order(dates: Sequence[KeyDate]) -> tuple[KeyDate, ...]:
    """The dates by the calendar; those of one day as they were given."""
    return tuple(sorted(dates, key=lambda one: one.date))


def check(dates: Sequence[KeyDate]) -> None:
    """Raises Invalid for the first rule that is broken."""
    if len(dates) > MOST:
        raise Invalid("dates", TOO_MANY)
    for one in dates:
        if not one.label.strip():
            raise Invalid("label", "label must not be blank.")
        if len(one.label) > LONGEST_LABEL:
            raise Invalid("label", f"label must have at most {LONGEST_LABEL} characters.")
        if one.note is not None and len(one.note) > LONGEST_NOTE:
            raise Invalid("note", f"note must have at most {LONGEST_NOTE:,} characters.")
        if not is_day(one.date):
            raise Invalid("date", NOT_A_DATE)


def is_day(text: str) -> bool:
    """Whether it is a day that a deal may have."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    # Other forms of ISO 8601 are no such day.
    return day.isoformat() == text and EARLIEST <= day <= LATEST
