"""One search over everything: people, listings, tasks and showings, and the pages and commands of the panel.

The page answers without script. With it, Ctrl-K and ``/`` open a dialog that shows the same results (``find.js``).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.responses import Response

from aureum.http.panel.acting import named
from aureum.http.panel.navigation import COMMANDS, places
from aureum.http.panel.page import Page, page
from aureum.http.panel.visit import Visit

API = "/api/v1/admin/search"

KINDS = {
    "lead": ("Leads", "/admin/leads", "inbox-arrow-down"),
    "contact": ("Contacts", "/admin/contacts", "user"),
    "property": ("Properties", "/admin/properties", "home-modern"),
    "task": ("Tasks", "/admin/tasks", "check-circle"),
    "showing": ("Showings", "/admin/showings", "calendar-days"),
}
"""What a group of results is called, where its pages are, and its icon."""


class Result(NamedTuple):
    """Something to go on to."""

    path: str
    name: str
    icon: str
    detail: str = ""
    kind: str = ""
    status: str | None = None
    at: str | None = None


Group = tuple[str, Sequence[Result]]
"""What a group of results is called, and the results."""


async def show_search(visit: Visit) -> Response:
    """What the words find; without words, all pages and commands."""
    words = visit.request.query_params.get("q", "").strip()
    groups: list[Group] = []
    if words and visit.acting is not None:
        answer = await visit.ask("GET", API, query={"q": words} | named(visit))
        groups = by_kind(answer.body["items"])
    groups += commands(visit.role, words)
    return await page(visit, "search.html", words=words, groups=groups)


def by_kind(items: Sequence[Mapping[str, Any]]) -> list[Group]:
    """What the API found, in groups."""
    groups: list[Group] = []
    for kind, (title, path, icon) in KINDS.items():
        found = [
            Result(
                f"{path}/{item['id']}", item["name"] or title, icon, item["detail"], kind, item["status"], item["at"]
            )
            for item in items
            if item["kind"] == kind
        ]
        if found:
            groups.append((title, found))
    return groups


def commands(role: str | None, words: str) -> list[Group]:
    """The commands and pages in whose names each of the words begins one."""
    wanted = words.casefold().split()
    groups: list[Group] = []
    for title, offered in (("Commands", COMMANDS), ("Pages", places(role))):
        found = [
            Result(one.path, one.label, one.icon)
            for one in offered
            if role in one.roles and all(f" {word}" in f" {one.label.casefold()}" for word in wanted)
        ]
        if found:
            groups.append((title, found))
    return groups


PAGES = (Page("/admin/search", show_search),)
