"""Public forms: the brokerage that Host names receives the form, and limits how many one client sends.

    who asks      the Host's brokerage; where a browser tells from which page, a page of the brokerage's own
    the fields    form_bodies.py: in any of the ways in which websites send them
    the command   decides, and appends
    the answer    JSON; to a browser that has no script, a page: form_page.py

The append of the form is the only round trip: it counts the form against its limit, and refuses what this process
remembers of the brokerage if it is stale. Then the brokerage is looked up again.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from aureum.domain.errors import Busy, DomainError, SiteChanged, TooMany, Unavailable
from aureum.http.access.callers import NO_BROKERAGE, named_host, origin, too_many
from aureum.http.access.cors import allow_origin, check_origin
from aureum.http.access.gate import Caller
from aureum.http.access.hosts import client_address
from aureum.http.access.sites import Site
from aureum.http.contract.answers import answer
from aureum.http.contract.endpoint import Access, Context, Endpoint
from aureum.http.contract.form_page import FormWords, refused_page, thanks_page
from aureum.http.contract.idempotency import idempotency, replayed
from aureum.http.contract.visitor_page import Brand
from aureum.http.wire.accept import prefers_page
from aureum.http.wire.error_log import log_error
from aureum.http.wire.errors import Dialect, HttpError
from aureum.http.wire.form_bodies import Sent, read_form
from aureum.http.wire.validation import validate
from aureum.store.event_store import Appended, Idempotency
from aureum.store.guards import AtMost, Guard, Once, Unchanged
from aureum.store.metadata import Origin

if TYPE_CHECKING:
    from aureum.app import Aureum

LOOKS = 3
"""How often a brokerage is looked up again that changes while a form comes in."""


SAME_SECONDS = 600
"""How long the same form from the same client is the same one."""


class Submission(NamedTuple):
    """What a form's command needs besides the form: the brokerage, the host, and what the append checks."""

    site: Site
    host: str
    origin: Origin
    guards: Sequence[Guard]
    idempotency: Idempotency | None


async def by_form(request: Request) -> Caller:
    """The brokerage that Host names, as this process knows it. Raises BadHost, HttpError 403, 404, Unavailable.

    A page of the brokerage's own may read the answer; that of another site may not even send the form.
    """
    host, slug = named_host(request)
    site = await site_of(request.app.state.aureum, host, slug)
    allow_origin(request, site)
    check_origin(request, site, host)
    return site.visitor


FORM = Access(by_form)
"""Public: Host names the brokerage. The append counts the form against the limit."""


THANKS = FormWords("Thank you!", ())


@dataclass(frozen=True)
class FormEndpoint(Endpoint):
    """A public form. ``body`` is its model; the function that answers takes ``Context`` and the form."""

    access: Access = FORM
    dialect: Dialect = "leads"
    from_pages: bool = True
    refusals: Sequence[int] = (403,)
    words: FormWords = THANKS
    """How it is shown to a visitor whose browser has no script."""

    async def respond(self, request: Request) -> Response:
        """JSON, or a page for a browser. Raises what the edge renders."""
        if prefers_page(request.scope):
            return await self.as_page(request)
        caller = await self.asked_by(request)
        return await self.stored(request, caller, await read_form(request.receive, request.scope["headers"]))

    async def stored(self, request: Request, caller: Caller, sent: Sent) -> Response:
        """The form, validated and carried out."""
        assert self.body is not None
        return await self.run(Context(request, caller, sent.said), validate(self.body, sent.fields))

    async def as_page(self, request: Request) -> Response:
        """The same as a page, refusals too."""
        fields: Mapping[str, Any] | None = None
        try:
            caller = await self.asked_by(request)
            sent = await read_form(request.receive, request.scope["headers"])
            fields = sent.fields
            response = await self.stored(request, caller, sent)
        except (HttpError, DomainError) as error:
            if isinstance(error, Unavailable):
                log_error(request.scope, error)
            return refused_page(await brand_of(request), self.words, fields, error)
        return thanks_page(await brand_of(request), self.words, sent.fields, response)


async def brand_of(request: Request) -> Brand:
    """How pages of the brokerage look that Host names; without a name if it cannot be known."""
    try:
        site = await site_of(request.app.state.aureum, *named_host(request))
    except (HttpError, DomainError):
        return Brand("")
    return Brand(site.name, site.color, site.logo)


async def submit(
    context: Context,
    form: BaseModel,
    thanks: Callable[[Any], bytes],
    command: Callable[[Submission], Awaitable[tuple[Any, Appended]]],
    *,
    once: bool = False,
) -> Response:
    """Run the *command* of a *form*, which makes something and appends it; *thanks* is what the visitor's page gets.
    *once*: the same form without a key, from the same client within ten minutes, is the same one.

    Raises HttpError 404, 429, Busy, and what the command raises.
    """
    app, request = context.app, context.request
    host, slug = named_host(request)
    client = client_address(request.scope, app.settings.trusted_proxies)
    for _ in range(LOOKS):
        site = await site_of(app, host, slug)
        caller = site.visitor
        remember = idempotency(request, caller, context.body, thanks)
        guards: list[Guard] = [Unchanged(caller.site_version)]
        if client and app.settings.form_rate_limit:
            guards.append(AtMost(client, app.settings.form_rate_limit))
        if once and remember is None:
            guards.append(Once(digest_of(request, client, form), SAME_SECONDS))
        submission = Submission(site, host, origin(request, caller), guards, remember)
        try:
            made, appended = await command(submission)
        except SiteChanged:
            app.sites.forget(host, slug)
            continue
        except TooMany as error:
            raise too_many(app.settings.form_rate_limit, error.retry_at) from error
        if appended.remembered is not None:
            return replayed(appended.remembered, 200)
        if appended.again is not None:
            made = (await app.store.load(caller.tenant_id, appended.again)).aggregate()
        return answer(thanks(made))
    raise Busy()


def digest_of(request: Request, client: str, form: BaseModel) -> bytes:
    """Who sent what to which form, whichever way it was sent."""
    said = orjson.dumps((request.scope["path"], client, *vars(form).values()))
    return hashlib.blake2b(said, digest_size=16).digest()


async def site_of(app: "Aureum", host: str, slug: str) -> Site:
    """Raises HttpError 404."""
    site = await app.sites.find(host, slug)
    if site is None:
        raise HttpError("brokerage_not_found", NO_BROKERAGE)
    return site
