"""``aureum api-key``: which programs get in. Keys are shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.installation import origin, tenant_of, with_store
from aureum.cli.options import Json, Slug, Yes, examples, group
from aureum.cli.output import confirm, say, table
from aureum.domain import ids
from aureum.domain.errors import NotFound

if TYPE_CHECKING:
    from aureum.store.event_store import EventStore

api_key = group("API keys for other programs.")


@api_key.command("create", epilog=examples("aureum api-key create --brokerage example --name Website"))
def api_key_create(
    slug: Slug,
    name: Annotated[str, typer.Option(help="What the key is for.")],
    rate_limit: Annotated[int, typer.Option(help="Requests per minute.")] = 100,
    expires: Annotated[
        str | None, typer.Option(help="When the key expires, such as 2027-01-31. Default: never.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Create an API key and show it once."""
    from aureum.cli.audit import moment
    from aureum.commands.api_keys import IssueApiKey, issue_api_key
    from aureum.commands.clock import on_clock

    until = moment(expires, "expires")

    async def work(store: EventStore) -> tuple[str, str]:
        tenant_id = await tenant_of(store.database, slug)
        # A date is its midnight on the brokerage's clock.
        (ends,) = await on_clock(store.database, tenant_id, until)
        command = IssueApiKey(tenant_id=tenant_id, name=name, rate_limit=rate_limit, expires_at=ends)
        made, key = await issue_api_key(store, command, origin())
        return ids.to_wire(made.id), key

    key_id, key = with_store(work)
    say(as_json, {"id": key_id, "key": key}, f"{key}\n\nKeep it. It will not be shown again. Its id is {key_id}.")


@api_key.command("list", epilog=examples("aureum api-key list --brokerage example"))
def api_key_list(slug: Slug, as_json: Json = False) -> None:
    """List a brokerage's API keys by their first characters."""
    from aureum.projections import api_keys

    async def work(store: EventStore) -> list[tuple[Any, ...]]:
        tenant_id = await tenant_of(store.database, slug)
        rows = await store.database.tenant_rows(tenant_id, api_keys.OF_TENANT, {"tenant": tenant_id})
        return [
            (ids.to_wire(key_id), *rest, *(moment and ids.aureum_time(moment) for moment in times))
            for key_id, *rest, expires_at, used_at in rows
            for times in [(expires_at, used_at)]
        ]

    found = with_store(work)
    names = ("id", "name", "prefix", "rateLimit", "revoked", "expiresAt", "lastUsedAt")
    shown = [
        (*rest, "yes" if revoked else "", expires_at or "", used_at or "")
        for *rest, revoked, expires_at, used_at in found
    ]
    say(as_json, [dict(zip(names, row, strict=True)) for row in found], table("API keys", names, shown))


@api_key.command("revoke", epilog=examples("aureum api-key revoke c03haxjzij2p7wm5rojsuw24y7 --brokerage example"))
def api_key_revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as 'aureum api-key list' shows it.")],
    slug: Slug,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Revoke an API key. It is refused from the next request on."""
    from aureum.commands.api_keys import revoke_api_key

    confirm("The programs that use this key are refused from the next request on.", "Revoke it?", yes=yes)
    stream_id = ids.from_wire(key_id)

    async def work(store: EventStore) -> None:
        tenant_id = await tenant_of(store.database, slug)
        if stream_id is None:
            raise NotFound(f"That is not the id of an API key. 'aureum api-key list --brokerage {slug}' shows them.")
        await revoke_api_key(store, tenant_id, stream_id, origin())

    with_store(work)
    say(as_json, {"id": key_id, "revoked": True}, "The key was revoked.")
