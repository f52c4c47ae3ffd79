"""The form for a new one of a resource."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import Invalid
from aureum.http.panel.acting import BROKERAGE, chosen, keep
from aureum.http.panel.fields import Field, as_typed, made
from aureum.http.panel.page import REFUSALS, page, refusal
from aureum.http.panel.picking import picked, with_names
from aureum.http.panel.resource import Resource, staff
from aureum.http.panel.visit import Visit
from aureum.http.wire.errors import HttpError

CHOOSE_IN_FORM = "Choose a brokerage."


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
    done = "created"
    if resource.also is not None and visit.form["also"] == resource.also[0]:
        done = await resource.also[2](there, {"id": new_id})
    response = RedirectResponse(f"{resource.path}/{new_id}?done={done}", 303)
    if there.acting != visit.acting:
        keep(there, response)
    return response


def unless_similar(visit: Visit) -> dict[str, str]:
    """The query with which the API creates no contact that may be a duplicate, until the user has seen the others."""
    return {} if visit.form["anyway"] == "yes" else {"unlessSimilar": "true"}


def is_similar(error: Exception) -> bool:
    """Whether nothing was created because of similar contacts."""
    return isinstance(error, HttpError) and error.code == "similar_contacts"
