"""Envelopes: documents that are sent to be signed. Their list, and the form with which one is begun, from a contact, a
lead, or nothing."""

from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from typing import Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from aureum.domain.envelope_rules import DEADLINE_DAYS
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.statuses import STATUSES
from aureum.http.panel.visit import Doc, Visit
from aureum.http.wire.page_forms import Form, number_in

HERE = "/admin/envelopes"
API = "/api/envelopes"
TEMPLATES = "/api/envelope-templates"
LENGTH = 50
BLANK_ROWS = 2
BLANK = {"id": "", "part": "", "name": "", "email": "", "role": "signer", "language": ""}
"""A row for a person of whom nothing is known."""

CHIPS = ("draft", "sent", "completed", "declined", "voided", "expired")

DONE = {"discarded": "The draft was discarded."}


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
    """The form for a new one, with the person whom the page was opened for; from a template with its roles."""
    query = visit.request.query_params
    template = await template_of(visit, query.get("template", ""))
    contact, lead = query.get("contactId", ""), query.get("leadId", "")
    person: Doc = {}
    if lead:
        person = (await visit.ask("GET", "/api/leads/{id}", id=lead)).body
        contact = person["contactId"] or ""
    elif contact:
        person = (await visit.ask("GET", "/api/contacts/{id}", id=contact)).body
    values: dict[str, Any] = {
        **{name: NEW[name] if template is None else template[name] for name in TEXTS},
        "provider": "built_in",
        "contactId": contact,
        "leadId": lead,
    }
    first = {"name": name_of(person), "email": person.get("email") or ""}
    return await form(visit, values, template, first)


async def template_of(visit: Visit, template_id: str) -> Doc | None:
    """The template that the envelope is begun from, if it is. Raises NotFound."""
    if not template_id:
        return None
    found: Doc = (await visit.ask("GET", TEMPLATES + "/{id}", id=template_id)).body
    return found


def name_of(person: Doc) -> str:
    """The name of a contact or lead."""
    return f"{person['firstName']} {person['lastName'] or ''}".strip() if person else ""


async def form(
    visit: Visit, values: Doc, template: Doc | None, first: Doc, people: Sequence[Doc] = (), problem: str = ""
) -> Response:
    """The form. *first* is the first of its persons; what was typed about *people*, and why it was refused."""
    rows = rows_of(template, people or [first])
    return await page(
        visit,
        "envelope_new.html",
        400 if problem else 200,
        values=values,
        people=[*rows, *blank_rows(len(rows), BLANK_ROWS if template is None else 0)],
        of_template=template,
        templates=[] if problem or template else await templates_for(visit, values),
        problem=problem,
    )


async def templates_for(visit: Visit, values: Doc) -> list[tuple[str, str]]:
    """The templates that the form may start from: the address, for the same person, and the name."""
    found = (await visit.ask("GET", TEMPLATES, query={"limit": LENGTH})).body
    about = {name: values[name] for name in ("contactId", "leadId") if values[name]}
    return [(f"{HERE}/new?{urlencode({'template': one['id']} | about)}", one["name"]) for one in found]


def rows_of(template: Doc | None, people: Sequence[Doc]) -> list[Doc]:
    """A row for each person; of a template for each role, with the person whom it has, or else the first without."""
    blank: dict[str, Any] = {**BLANK, "order": 1}
    if template is None:
        return [{**blank, **one} for one in people]
    cast = {one.get("templateRole"): one for one in people}
    rows: list[Doc] = []
    for role in sorted(template["roles"], key=lambda one: one["order"]):
        person = cast.pop(role["name"], None) or cast.pop(None, {})
        said = {"part": role["name"], "role": role["role"], "order": role["order"]}
        rows.append(blank | {name: person.get(name) or "" for name in ("name", "email", "language")} | said)
    return rows


def blank_rows(people: int, more: int = BLANK_ROWS) -> list[Doc]:
    """Rows for further recipients."""
    return [{**BLANK, "order": people + number + 1} for number in range(more)]


async def create(visit: Visit) -> Response:
    """The draft; its page asks for the documents next, unless a template has them."""
    values = {name: visit.form[name] for name in (*TEXTS, "contactId", "leadId", "provider")}
    template = await template_of(visit, visit.form["templateId"])
    try:
        body = settings_typed(visit.form) | {"recipients": people_typed(visit.form)}
        body |= {name: values[name] or None for name in ("contactId", "leadId")}
        if values["provider"]:
            body["provider"] = values["provider"]
        if template is not None:
            body["templateId"] = template["id"]
        made = (await visit.ask("POST", API, body=body)).body
        if template is not None and made["message"] != body["message"]:
            # The message was left empty, which the API takes as that of the template.
            await visit.ask("PATCH", API + "/{id}", id=made["id"], body={"message": None})
    except REFUSALS as error:
        return await form(visit, values, template, {}, people_typed(visit.form), refusal(error))
    return RedirectResponse(f"{HERE}/{made['id']}?done={'created' if template is None else 'begun'}", 303)


TEXTS = ("subject", "message", "deadlineDays", "inOrder")
NEW: Mapping[str, Any] = {"subject": "", "message": "", "deadlineDays": DEADLINE_DAYS, "inOrder": True}


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
    # Only the form that begins from a template has parts, and that of the release before has no languages.
    languages, parts = (chain(typed.all(f"person_{name}"), repeat("")) for name in ("language", "part"))
    for known, name, email, role, order, language, part in zip(*columns, languages, parts, strict=False):
        if not name.strip() and not email.strip():
            continue
        one: dict[str, Any] = {"name": name.strip(), "email": email.strip(), "language": language or None}
        if part:
            people.append(one | {"templateRole": part})
            continue
        one |= {"role": role or "signer", "order": number_in(order.strip() or "1")}
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
