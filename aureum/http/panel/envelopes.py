"""Envelopes: documents that are sent to be signed. Their list, and the form with which one is begun, from a contact, a
lead, or nothing."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from aureum.domain.envelope_rules import DEADLINE_DAYS
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.statuses import STATUSES
from aureum.http.panel.visit import Visit
from aureum.http.wire.page_forms import Form, number_in

HERE = "/admin/envelopes"
API = "/api/envelopes"
LENGTH = 50
BLANK_ROWS = 2

CHIPS = ("draft", "sent", "completed", "declined", "voided", "expired")

DONE = {"discarded": "The draft was discarded."}

Doc = Mapping[str, Any]


async def show_envelopes(visit: Visit) -> Response:
    """All of them, or those in one state, newest first."""
    query = visit.request.query_params
    state = query.get("state", "")
    found = await visit.ask("GET", API, query={"state": state, "limit": LENGTH, "cursor": query.get("cursor", "")})
    links = [(f"{HERE}?state={one}", STATUSES["envelope"][one].word, None) for one in CHIPS]
    return await page(
        visit,
        "envelopes.html",
        envelopes=found.body,
        links=[(HERE, "All", None), *links],
        chosen=f"{HERE}?state={state}" if state else HERE,
        more=None if found.more is None else f"{HERE}?{urlencode(found.more)}",
        done=DONE.get(query.get("done", "")),
    )


async def show_new(visit: Visit) -> Response:
    """The form for a new one, with the person whom the page was opened for."""
    query = visit.request.query_params
    contact, lead = query.get("contactId", ""), query.get("leadId", "")
    person: Doc = {}
    if lead:
        person = (await visit.ask("GET", "/api/leads/{id}", id=lead)).body
        contact = person["contactId"] or ""
    elif contact:
        person = (await visit.ask("GET", "/api/contacts/{id}", id=contact)).body
    values = {
        "subject": "",
        "message": "",
        "deadlineDays": str(DEADLINE_DAYS),
        "inOrder": "yes",
        "provider": "built_in",
        "contactId": contact,
        "leadId": lead,
    }
    first = {"id": "", "name": name_of(person), "email": person.get("email") or "", "role": "signer", "order": 1}
    return await form(visit, values, [first], contact)


def name_of(person: Doc) -> str:
    """The name of a contact or lead."""
    return f"{person['firstName']} {person['lastName'] or ''}".strip() if person else ""


async def form(
    visit: Visit, values: Mapping[str, str], people: Sequence[Doc], contact: str = "", problem: str = ""
) -> Response:
    """The form, with what was typed and why it was refused."""
    return await page(
        visit,
        "envelope_new.html",
        400 if problem else 200,
        values=values,
        people=[*people, *blank_rows(len(people))],
        problem=problem,
    )


def blank_rows(people: int, more: int = BLANK_ROWS) -> list[Doc]:
    """Rows for further recipients."""
    return [{"id": "", "name": "", "email": "", "role": "signer", "order": people + n + 1} for n in range(more)]


async def create(visit: Visit) -> Response:
    """The draft; its page asks for the documents next."""
    values = {name: visit.form[name] for name in (*TEXTS, "contactId", "leadId", "provider")}
    try:
        body = settings_typed(visit.form) | {"recipients": people_typed(visit.form)}
        body |= {name: values[name] or None for name in ("contactId", "leadId")}
        if values["provider"]:
            body["provider"] = values["provider"]
        made = (await visit.ask("POST", API, body=body)).body
    except REFUSALS as error:
        return await form(visit, values, people_typed(visit.form), values["contactId"], refusal(error))
    return RedirectResponse(f"{HERE}/{made['id']}?done=created", 303)


TEXTS = ("subject", "message", "deadlineDays", "inOrder")


def settings_typed(typed: Form) -> dict[str, Any]:
    """Subject, message, time and order, as the API takes them."""
    return {
        "subject": typed["subject"],
        "message": typed["message"] or None,
        "deadlineDays": typed.number("deadlineDays") or DEADLINE_DAYS,
        "inOrder": typed["inOrder"] == "yes",
    }


def people_typed(typed: Form) -> list[dict[str, Any]]:
    """The recipients; a row without name and address is none."""
    columns = (typed.all(f"person_{name}") for name in ("id", "name", "email", "role", "order"))
    people = []
    for known, name, email, role, order in zip(*columns, strict=False):
        if not name.strip() and not email.strip():
            continue
        one: dict[str, Any] = {"name": name.strip(), "email": email.strip(), "role": role or "signer"}
        one["order"] = number_in(order.strip() or "1")
        people.append(({"id": known} if known else {}) | one)
    return people


async def of_person(visit: Visit, **about: str) -> Sequence[Doc] | None:
    """The newest envelopes of a contact or lead; None on a plan that has none."""
    if visit.acting is None or visit.acting["plan"] == "Starter":
        return None
    found: Sequence[Doc] = (await visit.ask("GET", API, query={**about, "limit": 10})).body
    return found


async def discard(visit: Visit) -> Response:
    """A draft that is not to be sent."""
    await visit.ask("DELETE", API + "/{id}", id=visit.id())
    return RedirectResponse(f"{HERE}?done=discarded", 303)


PAGES = (
    Page(HERE, show_envelopes),
    Page(HERE + "/new", show_new, create),
    Page(HERE + "/{id}/discard", act=discard),
)
