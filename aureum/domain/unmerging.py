"""What a contact would be without one of the merges into it: a replay of its other events. Pure.

So later changes by users stay, and so does what came from other merges.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from aureum.domain.contact import Contact
from aureum.domain.contact_card import Card, card_of, combined, from_json, read


def card_without(events: Iterable[Any], other: UUID) -> Card:
    """The card that the contact of these *events* would have if *other* had not been merged into it."""
    recorded = list(events)
    standing = {merge.originator_version for one, merge in merges(recorded).items() if one != other}
    card = card_of(recorded[0])
    for event in recorded[1:]:
        match event:
            case Contact.DetailsChanged() | Contact.Classified():
                said = event.details if isinstance(event, Contact.DetailsChanged) else event.changes
                card = card._replace(**{name: read(name, value) for name, value in fields(said).items()})
            case Contact.ToldApart():
                card = card._replace(distinct_from=(*card.distinct_from, event.other))
            case Contact.Merged() if event.originator_version in standing and isinstance(event.card, dict):
                card = combined(card, from_json(event.card))
    return card


def merges(events: Iterable[Any]) -> dict[UUID, Contact.Merged]:
    """The merges that have not been undone, by the other contact."""
    found: dict[UUID, Contact.Merged] = {}
    for event in events:
        match event:
            case Contact.Merged():
                found[event.other] = event
            case Contact.Unmerged():
                found.pop(event.other, None)
    return found


def fields(said: Any) -> dict[str, Any]:
    """Those of a card. An erased person's are a placeholder, not a mapping."""
    return {name: value for name, value in said.items() if name in Card._fields} if isinstance(said, dict) else {}
