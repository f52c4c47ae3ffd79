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
    "takes_leads": "Receives leads from forms",
    "totp": "Two-step login",
    "recovery_codes": "Recovery codes left",
    "primary": "Primary agent",
    "notify": "Mails about leads and showings",
    "time_zone": "Time zone",
    "public_lead_count": "Public count of leads",
    "confirmations": "Confirm forms by mail",
    "reply_to": "Replies go to",
    "color": "Button color",
    "url": "URL",
    "secret": "Signing secret",
    "rateLimit": "Maximum deliveries per second",
    "source_domain": "Site of the form",
    "rate_limit": "Requests per minute",
    "expires_at": "Expires",
    "disabledReason": "Disabled because",
    "answer_within_minutes": "Answer within, in minutes",
    "learn_from_reassignments": "Learn from leads that staff reassigned",
    "least_busy": "Prefer the agent with the fewest leads today",
    "masked_words": "Ignored words",
}
"""What fields are called. A field that is not here is called by its name in words."""

SILENT = {"standardStatus", "phoneE164", "phone_e164", "slug", "utm", "activities", "details", "noShow", "removed"}
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
    """``assignedToId`` → ``Assigned to``, ``away_from`` → ``Away from``."""
    if name in LABELS:
        return LABELS[name]
    return "".join(f" {one.lower()}" if one.isupper() else one for one in name.replace("_", " ")).capitalize()


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
            said = {key: in_words("", inner, words) for key, inner in value.items()}
            return ", ".join(f"{label_of(key)} {inner}" for key, inner in said.items() if inner)
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


def agent(number: Any, words: Words) -> str:
    """An agent's name, by the number."""
    return words.names.get(str(number), "a former agent")


def groups(value: Any, words: Words) -> str:
    """``Buyers: Ana, Ben; Sellers: none``."""
    return "; ".join(
        f"{name}: {', '.join(agent(number, words) for number in members) or 'none'}" for name, members in value.items()
    )


def rules(value: Any, words: Words) -> str:
    """``If subject has sell: Sellers; otherwise: Ana``."""
    return "; ".join(rule(one, words) for one in value)


def rule(value: Mapping[str, Any], words: Words) -> str:
    """One of them."""
    to = value["to"]
    target = to["group"] if "group" in to else agent(to["agent"], words)
    asked = in_words("", value["when"] or {}, words)
    return f"If {uncapitalised(asked)}: {target}" if asked else f"otherwise: {target}"


def uncapitalised(label: str) -> str:
    """``First name`` → ``first name``; ``MLS`` stays."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


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
    "role": choice,
    "mode": choice,
    "fallback": choice,
    "notify": choice,
    "invited_until": moment,
    "expires_at": moment,
    "groups": groups,
    "rules": rules,
    "otherPhones": lambda value, _: ", ".join(str(one["phone"]) for one in value),
}
"""How the values of some fields are said."""
