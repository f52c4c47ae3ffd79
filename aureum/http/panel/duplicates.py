"""Duplicates: on a page of their own, on the pages of contacts and leads, and before a new contact is created.

Staff merge two contacts, undo a merge, or say that they are two people.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from aureum.domain.ids import now
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import Visit

HERE = "/admin/contacts/duplicates"
CONTACTS = "/admin/contacts"
API = "/api/contacts"
LENGTH = 20

MOST_NAMED = 20
"""Merges that a contact's page names."""

REASONS = {"email": "same email address", "phone": "same phone", "name": "same name"}
SURE = {"high": "very likely", "medium": "likely", "low": "possible"}
COUPLE = "they may be two people who share it, such as a couple"

PAGES_OF = {"contact": CONTACTS, "lead": "/admin/leads"}

DONE = {
    "merged": "The contacts were merged.",
    "separated": "The merge was undone.",
    "distinct": "Saved. The two won't be suggested as duplicates again.",
}

Found = dict[str, Any]


def in_words(suggestion: Mapping[str, Any]) -> Found:
    """Why two may be the same person, and how sure that is."""
    why = [REASONS[reason] for reason in suggestion["reasons"]]
    return {
        "why": "; ".join([", ".join(why), *([COUPLE] if suggestion["mayBeCouple"] else [])]),
        "sure": SURE[suggestion["certainty"]],
        "score": f"{suggestion['score']:.0%}",
    }


def person(one: Mapping[str, Any]) -> Found:
    """A person with the name and page to show."""
    name = f"{one['firstName']} {one['lastName']}".strip()
    return {**one, "name": name, "page": f"{PAGES_OF[one['kind']]}/{one['id']}"}


def shown(suggestions: Sequence[Mapping[str, Any]]) -> list[Found]:
    """Suggestions for one person, in words."""
    return [in_words(one) | {"person": person(one["person"])} for one in suggestions]


async def of_contact(visit: Visit, contact: Mapping[str, Any]) -> dict[str, Any]:
    """A contact's duplicates, the contacts that are merged into it, and the names of all that ever were."""
    found = (await visit.ask("GET", API + "/{id}/duplicates", id=contact["id"])).body
    history = (await visit.ask("GET", API + "/{id}/history", id=contact["id"])).body
    merges = [event["changes"]["mergedWith"] for event in history if "mergedWith" in event["changes"]]
    ids = dict.fromkeys(one for merge in merges for one in merge["to"])
    names = {one: await name_of(visit, one) for one in [*ids][-MOST_NAMED:]}
    merged = [{"id": one, "name": names[one]} for one in contact["mergedWith"] if one in names]
    return {"found": shown(found), "merged": merged, "names": names}


async def name_of(visit: Visit, contact_id: str) -> str:
    """The name of a contact that was merged into another one, by its own history."""
    history = (await visit.ask("GET", API + "/{id}/history", id=contact_id)).body
    names = {"firstName": "", "lastName": ""}
    for event in history:
        names |= {name: change["to"] or "" for name, change in event["changes"].items() if name in names}
    return " ".join(names.values()).strip()


async def of_lead(visit: Visit, lead: Mapping[str, Any]) -> dict[str, Any]:
    """A lead's duplicates."""
    found = (await visit.ask("GET", "/api/leads/{id}/duplicates", id=lead["id"])).body
    return {"found": shown(found), "merged": [], "names": {}}


async def like_new(visit: Visit, body: Mapping[str, Any]) -> list[Found]:
    """The duplicates of a contact that *body* would create."""
    said = {name: body.get(name) for name in ("firstName", "lastName", "email", "phone")}
    return shown((await visit.ask("GET", API + "/similar", query=said)).body)


async def like_new_lead(visit: Visit, body: Mapping[str, Any]) -> list[Found]:
    """The contacts and leads that may be the person of a lead that *body* would create. A lead of the last minute is
    the same form sent twice."""
    named = {"firstName": "first_name", "lastName": "last_name", "email": "email", "phone": "phone"}
    said = {name: body.get(typed) for name, typed in named.items()} | {"leads": "true"}
    found = (await visit.ask("GET", API + "/similar", query=said)).body
    return shown([one for one in found if one["person"]["kind"] == "contact" or not is_recent(one["person"])])


def is_recent(person: Mapping[str, Any]) -> bool:
    """Whether it was created within the last minute."""
    return now() - datetime.fromisoformat(person["createdAt"]) < timedelta(minutes=1)


async def before_conversion(visit: Visit) -> Response:
    """The contacts that may be the person of a lead, before its conversion creates another one."""
    lead = (await visit.ask("GET", "/api/leads/{id}", id=visit.id())).body
    suggestions = (await visit.ask("GET", "/api/leads/{id}/duplicates", id=visit.id())).body
    found = shown([one for one in suggestions if one["person"]["kind"] == "contact"])
    return await page(visit, "conversion.html", lead=lead, found=found)


async def show_pairs(visit: Visit, problem: str | None = None) -> Response:
    """Pairs of contacts, a page at a time; after a refusal with the *problem*."""
    query = visit.request.query_params
    answer = await visit.ask("GET", HERE.replace("/admin", "/api"), query=page_asked(visit))
    pairs = [in_words(one) | {"people": [person(each) for each in one["contacts"]]} for one in answer.body]
    return await page(
        visit,
        "duplicates.html",
        400 if problem else 200,
        pairs=pairs,
        problem=problem,
        done=DONE.get(query.get("done", "")) if visit.request.method == "GET" else None,
        more=None if answer.more is None else urlencode(answer.more),
    )


def page_asked(visit: Visit) -> dict[str, Any]:
    """Which page of the pairs is asked for: the first one after a form."""
    cursor = visit.request.query_params.get("cursor", "") if visit.request.method == "GET" else ""
    return {"limit": LENGTH, "cursor": cursor}


async def show(visit: Visit) -> Response:
    """The page of pairs."""
    return await show_pairs(visit)


async def merge(visit: Visit) -> Response:
    """Merge the other contact into the one in the path."""
    return await said(visit, "merge", {"with": visit.form["other"]}, "merged")


async def unmerge(visit: Visit) -> Response:
    """Undo the merge of the other contact."""
    return await said(visit, "unmerge", {"merge": visit.form["other"]}, "separated")


async def tell_apart(visit: Visit) -> Response:
    """Record that the contact in the path is not the other contact or lead."""
    return await said(visit, "distinct", {"from": visit.form["other"]}, "distinct")


async def said(visit: Visit, action: str, body: Mapping[str, Any], done: str) -> Response:
    """Ask the API for the button's *action*, and return to the page of the button. A refusal is shown on the page of
    pairs. Raises NotFound for an unknown contact."""
    await visit.ask("GET", API + "/{id}", id=visit.id())
    try:
        await visit.ask("POST", f"{API}/{{id}}/{action}", id=visit.id(), body=body)
    except REFUSALS as error:
        return await show_pairs(visit, refusal(error))
    match visit.form["back"]:
        case "lead":
            back = f"{PAGES_OF['lead']}/{visit.form['other']}"
        case "contact":
            back = f"{CONTACTS}/{visit.id()}"
        case _:
            back = HERE
    return RedirectResponse(f"{back}?done={done}", 303)


PAGES = (
    Page(HERE, show),
    Page(CONTACTS + "/{id}/merge", act=merge),
    Page(CONTACTS + "/{id}/unmerge", act=unmerge),
    Page(CONTACTS + "/{id}/distinct", act=tell_apart),
)
