"""Webhook endpoints: registered with a secret that is shown once."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.domain import ids
from aureum.domain.errors import Invalid
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import Origin
from aureum.webhooks.addresses import UnsafeUrl, check_url
from aureum.webhooks.signing import new_secret


class RegisterWebhookEndpoint(BaseModel):
    """A brokerage's other system wants to be told of ``events``."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    url: str
    events: tuple[str, ...]


async def register_webhook_endpoint(
    store: EventStore,
    command: RegisterWebhookEndpoint,
    origin: Origin,
    *,
    allow_networks: Sequence[IPv4Network | IPv6Network],
) -> WebhookEndpoint:
    """The endpoint with its secret. It hears of what happens from now on. Raises Invalid, NotFound (no brokerage)."""
    try:
        url = check_url(command.url, allow_networks)
    except UnsafeUrl as error:
        raise Invalid("url", str(error)) from error
    endpoint = WebhookEndpoint.register(ids.new_id(), ids.now(), url=url, events=command.events, secret=new_secret())
    await store.append(command.tenant_id, endpoint, NO_STREAM, command="RegisterWebhookEndpoint", origin=origin)
    return endpoint
