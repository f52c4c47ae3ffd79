"""What a resource declares of its pages (``leads.py``, ``contacts.py``, …). The pages are the same for all: the list
(``resource_list.py``), the form for a new one (``resource_new.py``), and the page of one (``resource_page.py``).
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from aureum.http.panel.fields import Field
from aureum.http.panel.history_words import Entry
from aureum.http.panel.page import Answering
from aureum.http.panel.visit import ApiAnswer, Doc, Visit

LENGTH = 50

Reading = Callable[[Visit], Awaitable[ApiAnswer]]
Writing = Callable[[Visit, Mapping[str, Any]], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Column:
    """A value that a list shows, the first one as a link. ``kind`` as of a field, or ``badge``."""

    name: str
    label: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Action:
    """A button: POST to what stands below the resource in the API, while *when* holds."""

    name: str
    label: str
    done: str
    when: Callable[[Doc], bool] = lambda _: True
    first: Callable[[Visit], Awaitable[Response]] | None = None
    """The page that a user sees first if contacts may be the same person."""
    undoable: bool = False
    """Whether the page offers to undo it."""


@dataclass(frozen=True, slots=True)
class PageLink:
    """Another page about a resource: ``query`` names a field there, and the one here that it is filled with."""

    label: str
    path: str
    query: Mapping[str, str]


@dataclass(frozen=True)
class Resource:
    """``path`` is the panel's, ``api`` the API's. ``numbered``: its list comes in numbered pages."""

    path: str
    api: str
    one: str
    many: str
    title: Callable[[Doc], str]
    columns: Sequence[Column]
    filters: Sequence[Field]
    new: Sequence[Field]
    change: Sequence[Field]
    actions: Sequence[Action] = ()
    links: Sequence[PageLink] = ()
    history: bool = False
    """Whether its page shows its history, in words."""
    activities: bool = False
    """Whether notes, calls, mails and visits are logged on it."""
    asks: Callable[[Doc], str | None] = lambda _: None
    """A note on its page about something useful that is missing."""
    view: Answering | None = None
    """What its address shows first, where that is not the list, which ``?view=list`` shows."""
    numbered: bool = False
    named: bool = False
    """Whether its endpoints are told the brokerage by platform admins."""
    read: Reading | None = None
    """What its page shows, and the ETag, where that is not what ``api`` says of it."""
    write: Writing | None = None
    """How it is changed, where not by PATCH of the same; gives the ETag afterwards."""
    make: Writing | None = None
    """How it is made, where not by POST to ``api``; gives its id."""
    facts: Sequence[Column] = ()
    """What the page shows that cannot be changed."""
    same: Callable[[Visit, Doc], Awaitable[Mapping[str, Any]]] | None = None
    """Its duplicates and merges."""
    like_new: Callable[[Visit, Doc], Awaitable[Sequence[Any]]] | None = None
    """The duplicates of a resource that is about to be created. The form is shown again with them."""
    chips: str = ""
    """The filter, a choice, that stands above the list as chips."""
    template: str = "resource.html"
    list_template: str = "resources.html"
    beside: Callable[[Visit, Doc], Awaitable[Any]] | None = None
    """What its page shows of other resources: the template's ``beside``."""
    acts: Callable[[Any], Iterable[Entry]] | None = None
    """What of ``beside`` stands in its timeline, among the activities."""
    beside_list: Callable[[Visit, Sequence[Doc]], Awaitable[Any]] | None = None
    """The same of a page of the list."""
    also: tuple[str, str, Writing] | None = None
    """A second button of the form for a new one: its name, its label, and what it does with what was made. Gives the
    ``done`` that the page says then."""
    told: Mapping[str, str] = field(default_factory=dict)
    """What its page says when another page has done something and led here, by the ``done`` of the query."""


async def staff(resource: Resource, visit: Visit) -> dict[str, str]:
    """The names of the brokerage's staff by id, where the pages show any."""
    named = resource.activities or any(field.kind == "user" for field in resource.change)
    if visit.acting is None or not named:
        return {}
    return {user["id"]: user["name"] for user in (await visit.ask("GET", "/api/users")).body}


def changed(resource: Resource) -> str:
    """What is said after a form was saved."""
    return f"The {resource.one} was saved."
