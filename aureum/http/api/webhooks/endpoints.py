"""``/api/webhooks``: the brokerage's other systems, and what each wants to be told of; secrets are shown once."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial, reduce
from typing import Any
from uuid import UUID

from starlette.responses import Response

from aureum.commands.webhook_endpoints import (
    NO_WEBHOOK,
    ChangeWebhookEndpoint,
    RegisterWebhookEndpoint,
    change_webhook_endpoint,
    register_webhook_endpoint_once,
    remove_webhook_endpoint,
    rotate_webhook_secret,
)
from aureum.domain import ids
from aureum.domain.errors import NotFound, WrongState
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.http.access.callers import origin
from aureum.http.api.webhooks.webhook_fields import (
    Rotation,
    SecretResponse,
    WebhookChange,
    WebhookCreate,
    WebhookCreated,
    WebhookResponse,
)
from aureum.http.api.webhooks.webhook_lists import listed, page
from aureum.http.contract.answers import answer, encoded, living_etag, not_modified
from aureum.http.contract.endpoint import INTEGRATOR, Context, Endpoint, Id
from aureum.http.contract.history import with_names
from aureum.http.contract.idempotency import unless_replayed
from aureum.http.contract.lists import Paging
from aureum.http.contract.resource import NOT_YET, AsOf, answered, as_it_was, expected_versions, once
from aureum.http.contract.state_history import states
from aureum.http.wire.shapes import StateEventResponse
from aureum.projections import webhook_endpoints

PATH = "/api/webhooks"


async def get_webhooks(context: Context, paging: Paging) -> Response:
    """Lists the webhooks, newest first. Removed webhooks are left out."""
    rows = await page(context, webhook_endpoints.PAGE, webhook_endpoints.NAMES, paging)
    now = ids.now()
    return listed(context, PATH, paging, rows, "endpoint_id", lambda row: webhook_endpoints.document(row, now))


async def post_webhook(context: Context, new: WebhookCreate) -> Response:
    """Returns the webhook with its signing secret, which is shown only in this response. It receives events from now
    on. A brokerage may have 50 webhooks, including disabled ones, unless the operator sets another limit."""
    settings = context.app.settings
    details = new.model_dump(include={"mode", "rate_limit", "description"})
    command = RegisterWebhookEndpoint(
        tenant_id=context.tenant_id, url=new.url, events=tuple(new.events), details=details
    )
    remember = await once(context, new_body)
    endpoint, appended = await register_webhook_endpoint_once(
        context.app.store,
        command,
        origin(context.request, context.caller),
        remember,
        allow_networks=settings.webhook_allow_networks,
        own_domain=settings.base_domain,
        limit=settings.webhook_limit,
    )
    return answered(context, endpoint, new_body, appended, 201)


def new_body(endpoint: WebhookEndpoint) -> bytes:
    """A new webhook in the words of the list, with its secret."""
    row = dict.fromkeys(webhook_endpoints.NAMES) | {
        "endpoint_id": endpoint.id,
        "registered_at": endpoint.created_on,
        "updated_at": endpoint.modified_on,
    }
    row |= {name: getattr(endpoint, name) for name in ("url", "events", "mode", "rate_limit", "description")}
    return encoded(webhook_endpoints.document(row, endpoint.modified_on) | {"secret": endpoint.secret})


async def get_webhook(context: Context, endpoint_id: UUID, as_of: AsOf) -> Response:
    """Returns the webhook, or its state at ``asOf``."""
    row, at = await row_of(context, endpoint_id), as_of.as_of
    if at is not None:
        stream = await context.app.store.load(context.tenant_id, endpoint_id)
        events = [recorded.event for recorded in stream.events if recorded.event.timestamp <= at]
        was: dict[str, Any] | None = reduce(webhook_endpoints.step, events, None)
        if was is None:
            raise NotFound(NOT_YET)
        row |= was
    body, etag = document_of(row, at or ids.now())
    return not_modified(context.request, etag) or answer(body, headers={"ETag": etag})


async def get_webhook_history(context: Context, endpoint_id: UUID, as_of: AsOf) -> Response:
    """Lists every event of the webhook, oldest first: who changed what, when, from which value to which. With ``asOf``
    it ends at that moment. The signing secret is never shown."""
    await row_of(context, endpoint_id)
    stream = as_it_was(await context.app.store.load(context.tenant_id, endpoint_id), as_of.as_of)
    return await with_names(context, stream, states(stream, in_history))


def in_history(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """What a webhook's history tells of."""
    return {
        "url": endpoint.url,
        "events": list(endpoint.events),
        "mode": endpoint.mode,
        "rateLimit": endpoint.rate_limit,
        "description": endpoint.description,
        "status": "enabled" if endpoint.disabled is None else "disabled",
        "disabledReason": endpoint.disabled,
    }


async def patch_webhook(context: Context, endpoint_id: UUID, change: WebhookChange) -> Response:
    """Changes the fields that are sent, and returns the webhook. Send ``If-Match`` with the ETag to avoid overwriting
    someone else's change."""
    settings = context.app.settings
    command = ChangeWebhookEndpoint(
        tenant_id=context.tenant_id,
        endpoint_id=endpoint_id,
        details=change.model_dump(exclude={"disabled"}, exclude_unset=True),
        disabled=change.disabled,
        expected_versions=expected_versions(context.request),
    )
    await change_webhook_endpoint(
        context.app.store,
        command,
        origin(context.request, context.caller),
        allow_networks=settings.webhook_allow_networks,
        own_domain=settings.base_domain,
    )
    body, etag = document_of(await row_of(context, endpoint_id), ids.now())
    return answer(body, headers={"ETag": etag})


async def delete_webhook(context: Context, endpoint_id: UUID) -> Response:
    """Removes the webhook. Aureum sends nothing to it any more."""
    await remove_webhook_endpoint(
        context.app.store, context.tenant_id, endpoint_id, origin(context.request, context.caller)
    )
    return Response(status_code=204)


async def post_rotation(context: Context, endpoint_id: UUID, rotation: Rotation) -> Response:
    """Returns the new secret, which is shown only in this response. Until the overlap ends, the previous secret stays
    valid. ``X-Aureum-Signature`` is then made with the previous secret, and ``webhook-signature`` has both
    signatures."""

    def body(endpoint: WebhookEndpoint) -> bytes:
        until = endpoint.overlap_until if endpoint.previous_secret is not None else None
        return encoded({"secret": endpoint.secret, "secretOverlapUntil": webhook_endpoints.time_or_none(until)})

    remember = await once(context, body)
    who = origin(context.request, context.caller)
    try:
        endpoint, appended = await rotate_webhook_secret(
            context.app.store, context.tenant_id, endpoint_id, rotation.overlap_hours, who, idempotency=remember
        )
    except WrongState:
        # Unless it was a twin of this request that rotated it.
        await unless_replayed(context.app.store, context.tenant_id, remember)
        raise
    return answered(context, endpoint, body, appended)


def document_of(row: Mapping[str, Any], at: datetime) -> tuple[bytes, str]:
    """The webhook as the Aureum API shows it at that moment, and its ETag."""
    shown = webhook_endpoints.document(row, at)
    return encoded(shown), living_etag(row["stream_version"], shown["failingSince"], shown["secretOverlapUntil"])


async def row_of(context: Context, endpoint_id: UUID) -> dict[str, Any]:
    """The webhook's row. Raises NotFound."""
    parameters = {"tenant": context.tenant_id, "id": endpoint_id}
    found = await context.app.database.tenant_rows(context.tenant_id, webhook_endpoints.ONE, parameters)
    if not found:
        raise NotFound(NO_WEBHOOK)
    return dict(zip(webhook_endpoints.NAMES, found[0], strict=True))


one = partial(Endpoint, path=PATH + "/{id}", access=INTEGRATOR, id=Id(NO_WEBHOOK), answers=WebhookResponse)

ENDPOINTS = (
    Endpoint(
        "GET", PATH, get_webhooks, "List webhooks", access=INTEGRATOR, query=Paging, answers=list[WebhookResponse]
    ),
    Endpoint(
        "POST",
        PATH,
        post_webhook,
        "Create a webhook",
        access=INTEGRATOR,
        body=WebhookCreate,
        answers=WebhookCreated,
        status=201,
    ),
    one(method="GET", run=get_webhook, summary="Get a webhook", query=AsOf),
    one(
        method="GET",
        path=PATH + "/{id}/history",
        run=get_webhook_history,
        summary="Get a webhook's history",
        query=AsOf,
        answers=list[StateEventResponse],
    ),
    one(method="PATCH", run=patch_webhook, summary="Change a webhook", body=WebhookChange),
    one(method="DELETE", run=delete_webhook, summary="Remove a webhook", answers=None, status=204),
    one(
        method="POST",
        path=PATH + "/{id}/rotate-secret",
        run=post_rotation,
        summary="Rotate a webhook's secret",
        body=Rotation,
        bodiless=True,
        answers=SecretResponse,
    ),
)
