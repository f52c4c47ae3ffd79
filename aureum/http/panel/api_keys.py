"""Settings → API keys: the keys of the brokerage's integrations, and the history of each."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.domain.api_key import RATE_LIMIT
from aureum.http.panel.acting import named
from aureum.http.panel.history_words import history_shown
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import Visit

API = "/api/v1/admin/api-keys"
LENGTH = 100


async def listed(visit: Visit, new: Mapping[str, Any], problem: str | None = None) -> Response:
    """A page of the keys, the revoked ones too, and the form for a new one."""
    number = visit.request.query_params.get("page", "1")
    keys = (await visit.ask("GET", API, query={"page_size": LENGTH, "page": number} | named(visit))).body
    shown = {"keys": keys["items"], "part": keys, "new": new, "problem": problem}
    return await page(visit, "api_keys.html", 400 if problem else 200, **shown)


async def show_api_keys(visit: Visit) -> Response:
    """The keys."""
    return await listed(visit, {"name": "", "rate_limit": RATE_LIMIT, "expires_at": ""})


async def show_api_key(visit: Visit) -> Response:
    """A key without the key itself: who made and revoked it, and when."""
    key = (await visit.ask("GET", API + "/{id}", id=visit.id(), query=named(visit))).body
    history = await history_shown(visit, API + "/{id}/history", "key", {}, id=visit.id(), **named(visit))
    return await page(visit, "api_key_history.html", key=key, history=history)


async def create_api_key(visit: Visit) -> Response:
    """The new key, this once. Sent again, the same form shows the same one."""
    new: dict[str, Any] = {"name": visit.form["name"], "rate_limit": visit.form.number("rate_limit")}
    new["expires_at"] = visit.form["expires_at"]
    try:
        key = (await visit.ask("POST", API, body=new | named(visit))).body
    except REFUSALS as error:
        return await listed(visit, new, refusal(error))
    return await page(visit, "api_key.html", 201, key=key)


async def revoke_api_key(visit: Visit) -> Response:
    """From the next request on it opens nothing."""
    await visit.ask("DELETE", API + "/{id}", id=visit.id(), query=named(visit))
    return RedirectResponse("/admin/settings/api-keys", 303)


PAGES = (
    Page("/admin/settings/api-keys", show_api_keys, create_api_key),
    Page("/admin/settings/api-keys/{id}", show_api_key),
    Page("/admin/settings/api-keys/{id}/revoke", act=revoke_api_key),
)
