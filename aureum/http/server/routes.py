"""Every endpoint on one page. Those that are asked most stand first."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from aureum.app import Aureum
from aureum.http.access.cors import preflight
from aureum.http.api.brokerages import brokerages as admin_brokerages
from aureum.http.api.contacts import contacts
from aureum.http.api.installation import door, health
from aureum.http.api.leads import contact_form as contact
from aureum.http.api.leads import lead_count, leads
from aureum.http.api.newsletter import newsletter
from aureum.http.api.properties import properties
from aureum.http.api.routing import agents
from aureum.http.api.routing import settings as routing_settings
from aureum.http.api.staff import api_keys as admin_api_keys
from aureum.http.api.staff import leads as admin_leads
from aureum.http.api.staff import login as auth
from aureum.http.api.staff import managed_users as admin_users
from aureum.http.api.staff import me, users
from aureum.http.api.tasks import tasks
from aureum.http.api.tours import showings, tour_calendar, tours
from aureum.http.api.webhooks import deliveries as webhook_deliveries
from aureum.http.api.webhooks import endpoints as webhooks
from aureum.http.api.webhooks import events as webhook_events
from aureum.http.api.webhooks import ping as webhook_ping
from aureum.http.api.webhooks import replays as webhook_replays
from aureum.http.api.webhooks.messages import MESSAGES
from aureum.http.contract.answers import JSON, encoded
from aureum.http.contract.endpoint import Address, Endpoint
from aureum.http.contract.packed import Packed
from aureum.http.openapi import documentation
from aureum.http.openapi.document import document
from aureum.http.panel import pages as admin_pages
from aureum.http.server.edge import Edge

ENDPOINTS: tuple[Endpoint, ...] = (
    *contact.ENDPOINTS,
    *lead_count.ENDPOINTS,
    *leads.ENDPOINTS,
    *properties.ENDPOINTS,
    *contacts.ENDPOINTS,
    *tasks.ENDPOINTS,
    *showings.ENDPOINTS,
    *tour_calendar.ENDPOINTS,
    *tours.ENDPOINTS,
    *admin_leads.ENDPOINTS,
    *newsletter.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *webhook_ping.ENDPOINTS,
    *webhook_deliveries.ENDPOINTS,
    *webhook_replays.ENDPOINTS,
    *webhook_events.ENDPOINTS,
    *users.ENDPOINTS,
    *me.ENDPOINTS,
    *auth.ENDPOINTS,
    *admin_users.ENDPOINTS,
    *agents.ENDPOINTS,
    *routing_settings.ENDPOINTS,
    *admin_api_keys.ENDPOINTS,
    *admin_brokerages.ENDPOINTS,
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


def make_app(aureum: Aureum) -> Edge:
    """The ASGI application on an opened ``Aureum``."""
    routes = [Route(address.path, address, include_in_schema=False) for address in addresses()]
    openapi = encoded(described(aureum.settings.public_url))
    return Edge(Paths([*routes, *admin_pages.routes()]), aureum, openapi=Packed(openapi, JSON))
