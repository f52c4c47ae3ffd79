"""Every endpoint: those of the resources, in their order, and what belongs to none of them."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from aureum.app import Aureum
from aureum.http.access.cors import preflight
from aureum.http.api.imports import imports
from aureum.http.api.installation import door, health, platform
from aureum.http.api.mail import mails, mails_about
from aureum.http.api.of_resources import endpoints
from aureum.http.api.signing import docusign_calls
from aureum.http.api.staff import login, me, passwords, search, security_log, sessions, two_step, undoing_all
from aureum.http.api.webhooks.messages import MESSAGES
from aureum.http.contract.answers import JSON, encoded
from aureum.http.contract.endpoint import Address, Endpoint
from aureum.http.contract.packed import PackedAnswer
from aureum.http.openapi import documentation
from aureum.http.openapi.document import document
from aureum.http.panel import pages as admin_pages
from aureum.http.panel.listeners import Listeners
from aureum.http.portal import pages as portal_pages
from aureum.http.server.edge import Edge

ENDPOINTS: tuple[Endpoint, ...] = (
    *endpoints(),
    *me.ENDPOINTS,
    *sessions.ENDPOINTS,
    *two_step.ENDPOINTS,
    *security_log.ENDPOINTS,
    *undoing_all.ENDPOINTS,
    *login.ENDPOINTS,
    *passwords.ENDPOINTS,
    *mails.ENDPOINTS,
    *mails_about.ENDPOINTS,
    *search.ENDPOINTS,
    *imports.ENDPOINTS,
    *platform.ENDPOINTS,
    *health.ENDPOINTS,
    *door.ENDPOINTS,
    *documentation.ENDPOINTS,
)


def addresses() -> list[Address]:
    """The endpoints by path, in the order of the first of each."""
    by_path: dict[str, list[Endpoint]] = defaultdict(list)
    for endpoint in ENDPOINTS:
        by_path[endpoint.path].append(endpoint)
    return [
        Address(*endpoints, preflight=preflight if any(one.from_pages for one in endpoints) else None)
        for endpoints in by_path.values()
    ]


class Paths(Router):
    """Starlette's router, but that it looks up a path without an id instead of trying one route after the other."""

    def __init__(self, routes: Sequence[Route]) -> None:
        super().__init__(routes=routes, redirect_slashes=False)
        self.fixed = {route.path: route for route in routes if not route.param_convertors}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self.fixed.get(scope["path"])
        if route is None:
            await super().__call__(scope, receive, send)
            return
        scope.update(router=self, route=route, endpoint=route.endpoint, path_params={})
        await route.handle(scope, receive, send)


def described(public_url: str | None = None) -> dict[str, Any]:
    """The OpenAPI document of all endpoints and webhooks; *public_url* is where clients reach them."""
    return document(ENDPOINTS, MESSAGES, public_url)


@cache
def published(public_url: str | None) -> bytes:
    """The same as JSON. To make it is half of what it takes to begin."""
    return encoded(described(public_url))


def make_app(aureum: Aureum) -> Edge:
    """The ASGI application on an opened ``Aureum``."""
    routes = [Route(address.path, address, include_in_schema=False) for address in addresses()]
    listeners = Listeners(aureum.database)
    return Edge(
        Paths([*routes, *docusign_calls.routes(), *portal_pages.routes(), *admin_pages.routes()]),
        aureum,
        openapi=PackedAnswer(published(aureum.settings.public_url), JSON),
        listeners=listeners,
    )
