"""``aureum webhook``: the endpoints of a brokerage. Secrets are shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.installation import origin, tenant_of, with_store
from aureum.cli.options import Json, Slug, Yes, examples, group
from aureum.cli.output import confirm, say, table
from aureum.domain import ids
from aureum.domain.errors import NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from aureum.domain.webhook_endpoint import WebhookEndpoint
    from aureum.store.event_store import EventStore

app = group("Webhooks: endpoints that events are sent to.")

WebhookId = Annotated[str, typer.Argument(help="The endpoint's id, as 'aureum webhook list' shows it.")]

AN_ID = "c03haxjzuirzf7262tfqb7u4h5"
"""Of the examples."""

SHOWN = ("id", "url", "events", "mode", "status", "disabledReason", "failingSince")
"""The columns for people; scripts get all that the API shows."""


@app.command(
    "create",
    epilog=examples(
        "aureum webhook create --brokerage example --url https://example.com/hooks \\",
        "    --event lead.created --event lead.updated",
    ),
)
def create(
    slug: Slug,
    url: Annotated[str, typer.Option(help="The URL that events are sent to.")],
    event: Annotated[list[str], typer.Option(help="Such as lead.created or lead.*. Repeatable.")],
    as_json: Json = False,
) -> None:
    """Create an endpoint and show its secret once."""
    from aureum.commands.webhook_endpoints import RegisterWebhookEndpoint, register_webhook_endpoint
    from aureum.settings import load_settings

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
    people = f"{secret}\n\nKeep it. It will not be shown again. The endpoint's id is {endpoint_id}."
    say(as_json, {"id": endpoint_id, "secret": secret}, people)


@app.command("list", epilog=examples("aureum webhook list --brokerage example"))
def show_all(slug: Slug, as_json: Json = False) -> None:
    """List a brokerage's endpoints and their status."""
    from aureum.projections import webhook_endpoints
    from aureum.projections.document_list import ABOVE_ALL

    async def work(store: EventStore) -> list[dict[str, Any]]:
        tenant_id = await tenant_of(store.database, slug)
        about = {"tenant": tenant_id, "before": ABOVE_ALL, "limit": None, "updated_since": None}
        rows = await store.database.tenant_rows(tenant_id, webhook_endpoints.PAGE, about)
        named = (dict(zip(webhook_endpoints.NAMES, row, strict=True)) for row in rows)
        return [webhook_endpoints.document(row, ids.now()) for row in named]

    found = with_store(work)
    shown = [[", ".join(one[name]) if name == "events" else one[name] for name in SHOWN] for one in found]
    say(as_json, found, table("Webhooks", SHOWN, shown))


@app.command("enable", epilog=examples(f"aureum webhook enable {AN_ID} --brokerage example"))
def enable(webhook_id: WebhookId, slug: Slug, as_json: Json = False) -> None:
    """Enable an endpoint and send what it missed."""
    set_disabled(webhook_id, slug, False)
    say(as_json, {"id": webhook_id, "disabled": False}, "The endpoint is enabled, and receives what it missed.")


@app.command("disable", epilog=examples(f"aureum webhook disable {AN_ID} --brokerage example"))
def disable(webhook_id: WebhookId, slug: Slug, as_json: Json = False) -> None:
    """Disable an endpoint until it is enabled again.

    Events are kept for it meanwhile.
    """
    set_disabled(webhook_id, slug, True)
    say(as_json, {"id": webhook_id, "disabled": True}, "The endpoint is disabled.")


def set_disabled(webhook_id: str, slug: str, disabled: bool) -> None:
    """Disable or enable the endpoint. Raises NotFound."""
    from aureum.commands.webhook_endpoints import ChangeWebhookEndpoint, change_webhook_endpoint

    async def work(store: EventStore) -> WebhookEndpoint:
        tenant_id, endpoint_id = await named(store, webhook_id, slug)
        command = ChangeWebhookEndpoint(tenant_id=tenant_id, endpoint_id=endpoint_id, disabled=disabled)
        return await change_webhook_endpoint(store, command, origin())

    with_store(work)


@app.command("remove", epilog=examples(f"aureum webhook remove {AN_ID} --brokerage example"))
def remove(webhook_id: WebhookId, slug: Slug, yes: Yes = False, as_json: Json = False) -> None:
    """Remove an endpoint permanently."""
    from aureum.commands.webhook_endpoints import remove_webhook_endpoint

    confirm("This removes the endpoint, its secret and its pending deliveries.", "Remove it?", yes=yes)

    async def work(store: EventStore) -> None:
        tenant_id, endpoint_id = await named(store, webhook_id, slug)
        await remove_webhook_endpoint(store, tenant_id, endpoint_id, origin())

    with_store(work)
    say(as_json, {"id": webhook_id, "removed": True}, "The endpoint was removed.")


@app.command("rotate-secret", epilog=examples(f"aureum webhook rotate-secret {AN_ID} --brokerage example"))
def rotate_secret(
    webhook_id: WebhookId,
    slug: Slug,
    overlap_hours: Annotated[int, typer.Option(help="How many hours the old secret stays valid: 0 to 168.")] = 24,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Give an endpoint a new secret and show it once.

    Asks first if the old one ends at once (--overlap-hours 0).
    """
    from aureum.commands.webhook_endpoints import rotate_webhook_secret
    from aureum.projections import webhook_endpoints

    if overlap_hours == 0:
        confirm(
            "The old secret becomes invalid at once. The receiver refuses all deliveries until it has the new one.",
            "Go on?",
            yes=yes,
        )

    async def work(store: EventStore) -> WebhookEndpoint:
        tenant_id, endpoint_id = await named(store, webhook_id, slug)
        endpoint, _ = await rotate_webhook_secret(store, tenant_id, endpoint_id, overlap_hours, origin())
        return endpoint

    rotated = with_store(work)
    until = webhook_endpoints.time_or_none(rotated.overlap_until if rotated.previous_secret is not None else None)
    people = f"{rotated.secret}\n\nKeep it. It will not be shown again."
    people += f" The previous secret is valid until {until}." if until else " The previous secret is no longer valid."
    say(as_json, {"id": webhook_id, "secret": rotated.secret, "secretOverlapUntil": until}, people)


async def named(store: EventStore, webhook_id: str, slug: str) -> tuple[UUID, UUID]:
    """The brokerage's tenant, and the endpoint's id. Raises NotFound."""
    tenant_id, endpoint_id = await tenant_of(store.database, slug), ids.from_wire(webhook_id)
    if endpoint_id is None:
        raise NotFound(f"That is not the id of a webhook. 'aureum webhook list --brokerage {slug}' shows them.")
    return tenant_id, endpoint_id
