"""The endpoints of the API that pages ask: not ``routes.ENDPOINTS``, since the routes are made of the pages as well."""

from collections.abc import Sequence

from aureum.http.api.brokerages import brokerages as admin_brokerages
from aureum.http.api.contacts import contacts
from aureum.http.api.leads import lead_count, leads
from aureum.http.api.properties import properties
from aureum.http.api.routing import agents
from aureum.http.api.routing import settings as routing_settings
from aureum.http.api.staff import api_keys as admin_api_keys
from aureum.http.api.staff import leads as admin_leads
from aureum.http.api.staff import login as auth
from aureum.http.api.staff import managed_users as admin_users
from aureum.http.api.staff import me, users
from aureum.http.api.tasks import tasks
from aureum.http.api.tours import showings
from aureum.http.api.webhooks import deliveries as webhook_deliveries
from aureum.http.api.webhooks import endpoints as webhooks
from aureum.http.api.webhooks import ping as webhook_ping
from aureum.http.api.webhooks import replays as webhook_replays
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
    *agents.ENDPOINTS,
    *routing_settings.ENDPOINTS,
    *admin_brokerages.ENDPOINTS,
    *admin_api_keys.ENDPOINTS,
)

BY_ADDRESS = {(endpoint.method, endpoint.path): endpoint for endpoint in ENDPOINTS}


def endpoint_of(method: str, path: str) -> Endpoint:
    """The endpoint with this *path*, as it is declared."""
    return BY_ADDRESS[method, path]
