"""Settings → Signing: how long signed documents are kept, when signers are reminded, and the certificate."""

import base64
from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import NotFound
from aureum.http.panel.acting import named
from aureum.http.panel.page import REFUSALS, Page, page, refusal, seen
from aureum.http.panel.settings import managed_number
from aureum.http.panel.visit import Visit

HERE = "/admin/settings/signing"
API = "/api/v1/admin/signing"
CERTIFICATE = API + "/certificate"
RENEW = CERTIFICATE + "/renew"

DONE: Mapping[str, str] = {
    "changed": "The settings were saved.",
    "imported": "The certificate was imported. Documents are sealed with it from now on.",
    "renewed": "A new certificate was made. Documents are sealed with it from now on.",
}


async def show(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


async def shown(
    visit: Visit, problem: str = "", typed: Mapping[str, str] | None = None, etag: str | None = None
) -> Response:
    """The page; of a form that was refused with what was *typed*, and why."""
    managed_number(visit)
    answer = await visit.ask("GET", API, query=named(visit))
    values = typed or {
        "retain_years": str(answer.body["retain_years"]),
        "remind_after_days": ", ".join(map(str, answer.body["remind_after_days"])),
    }
    done = DONE.get(visit.request.query_params.get("done", "")) if visit.request.method == "GET" else None
    return await page(
        visit,
        "signing.html",
        400 if problem else 200,
        values=values,
        certificate=await certificate(visit),
        etag=answer.etag if etag is None else etag,
        problem=problem,
        done=done,
    )


async def certificate(visit: Visit) -> Any:
    """The certificate in use; None before the first document is sealed."""
    try:
        return (await visit.ask("GET", CERTIFICATE, query=named(visit))).body
    except NotFound:
        return None


async def save(visit: Visit) -> Response:
    """Change the settings."""
    typed = {name: visit.form[name] for name in ("retain_years", "remind_after_days")}
    days: list[Any] = [number(one) for one in typed["remind_after_days"].replace(" ", "").split(",") if one]
    body = {"retain_years": number(typed["retain_years"]), "remind_after_days": days}
    try:
        await visit.ask("PATCH", API, query=named(visit), body=body, if_match=visit.form["etag"])
    except REFUSALS as error:
        return await shown(visit, refusal(error), typed, seen(visit, error))
    return RedirectResponse(f"{HERE}?done=changed", 303)


def number(text: str) -> int | str:
    """A whole number; what is none stays as typed: the API says so."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


async def certify(visit: Visit) -> Response:
    """Import a certificate with its key, or make a new one."""
    try:
        if visit.form["do"] == "renew":
            await visit.ask("POST", RENEW, query=named(visit))
            return RedirectResponse(f"{HERE}?done=renewed", 303)
        file = base64.b64encode(visit.form.files.get("file", b"")).decode()
        body = {"file": file, "password": "".join(visit.form.all("password")[:1])}
        await visit.ask("POST", CERTIFICATE, query=named(visit), body=body)
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return RedirectResponse(f"{HERE}?done=imported", 303)


PAGES = (
    Page(HERE, show, save),
    Page(HERE + "/certificate", act=certify, upload=True),
)
