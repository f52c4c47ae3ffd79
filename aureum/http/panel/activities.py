"""Activities in the panel: logged on the page of a lead or contact, corrected and removed on a page of their own."""

from collections.abc import Mapping
from typing import Any, get_args

from starlette.responses import RedirectResponse, Response

from aureum.http.api.activities.activity_fields import Direction, Outcome
from aureum.http.panel.activity_words import OFFERED, TYPED, words
from aureum.http.panel.fields import Field, all_typed, as_typed
from aureum.http.panel.page import REFUSALS, Page, page, refusal, seen
from aureum.http.panel.resource import Resource
from aureum.http.panel.resource_page import one_form, save
from aureum.http.panel.times import sent_time
from aureum.http.panel.undoing import to_undo
from aureum.http.panel.visit import Visit

API = "/api/activities/{id}"
HERE = "/admin/activities/{id}"

AT = Field("at", "When", "time", required=True)
TEXT = Field("text", "What was said or agreed", "long")
DIRECTION = Field("direction", "Direction", "choice", get_args(Direction))
OUTCOME = Field("outcome", "Outcome", "choice", get_args(Outcome))
DURATION = Field("duration", "Duration", "number", hint="In seconds.")

FIELDS: Mapping[str, tuple[Field, ...]] = {
    "note": (AT, TEXT),
    "call": (AT, DIRECTION, OUTCOME, DURATION, TEXT),
    "email": (AT, DIRECTION, TEXT),
    "visit": (AT, TEXT),
}
"""What can be corrected, by type."""


def log_page(resource: Resource) -> Page:
    """The target of the form on the page of a lead or contact."""

    async def log(visit: Visit) -> Response:
        typed = {name: visit.form[name] for name in TYPED}
        # A button that says what happened wins over what the list beside it says.
        typed["what"] = visit.form["quick"] or typed["what"]
        minutes = visit.form.number("minutes")
        body: dict[str, Any] = {
            # A choice that the form does not have is no type either: the API says which there are.
            **OFFERED.get(typed["what"], {"type": typed["what"]}),
            "at": sent_time(typed["at"], visit.zone),
            "duration": minutes * 60 if isinstance(minutes, int) else minutes,
            "text": typed["text"],
        }
        try:
            logged = await visit.ask("POST", resource.api + "/{id}/activities", id=visit.id(), body=body)
        except REFUSALS as error:
            return await one_form(resource, visit, problem=refusal(error), logging=typed)
        return RedirectResponse(f"{resource.path}/{visit.id()}?done=logged{to_undo('', logged.etag)}#timeline", 303)

    return Page(f"{resource.path}/{{id}}/activities", act=log)


async def show_activity(visit: Visit) -> Response:
    """The page with the form that corrects it, and the button that removes it."""
    return await form(visit)


async def form(visit: Visit, problem: str | None = None, etag: str | None = None) -> Response:
    """The page; after a refusal with what was typed, the *problem*, and the *etag* of the version that was edited."""
    answer = await visit.ask("GET", API, id=visit.id())
    fields = FIELDS[answer.body["type"]]
    return await page(
        visit,
        "activity.html",
        400 if problem else 200,
        activity=answer.body,
        back=back(answer.body),
        title=words(answer.body),
        etag=answer.etag if etag is None else etag,
        fields=fields,
        values=as_typed(fields, visit.form) if problem else all_typed(fields, answer.body, visit.zone),
        problem=problem,
    )


def back(activity: Mapping[str, Any]) -> str:
    """The page of what it belongs to."""
    if activity["leadId"] is not None:
        return f"/admin/leads/{activity['leadId']}"
    return f"/admin/contacts/{activity['contactId']}"


async def correct(visit: Visit) -> Response:
    """Correct the fields that were changed in the form."""
    activity = (await visit.ask("GET", API, id=visit.id())).body
    try:
        undo = await save(visit, API, visit.id(), FIELDS[activity["type"]])
    except REFUSALS as error:
        return await form(visit, refusal(error), seen(visit, error))
    return RedirectResponse(f"{back(activity)}?done=corrected{undo}#timeline", 303)


async def remove(visit: Visit) -> Response:
    """Remove an activity that was logged by mistake."""
    activity = (await visit.ask("GET", API, id=visit.id())).body
    await visit.ask("DELETE", API, id=visit.id())
    kind = "/api/leads/{id}" if activity["leadId"] else "/api/contacts/{id}"
    now = await visit.ask("GET", kind, id=activity["leadId"] or activity["contactId"])
    return RedirectResponse(f"{back(activity)}?done=removed{to_undo('', now.etag)}#timeline", 303)


PAGES = (Page(HERE, show_activity, correct), Page(HERE + "/remove", act=remove))
