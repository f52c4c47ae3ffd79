"""Public forms: whoever fills one in, the brokerage that Host names gets it, and limits how many one client sends.

The append of the form is the only round trip: it counts the form against its limit, and refuses what this process
remembers of the brokerage if it is stale. Then the brokerage is looked up again.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from aureum.domain.errors import Busy, SiteChanged, TooMany
from aureum.http.access import NO_BROKERAGE, named_host, origin, too_many
from aureum.http.answers import answer
from aureum.http.cors import allow_origin
from aureum.http.endpoint import Access, Asked
from aureum.http.errors import HttpError
from aureum.http.gate import Brokerage
from aureum.http.hosts import client_address
from aureum.http.idempotency import idempotency, replayed
from aureum.http.sites import Site
from aureum.store.event_store import Appended, Form, Idempotency
from aureum.store.metadata import Origin

if TYPE_CHECKING:
    from aureum.app import Aureum

LOOKS = 3
"""How often a brokerage is looked up again that changes while a form comes in."""


class Submission(NamedTuple):
    """What a form's command needs besides the form: the brokerage, the host, and what the append checks."""

    site: Site
    host: str
    origin: Origin
    form: Form
    idempotency: Idempotency | None


async def by_form(request: Request) -> Brokerage:
    """The brokerage that Host names, as this process knows it. Raises BadHost, HttpError 404, Unavailable.

    A page of the brokerage's own may read the answer.
    """
    host, slug = named_host(request)
    site = await site_of(request.app.state.aureum, host, slug)
    allow_origin(request, site)
    return site.brokerage


FORM = Access(by_form)
"""Anybody, of the brokerage that Host names; the append counts it against the limit of forms."""


async def submit(
    asked: Asked,
    thanks: Callable[[Any], bytes],
    command: Callable[[Submission], Awaitable[tuple[Any, Appended]]],
    status: int = 200,
) -> Response:
    """Run the *command* of a form, which makes something and appends it; *thanks* is what the visitor's page gets.

    Raises HttpError 404, 429, Busy, and what the command raises.
    """
    app, request = asked.app, asked.request
    host, slug = named_host(request)
    client = client_address(request.scope, app.settings.trusted_proxies)
    for _ in range(LOOKS):
        site = await site_of(app, host, slug)
        about = site.brokerage
        remember = idempotency(request, about, asked.body, thanks)
        submission = Submission(site, host, origin(request, about), Form(about.site_version, client), remember)
        try:
            made, appended = await command(submission)
        except SiteChanged:
            app.sites.forget(host, slug)
            continue
        except TooMany as error:
            raise too_many(app.settings.form_rate_limit, error.retry_at) from error
        if appended.remembered is not None:
            return replayed(appended.remembered, status)
        return answer(thanks(made), status=status)
    raise Busy()


async def site_of(app: "Aureum", host: str, slug: str) -> Site:
    """Raises HttpError 404."""
    site = await app.sites.find(host, slug)
    if site is None:
        raise HttpError("brokerage_not_found", NO_BROKERAGE)
    return site
