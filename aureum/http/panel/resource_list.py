"""The list of a resource: the newest that the filters let through, a page at a time."""

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.responses import Response

from aureum.http.panel.acting import named
from aureum.http.panel.page import page
from aureum.http.panel.resource import LENGTH, Resource, changed, staff
from aureum.http.panel.statuses import status_of
from aureum.http.panel.visit import Visit


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
