"""``aureum webhook``: the endpoints of a brokerage. Secrets are shown once."""

from typing import Annotated, Any
from uuid import UUID

import typer

from aureum.cli_output import say, table
from aureum.commands.webhook_endpoints import (
    ChangeWebhookEndpoint,
    RegisterWebhookEndpoint,
    change_webhook_endpoint,
    register_webhook_endpoint,
    remove_webhook_endpoint,
    rotate_webhook_secret,
)
from aureum.domain import ids
from aureum.domain.errors import NotFound
from aureum.domain.webhook_endpoint import OVERLAP_HOURS_MOST, WebhookEndpoint
from aureum.operator import origin, tenant_of, with_store
from aureum.projections import webhook_endpoints
from aureum.projections.document_list import ABOVE_ALL
from aureum.settings import load_settings
from aureum.store.event_store import EventStore

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Endpoints that hear of events.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Slug = Annotated[str, typer.Option("--brokerage", help="The brokerage's slug.")]
WebhookId = Annotated[str, typer.Argument(help="The endpoint's id, as 'aureum webhook list' shows it.")]

SHOWN = ("id", "url", "events", "mode", "status", "disabledReason", "failingSince")
"""The columns for people; scripts get all that the API shows."""


@app.command("create")
def create(
    slug: Slug,
    url: Annotated[str, typer.Option(help="Where the events are posted to.")],
    event: Annotated[list[str], typer.Option(help="Such as lead.created, or lead.*; may be repeated.")],
    as_json: Json = False,
) -> None:
    """Register an endpoint. Its signing secret is shown this once."""
    settings = load_settings()

    async def work(store: EventStore) -> tuple[str, str]:
        tenant_id = await tenant_of(store.database, slug)
        command = RegisterWebhookEndpoint(tenant_id=tenant_id, url=url, events=tuple(event))
        made = await register_webhook_endpoint(
            store,
            command,
            origin(),
            allow_networks=settings.webhook_allow_networks,
            own_domain=settings.base_domain,
            limit=settings.webhook_limit,
        )
        return ids.to_wire(made.id), made.secret

    endpoint_id, secret = with_store(work)
    people = f"{secret}\n\nKeep it: it is not shown again. The endpoint's id is {endpoint_id}."
    say(as_json, {"id": endpoint_id, "secret": secret}, people)


@app.command("list")
def show_all(slug: Slug, as_json: Json = False) -> None:
    """Show a brokerage's endpoints, and how they fare."""

    async def work(store: EventStore) -> list[dict[str, Any]]:
        tenant_id = await tenant_of(store.database, slug)
        about = {"tenant": tenant_id, "before": ABOVE_ALL, "limit": None, "updated_since": None}
        rows = await store.database.tenant_rows(tenant_id, webhook_endpoints.PAGE, about)
        named = (dict(zip(webhook_endpoints.NAMES, row, strict=True)) for row in rows)
        return [webhook_endpoints.document(row, ids.now()) for row in named]

    found = with_store(work)
    shown = [[", ".join(one[name]) if name == "events" else one[name] for name in SHOWN] for one in found]
    say(as_json, found, table("Webhooks", SHOWN, shown))


@app.command("enable")
def enable(webhook_id: WebhookId, slug: Slug, as_json: Json = False) -> None:
    """Send to an endpoint again, also what it has missed meanwhile."""
    set_disabled(webhook_id, slug, False)
    say(as_json, {"id": webhook_id, "disabled": False}, "The endpoint is enabled. What it has missed follows.")


@app.command("disable")
def disable(webhook_id: WebhookId, slug: Slug, as_json: Json = False) -> None:
    """Send nothing to an endpoint any more; what happens meanwhile is kept for it."""
    set_disabled(webhook_id, slug, True)
    say(as_json, {"id": webhook_id, "disabled": True}, "The endpoint is disabled.")


def set_disabled(webhook_id: str, slug: str, disabled: bool) -> None:
    """Disable or enable the endpoint. Raises NotFound."""

    async def work(store: EventStore) -> WebhookEndpoint:
        tenant_id, endpoint_id = await named(store, webhook_id, slug)
        command = ChangeWebhookEndpoint(tenant_id=tenant_id, endpoint_id=endpoint_id, disabled=disabled)
        return await change_webhook_endpoint(store, command, origin())

    with_store(work)


@app.command("remove")
def remove(webhook_id: WebhookId, slug: Slug, as_json: Json = False) -> None:
    """Remove an endpoint for good."""

    async def work(store: EventStore) -> None:
        tenant_id, endpoint_id = await named(store, webhook_id, slug)
        await remove_webhook_endpoint(store, tenant_id, endpoint_id, origin())

    with_store(work)
    say(as_json, {"id": webhook_id, "removed": True}, "The endpoint is removed.")


@app.command("rotate-secret")
def rotate_secret(
    webhook_id: WebhookId,
    slug: Slug,
    overlap_hours: Annotated[
        int, typer.Option(help=f"For how long the secret before stays valid: 0 to {OVERLAP_HOURS_MOST} hours.")
    ] = 24,
    as_json: Json = False,
) -> None:
    """Give an endpoint another signing secret, which is shown this once."""

    async def work(store: EventStore) -> WebhookEndpoint:
        tenant_id, endpoint_id = await named(store, webhook_id, slug)
        endpoint, _ = await rotate_webhook_secret(store, tenant_id, endpoint_id, overlap_hours, origin())
        return endpoint

    rotated = with_store(work)
    until = webhook_endpoints.time_or_none(rotated.overlap_until if rotated.previous_secret is not None else None)
    people = f"{rotated.secret}\n\nKeep it: it is not shown again."
    people += f" The one before is valid until {until}." if until else " The one before is not valid any more."
    say(as_json, {"id": webhook_id, "secret": rotated.secret, "secretOverlapUntil": until}, people)


async def named(store: EventStore, webhook_id: str, slug: str) -> tuple[UUID, UUID]:
    """The brokerage's tenant, and the endpoint's id. Raises NotFound."""
    tenant_id, endpoint_id = await tenant_of(store.database, slug), ids.from_wire(webhook_id)
    if endpoint_id is None:
        raise NotFound(f"That is not the id of a webhook. 'aureum webhook list --brokerage {slug}' shows them.")
    return tenant_id, endpoint_id
