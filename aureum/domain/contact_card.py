"""The fields of a contact that a merge combines, each by its own rule. Pure.

    field                        the merged contact has
    first name, last name        its own; where one is empty, the other's
    email                        its own, else the other's
    phone                        its own, else the other's
    other names, emails, phones  both, and of the other contact what did not take an empty place
    tags                         both, its own first
    score                        the higher
    lead                         the one that it was made from, else the other's
    told apart from              both

The type, the moment of creation and the creator stay its own.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from aureum.domain.emails import one_form
from aureum.domain.people import words_of

One = TypeVar("One")

Phone = tuple[str, str | None]
"""As given, and in E.164."""


class Card(NamedTuple):
    """The fields that a merge looks at."""

    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    phone_e164: str | None
    other_names: tuple[str, ...]
    other_emails: tuple[str, ...]
    other_phones: tuple[Phone, ...]
    tags: tuple[str, ...]
    score: int
    lead_id: UUID | None
    distinct_from: tuple[UUID, ...]

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.first_name} {self.last_name}".strip()


PERSONAL = (
    "first_name",
    "last_name",
    "email",
    "phone",
    "phone_e164",
    "other_names",
    "other_emails",
    "other_phones",
)
"""The fields of a card that are personal data; the others are not."""


def card_of(contact: Any) -> Card:
    """The card of a contact, or of the event that began it."""
    return Card._make(getattr(contact, name, ()) for name in Card._fields)


def combined(own: Card, other: Card) -> Card:
    """The card of *own* once *other* was merged into it."""
    email, phone = own.email or other.email, own.phone or other.phone
    e164 = own.phone_e164 if own.phone else other.phone_e164
    merged = own._replace(
        first_name=own.first_name or other.first_name,
        last_name=own.last_name or other.last_name,
        email=email,
        phone=phone,
        phone_e164=e164,
        tags=tuple(dict.fromkeys((*own.tags, *other.tags))),
        score=max(own.score, other.score),
        lead_id=own.lead_id or other.lead_id,
        distinct_from=tuple(dict.fromkeys((*own.distinct_from, *other.distinct_from))),
    )
    phones = [*own.other_phones, *([(other.phone, other.phone_e164)] if other.phone else []), *other.other_phones]
    emails = [*own.other_emails, *([other.email] if other.email else []), *other.other_emails]
    names = [*own.other_names, other.name, *other.other_names]
    return merged._replace(
        other_names=distinct(names, same_name, merged.name),
        other_emails=distinct(emails, one_form, email),
        other_phones=distinct(phones, same_phone, None if phone is None else (phone, e164)),
    )


def distinct(given: Iterable[One], form: Callable[[One], object], own: One | None) -> tuple[One, ...]:
    """Each of *given* once, by its *form*, but for the contact's *own*."""
    known = {None if own is None else form(own), None}
    kept = []
    for one in given:
        if form(one) not in known:
            known.add(form(one))
            kept.append(one)
    return tuple(kept)


def same_name(name: str) -> tuple[str, ...] | None:
    """What a name is compared by; None for one without letters."""
    return tuple(words_of(name)) or None


def same_phone(phone: Phone) -> str:
    """What a phone is compared by: E.164, else its digits, else all of it."""
    given, e164 = phone
    return e164 or "".join(letter for letter in given if letter.isdigit()) or given


def as_json(card: Card, names: Iterable[str]) -> dict[str, Any]:
    """Those fields as an event keeps them: ids as hex digits."""
    kept = card._asdict()
    return {name: recorded(kept[name]) for name in names}


def recorded(value: Any) -> Any:
    """A value of a card as JSON has it."""
    if isinstance(value, UUID):
        return value.hex
    return [recorded(one) for one in value] if isinstance(value, tuple) else value


def read(name: str, value: Any) -> Any:
    """The inverse of ``recorded``, for the field *name*."""
    match name:
        case "lead_id":
            return None if value is None else UUID(value)
        case "distinct_from":
            return tuple(UUID(one) for one in value)
        case "other_phones":
            return tuple((given, e164) for given, e164 in value)
    return tuple(value) if isinstance(value, list) else value


def from_json(kept: dict[str, Any]) -> Card:
    """A card of which an event keeps all fields."""
    return Card._make(read(name, kept[name]) for name in Card._fields)


def differences(before: Card, after: Card) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that differ, as an event keeps them: the personal ones, and the others."""
    differ = [name for name in Card._fields if getattr(before, name) != getattr(after, name)]
    personal = [name for name in differ if name in PERSONAL]
    return as_json(after, personal), as_json(after, [name for name in differ if name not in PERSONAL])
