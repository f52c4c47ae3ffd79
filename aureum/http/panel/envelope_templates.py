"""Templates of envelopes: documents that a brokerage often sends, with roles and fields. Their list, and the form for a
new one. All staff see them; brokers and owners change them."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from aureum.domain.envelope_rules import DEADLINE_DAYS
from aureum.http.panel.envelopes import API, TEMPLATES, settings_typed
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import Doc, Visit
from aureum.http.wire.page_forms import Form, number_in

HERE = "/admin/envelopes/templates"
LENGTH = 50
BLANK_ROWS = 2


async def show_templates(visit: Visit) -> Response:
    """All of them, newest first."""
    query = visit.request.query_params
    found = await visit.ask("GET", TEMPLATES, query={"limit": LENGTH, "cursor": query.get("cursor", "")})
    return await page(
        visit,
        "envelope_templates.html",
        templates=found.body,
        more=None if found.more is None else f"{HERE}?{urlencode(found.more)}",
        done="The template was removed." if query.get("done") == "removed" else None,
    )


async def show_new(visit: Visit) -> Response:
    """The form for a new one: empty, or for one that is made of an envelope."""
    envelope = await envelope_of(visit, visit.request.query_params.get("envelope", ""))
    values: dict[str, Any] = {"name": "", "subject": "", "message": "", "deadlineDays": DEADLINE_DAYS, "inOrder": True}
    if envelope is not None:
        values |= {name: envelope[name] for name in ("subject", "deadlineDays", "inOrder")}
    return await form(visit, values, [], envelope)


async def envelope_of(visit: Visit, envelope_id: str) -> Doc | None:
    """The envelope that the template is made of, if it is. Raises NotFound."""
    if not envelope_id:
        return None
    found: Doc = (await visit.ask("GET", API + "/{id}", id=envelope_id)).body
    return found


async def form(visit: Visit, values: Doc, roles: Sequence[Doc], envelope: Doc | None, problem: str = "") -> Response:
    """The form, with what was typed and why it was refused."""
    return await page(
        visit,
        "envelope_template_new.html",
        400 if problem else 200,
        values=values,
        roles=[*roles, *blank_roles(len(roles))],
        of_envelope=envelope,
        problem=problem,
    )


def blank_roles(known: int, more: int = BLANK_ROWS) -> Iterator[Doc]:
    """Rows for further roles."""
    return ({"name": "", "was": "", "role": "signer", "order": known + number + 1} for number in range(more))


async def create(visit: Visit) -> Response:
    """The template; its page asks for the documents next, unless an envelope has them."""
    roles = roles_typed(visit.form)
    values = {"name": visit.form["name"]} | settings_typed(visit.form)
    envelope = await envelope_of(visit, visit.form["envelope"])
    body = values | ({"roles": roles} if envelope is None else {"envelopeId": envelope["id"]})
    try:
        made = (await visit.ask("POST", TEMPLATES, body=body)).body
    except REFUSALS as error:
        return await form(visit, values, roles, envelope, refusal(error))
    return RedirectResponse(f"{HERE}/{made['id']}?done={'created' if envelope is None else 'made'}", 303)


def roles_typed(typed: Form) -> list[dict[str, Any]]:
    """The roles, as the API takes them; a row without a name is none."""
    columns = (typed.all(f"role_{name}") for name in ("name", "does", "order"))
    return [
        {"name": name.strip(), "role": does or "signer", "order": number_in(order.strip() or "1")}
        for name, does, order in zip(*columns, strict=False)
        if name.strip()
    ]


def renamed(typed: Form) -> dict[str, str]:
    """The roles of the form that have another name than before, by the name they had."""
    names = zip(typed.all("role_was"), typed.all("role_name"), strict=False)
    return {was: name.strip() for was, name in names if was and name.strip() not in ("", was)}


PAGES = (
    Page(HERE, show_templates),
    Page(HERE + "/new", show_new, create),
)
