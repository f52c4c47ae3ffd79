"""Your account: the reader's own name, mails, profile and password. The current password is asked for; the session goes
on."""

from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.http.panel.agents import API as AGENTS
from aureum.http.panel.agents import AWAY, BIO, LANGUAGES
from aureum.http.panel.fields import all_typed, as_typed
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.resource_page import save
from aureum.http.panel.visit import Visit

HERE = "/admin/account"

PROFILE = (BIO, LANGUAGES, *AWAY)
"""What agents change of their own profile."""

DONE = {
    "name": "Your name was changed.",
    "notify": "Your choice of mails was saved.",
    "profile": "Your profile was changed.",
    "password": "Your password was changed. All other sessions have ended.",
}

NOTIFY = (
    ("at_once", "At once, one for each"),
    ("digest", "One on each working morning"),
    ("none", "None"),
)
"""As the API calls it, and in words."""

TWICE = "The two new passwords do not match."


async def shown(visit: Visit, problem: str | None = None) -> Response:
    """The page; with the *problem* of a form that was refused."""
    assert visit.me is not None, "only who is logged in gets here"
    name = visit.form["name"] if problem and "name" in visit.form.values else visit.me["name"]
    notify = visit.form["notify"] if problem and "notify" in visit.form.values else visit.me["notify"]
    done = DONE.get(visit.request.query_params.get("done", "")) if problem is None else None
    profile = await profile_form(visit, problem is not None and "etag" in visit.form.values)
    return await page(
        visit,
        "account.html",
        400 if problem else 200,
        problem=problem,
        done=done,
        name=name,
        notify=notify,
        choices=NOTIFY,
        profile=profile,
    )


async def profile_form(visit: Visit, refused: bool) -> dict[str, Any] | None:
    """The reader's profile in a form, with what was typed if that was *refused*. The platform's own have none."""
    assert visit.me is not None
    if visit.me["brokerage"] is None:
        return None
    answer = await visit.ask("GET", AGENTS + "/{id}", id=str(visit.me["number"]))
    values = as_typed(PROFILE, visit.form) if refused else all_typed(PROFILE, answer.body, visit.zone)
    return {"fields": PROFILE, "typed": values, "etag": visit.form["etag"] if refused else answer.etag}


async def change_profile(visit: Visit) -> Response:
    """Saves the profile as it was typed."""
    assert visit.me is not None
    try:
        await save(visit, AGENTS + "/{id}", str(visit.me["number"]), PROFILE)
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return RedirectResponse(f"{HERE}?done=profile", 303)


async def show_account(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


async def change_name(visit: Visit) -> Response:
    """The name that colleagues know."""
    try:
        await visit.ask("PATCH", "/api/me", body={"name": visit.form["name"]})
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return RedirectResponse(f"{HERE}?done=name", 303)


async def change_notify(visit: Visit) -> Response:
    """Change which mails the reader gets."""
    try:
        await visit.ask("PATCH", "/api/me", body={"notify": visit.form["notify"]})
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return RedirectResponse(f"{HERE}?done=notify", 303)


async def change_password(visit: Visit) -> Response:
    """A new password for the present one."""
    current, new, again = (("".join(visit.form.all(name)[:1])) for name in ("current", "new", "again"))
    if new != again:
        return await shown(visit, TWICE)
    try:
        await visit.ask("POST", "/api/me/password", body={"current": current, "new": new})
    except REFUSALS as error:
        return await shown(visit, in_words(refusal(error)))
    return RedirectResponse(f"{HERE}?done=password", 303)


def in_words(problem: str) -> str:
    """The API's refusal with the labels of the page."""
    for field, label in (("current ", "The current password "), ("new ", "The new password ")):
        if problem.startswith(field):
            return label + problem.removeprefix(field)
    return problem


PAGES = (
    Page(HERE, show_account, change_name),
    Page(HERE + "/mails", act=change_notify),
    Page(HERE + "/profile", act=change_profile),
    Page(HERE + "/password", act=change_password),
)
