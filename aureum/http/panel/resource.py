"""The pages of one kind of resource: its list, a form for a new one, and one of them with a form that changes it.

Each resource declares what they show (``leads.py``, ``contacts.py``, …); what is here is the same for all.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import Invalid, NotFound
from aureum.http.panel.acting import BROKERAGE, chosen, keep, named
from aureum.http.panel.activity_words import OFFERED, TYPED
from aureum.http.panel.fields import Field, all_typed, as_typed, changes, made
from aureum.http.panel.history_words import history_shown
from aureum.http.panel.page import REFUSALS, Answering, Page, page, refusal, seen
from aureum.http.panel.picking import picked, with_names
from aureum.http.panel.statuses import status_of
from aureum.http.panel.undoing import PARTLY, UNDONE, to_undo, undo_offered, undoable
from aureum.http.panel.visit import ApiAnswer, Visit
from aureum.http.wire.errors import HttpError

LENGTH = 50

ACTIVITIES = {
    "logged": "It was logged.",
    "corrected": "The correction was saved.",
    "removed": "It was removed from the timeline.",
}
"""The messages after an activity was logged, corrected or removed."""

CHOOSE_IN_FORM = "Choose a brokerage."

Doc = Mapping[str, Any]
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
    beside_list: Callable[[Visit, Sequence[Doc]], Awaitable[Any]] | None = None
    """The same of a page of the list."""
    told: Mapping[str, str] = field(default_factory=dict)
    """What its page says when another page has done something and led here, by the ``done`` of the query."""


async def staff(resource: Resource, visit: Visit) -> dict[str, str]:
    """The names of the brokerage's staff by id, where the pages show any."""
    named = resource.activities or any(field.kind == "user" for field in resource.change)
    if visit.acting is None or not named:
        return {}
    return {user["id"]: user["name"] for user in (await visit.ask("GET", "/api/users")).body}


async def show_list(resource: Resource, visit: Visit) -> Response:
    """The newest that the filters let through, a page at a time."""
    query = visit.request.query_params
    if resource.view is not None and query.get("view") != "list":
        return await resource.view(visit)
    chosen = {one.name: query.get(one.name, "") for one in resource.filters}
    part = {"page": query.get("page", ""), "page_size": LENGTH} if resource.numbered else {"limit": LENGTH}
    part |= named(visit) if resource.named else {}
    answer = await visit.ask("GET", resource.api, query=chosen | {"cursor": query.get("cursor", "")} | part)
    docs, more = answer.body, answer.more
    if resource.numbered:
        docs = answer.body["items"]
        number = answer.body["page"]
        more = chosen | {"page": str(number + 1)} if number < answer.body["total_pages"] else None
    shown = {
        "resource": resource,
        "docs": docs,
        "chosen": chosen,
        "older": None if more is None else urlencode({**more, **({} if resource.view is None else {"view": "list"})}),
        "users": await staff(resource, visit),
        "chips": chips_of(resource, chosen),
        "chip": listed(resource, chosen),
        "beside": None if resource.beside_list is None else await resource.beside_list(visit, docs),
        "done": changed(resource) if query.get("done") == "changed" else None,
    }
    return await page(visit, resource.list_template, **shown)


def chips_of(resource: Resource, chosen: Mapping[str, str]) -> list[tuple[str, str, None]]:
    """The values of the filter that stands as chips: the address of the list with each, and the word for it."""
    (values,) = [one.choices for one in resource.filters if one.name == resource.chips] or [()]
    return [
        (listed(resource, {**chosen, resource.chips: value}), word(resource, value), None)
        for value in (("", *values) if values else ())
    ]


def listed(resource: Resource, chosen: Mapping[str, str]) -> str:
    """The address of the list with filters, those that are *chosen*."""
    given = {name: text for name, text in chosen.items() if text}
    return f"{resource.path}?{urlencode(given)}" if given else resource.path


def word(resource: Resource, value: str) -> str:
    """A chip's word."""
    return status_of(resource.one if resource.chips == "status" else "", value).word if value else "All"


def changed(resource: Resource) -> str:
    """What is said after a form was saved."""
    return f"The {resource.one} was saved."


async def show_new(resource: Resource, visit: Visit) -> Response:
    """The empty form, or with what the address says already: a task about this lead."""
    query = visit.request.query_params
    fields = fields_of_new(resource, visit)
    return await new_form(resource, visit, {one.name: query.get(one.name, one.default) for one in fields})


def fields_of_new(resource: Resource, visit: Visit) -> Sequence[Field]:
    """Those of the form for a new one: only platform admins choose a brokerage."""
    return [one for one in resource.new if one.kind != "brokerage" or visit.role == "platform_admin"]


async def new_form(
    resource: Resource,
    visit: Visit,
    values: Mapping[str, str],
    problem: str | None = None,
    found: Sequence[Any] = (),
) -> Response:
    """The form with its default values, and the duplicates that were *found* for what was typed. A user who may not see
    the list does not see the form either."""
    fields = fields_of_new(resource, visit)
    if BROKERAGE in fields:
        # Whom it can be assigned to depends on the brokerage that is chosen in the form.
        visit = await chosen(visit, values[BROKERAGE.name])
        values = {**values, BROKERAGE.name: str(visit.acting["id"]) if visit.acting else ""}
    if visit.acting is not None or BROKERAGE not in fields:
        await visit.ask("GET", resource.api, query={"page_size" if resource.numbered else "limit": 1})
    users = await staff(resource, visit)
    values = await with_names(visit, fields, values, users, new=True)
    shown = {"resource": resource, "fields": fields, "values": values, "users": users}
    return await page(visit, "resource_new.html", 400 if problem else 200, problem=problem, found=found, **shown)


async def create(resource: Resource, visit: Visit) -> Response:
    """On to the page of what was made. Sent twice, the same form makes one."""
    fields = fields_of_new(resource, visit)
    there = await chosen(visit, visit.form[BROKERAGE.name]) if BROKERAGE in fields else visit
    if BROKERAGE in fields and visit.form["again"]:
        # The agents of another brokerage: the form again, as far as it is typed.
        return await new_form(resource, visit, as_typed(fields, visit.form))
    try:
        if BROKERAGE in fields and str(there.acting and there.acting["id"]) != visit.form[BROKERAGE.name]:
            raise Invalid(BROKERAGE.name, CHOOSE_IN_FORM)
        there = await picked(there, fields)
        body = made(fields, there.form, there.zone)
        if resource.make is None:
            unless = {} if resource.like_new is None else unless_similar(visit)
            new_id = (await there.ask("POST", resource.api, query=unless, body=body)).body["id"]
        else:
            new_id = await resource.make(there, body)
    except REFUSALS as error:
        typed = as_typed(fields, visit.form)
        if resource.like_new is not None and is_similar(error):
            return await new_form(resource, visit, typed, found=await resource.like_new(there, body))
        return await new_form(resource, visit, typed, refusal(error))
    response = RedirectResponse(f"{resource.path}/{new_id}?done=created", 303)
    if there.acting != visit.acting:
        keep(there, response)
    return response


def unless_similar(visit: Visit) -> dict[str, str]:
    """The query with which the API creates no contact that may be a duplicate, until the user has seen the others."""
    return {} if visit.form["anyway"] == "yes" else {"unlessSimilar": "true"}


def is_similar(error: Exception) -> bool:
    """Whether nothing was created because of similar contacts."""
    return isinstance(error, HttpError) and error.code == "similar_contacts"


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
    same = None if resource.same is None else await resource.same(visit, answer.body)
    users = await staff(resource, visit) | ({} if same is None else same["names"])
    history = None
    if resource.history:
        history = await history_shown(visit, resource.api, resource.one, users, visit.zone)
    activities = None
    # A page without a history of its own kind has the activities in its timeline already.
    if resource.activities and resource.history:
        query = {"limit": LENGTH, "cursor": visit.request.query_params.get("activities", "")}
        activities = await visit.ask("GET", resource.api + "/{id}/activities", id=visit.id(), query=query)
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
        beside=None if resource.beside is None else await resource.beside(visit, answer.body),
        activities=activities,
        offered=OFFERED,
        logging=logging or dict.fromkeys(TYPED, ""),
        asks=resource.asks(answer.body),
        same=same,
        problem=problem,
        done=done.get(about),
        offer=undo_offered(visit, resource.api),
    )


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
