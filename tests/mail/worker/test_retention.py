"""Leads that were lost long ago are erased, a week after a mail to the owners, and none that has changed since."""

from pathlib import Path
from uuid import UUID

from aureum.commands.brokerages import ChangeBrokerage, change_brokerage
from aureum.commands.retention import erase_lost
from aureum.commands.users import CreateUser, create_user
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from tests.mail.queued import mailing
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.tenants import change
from tests.webhooks.waiting import run, until

ORIGIN = Origin(COMMAND_LINE)

AGE = """
UPDATE events SET recorded_at = recorded_at - interval '40 days'
 WHERE stream_id = ANY (%(leads)s) AND type = 'lead.status_changed' RETURNING 1
"""
WEEK = "UPDATE retention_notices SET erase_at = erase_at - interval '8 days' RETURNING cardinality(leads)"
NOTICES = "SELECT count(*) FROM retention_notices"


async def retained(store: EventStore, tenant: UUID, months: int | None) -> None:
    """The brokerage keeps lost leads for so long."""
    command = ChangeBrokerage(tenant_id=tenant, settings={"erase_lost_after_months": months})
    await change_brokerage(store, command, ORIGIN)


def test_owners_are_told_a_week_before_lost_leads_are_erased(database_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            owner = CreateUser(tenant_id=tenant, email="owner@example.com", name="Olga", role="brokerage_owner")
            await create_user(store, owner, ORIGIN)
            old, reopened, fresh = [await capture(store, tenant, email=f"l{n}@example.com") for n in range(3)]
            for lead in (old, reopened, fresh):
                await change(store, tenant, lead.id, "lost")
            await store.database.rows(AGE, {"leads": [old.id, reopened.id]})
            await retained(store, tenant, 1)
            async with mailing(database_url, None, tmp_path):
                await until(lambda: any(b"erased on" in file.read_bytes() for file in tmp_path.glob("*.eml")))
            assert await erase_lost(store) == 0, "the week is not over"
            await change(store, tenant, reopened.id, "contacted")
            assert await store.database.rows(WEEK) == [(2,)]
            assert await erase_lost(store) == 1
            assert [(await store.load(tenant, one.id)).aggregate().erased for one in (old, reopened, fresh)] == [
                True,
                False,
                False,
            ]
            assert await store.database.rows(NOTICES) == [(0,)]

    run(scenario())
