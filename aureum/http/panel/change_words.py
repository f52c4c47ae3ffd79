"""One change of a field in words: its label, and its values as people say them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from aureum.domain.prices import price_shown
from aureum.http.panel.times import shown_time

LABELS = {
    "firstName": "First name",
    "lastName": "Last name",
    "name": "Name",
    "email": "Email",
    "phone": "Phone",
    "status": "Status",
    "assignedToId": "Assigned to",
    "lostReason": "Lost because",
    "lostNote": "Details of why it was lost",
    "subject": "Subject",
    "message": "Message",
    "notes": "Notes",
    "source": "Source",
    "sourcePage": "Page",
    "contactId": "Contact",
    "leadId": "Lead",
    "propertyId": "Property",
    "suspect": "Spam check",
    "routing": "Why this agent",
    "offer": "Offered to",
    "overdue": "Answer",
    "type": "Type",
    "tags": "Tags",
    "score": "Score",
    "otherNames": "Other names",
    "otherEmails": "Other addresses",
    "otherPhones": "Other phones",
    "mergedWith": "Merged into this contact",
    "mergedInto": "Merged into",
    "distinctFrom": "Not the same person as",
    "title": "Title",
    "address": "Street address",
    "city": "City",
    "state": "State",
    "zip": "ZIP code",
    "price": "Price",
    "propertyType": "Type",
    "bedrooms": "Bedrooms",
    "bathrooms": "Bathrooms",
    "sqft": "Square feet",
    "isFeatured": "Featured",
    "description": "Description",
    "mls": "MLS",
    "mlsId": "MLS listing id",
    "timeZone": "Time zone",
    "priority": "Priority",
    "dueDate": "Due",
    "listingId": "MLS listing id",
    "preferredDate": "Preferred date",
    "preferredTime": "Preferred time",
    "startsAt": "Starts at",
    "noShow": "No-show",
    "photos": "Photos",
}
"""What fields are called. A field that is not here is called by its name in words."""

SILENT = {"standardStatus", "phoneE164", "phone_e164", "slug", "utm", "activities", "details", "noShow"}
"""Fields that follow from others, or say nothing to staff."""

PAGES = {
    "contactId": "contacts",
    "leadId": "leads",
    "propertyId": "properties",
    "mergedWith": "contacts",
    "mergedInto": "contacts",
}

LONG = 60
"""Values that are longer stand in paragraphs of their own."""


@dataclass(frozen=True)
class Words:
    """What the values of a *kind* of resource are shown with: the names of users and of others by id, the zone of
    times, and the reader."""

    kind: str
    names: Mapping[str, str]
    zone: ZoneInfo
    reader: Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A field's label, and its value before and after, in words; empty for nothing. ``page`` leads to what a reference
    names."""

    label: str
    before: str
    after: str
    page: str | None = None

    @property
    def long(self) -> bool:
        """Whether the two do not fit in one line."""
        return max(len(self.before), len(self.after)) > LONG


def changes_of(changes: Mapping[str, Any], words: Words) -> Iterator[Change]:
    """The changes of one event. Both parts of a name stand for the whole name, and values that say the same in words
    are no change."""
    silent = SILENT | ({"name"} if {"firstName", "lastName"} & changes.keys() else set())
    for name, change in changes.items():
        if name in silent:
            continue
        before, after = (in_words(name, change[side], words) for side in ("from", "to"))
        if before != after:
            yield Change(label_of(name), before, after, page_of(name, change["to"]))


def label_of(name: str) -> str:
    """``assignedToId`` → ``Assigned to``."""
    return LABELS.get(name) or "".join(f" {one.lower()}" if one.isupper() else one for one in name).capitalize()


def page_of(name: str, value: Any) -> str | None:
    """The page of what a reference names."""
    found = value[-1] if isinstance(value, list) and value and isinstance(value[-1], str) else value
    return f"/admin/{PAGES[name]}/{found}" if name in PAGES and isinstance(found, str) else None


def in_words(name: str, value: Any, words: Words) -> str:
    """A value, empty for none."""
    if value is None or value == "" or value == []:
        return ""
    special = SPECIAL.get(name)
    if special is not None:
        return special(value, words)
    match value:
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{label_of(key)} {inner}" for key, inner in value.items() if inner is not None)
        case str():
            return words.names.get(value, value)
        case Sequence():
            return ", ".join(in_words("", one, words) for one in value)
    return str(value)


def choice(value: Any, _: Words) -> str:
    """``chose_another_agent`` → ``Chose another agent``."""
    return str(value).replace("_", " ").capitalize()


def user(value: Any, words: Words) -> str:
    """A user's name."""
    return words.names.get(value, "a former user")


def reference(what: str) -> Callable[[Any, Words], str]:
    """What another resource is called, if its name is known."""
    return lambda value, words: words.names.get(value, what) if isinstance(value, str) else what


def price(value: Any, _: Words) -> str:
    """``$450,000``."""
    return price_shown(value) if isinstance(value, int | float) else str(value)


def moment(value: Any, words: Words) -> str:
    """A moment on the clock of the brokerage."""
    return shown_time(value, words.zone)


def photos(value: Any, _: Words) -> str:
    """What the photos show, in their order; of those that do not say so the end of their address."""
    return ", ".join(str(one["alt"] or one["url"].rpartition("/")[2] or one["url"]) for one in value)


def offer(value: Any, words: Words) -> str:
    """The group that a lead is offered to, its agents, and until when."""
    if not isinstance(value, Mapping):
        return str(value)
    agents = ", ".join(user(one, words) for one in value["agents"])
    return f"{value['group']} ({agents}), until {moment(value['until'], words)}"


SPECIAL: Mapping[str, Callable[[Any, Words], str]] = {
    "status": choice,
    "lostReason": choice,
    "type": choice,
    "propertyType": choice,
    "priority": choice,
    "assignedToId": user,
    "contactId": reference("a contact"),
    "leadId": reference("a lead"),
    "propertyId": reference("a property"),
    "mergedInto": reference("another contact"),
    "price": price,
    "photos": photos,
    "dueDate": moment,
    "startsAt": moment,
    "routing": lambda value, _: str(value["reason"]) if isinstance(value, Mapping) else str(value),
    "overdue": lambda value, _: str(value["reason"]) if isinstance(value, Mapping) else str(value),
    "offer": offer,
    "suspect": lambda value, _: "suspected spam" if value else "not spam",
    "otherPhones": lambda value, _: ", ".join(str(one["phone"]) for one in value),
}
"""How the values of some fields are said."""
