"""Settings → Undo: what a user or an API key did between two moments is shown with what would go back, and then undone.
For owners; all of it is the API's, fifty records a step."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from aureum.domain.errors import NotFound
from aureum.http.panel.acting import named
from aureum.http.panel.change_words import label_of, uncapitalised
from aureum.http.panel.contacts import CONTACTS
from aureum.http.panel.leads import LEADS
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.properties import PROPERTIES
from aureum.http.panel.resource import Resource
from aureum.http.panel.showings import SHOWINGS
from aureum.http.panel.tasks import TASKS
from aureum.http.panel.times import sent_time
from aureum.http.panel.visit import Visit, new_once

HERE = "/admin/settings/undo"
API = "/api/v1/admin/undo"
USERS = "/api/v1/admin/users"
KEYS = "/api/v1/admin/api-keys"

PART, MOST_PARTS = 100, 10
"""Users and keys that can be chosen: the first thousand of each."""

KINDS: Mapping[str, Resource] = {
    "lead": LEADS,
    "contact": CONTACTS,
    "property": PROPERTIES,
    "task": TASKS,
    "showing": SHOWINGS,
}
OTHER = "A user, a key or a setting"
GONE = "An erased person"
REMOVED = "A removed property"

CHOOSE = "Choose a user or an API key."

Asked = Mapping[str, str]
"""What the form says: ``of`` is ``user-12`` or ``key-c…``; ``from`` and ``to`` as they were typed; ``after``."""


def asked_in_query(visit: Visit) -> Asked:
    """What the page's address says. The pages of a user and of the keys name just one of them."""
    said = visit.request.query_params
    asked = {name: said.get(name, "") for name in ("of", "from", "to", "after")}
    for kind in ("user", "key"):
        if said.get(kind):
            asked["of"] = f"{kind}-{said[kind]}"
    return asked


def body_of(visit: Visit, asked: Asked) -> dict[str, Any]:
    """The same as the API takes it."""
    kind, _, one = asked["of"].partition("-")
    return {
        "user_id": number_in(one) if kind == "user" else None,
        "key_id": one if kind == "key" else None,
        "from": sent_time(asked["from"], visit.zone),
        "to": sent_time(asked["to"], visit.zone),
        "after": number_in(asked["after"] or "0"),
        **named(visit),
    }


def number_in(text: str) -> int | str:
    """A whole number; other words as they are, for the API to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text


async def all_of(visit: Visit, path: str) -> list[Mapping[str, Any]]:
    """The users, or the keys."""
    found: list[Mapping[str, Any]] = []
    for number in range(1, MOST_PARTS + 1):
        part = (await visit.ask("GET", path, query={"page_size": PART, "page": number} | named(visit))).body
        found += part["items"]
        if number >= part["total_pages"]:
            break
    return found


async def choices(visit: Visit) -> list[tuple[str, str]]:
    """Whose changes can be undone: the values of the form, and the names."""
    users, keys = await all_of(visit, USERS), await all_of(visit, KEYS)
    return [(f"user-{user['id']}", user["name"]) for user in users] + [
        (f"key-{key['id']}", f"API key “{key['name']}”") for key in keys
    ]


async def record_shown(visit: Visit, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record by its name, with its page, and its fields in words."""
    kind = KINDS.get(record["type"])
    shown = {
        "name": OTHER,
        "page": None,
        "kind": "" if kind is None else kind.one,
        "undone": in_words(record["undone"]),
        "left": in_words(record["left"]),
        "why": record["why"] or "",
    }
    if kind is None:
        return shown
    try:
        doc = (await visit.ask("GET", kind.api + "/{id}", id=record["id"])).body
    except NotFound:
        return shown | {"name": REMOVED if kind is PROPERTIES else GONE}
    return shown | {"name": kind.title(doc), "page": f"{kind.path}/{record['id']}"}


def in_words(fields: Sequence[str]) -> str:
    """``["firstName", "status"]`` → ``first name, status``."""
    return ", ".join(uncapitalised(label_of(name)) for name in fields)


async def shown(
    visit: Visit, asked: Asked, found: Mapping[str, Any] | None = None, *, done: bool = False, problem: str = ""
) -> Response:
    """The form, and below it what would go back, or what went back."""
    offered = await choices(visit)
    names = dict(offered)
    records = [] if found is None else await asyncio.gather(*(record_shown(visit, one) for one in found["records"]))
    more = None
    if found is not None and found["next"] is not None:
        more = f"{HERE}?{urlencode({**asked, 'after': found['next']})}"
    return await page(
        visit,
        "undo_all.html",
        400 if problem else 200,
        here=HERE,
        choices=offered,
        asked=asked,
        who=names.get(asked["of"], ""),
        found=found,
        records=records,
        more=more,
        done=done,
        problem=problem,
        once=new_once(),
    )


async def show(visit: Visit) -> Response:
    """The form; with what would go back, once it has been sent."""
    asked = asked_in_query(visit)
    if "from" not in visit.request.query_params:
        return await shown(visit, asked)
    if not asked["of"]:
        return await shown(visit, asked, problem=CHOOSE)
    try:
        found = (await visit.ask("POST", API, body=body_of(visit, asked) | {"dry_run": True})).body
    except REFUSALS as error:
        return await shown(visit, asked, problem=refusal(error))
    return await shown(visit, asked, found)


async def act(visit: Visit) -> Response:
    """Undo what was shown."""
    asked = {name: visit.form[name] for name in ("of", "from", "to", "after")}
    try:
        found = (await visit.ask("POST", API, body=body_of(visit, asked))).body
    except REFUSALS as error:
        return await shown(visit, asked, problem=refusal(error))
    return await shown(visit, asked, found, done=True)


PAGES = (Page(HERE, show, act),)
