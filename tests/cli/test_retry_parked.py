"""``aureum webhook retry-parked``: what was told, and what still cannot be."""

from uuid import UUID, uuid4

from aureum.cli.installation import tenant_of
from aureum.store.event_store import EventStore
from aureum.webhooks.telling.projector import project
from tests.cli.conftest import Terminal
from tests.stores import capture
from tests.webhooks.tenants import register


def test_parked_saves_are_emitted_once_they_are_mended(terminal: Terminal) -> None:
    slug = f"b-{uuid4().hex}"
    terminal.json("brokerage", "create", "--name", "B", "--slug", slug, "--plan", "elite")

    async def break_one(store: EventStore) -> UUID:
        tenant_id = await tenant_of(store.database, slug)
        await register(store, tenant_id)
        lead = await capture(store, tenant_id)
        await store.database.rows("UPDATE events SET type = 'x' WHERE stream_id = %(lead)s", {"lead": lead.id})
        await project(store, tenant_id)
        return lead.id

    async def mend(store: EventStore) -> None:
        await store.database.rows(
            "UPDATE events SET type = 'lead.captured' WHERE stream_id = %(lead)s", {"lead": broken}
        )

    broken = terminal.in_store(break_one)
    command = ("webhook", "retry-parked", "--brokerage", slug)
    assert terminal.json(*command) == [{"brokerage": slug, "told": 0, "deliveries": 0, "left": 1}]
    terminal.in_store(mend)
    assert terminal.json(*command) == [{"brokerage": slug, "told": 1, "deliveries": 1, "left": 0}]
    assert terminal.json(*command) == []
