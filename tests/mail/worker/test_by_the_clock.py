"""From a form, a morning and a silent domain to the mails that people get, with two workers."""

import asyncio
from pathlib import Path

from aureum.domain.profile import DAYS
from aureum.mail.queue.retention import drop_erased
from tests.mail.letters.telling import hire, store_new
from tests.mail.mail_server import mail_server
from tests.mail.queued import mailing
from tests.stores import new_lead, open_brokerage, opened_store
from tests.webhooks.waiting import run, until

ALWAYS = {day: ["00:00", "24:00"] for day in DAYS}


def test_each_mail_is_made_once_by_one_of_two_workers(database_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, mail_server() as server:
            tenant = await open_brokerage(store)
            owner = await hire(store, tenant, "Olga", "brokerage_owner")
            agent = await hire(store, tenant, "Ana")
            late = await hire(store, tenant, "Dora", notify="digest", hours=ALWAYS)
            async with mailing(database_url, server.at(), tmp_path), mailing(database_url, server.at(), tmp_path):
                await store_new(
                    store, tenant, new_lead(assigned_to=agent.id, first_name="Ignore\r\nBcc: all@example.com")
                )
                told_of = new_lead(assigned_to=late.id, email=None, first_name="Nora")
                await store_new(store, tenant, told_of)
                await until(lambda: len(server.received) >= 2)
                await store.database.rows("UPDATE domains SET added_at = added_at - interval '25 hours' RETURNING 1")
                earlier = "UPDATE digest_items SET at = at - interval '25 hours' RETURNING 1"
                for _ in range(500):
                    if await store.database.rows(earlier):
                        break
                    await asyncio.sleep(0.02)
            async with mailing(database_url, server.at(), tmp_path), mailing(database_url, server.at(), tmp_path):
                await until(lambda: len(server.received) >= 4)
                await asyncio.sleep(0.3)
            nora = "DELETE FROM subject_keys WHERE subject_id = %s RETURNING 1"
            await store.database.rows(nora, [told_of.id])
            kinds = "SELECT kind FROM mails ORDER BY kind"
            before = [kind for (kind,) in await store.database.rows(kinds)]
            assert await drop_erased(store.database) == 1
            assert [kind for (kind,) in await store.database.rows(kinds)] == [k for k in before if k != "digest"]
            subjects = {mail["To"].addresses[0].addr_spec: str(mail["Subject"]) for mail in server.mails}
            ((domain,),) = await store.database.rows("SELECT domain FROM domains")
            assert len(server.mails) == len(subjects) == 4
            assert subjects == {
                "jane@example.com": "We have received your request",
                agent.email: "New lead: Ignore Bcc: all@example.com Doe",
                late.email: "New leads: 1, new showings: 0",
                owner.email: f"No requests arrive from {domain}",
            }

    run(scenario())
