"""The endpoints of the API that pages ask: not ``routes.ENDPOINTS``, since the routes are made of the pages as well."""

from collections.abc import Sequence

from aureum.http import (
    admin_api_keys,
    admin_brokerages,
    admin_leads,
    admin_users,
    auth,
    contacts,
    lead_count,
    leads,
    me,
    properties,
    showings,
    tasks,
    users,
    webhook_deliveries,
    webhook_ping,
    webhook_replays,
    webhooks,
)
from aureum.http.contract.endpoint import Endpoint

ENDPOINTS: Sequence[Endpoint] = (
    *auth.ENDPOINTS,
    *me.ENDPOINTS,
    *lead_count.ENDPOINTS,
    *leads.ENDPOINTS,
    *admin_leads.ENDPOINTS,
    *contacts.ENDPOINTS,
    *properties.ENDPOINTS,
    *tasks.ENDPOINTS,
    *showings.ENDPOINTS,
    *users.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *webhook_ping.ENDPOINTS,
    *webhook_deliveries.ENDPOINTS,
    *webhook_replays.ENDPOINTS,
    *admin_users.ENDPOINTS,
    *admin_brokerages.ENDPOINTS,
    *admin_api_keys.ENDPOINTS,
)

BY_ADDRESS = {(endpoint.method, endpoint.path): endpoint for endpoint in ENDPOINTS}


def endpoint_of(method: str, path: str) -> Endpoint:
    """The endpoint with this *path*, as it is declared."""
    return BY_ADDRESS[method, path]
