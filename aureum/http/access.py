"""Who may ask: an API key on the Aureum API, anybody on the public forms of the brokerage that the Host names."""

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from aureum.commands.api_keys import KEY_PREFIX, hash_key
from aureum.domain.brokerage import includes
from aureum.domain.ids import to_wire
from aureum.http.errors import BadHost, HttpError, PlanRequired
from aureum.http.gate import Brokerage, Line, Passage
from aureum.http.headers import header
from aureum.http.hosts import client_address, requested_host, split_slug
from aureum.store.metadata import VISITOR, Actor, Origin

if TYPE_CHECKING:
    from aureum.app import Aureum

NO_KEY = "An API key is required: send it as 'Authorization: Bearer YOUR_API_KEY'."
WRONG_KEY = "The API key is not valid here: it may be mistyped, revoked, or of another brokerage."
NO_BROKERAGE = "Brokerage not found"
TOO_MANY = "Too many requests: the limit is {limit} a minute. Try again in {seconds} seconds."

API_PLAN = "Grow"


async def by_key(request: Request, plan: str = API_PLAN) -> Passage:
    """The brokerage of the key in Authorization. Raises HttpError 401, 403 (plan), 429.

    A Host that names a different brokerage is like a wrong key; one that names none does not matter.
    """
    app: Aureum = request.app.state.aureum
    key_hash = bearer(request)
    if key_hash is None:
        raise HttpError(401, NO_KEY)
    try:
        host = requested_host(request.scope, app.settings.trusted_proxies) or ""
    except BadHost:
        host = ""
    slug = split_slug(host, app.settings.base_domain) or ""
    passage = await app.gate.ask(Line(key_hash, host, slug, ""))
    if passage is None or passage.brokerage.key_id is None:
        raise HttpError(401, WRONG_KEY)
    about = passage.brokerage
    if about.host_tenant is not None and about.host_tenant != about.tenant_id:
        raise HttpError(401, WRONG_KEY)
    request.state.limit_headers = limit_headers(passage)
    if not passage.passes and passage.resets_at is not None:
        raise too_many(about.rate_limit, passage.resets_at)
    if not includes(about.plan, plan):
        raise PlanRequired(plan)
    return passage


async def by_host(request: Request) -> Passage:
    """The brokerage that Host names, its form limit counted for the client's address. Raises BadHost, HttpError."""
    app: Aureum = request.app.state.aureum
    host, slug = named_host(request)
    passage = await app.gate.ask(Line(b"", host, slug, client_address(request.scope, app.settings.trusted_proxies)))
    if passage is None:
        raise HttpError(404, NO_BROKERAGE)
    app.sites.forget_unless(host, slug, passage.brokerage.site_version)
    if not passage.passes and passage.resets_at is not None:
        raise too_many(passage.brokerage.rate_limit, passage.resets_at)
    return passage


def named_host(request: Request) -> tuple[str, str]:
    """The Host of the request and the slug in it, if any. Raises BadHost."""
    app: Aureum = request.app.state.aureum
    host = requested_host(request.scope, app.settings.trusted_proxies)
    if host is None:
        raise BadHost("Missing Host header")
    return host, split_slug(host, app.settings.base_domain) or ""


def bearer(request: Request) -> bytes | None:
    """The hash of the API key that was sent; None without any credentials. Raises HttpError 401 for other kinds."""
    credentials = header(request.scope, b"authorization")
    if not credentials:
        return None
    scheme, _, key = credentials.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key.startswith(KEY_PREFIX):
        raise HttpError(401, WRONG_KEY if scheme.lower() == "bearer" and key else NO_KEY)
    return hash_key(key)


def limit_headers(passage: Passage) -> dict[str, str]:
    """The rate-limit headers of an answer to a valid key."""
    if passage.resets_at is None:
        return {}
    return {
        "X-RateLimit-Limit": str(passage.brokerage.rate_limit),
        "X-RateLimit-Remaining": str(max(0, passage.remaining)),
        "X-RateLimit-Reset": str(int(passage.resets_at.timestamp()) + 1),
    }


def too_many(limit: int, resets_at: datetime) -> HttpError:
    """429, and when to come back."""
    seconds = max(1, int(resets_at.timestamp() - time.time()) + 1)
    return HttpError(429, TOO_MANY.format(limit=limit, seconds=seconds), {"Retry-After": str(seconds)})


def origin(request: Request, brokerage: Brokerage) -> Origin:
    """Whom the events of this request will name."""
    key_id = brokerage.key_id
    return Origin(VISITOR if key_id is None else Actor("key", to_wire(key_id)), request_id=request_id(request))


def request_id(request: Request) -> str:
    """What stands in X-Request-Id."""
    state: Any = request.scope["state"]
    return str(state["request_id"])
