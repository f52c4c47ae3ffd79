"""Your account: the reader's own name and password. The present password is asked for; the session goes on."""

from starlette.responses import RedirectResponse, Response

from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import Visit

HERE = "/admin/account"

DONE = {"name": "Your name was changed.", "password": "Your password was changed. All other sessions have ended."}

TWICE = "The new password was not typed the same way twice."


async def shown(visit: Visit, problem: str | None = None) -> Response:
    """The page; with the *problem* of a form that was refused."""
    assert visit.me is not None, "only who is logged in gets here"
    name = visit.form["name"] if problem and "name" in visit.form.values else visit.me["name"]
    done = DONE.get(visit.request.query_params.get("done", "")) if problem is None else None
    return await page(visit, "account.html", 400 if problem else 200, problem=problem, done=done, name=name)


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
    for field, label in (("current ", "The present password "), ("new ", "The new password ")):
        if problem.startswith(field):
            return label + problem.removeprefix(field)
    return problem


PAGES = (
    Page(HERE, show_account, change_name),
    Page(HERE + "/password", act=change_password),
)
