"""Imports: a file is uploaded, its columns are shown with the first rows and can be changed, a check says what would
become of the rows, and then they are imported. Refused rows can be downloaded, and an import can be undone."""

from collections.abc import Mapping

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import NotFound
from aureum.http.panel.acting import named
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import Visit, new_once
from aureum.http.wire.errors import HttpError
from aureum.http.wire.headers import header
from aureum.http.wire.page_forms import NO_FORM

HERE = "/admin/imports"
API = "/api/v1/admin/imports"

RESOURCES: Mapping[str, str] = {"contacts": "Contacts", "leads": "Leads", "properties": "Properties"}
NOWHERE = "There is no such page."

GOING = ("checking", "running", "undoing")
"""While an import is in one of these, its page loads itself again."""

WORDS: Mapping[str, str] = {
    "waiting": "Not started",
    "checking": "Checking",
    "checked": "Checked",
    "running": "Importing",
    "completed": "Imported",
    "failed": "Failed",
    "cancelled": "Stopped",
    "undoing": "Undoing",
    "undone": "Undone",
}
TONES: Mapping[str, str] = {"completed": "good", "failed": "bad", "checked": "good"}


async def show_imports(visit: Visit) -> Response:
    """The newest imports, and what can be imported."""
    found = (await visit.ask("GET", API, query=named(visit))).body["imports"]
    return await page(visit, "imports.html", imports=found, resources=RESOURCES, words=WORDS, tones=TONES)


def resource_of(visit: Visit) -> str:
    """What the page's address says that a file has: contacts by itself. Raises NotFound."""
    resource = visit.request.query_params.get("resource") or "contacts"
    if resource not in RESOURCES:
        raise NotFound(NOWHERE)
    return resource


async def show_new(visit: Visit, problem: str = "", status: int = 200) -> Response:
    """The form for a file."""
    resource = resource_of(visit)
    # Those who may not import are told so here, and not after the upload.
    await visit.ask("GET", API, query=named(visit))
    return await page(
        visit, "import_new.html", status, resource=resource, name=RESOURCES[resource], problem=problem, once=new_once()
    )


async def upload(visit: Visit) -> Response:
    """Store the file as it comes in."""
    resource = resource_of(visit)
    if not (header(visit.request.scope, b"content-type") or "").startswith("multipart/form-data"):
        raise HttpError("media_type_unsupported", NO_FORM)
    try:
        job = (await visit.pass_on(API, {"resource": resource, "hold": "true"} | named(visit))).body
    except REFUSALS as error:
        return await show_new(visit, refusal(error), 400)
    return RedirectResponse(f"{HERE}/{job['id']}", 303)


async def show(visit: Visit, problem: str = "", status: int = 200) -> Response:
    """An import as it stands."""
    job = (await visit.ask("GET", API + "/{id}", id=visit.id(), query=named(visit))).body
    return await page(
        visit,
        "import.html",
        status,
        job=job,
        name=RESOURCES[job["resource"]],
        words=WORDS,
        tones=TONES,
        going=job["status"] in GOING,
        problem=problem,
        once=new_once(),
    )


async def act(visit: Visit) -> Response:
    """Check the file, import it, stop, or undo."""
    what = visit.form["do"]
    try:
        if what in ("check", "import"):
            body = {
                "dry_run": what == "check",
                "duplicates": visit.form["duplicates"],
                "route": visit.form["route"] == "true",
                "map": await chosen(visit),
            }
            await visit.ask("POST", API + "/{id}/start", id=visit.id(), query=named(visit), body=body)
        elif what in ("cancel", "undo"):
            await visit.ask("POST", f"{API}/{{id}}/{what}", id=visit.id(), query=named(visit))
        else:
            return await show(visit, "Choose what to do with this import.", 400)
    except REFUSALS as error:
        return await show(visit, refusal(error), 400)
    return RedirectResponse(f"{HERE}/{visit.id()}", 303)


async def chosen(visit: Visit) -> dict[str, str | None]:
    """The field of each column, by its place in the form."""
    job = (await visit.ask("GET", API + "/{id}", id=visit.id(), query=named(visit))).body
    return {
        column["column"]: visit.form[f"column{place}"] or None
        for place, column in enumerate(job["columns"])
        if f"column{place}" in visit.form.values
    }


async def errors(visit: Visit) -> Response:
    """The refused rows as a file."""
    return await visit.answer("GET", API + "/{id}/errors.csv", id=visit.id(), query=named(visit))


PAGES = (
    Page(HERE, show_imports),
    Page(HERE + "/new", show_new, upload, streamed=True),
    Page(HERE + "/{id}/errors.csv", errors),
    Page(HERE + "/{id}", show, act),
)
