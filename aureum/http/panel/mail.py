"""The mails of the brokerage: which are queued, sent or failed, and why; one mail with its text; sending it again."""

from typing import get_args

from starlette.responses import RedirectResponse, Response

from aureum.http.api.mail.mail_fields import Status
from aureum.http.panel.acting import named, number_of
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import Visit
from aureum.mail.letters.kinds import KINDS
from aureum.settings.mail import mail_directory

HERE = "/admin/mail"
API = "/api/v1/admin/mail"
LENGTH = 50


async def show_mails(visit: Visit) -> Response:
    """Newest first, of one status and of one kind if so chosen."""
    number_of(visit)
    asked = visit.request.query_params
    chosen = {name: asked.get(name, "") for name in ("status", "kind")}
    query = chosen | {"page": asked.get("page", ""), "page_size": LENGTH} | named(visit)
    part = (await visit.ask("GET", API, query=query)).body
    settings = visit.request.app.state.aureum.settings
    return await page(
        visit,
        "mails.html",
        mails=part["items"],
        chosen=chosen,
        statuses=get_args(Status),
        kinds=sorted(KINDS),
        older=part["page"] + 1 if part["page"] < part["total_pages"] else None,
        # Only the operator can read them there.
        directory=mail_directory(settings) if settings.smtp_url is None and visit.role == "platform_admin" else None,
        files=settings.smtp_url is None,
    )


async def shown(visit: Visit, problem: str | None = None) -> Response:
    """One mail, as it was or will be sent; with the *problem* of sending it again."""
    mail = (await visit.ask("GET", API + "/{id}", id=visit.id(), query=named(visit))).body
    return await page(visit, "mail.html", 400 if problem else 200, mail=mail, problem=problem)


async def show_mail(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


async def resend(visit: Visit) -> Response:
    """The same mail goes out again."""
    try:
        await visit.ask("POST", API + "/{id}/resend", id=visit.id(), query=named(visit))
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return RedirectResponse(f"{HERE}/{visit.id()}", 303)


PAGES = (Page(HERE, show_mails), Page(HERE + "/{id}", show_mail), Page(HERE + "/{id}/resend", act=resend))
