"""Templates into answers. Everything that a page shows is escaped, and a name that a template misses is an error."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from aureum.http.contract.visitor_page import COLOR
from aureum.http.portal import moments
from aureum.http.portal.assets import module, style
from aureum.http.portal.catalogue import LANGUAGES, translations
from aureum.http.portal.menu import menu

if TYPE_CHECKING:
    from aureum.http.portal.visit import PortalVisit

HEADERS = {
    "Cache-Control": "no-store",
    # Not "no-referrer": with that, browsers keep from us in Origin where a form was sent from.
    "Referrer-Policy": "same-origin",
}
"""Of every page, unless it brings its own."""

VARY = "Accept-Encoding, Accept-Language, Cookie"

FIRST = "/portal"
OF_SIGN_IN = ("/portal/sign-in", "/portal/code")
"""Pages that the choice of a language does not lead back to. The address of one holds a token."""

POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'self' '{style}'; connect-src 'self'; "
    "img-src 'self' data:; form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
)


@cache
def templates(language: str) -> Environment:
    """The templates with the texts of a language."""
    environment = Environment(
        loader=PackageLoader("aureum.http.portal"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    texts = translations(language)
    # The extension adds this method to the environment.
    cast(Any, environment).install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)
    return environment


@lru_cache(512)
def look(color: str | None) -> tuple[str, str]:
    """The rule that has the brokerage's colour, and its hash, by which the page's policy lets it in."""
    rule = f":root{{--brand:{color or COLOR}}}"
    digest = base64.b64encode(hashlib.sha256(rule.encode()).digest()).decode()
    return rule, f"sha256-{digest}"


def rendered(
    visit: "PortalVisit",
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    leads_to: str = "",
    **shown: object,
) -> Response:
    """A page of its *template*. Scripts run only on pages of a client, and only those that name the page's nonce. Forms
    lead only to this host, and from there to *leads_to*."""
    brokerage, path = visit.brokerage, visit.request.url.path
    rule, digest = look(None if brokerage is None else brokerage.color)
    nonce = secrets.token_urlsafe(16) if visit.signed_in is not None and visit.preview is None else ""
    about = {
        "visit": visit,
        "brokerage": brokerage,
        "logo": None if brokerage is None else brokerage.brand.logo_path,
        "client": visit.signed_in,
        "preview": visit.preview,
        "language": visit.locale,
        "languages": LANGUAGES,
        "path": FIRST if path.startswith(OF_SIGN_IN) else path,
        "menu": menu(visit),
        "link": visit.link,
        "style": style().digest,
        "rule": rule,
        "nonce": nonce,
        "module": module,
        "moment": lambda at: moments.moment(at, visit.zone, visit.locale),
        "price": lambda amount: moments.price(amount, visit.locale),
        "day": lambda on: moments.day(on, visit.locale),
    }
    content = templates(visit.locale).get_template(template).render(about | shown)
    policy = POLICY.format(
        scripts=f"'nonce-{nonce}'" if nonce else "'none'",
        style=digest,
        forms="'none'" if visit.preview is not None else f"'self' {leads_to}".rstrip(),
    )
    own = HEADERS | {"Content-Security-Policy": policy, "Content-Language": visit.locale, "Vary": VARY}
    return HTMLResponse(content, status, own | dict(headers or {}))
