"""``aureum webhook retry-parked``: tell what could not be told, once its cause is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aureum.cli.installation import tenants_of, with_store
from aureum.cli.options import Json, OneOrAll
from aureum.cli.output import say, table

if TYPE_CHECKING:
    from aureum.store.event_store import EventStore
    from aureum.webhooks.telling.parked import Retried


def retry_parked_command(
    slug: OneOrAll = None,
    as_json: Json = False,
) -> None:
    """Retry events that could not be read and were not sent.

    Shows how many were sent and how many still cannot be read.
    """
    from aureum.webhooks.telling.parked import Retried, retry_parked

    async def work(store: EventStore) -> list[tuple[str, Retried]]:
        found = [
            (name, await retry_parked(store, tenant_id)) for tenant_id, name in await tenants_of(store.database, slug)
        ]
        return [(name, one) for name, one in found if one != Retried()]

    done = with_store(work)
    columns = ("brokerage", "told", "deliveries", "left")
    shown = [(name, one.told, one.deliveries, one.left) for name, one in done]
    say(as_json, [dict(zip(columns, row, strict=True)) for row in shown], table("Tried again", columns, shown))
