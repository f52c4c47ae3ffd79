"""Fields that name a lead, contact, property or user: staff type a name, and never see an id.

Where other words were typed than those that the id stands for (``picks.py``), they are looked up: one exact match is
taken at once, and of several the form comes back with a choice. So the field works without script; ``picker.js``
suggests names while they are typed, and fills in what the field sends.

Everything is asked of the API as the reader of the page, so a picker shows only what the reader may see.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from aureum.domain.errors import Invalid, NotFound
from aureum.http.panel.fields import PICKED, Field
from aureum.http.panel.page import Page
from aureum.http.panel.picks import CALLED, Match, Pick, is_exact, is_open, on_one_line, typed
from aureum.http.panel.rendering import rendered
from aureum.http.panel.visit import Visit
from aureum.http.wire.page_forms import Form
from aureum.projections.search import fold

HERE = "/admin/pick"
NO_KIND = "There is nothing to choose here."

SUGGESTED = 8
"""Names that are suggested while one is typed."""

LOOKED_AT = 20
"""Names among which an exact one is looked for, and that are offered if there is none."""

LONG_LIST = 12
"""Users that a plain list of choices shows."""

LONGEST = 200
"""Characters that a search takes."""

UNSEEN = "one that you cannot see"
FORMER = "a former user"


def person(kind: str, one: Mapping[str, Any]) -> Match:
    """A lead or contact. One without a name goes by its address or phone."""
    given = [one["email"], one["phone"]]
    name = on_one_line(f"{one['firstName']} {one['lastName']}") or next(filter(None, given), f"A {kind} without a name")
    return Match(one["id"], name, ", ".join(filter(None, given)), tuple(filter(None, given)))


def property_of(one: Mapping[str, Any]) -> Match:
    """A property, told from others by its address."""
    place = on_one_line(f"{one['address']}, {one['city']}")
    also = tuple(filter(None, (one["mlsId"], one["address"])))
    return Match(one["id"], on_one_line(one["title"]), place, also)


Reading = Callable[[Mapping[str, Any]], Match]

LISTS: Mapping[str, tuple[str, Reading]] = {
    "lead": ("/api/leads", lambda one: person("lead", one)),
    "contact": ("/api/contacts", lambda one: person("contact", one)),
    "property": ("/api/properties", property_of),
}
"""The lists that kinds are looked up in, and how one of them is named."""


async def matching(visit: Visit, kind: str, words: str, most: int) -> list[Match]:
    """The newest whose names, addresses or phones have these *words*; without words the newest of all."""
    words = "".join(letter for letter in on_one_line(words) if letter.isprintable())[:LONGEST]
    if kind == "user":
        return [one for one in await users(visit) if fold(words) in fold(one.name)][:most]
    if kind == "person":
        leads, contacts = await matching(visit, "lead", words, most), await matching(visit, "contact", words, most)
        found = [replace(one, id=f"contact/{one.id}", about=f"contact, {one.about}") for one in contacts]
        found += [replace(one, id=f"lead/{one.id}", about=f"lead, {one.about}") for one in leads]
        return found[:most]
    path, match = LISTS[kind]
    return [match(one) for one in (await visit.ask("GET", path, query={"search": words, "limit": most})).body]


async def users(visit: Visit) -> list[Match]:
    """The staff to whom something can be assigned."""
    found = (await visit.ask("GET", "/api/users")).body
    return [Match(one["id"], on_one_line(one["name"]), one["role"].replace("_", " ")) for one in found]


async def name_of(visit: Visit, kind: str, wanted: str) -> str | None:
    """The name of the one with this id; None if there is none that the reader may see."""
    if kind == "user":
        return next((one.name for one in await users(visit) if one.id == wanted), None)
    if kind == "person":
        kind, _, wanted = wanted.partition("/")
        if kind not in ("lead", "contact"):
            return None
    path, match = LISTS[kind]
    try:
        return match((await visit.ask("GET", path + "/{id}", id=wanted)).body).name
    except NotFound:
        return None


async def picked(visit: Visit, fields: Sequence[Field]) -> Visit:
    """*visit* with the ids in its form of all that was typed by name. Raises Invalid for a name that is not exactly
    one's: shown again (``with_names``), the form has the choice."""
    values = dict(visit.form.values)
    for field in fields:
        pick = typed(visit.form, field)
        if pick is None:
            continue
        if is_open(pick):
            found = await matching(visit, pick.kind, pick.words, LOOKED_AT)
            exact = [one for one in found if is_exact(one, pick.words)]
            if len(exact) != 1:
                raise Invalid(field.name, not_one(pick, found))
            pick = replace(pick, id=exact[0].id, words=exact[0].name)
        values |= {field.name: [pick.id], f"{field.name}.words": [pick.words], f"{field.name}.of": [pick.words]}
    return replace(visit, form=Form(values))


def not_one(pick: Pick, found: Sequence[Match]) -> str:
    """What is said of a name that is not exactly one's."""
    if not found:
        return f"No {pick.called} has the name “{pick.words}”. Type another name, or leave the field empty."
    return f"Choose the {pick.called} that you mean by “{pick.words}”."


async def with_names(
    visit: Visit, fields: Sequence[Field], values: Mapping[str, Any], staff: Mapping[str, str], *, new: bool = False
) -> dict[str, Any]:
    """*values* of a form, with a ``Pick`` for each field that is picked by its name. Of a form that was refused the
    words that were typed. *staff* are the users who may be chosen: many are picked from, too. In a *new* form an id
    that the reader may not see is left out."""
    shown = dict(values)
    for field in fields:
        if field.kind in PICKED or (field.kind == "user" and len(staff) > LONG_LIST):
            pick = typed(visit.form, field)
            shown[field.name] = await named(visit, field, values[field.name], new) if pick is None else pick
            if pick is not None and is_open(pick):
                found = await matching(visit, pick.kind, pick.words, LOOKED_AT)
                shown[field.name] = replace(pick, id="", of=pick.words, matches=found)
    return shown


async def named(visit: Visit, field: Field, wanted: str, new: bool) -> Pick:
    """A field that shows the one with this id."""
    if not wanted:
        return Pick(field.kind)
    name = await name_of(visit, field.kind, wanted)
    if name is None and new:
        return Pick(field.kind)
    words = name or (FORMER if field.kind == "user" else UNSEEN)
    return Pick(field.kind, wanted, words, words)


async def suggest(visit: Visit) -> Response:
    """The options for what was typed so far, for ``picker.js``."""
    query = visit.request.query_params
    kind = query.get("kind", "")
    if kind not in CALLED:
        raise NotFound(NO_KIND)
    return rendered(visit, "pick.html", matches=await matching(visit, kind, query.get("q", ""), SUGGESTED))


FRAGMENTS = (Page(HERE, suggest),)
