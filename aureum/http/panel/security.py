"""Settings → Security log: logins, refused keys and exports."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from aureum.http.panel.acting import named
from aureum.http.panel.page import Page, page
from aureum.http.panel.visit import Visit

HERE = "/admin/settings/security"
API = "/api/v1/admin/security-log"
LENGTH = 50

KINDS: Mapping[str, str] = {
    "login": "Logged in",
    "login_failed": "Failed login",
    "login_limited": "Login refused after too many failures",
    "code_failed": "Wrong code for the two-step login",
    "totp_enabled": "Two-step login turned on",
    "totp_disabled": "Two-step login turned off",
    "password_changed": "Password changed",
    "key_revoked_used": "Revoked API key used",
    "key_expired_used": "Expired API key used",
    "key_unknown": "Unknown API key used",
    "key_at_other_brokerage": "API key used at another brokerage’s domain",
    "export": "List exported",
    "erasure": "Person erased",
    "others": "Other entries of the same hour, counted together",
}
"""Each kind in words, as a filter too."""

ALARMING = frozenset(("login_failed", "login_limited", "code_failed", "key_revoked_used", "key_at_other_brokerage"))


def row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry in words."""
    who = entry["user"]["name"] if entry["user"] else f"API key “{entry['key']['name']}”" if entry["key"] else ""
    account = entry["account"] or ""
    return {
        **entry,
        "what": KINDS.get(entry["kind"], entry["kind"]),
        "alarming": entry["kind"] in ALARMING,
        "who": who or account,
        "where": ", ".join(one for one in (entry["device"], entry["address"]) if one),
        "about": entry["about"] or "",
    }


async def show_security_log(visit: Visit) -> Response:
    """The latest first, of one kind or of all."""
    asked = {name: visit.request.query_params.get(name, "") for name in ("page", "kind")}
    part = (await visit.ask("GET", API, query={"page_size": LENGTH, **asked} | named(visit))).body
    entries = [row(entry) for entry in part["items"]]
    return await page(visit, "security.html", entries=entries, part=part, kinds=KINDS, kind=asked["kind"])


PAGES = (Page(HERE, show_security_log),)
