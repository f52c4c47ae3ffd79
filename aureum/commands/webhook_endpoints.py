"""Webhook endpoints: registered with a secret that is shown once, changed, rotated, disabled, enabled, removed."""

from contextlib import nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands.changes import change
from aureum.commands.conflicts import deciding_again
from aureum.commands.webhook_urls import Networks, checked_url
from aureum.domain import ids
from aureum.domain.aggregate import Aggregate
from aureum.domain.errors import Conflict, NotFound, WrongState
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.domain.webhook_replay import WebhookReplay
from aureum.registry import check_events
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.metadata import Origin
from aureum.store.postgres.turns import turn
from aureum.webhooks.sending.signing import new_secret

NO_WEBHOOK = "There is no such webhook."
FULL = (
    "This brokerage has {number} webhooks, and the limit is {limit}, disabled ones included. Remove one that is no "
    "longer needed, or ask the operator to raise AUREUM_WEBHOOK_LIMIT."
)
DISABLED = "The webhook is disabled. Enable it first: PATCH it with disabled false."

UNTIL_NOW = 2**63 - 1
"""The read model cuts a replay's end to where the log stands, which is not known before the append."""

LAST_DISABLED = """
SELECT e.version, least(e.position, coalesce(c.position + 1, e.position))
  FROM events e
  LEFT JOIN checkpoints c ON c.tenant_id = e.tenant_id AND c.consumer = 'webhooks'
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = %(endpoint)s AND e.type = 'webhook_endpoint.disabled'
 ORDER BY e.version DESC LIMIT 1
"""
"""In which version of the stream it was disabled, and from which position on it may have missed something."""


NUMBER = "SELECT count(*) FROM webhook_endpoints WHERE tenant_id = %(tenant)s AND NOT removed"


class RegisterWebhookEndpoint(BaseModel):
    """A brokerage's other system wants to be told of ``events``. ``details`` are more of the domain's ``DETAILS``."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    url: str
    events: tuple[str, ...]
    details: dict[str, Any] = {}


async def register_webhook_endpoint(
    store: EventStore,
    command: RegisterWebhookEndpoint,
    origin: Origin,
    *,
    allow_networks: Networks,
    own_domain: str | None = None,
    limit: int = 0,
) -> WebhookEndpoint:
    """The endpoint with its secret. It hears of what happens from now on.

    *limit*: how many a brokerage may have, disabled ones included; 0: any number. Raises Invalid, NotFound (no
    brokerage), WrongState (the brokerage has that many), Busy.
    """
    endpoint, _ = await register_webhook_endpoint_once(
        store, command, origin, None, allow_networks=allow_networks, own_domain=own_domain, limit=limit
    )
    return endpoint


async def register_webhook_endpoint_once(
    store: EventStore,
    command: RegisterWebhookEndpoint,
    origin: Origin,
    idempotency: Idempotency | None,
    *,
    allow_networks: Networks,
    own_domain: str | None,
    limit: int,
) -> tuple[WebhookEndpoint, Appended]:
    """The same for a request that may come twice."""
    url = checked_url(command.url, allow_networks, own_domain)
    check_events(command.events)
    endpoint = WebhookEndpoint.register(
        ids.new_id(), ids.now(), url=url, events=command.events, secret=new_secret(), **command.details
    )
    async with turn(store.database, command.tenant_id, "webhooks") if limit else nullcontext():
        if limit:
            await check_room(store, command.tenant_id, limit, idempotency)
        appended = await store.append(
            command.tenant_id,
            endpoint,
            NO_STREAM,
            command="RegisterWebhookEndpoint",
            origin=origin,
            idempotency=idempotency,
        )
    return endpoint, appended


async def check_room(store: EventStore, tenant_id: UUID, limit: int, idempotency: Idempotency | None) -> None:
    """Raises WrongState unless one more webhook may be made, or was made already for this very request."""
    ((number,),) = await store.database.tenant_rows(tenant_id, NUMBER, {"tenant": tenant_id})
    if number < limit or (idempotency is not None and await store.remembered(tenant_id, idempotency) is not None):
        return
    raise WrongState(FULL.format(number=number, limit=limit))


class ChangeWebhookEndpoint(BaseModel):
    """Only what is set changes. ``details`` are by the names of the domain's ``DETAILS``."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    endpoint_id: UUID
    details: dict[str, Any] = {}
    disabled: bool | None = None
    expected_versions: frozenset[int] | None = None


async def change_webhook_endpoint(
    store: EventStore,
    command: ChangeWebhookEndpoint,
    origin: Origin,
    *,
    allow_networks: Networks = (),
    own_domain: str | None = None,
) -> WebhookEndpoint:
    """The endpoint as it is afterwards. Enabling it also asks for a replay of what it has missed, in the same append.

    Raises NotFound, StaleVersion, Invalid, Conflict, and what ``EventStore.append`` raises.
    """
    details = dict(command.details)
    if "url" in details:
        details["url"] = checked_url(details["url"], allow_networks, own_domain)

    async def once() -> WebhookEndpoint:
        about = {"tenant": command.tenant_id, "endpoint": command.endpoint_id}
        rows = await store.database.tenant_rows(command.tenant_id, LAST_DISABLED, about)
        version, since = rows[0] if rows else (None, 0)

        def decide(endpoint: WebhookEndpoint, at: datetime) -> Aggregate | None:
            check_there(endpoint)
            if "events" in details:
                check_events(details["events"])
            endpoint.change_details(details, at)
            if command.disabled:
                endpoint.disable("staff", at)
            if command.disabled is not False or endpoint.disabled is None:
                return None
            if endpoint.disabled_version != version:
                raise Conflict
            endpoint.enable(at)
            return missed(endpoint.id, since, at)

        changed, _ = await change(
            store,
            command.tenant_id,
            command.endpoint_id,
            WebhookEndpoint,
            decide,
            command="ChangeWebhookEndpoint",
            origin=origin,
            missing=NO_WEBHOOK,
            expected_versions=command.expected_versions,
        )
        return changed

    return await deciding_again(once)


def missed(endpoint_id: UUID, since: int, at: datetime) -> WebhookReplay:
    """The replay of what an endpoint has missed while it was disabled, up to now."""
    return WebhookReplay.request(
        ids.new_id(), at, endpoint_id=endpoint_id, since=since, until=UNTIL_NOW, which="missing", cause="enabled"
    )


async def disable_webhook_endpoint(
    store: EventStore, tenant_id: UUID, endpoint_id: UUID, reason: str, origin: Origin
) -> WebhookEndpoint:
    """Send nothing there any more; *reason* is one of the domain's ``DISABLED_BY``, of which the first stays.

    Raises NotFound also for one that was removed, Conflict, and what ``EventStore.append`` raises.
    """

    def decide(endpoint: WebhookEndpoint, at: datetime) -> None:
        check_there(endpoint)
        endpoint.disable(reason, at)

    endpoint, _ = await change(
        store,
        tenant_id,
        endpoint_id,
        WebhookEndpoint,
        decide,
        command="DisableWebhookEndpoint",
        origin=origin,
        missing=NO_WEBHOOK,
    )
    return endpoint


async def rotate_webhook_secret(
    store: EventStore,
    tenant_id: UUID,
    endpoint_id: UUID,
    overlap_hours: int,
    origin: Origin,
    *,
    idempotency: Idempotency | None = None,
) -> tuple[WebhookEndpoint, Appended]:
    """The endpoint with its new secret. Raises NotFound, Invalid, WrongState while an earlier rotation lasts, Conflict,
    and what ``EventStore.append`` raises."""
    secret = new_secret()

    def decide(endpoint: WebhookEndpoint, at: datetime) -> None:
        check_there(endpoint)
        endpoint.rotate_secret(secret, overlap_hours, at)

    return await change(
        store,
        tenant_id,
        endpoint_id,
        WebhookEndpoint,
        decide,
        command="RotateWebhookSecret",
        origin=origin,
        missing=NO_WEBHOOK,
        idempotency=idempotency,
    )


async def remove_webhook_endpoint(store: EventStore, tenant_id: UUID, endpoint_id: UUID, origin: Origin) -> None:
    """For good. Raises NotFound also the second time, Conflict, and what ``EventStore.append`` raises."""

    def decide(endpoint: WebhookEndpoint, at: datetime) -> None:
        check_there(endpoint)
        endpoint.remove(at)

    await change(
        store,
        tenant_id,
        endpoint_id,
        WebhookEndpoint,
        decide,
        command="RemoveWebhookEndpoint",
        origin=origin,
        missing=NO_WEBHOOK,
    )


async def check_delivering(store: EventStore, tenant_id: UUID, endpoint_id: UUID) -> None:
    """Raises NotFound unless there is such an endpoint, WrongState if it is disabled."""
    endpoint = (await store.load(tenant_id, endpoint_id)).aggregate()
    if not isinstance(endpoint, WebhookEndpoint):
        raise NotFound(NO_WEBHOOK)
    check_there(endpoint)
    if endpoint.disabled is not None:
        raise WrongState(DISABLED)


def check_there(endpoint: WebhookEndpoint) -> None:
    """Raises NotFound for one that was removed."""
    if endpoint.removed:
        raise NotFound(NO_WEBHOOK)
