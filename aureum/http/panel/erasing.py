"""Erasing the person of a lead or a contact: a page that says what goes and what is kept, asks to type a word, and
shows what was done. For owners; all of it is the API's."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.responses import Response

from aureum.http.panel.acting import named
from aureum.http.panel.page import Page, page
from aureum.http.panel.visit import Visit
from aureum.http.wire.page_forms import Form

API = "/api/v1/admin/people/erase"

LONGEST_NUMBER = 19

WORD = "erase"
NOT_TYPED = f"Type the word “{WORD}” to confirm."

KINDS = {
    "lead": ("lead", "leads"),
    "contact": ("contact", "contacts"),
    "showing": ("showing", "showings"),
    "subscriber": ("newsletter subscription", "newsletter subscriptions"),
    "task": ("task", "tasks"),
    "conversation": ("conversation", "conversations"),
    "shortlist": ("list of listings", "lists of listings"),
    "key_dates": ("list of key dates", "lists of key dates"),
    "envelope": ("set of documents to sign", "sets of documents to sign"),
}

WHERE = {
    "lead": ("A lead", "/admin/leads/"),
    "contact": ("A contact", "/admin/contacts/"),
    "user": ("A user", "/admin/users/"),
    "envelope": ("Signed documents", "/admin/envelopes/"),
    "history": ("The history", None),
    "backups": ("Backups", None),
    "tasks": ("Texts of tasks", None),
}
"""What is kept, and the page of the record if it is one."""

Naming = Callable[[Visit], Awaitable[Mapping[str, Any]]]
"""How the API names the person of a page."""


def counted(records: Mapping[str, int]) -> list[str]:
    """How many records there are of each kind, in words."""
    return [f"{number} {KINDS[kind][number != 1]}" for kind, number in records.items()]


def kept(found: Any) -> list[dict[str, Any]]:
    """What stays, with the page of each record."""
    shown = []
    for one in found:
        word, path = WHERE[one["what"]]
        shown.append({"what": word, "why": one["why"], "page": path and one["id"] and path + one["id"]})
    return shown


def named_in(form: Form) -> dict[str, Any]:
    """The record that a form names: one that is sent again names what is gone by then. Empty if it names none."""
    number, contact = form["lead_id"], form["contact_id"]
    if number.isascii() and number.isdecimal() and len(number) < LONGEST_NUMBER:
        return {"lead_id": int(number)}
    return {"contact_id": contact} if contact else {}


def pages_for(path: str, naming: Naming) -> tuple[Page, ...]:
    """The page below the records of *path*."""

    async def show(visit: Visit, problem: str | None = None) -> Response:
        asked = await naming(visit)
        found = (await visit.ask("POST", API, body={**asked, **named(visit), "dry_run": True})).body
        return await page(
            visit,
            "erase.html",
            400 if problem else 200,
            back=f"{path}/{visit.id()}",
            goes=counted(found["records"]),
            kept=kept(found["kept"]),
            word=WORD,
            named=asked,
            problem=problem,
        )

    async def act(visit: Visit) -> Response:
        if visit.form["word"].strip().lower() != WORD:
            return await show(visit, NOT_TYPED)
        found = (
            await visit.ask("POST", API, body={**(named_in(visit.form) or await naming(visit)), **named(visit)})
        ).body
        return await page(visit, "erased.html", back=path, gone=counted(found["records"]), kept=kept(found["kept"]))

    async def shown(visit: Visit) -> Response:
        return await show(visit)

    return (Page(path + "/{id}/erase", shown, act),)
