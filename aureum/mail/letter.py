"""A letter: what one person gets because of one event. ``letters`` puts it into words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Recipient:
    """The person that a letter is for. ``user_id`` is that of staff. ``subject_id`` is the person whose data the letter
    holds (the stream of the lead or tour): once that person is erased, the letter is too. A visitor's letter always has
    it."""

    address: str
    name: str
    user_id: UUID | None
    subject_id: UUID | None


@dataclass(frozen=True, slots=True)
class Letter:
    """``kind`` is a word that ``letters`` owns (``lead_assigned``, ``confirmation``, …), ``fields`` what its text is
    made of, ``position`` that of the event. It is not sent before ``not_before``.

    ``also_about`` are further persons whose data it holds. Once one of them is erased, so is the letter.

    ``calendar`` is a calendar file that comes with it, with the lines as RFC 5545 has them.

    There is one letter of a kind, for one event and one address.
    """

    kind: str
    recipient: Recipient
    reply_to: str | None
    language: str
    fields: Mapping[str, object]
    position: int
    not_before: datetime | None = None
    also_about: tuple[UUID, ...] = ()
    calendar: str | None = None
