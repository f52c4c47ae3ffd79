"""Undo in the panel: the button beside what was done, for ten seconds, and at each entry of a history."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import NotFound
from aureum.http.contract.answers import RESOURCE_ETAG
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import Visit

HERE = "/admin/undo"
UNDONE = "The change was undone."
PARTLY = "The change was undone, except for fields that were changed since. The history shows both."
NOWHERE = "There is no such page."

KINDS: Mapping[str, str] = {
    "leads": "lead",
    "contacts": "contact",
    "properties": "property",
    "tasks": "task",
    "showings": "showing",
}
"""What can be undone, by the end of its address."""

OFFERED = re.compile(r"(?:(?P<kind>[a-z]+)/(?P<id>c[0-9a-z]{25})/)?(?P<version>[1-9][0-9]{0,8})", re.ASCII)
"""In the query as ``undo``: a version of the page's resource, or of another one."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The change that a page offers to undo: ``of`` is the resource, as ``tasks/c…``."""

    of: str
    version: str


def undoable(api: str) -> bool:
    """Whether the resources at this path of the API have an undo."""
    return api.removeprefix("/api/") in KINDS


def to_undo(before: str, after: str, of: str = "") -> str:
    """The end of an address by which a page offers to undo what a request changed, by the ETags *before* and *after*;
    nothing if it changed nothing. *of* names a resource other than the page's, as ``tasks/c…``."""
    found, then = RESOURCE_ETAG.fullmatch(after), RESOURCE_ETAG.fullmatch(before)
    if found is None or (then is not None and then[1] == found[1]):
        return ""
    version = f"{of}/{found[1]}" if of else found[1]
    return "&" + urlencode({"undo": version}, safe="/")


def undo_offered(visit: Visit, api: str) -> Offer | None:
    """What the page's address offers to undo. *api* is the path of the page's resource in the API."""
    found = OFFERED.fullmatch(visit.request.query_params.get("undo", ""))
    if found is None or visit.request.method != "GET":
        return None
    kind = found["kind"] or api.removeprefix("/api/")
    if found["id"] is None and "id" not in visit.request.path_params:
        # The address of a list names the resource.
        return None
    return Offer(f"{kind}/{found['id'] or visit.id()}", found["version"]) if kind in KINDS else None


async def undo(visit: Visit) -> Response:
    """Undo a change, and return to the page of the button."""
    kind, _, resource_id = visit.form["of"].partition("/")
    if kind not in KINDS:
        raise NotFound(NOWHERE)
    back = visit.form["back"] if is_own(visit.form["back"]) else f"/admin/{kind}/{resource_id}"
    try:
        body = {"version": visit.form.number("version")}
        undone = (await visit.ask("POST", f"/api/{kind}/{{id}}/undo", id=resource_id, body=body)).body
    except REFUSALS as error:
        return await page(visit, "undo.html", 400, problem=refusal(error), back=back, kind=KINDS[kind])
    done = "partly" if undone["left"] else "undone"
    return RedirectResponse(f"{back}{'&' if '?' in back else '?'}done={done}", 303)


def is_own(path: str) -> bool:
    """Whether *path* is a page of the panel, perhaps with a plain query."""
    return re.fullmatch(r"/admin(/[a-z0-9_-]+)*(\?[A-Za-z0-9=&_-]{1,200})?", path, re.ASCII) is not None


PAGES = (Page(HERE, act=undo),)
