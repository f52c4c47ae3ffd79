"""``aureum webhook retry-parked``: tell what could not be told, once its cause is mended."""

from typing import Annotated

import typer

from aureum.cli_output import say, table
from aureum.operator import tenants_of, with_store
from aureum.store.event_store import EventStore
from aureum.webhooks.parked import Retried, retry_parked

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def retry_parked_command(
    slug: Annotated[str | None, typer.Option("--brokerage", help="One brokerage's slug; without it all.")] = None,
    as_json: Json = False,
) -> None:
    """Try again to tell endpoints of saves that could not be read. Prints what was told, and what still cannot be."""

    async def work(store: EventStore) -> list[tuple[str, Retried]]:
        found = [
            (name, await retry_parked(store, tenant_id)) for tenant_id, name in await tenants_of(store.database, slug)
        ]
        return [(name, one) for name, one in found if one != Retried()]

    done = with_store(work)
    columns = ("brokerage", "told", "deliveries", "left")
    shown = [(name, one.told, one.deliveries, one.left) for name, one in done]
    say(as_json, [dict(zip(columns, row, strict=True)) for row in shown], table("Tried again", columns, shown))
