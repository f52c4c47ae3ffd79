"""The page of one of a resource: what it shows, the form that changes it, and its buttons."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import NotFound
from aureum.http.panel.activity_words import OFFERED, TYPED
from aureum.http.panel.fields import Field, all_typed, as_typed, changes
from aureum.http.panel.history_words import Entry, history_shown
from aureum.http.panel.notices import notices
from aureum.http.panel.page import REFUSALS, Page, page, refusal, seen
from aureum.http.panel.picking import picked, with_names
from aureum.http.panel.resource import LENGTH, Action, Resource, changed, staff
from aureum.http.panel.resource_list import show_list
from aureum.http.panel.resource_new import create, is_similar, show_new, unless_similar
from aureum.http.panel.undoing import PARTLY, UNDONE, to_undo, undo_offered, undoable
from aureum.http.panel.visit import ApiAnswer, Doc, Visit
from aureum.http.wire.errors import HttpError

ACTIVITIES = {
    "logged": "It was logged.",
    "corrected": "The correction was saved.",
    "removed": "It was removed from the timeline.",
}
"""The messages after an activity was logged, corrected or removed."""


async def show_one(resource: Resource, visit: Visit) -> Response:
    """The resource, its form, and what can be done with it."""
    return await one_form(resource, visit)


async def one_form(
    resource: Resource,
    visit: Visit,
    typed: Mapping[str, str] | None = None,
    problem: str | None = None,
    etag: str | None = None,
    logging: Mapping[str, str] | None = None,
) -> Response:
    """The same; of a form that was refused with what was *typed*, why, and the *etag* of what it was typed into.
    *logging* is what was typed into the form that logs an activity."""
    answer = await seen_now(resource, visit)
    if visit.request.method != "POST" and str(answer.body["id"]) != visit.id():
        # It was merged into the one that answers for it.
        return RedirectResponse(f"{resource.path}/{answer.body['id']}", 303)
    # None of them needs what another says.
    same, users, beside, _ = await asyncio.gather(
        nothing() if resource.same is None else resource.same(visit, answer.body),
        staff(resource, visit),
        nothing() if resource.beside is None else resource.beside(visit, answer.body),
        notices(visit),  # which the page asks for at its end
    )
    users |= {} if same is None else same["names"]
    history = None
    if resource.history:
        history = await history_shown(visit, resource.api + "/{id}/history", resource.one, users, id=visit.id())
    activities = None
    # A page without a history of its own kind has the activities in its timeline already.
    if resource.activities and resource.history:
        query = {"limit": LENGTH, "cursor": visit.request.query_params.get("activities", "")}
        activities = await visit.ask("GET", resource.api + "/{id}/activities", id=visit.id(), query=query)
    acts: Sequence[Entry] = ()
    if resource.acts is not None and activities is not None:
        acts = beside_page(resource.acts(beside), activities, visit.request.query_params.get("until", ""))
    done = {"created": f"The {resource.one} was created.", "changed": changed(resource)}
    done |= {action.name: action.done for action in resource.actions}
    done |= resource.told
    done |= ACTIVITIES if resource.activities else {}
    done |= {"undone": UNDONE, "partly": PARTLY}
    about = visit.request.query_params.get("done", "") if visit.request.method == "GET" else ""
    values = typed or all_typed(resource.change, answer.body, visit.zone)
    return await page(
        visit,
        resource.template,
        400 if problem else 200,
        resource=resource,
        actions=[action for action in resource.actions if action.when(answer.body)],
        doc=answer.body,
        etag=answer.etag if etag is None else etag,
        values=await with_names(visit, resource.change, values, users),
        users=users,
        history=history,
        beside=beside,
        activities=activities,
        acts=acts,
        offered=OFFERED,
        logging=logging or dict.fromkeys(TYPED, ""),
        asks=resource.asks(answer.body),
        same=same,
        problem=problem,
        done=done.get(about),
        offer=undo_offered(visit, resource.api),
    )


def beside_page(acts: Iterable[Entry], activities: ApiAnswer, until: str) -> list[Entry]:
    """Those of *acts* that belong beside this page of the timeline: older than *until*, where the page before ended,
    and not older than its own last activity, if another page follows."""
    since = activities.body[-1]["at"] if activities.more is not None else ""
    return [one for one in acts if since <= one.at and (not until or one.at < until)]


async def nothing() -> None:
    """The page shows none of this."""


async def seen_now(resource: Resource, visit: Visit) -> ApiAnswer:
    """What the page of one of them shows."""
    if resource.read is not None:
        return await resource.read(visit)
    return await visit.ask("GET", resource.api + "/{id}", id=visit.id())


async def save(visit: Visit, path: str, id: str, fields: Sequence[Field]) -> str:
    """Set what was typed into *fields* other than it is. What holds already, as when a form was sent twice, asks for
    nothing. Where to go back to is told by what this gives: the end of an address, by which the page offers to undo it.
    Raises ``REFUSALS``."""
    now = await visit.ask("GET", path, id=id)
    body = typed_anew(visit, fields, now.body)
    if not body:
        return ""
    saved = await visit.ask("PATCH", path, id=id, body=body, if_match=visit.form["etag"])
    return to_undo(now.etag, saved.etag)


def typed_anew(visit: Visit, fields: Sequence[Field], now: Doc) -> dict[str, Any]:
    """What was typed other than it is *now*."""
    return changes(fields, visit.form, all_typed(fields, now, visit.zone), visit.zone)


async def change(resource: Resource, visit: Visit) -> Response:
    """The changed fields, unless another request has changed them since the form was shown."""
    try:
        visit = await picked(visit, resource.change)
        undo = ""
        if resource.write is None:
            undo = await save(visit, resource.api + "/{id}", visit.id(), resource.change)
        else:
            now = await seen_now(resource, visit)
            if body := typed_anew(visit, resource.change, now.body):
                undo = to_undo(now.etag, await resource.write(visit, body))
    except REFUSALS as error:
        typed = as_typed(resource.change, visit.form)
        return await one_form(resource, visit, typed, refusal(error), seen(visit, error))
    try:
        await visit.ask("GET", resource.api + "/{id}", id=visit.id())
    except NotFound:
        # An agent has assigned it to another user.
        return RedirectResponse(f"{resource.path}?done=changed", 303)
    return RedirectResponse(f"{resource.path}/{visit.id()}?done=changed{undo if undoable(resource.api) else ''}", 303)


async def act(resource: Resource, action: Action, visit: Visit) -> Response:
    """Ask the API for the button's action, unless the user has to look at duplicates first."""
    unless = {} if action.first is None else unless_similar(visit)
    now = await visit.ask("GET", resource.api + "/{id}", id=visit.id())
    try:
        acted = await visit.ask("POST", f"{resource.api}/{{id}}/{action.name}", id=visit.id(), query=unless)
    except HttpError as error:
        if action.first is None or not is_similar(error):
            raise
        return await action.first(visit)
    undo = to_undo(now.etag, acted.etag) if action.undoable else ""
    return RedirectResponse(f"{resource.path}/{visit.id()}?done={action.name}{undo}", 303)


def pages_of(resource: Resource) -> tuple[Page, ...]:
    """All of them."""
    one = resource.path + "/{id}"
    new = Page(resource.path + "/new", partial(show_new, resource), partial(create, resource))
    return (
        Page(resource.path, partial(show_list, resource)),
        *((new,) if resource.new else ()),
        Page(one, partial(show_one, resource), partial(change, resource)),
        *(Page(f"{one}/{action.name}", act=partial(act, resource, action)) for action in resource.actions),
    )
