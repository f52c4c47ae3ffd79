"""Where staff can go, as the menu shows it: a sidebar on wide screens, a bar at the bottom on phones.

One line here is one entry of the menu, and one of the pages that the search finds. A role sees what it may open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Group = Literal["work", "people", "settings", "platform"]

EVERYONE = ("agent", "broker", "brokerage_owner", "platform_admin")
OFFICE = ("broker", "brokerage_owner", "platform_admin")
OWNERS = ("brokerage_owner", "platform_admin")
ADMINS = ("platform_admin",)


@dataclass(frozen=True, slots=True)
class Place:
    """A page, the name of its icon, and the roles that may open it. ``inner``: it belongs to the entry above it."""

    group: Group
    path: str
    label: str
    icon: str
    roles: Sequence[str] = EVERYONE
    inner: bool = False


PLACES: tuple[Place, ...] = (
    # The bar at the bottom of a phone shows these four, and the rest under More.
    Place("work", "/admin", "Today", "sun"),
    Place("work", "/admin/leads", "Leads", "inbox-arrow-down"),
    Place("work", "/admin/showings", "Showings", "calendar-days"),
    Place("work", "/admin/tasks", "Tasks", "check-circle"),
    Place("people", "/admin/pond", "Pond", "hand-raised"),
    Place("people", "/admin/contacts", "Contacts", "users"),
    Place("people", "/admin/contacts/duplicates", "Duplicates", "document-duplicate", inner=True),
    Place("people", "/admin/envelopes", "Documents", "document-text"),
    Place("people", "/admin/newsletter", "Newsletter", "newspaper", OFFICE),
    Place("people", "/admin/properties", "Properties", "home-modern"),
    Place("people", "/admin/reports", "Reports", "chart-bar"),
    Place("people", "/admin/imports", "Imports", "arrow-up-tray", OFFICE),
    Place("settings", "/admin/settings", "Settings", "cog-6-tooth", OWNERS),
    Place("settings", "/admin/users", "Users", "user-plus", OWNERS),
    Place("settings", "/admin/agents", "Agents", "identification", OFFICE),
    Place("settings", "/admin/routing", "Routing", "arrows-right-left", OFFICE),
    Place("settings", "/admin/settings/api-keys", "API keys", "key", OWNERS),
    Place("settings", "/admin/webhooks", "Webhooks", "bolt", OWNERS),
    Place("settings", "/admin/mail", "Mail", "envelope", OFFICE),
    Place("platform", "/admin/brokerages", "Brokerages", "building-office-2", ADMINS),
    Place("platform", "/admin/platform", "Platform", "server-stack", ADMINS),
)

COMMANDS: tuple[Place, ...] = (
    Place("work", "/admin/leads/new", "New lead", "plus"),
    Place("work", "/admin/tasks/new", "New task", "plus"),
    Place("work", "/admin/showings/new", "New showing", "plus"),
    Place("people", "/admin/contacts/new", "New contact", "plus"),
    Place("people", "/admin/properties/new", "New property", "plus"),
    Place("people", "/admin/envelopes/new", "Send documents to sign", "plus"),
    Place("settings", "/admin/users/new", "Invite a user", "plus", OWNERS),
    Place("settings", "/admin/account", "Your account and password", "user-circle"),
    Place("platform", "/admin/brokerages/new", "New brokerage", "plus", ADMINS),
)
"""What the search offers besides the entries of the menu."""

TITLES: dict[Group, str] = {"settings": "Settings", "platform": "Platform"}
"""Groups that say what they are."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in the menu of a page. ``current``: ``page`` if it is that page, ``true`` if that page belongs to it."""

    place: Place
    current: Literal["page", "true"] | None


@dataclass(frozen=True, slots=True)
class Part:
    """A group of the menu as a role sees it."""

    group: Group
    title: str | None
    entries: Sequence[Entry]


def menu(role: str | None, path: str, declared: Sequence[Place] = ()) -> list[Part]:
    """The menu for a *role* on the page at *path*, without groups that would be empty. *declared* are the lists of
    resources that have no line of their own here."""
    here = place_of(path, declared)
    parts: dict[Group, list[Entry]] = {}
    for place in [*places(role), *declared]:
        current: Literal["page", "true"] | None = None
        if place == here:
            current = "page" if place.path == path else "true"
        parts.setdefault(place.group, []).append(Entry(place, current))
    return [Part(group, TITLES.get(group), entries) for group, entries in parts.items()]


def places(role: str | None) -> list[Place]:
    """Where a *role* can go."""
    return [place for place in PLACES if role in place.roles]


def place_of(path: str, declared: Sequence[Place] = ()) -> Place | None:
    """The place that a page belongs to: the one whose path begins the page's for longest. Today has only itself."""
    found = [place for place in (*PLACES, *declared) if path == place.path or path.startswith(f"{place.path}/")]
    found = [place for place in found if place.path != "/admin" or path == "/admin"]
    return max(found, key=lambda place: len(place.path), default=None)
