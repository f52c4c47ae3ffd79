"""The callers: an API key or a user on the Aureum API, staff on the staff endpoints, visitors on the public forms of
the brokerage that the Host names.
"""

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from starlette.requests import Request

from aureum.commands.api_keys import KEY_PREFIX, hash_key
from aureum.commands.sessions import TOKEN_PREFIX
from aureum.domain.brokerage import includes
from aureum.domain.ids import PLATFORM, to_wire
from aureum.http.access.gate import PASSED_AS, Admission, Caller, Lookup
from aureum.http.access.hosts import client_address, requested_host, split_slug
from aureum.http.access.roles import check_manager
from aureum.http.access.security import note
from aureum.http.access.session_cookie import check_same_origin, session_token
from aureum.http.wire.errors import BadForwardedHost, BadHost, HttpError, PlanRequired
from aureum.http.wire.headers import header
from aureum.store.metadata import VISITOR, Actor, Origin
from aureum.store.security_log import Noted

if TYPE_CHECKING:
    from aureum.app import Aureum

NO_KEY = "An API key is required. Send it as 'Authorization: Bearer YOUR_API_KEY'."
LOG_IN = "Log in first. Send the token as 'Authorization: Bearer YOUR_TOKEN'."
WRONG_KEY = (
    "The API key is not valid here: it may be mistyped, revoked, or of another brokerage than the one that the Host of "
    "the request names."
)
WRONG_LOGIN = (
    "The token is not valid here: it may be mistyped, expired, or of another brokerage than the one that the Host of "
    "the request names. Log in again."
)
NO_BROKERAGE = "Brokerage not found"
TOO_MANY = "Too many requests. The limit is {limit} per minute. Try again in {seconds} seconds."
NAME_A_BROKERAGE = "You do not belong to a brokerage. Send the request to the domain of a brokerage."

FROM_PANEL = "aureum.panel"
"""In the scope of what a page of the admin panel asks on behalf of its reader."""

ACTING_FOR = "aureum.acting_for"
"""In the same scope: the slug of the brokerage that a platform admin has chosen there."""

log = structlog.get_logger("aureum.http")

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""Whose requests change nothing (RFC 9110, 9.2.1)."""

PANEL_PLAN = "Starter"
API_PLAN = "Grow"
INTEGRATION_PLAN = "Elite"


async def by_key(request: Request, plan: str | None = None) -> Caller:
    """The brokerage of the key in Authorization, or of the user whose token it is, on *plan* or a higher one: that of
    the API, but for pages of the admin panel, which every plan has.

    Raises HttpError 401, 403 (plan), 429. A Host that names a different brokerage is like a wrong key; one that names
    none does not matter. A platform admin asks for whichever brokerage the Host names.
    """
    usual = PANEL_PLAN if request.scope.get(FROM_PANEL) else API_PLAN
    return await on_plan(request, await passed(request, NO_KEY), plan or usual)


async def by_key_or_staff(request: Request) -> Caller:
    """A key on a plan that has the API, or a user on any: all have the admin panel. Raises what by_key raises."""
    caller = await passed(request, LOG_IN)
    if caller.role not in ("key", "platform_admin"):
        return caller
    return await on_plan(request, caller, PANEL_PLAN if request.scope.get(FROM_PANEL) else API_PLAN)


async def by_integrator(request: Request) -> Caller:
    """A key, or a manager of the brokerage, on the plan that has webhooks and the event feed.

    Raises what by_key raises, NotAllowed for agents and brokers.
    """
    caller = await by_key(request, INTEGRATION_PLAN)
    if caller.role != "key":
        check_manager(caller.role)
    return caller


async def on_plan(request: Request, caller: Caller, plan: str) -> Caller:
    """*caller*, or for a platform admin the brokerage that was chosen in the panel, or that Host names.

    Raises HttpError 400, 401, 403, 404.
    """
    acting_for = request.scope.get(ACTING_FOR)
    if acting_for is not None and caller.role == "platform_admin":
        caller = await as_platform_admin(request, caller, ("", acting_for))
    elif caller.host_tenant is not None and caller.host_tenant != caller.tenant_id:
        if caller.role != "platform_admin":
            await tell_host(request, caller)
            raise HttpError("credentials_invalid", WRONG_LOGIN)
        caller = await as_platform_admin(request, caller)
    if caller.tenant_id == PLATFORM:
        raise HttpError("brokerage_required", NAME_A_BROKERAGE)
    if not includes(caller.plan, plan):
        raise PlanRequired(plan)
    return caller


async def by_staff(request: Request) -> Caller:
    """A user, by the token of the login. The Host does not matter. Raises HttpError 401."""
    caller = await passed(request, LOG_IN)
    if caller.role == "key":
        raise HttpError("credentials_missing", LOG_IN)
    return caller


async def by_credentials(request: Request) -> Caller:
    """A key or a user, on any plan. Raises HttpError 401, 429."""
    return await passed(request, NO_KEY)


async def passed(request: Request, without: str) -> Caller:
    """The caller that the credentials belong to, counted against the limit of a key. *without* is the error where there
    are none.

    Raises HttpError 401, 429, BadForwardedHost: a key needs no known host, but a trusted proxy names one or none.
    """
    credentials = bearer(request, without)
    if credentials is None:
        raise HttpError("credentials_missing", without)
    try:
        host, slug = named_host(request)
    except BadForwardedHost:
        raise
    except BadHost:
        host = slug = ""
    admission = await through_gate(request, Lookup(hash_key(credentials), host, slug, ""))
    if admission is None or admission.caller.caller_id is None:
        if credentials.startswith(KEY_PREFIX):
            note(request, Noted("key_unknown", key_hash=hash_key(credentials)))
        raise HttpError("credentials_invalid", WRONG_LOGIN if credentials.startswith(TOKEN_PREFIX) else WRONG_KEY)
    caller = admission.caller
    if caller.role == "key" and caller.host_tenant not in (None, caller.tenant_id):
        await tell_host(request, caller)
        note(
            request,
            Noted("key_at_other_brokerage", tenant_id=caller.tenant_id, key_id=caller.caller_id, about=host or slug),
        )
        raise HttpError("credentials_invalid", WRONG_KEY)
    request.scope["state"]["limit_headers"] = limit_headers(admission)
    if not admission.passes and admission.resets_at is not None:
        raise too_many(caller.rate_limit, admission.resets_at)
    return caller


async def tell_host(request: Request, caller: Caller) -> None:
    """Log that good credentials came to the Host of another brokerage. The answer cannot say so without telling which
    keys are good; the operator, who knows both brokerages, finds here what the client did wrong."""
    host, slug = named_host(request)
    admission = await through_gate(request, Lookup(b"", host, slug, ""))
    log.warning(
        "host_of_another_brokerage",
        request=request_id(request),
        host=host,
        names=None if admission is None else admission.caller.slug,
        credentials_of=caller.slug,
    )


async def through_gate(request: Request, line: Lookup) -> Admission | None:
    """What the gate says, or has said already of this request. Raises Busy, Unavailable."""
    app: Aureum = request.app.state.aureum
    admission: Admission | None
    asked, admission = request.scope.get(PASSED_AS, (None, None))
    if asked != line:
        admission = await app.gate.ask(line)
        request.scope.setdefault(PASSED_AS, (line, admission))
    return admission


async def as_platform_admin(request: Request, admin: Caller, named: tuple[str, str] | None = None) -> Caller:
    """The brokerage of a host and slug, by themselves those of the request, seen by *admin*.

    Raises HttpError 404 for a disabled one.
    """
    host, slug = named or named_host(request)
    admission = await through_gate(request, Lookup(b"", host, slug, ""))
    if admission is None:
        raise HttpError("brokerage_not_found", NO_BROKERAGE)
    return admission.caller._replace(caller_id=admin.caller_id, role=admin.role, caller_tenant=admin.caller_tenant)


READS = "reads "
GUESSES = "guesses "
"""Before a client's address: what is counted apart from the forms that it sends, and from each other."""


async def by_host(request: Request) -> Caller:
    """The brokerage that Host names, one read counted for the client's address. Raises BadHost, HttpError."""
    return await counted(request, READS)


async def by_link(request: Request) -> Caller:
    """The brokerage that Host names; nothing is counted. Raises BadHost, HttpError."""
    host, slug = named_host(request)
    admission = await through_gate(request, Lookup(b"", host, slug, ""))
    if admission is None:
        raise HttpError("brokerage_not_found", NO_BROKERAGE)
    return admission.caller


async def counted(request: Request, what: str) -> Caller:
    """The brokerage that Host names, *what* the client asks counted for its address. Raises BadHost, HttpError."""
    app: Aureum = request.app.state.aureum
    host, slug = named_host(request)
    client = what + client_address(request.scope, app.settings.trusted_proxies)
    admission = await through_gate(request, Lookup(b"", host, slug, client))
    if admission is None:
        raise HttpError("brokerage_not_found", NO_BROKERAGE)
    caller = admission.caller
    app.sites.forget_unless(host, slug, caller.site_version)
    if not admission.passes and admission.resets_at is not None:
        raise too_many(caller.rate_limit, admission.resets_at)
    return caller


def named_host(request: Request) -> tuple[str, str]:
    """The Host of the request and the slug in it, if any. Raises BadHost."""
    state: dict[str, Any] = request.scope["state"]
    if "named_host" not in state:
        app: Aureum = request.app.state.aureum
        host = requested_host(request.scope, app.settings.trusted_proxies)
        if host is None:
            raise BadHost("host_missing", "Missing Host header")
        state["named_host"] = host, split_slug(host, app.settings.base_domain) or ""
    named: tuple[str, str] = state["named_host"]
    return named


def bearer(request: Request, without: str = NO_KEY) -> str | None:
    """The API key or token that was sent, in the admin panel's cookie if nowhere else; None without any.

    Raises HttpError 401 for other kinds of credentials, 403 for what a page of another site has a browser change.
    """
    credentials = header(request.scope, b"authorization")
    if not credentials:
        app: Aureum = request.app.state.aureum
        token = session_token(request.scope, app.settings.trusted_proxies)
        if token is not None and request.method not in SAFE_METHODS:
            check_same_origin(request, app.settings.trusted_proxies)
        return token
    scheme, _, secret = credentials.partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret.startswith((KEY_PREFIX, TOKEN_PREFIX)):
        if scheme.lower() == "bearer" and secret:
            raise HttpError("credentials_invalid", WRONG_KEY)
        raise HttpError("credentials_missing", without)
    return secret


def limit_headers(admission: Admission) -> list[tuple[bytes, bytes]]:
    """The rate-limit headers of every answer to a valid key; the edge adds them."""
    if admission.resets_at is None:
        return []
    return [
        (b"x-ratelimit-limit", b"%d" % admission.caller.rate_limit),
        (b"x-ratelimit-remaining", b"%d" % max(0, admission.remaining)),
        (b"x-ratelimit-reset", b"%d" % (int(admission.resets_at.timestamp()) + 1)),
    ]


def too_many(limit: int, resets_at: datetime) -> HttpError:
    """429, and when to come back."""
    seconds = max(1, int(resets_at.timestamp() - time.time()) + 1)
    return HttpError("rate_limited", TOO_MANY.format(limit=limit, seconds=seconds), {"Retry-After": str(seconds)})


def origin(request: Request, caller: Caller) -> Origin:
    """Whom the events of this request will name, and of staff and programs where they are."""
    if caller.caller_id is None:
        return Origin(VISITOR, request_id=request_id(request))
    address = client_address(request.scope, request.app.state.aureum.settings.trusted_proxies)
    return Origin(actor(caller), request_id=request_id(request), address=address)


def actor(caller: Caller) -> Actor:
    """Who asks, as an event's metadata has it."""
    if caller.caller_id is None:
        return VISITOR
    return Actor("key" if caller.role == "key" else "user", to_wire(caller.caller_id))


def request_id(request: Request) -> str:
    """What stands in X-Request-Id."""
    state: Any = request.scope["state"]
    return str(state["request_id"])
