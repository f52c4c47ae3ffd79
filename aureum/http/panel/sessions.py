"""Your account → Sessions: where the reader is logged in, and ending those sessions."""

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import NotFound
from aureum.http.access.session_cookie import forget_token
from aureum.http.panel.page import LOGIN, Page, page
from aureum.http.panel.visit import Visit

HERE = "/admin/account/sessions"
API = "/api/me/sessions"

DONE = {"ended": "The session was ended.", "others": "All other sessions were ended."}


async def show_sessions(visit: Visit) -> Response:
    """The sessions, this one first."""
    sessions = (await visit.ask("GET", API)).body
    return await page(
        visit, "sessions.html", sessions=sessions, done=DONE.get(visit.request.query_params.get("done", ""))
    )


async def end_session(visit: Visit) -> Response:
    """It opens nothing any more. Ended already is as good; the reader's own leads to the login."""
    sessions = (await visit.ask("GET", API)).body
    try:
        await visit.ask("DELETE", API + "/{id}", id=visit.id())
    except NotFound:
        return RedirectResponse(HERE, 303)
    if any(one["current"] and one["id"] == visit.id() for one in sessions):
        response = RedirectResponse(LOGIN, 303)
        forget_token(response)
        return response
    return RedirectResponse(f"{HERE}?done=ended", 303)


async def end_others(visit: Visit) -> Response:
    """Only this one goes on."""
    await visit.ask("DELETE", API)
    return RedirectResponse(f"{HERE}?done=others", 303)


PAGES = (
    Page(HERE, show_sessions),
    Page(HERE + "/end-others", act=end_others),
    Page(HERE + "/{id}/end", act=end_session),
)
