"""A public form is no relay: one mailbox gets few mails, and all together get no more than the cap."""

import asyncio
import random
from collections import Counter
from uuid import UUID

import pytest

from aureum.mail.letters.about import LetterSettings
from aureum.mail.letters.confirming import MOST_OF_MAILBOX, confirmed
from aureum.store.event_store import EventStore
from tests.mail.letters.telling import office, store_new, told
from tests.stores import new_lead, open_brokerage, opened_store
from tests.webhooks.waiting import run

FULL = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(ord("a"), ord("z") + 1)})
"""Letters in full width."""


def spellings(number: int, chance: random.Random) -> list[str]:
    """So many ways to write nora.smith@bücher.example."""
    found = []
    for _ in range(number):
        local = "".join(chance.choice((one, one.upper(), one.translate(FULL))) for one in "nora.smith")
        domain = "".join(chance.choice((one, one.upper())) for one in chance.choice(("bücher", "xn--bcher-kva")))
        blank = chance.choice(("", " ", "\u200b", "\u00a0"))
        found.append(f"{blank}{local}@{domain}.example{blank}")
    return found


async def asked(store: EventStore, tenant: UUID, addresses: list[str], cap: int = 1_000, batch: int = 500) -> list[str]:
    """Who gets a confirmation if all of these send a form."""
    key = await store.tenant_key(tenant)
    given = []
    async with store.database.connection() as connection:
        for start in range(0, len(addresses), batch):
            await connection.execute("BEGIN")
            given += await confirmed(connection, key, addresses[start : start + batch], cap)
            await connection.execute("COMMIT")
    return given


def test_ten_thousand_spellings_of_a_mailbox_get_one_mail_and_a_day_later_another(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, chance = await open_brokerage(store), random.Random(11)
            assert len(await asked(store, tenant, spellings(10_000, chance))) == 1
            assert await asked(store, tenant, spellings(10, chance)) == []
            later = "UPDATE confirmations SET sent_at = sent_at - interval '24 hours' WHERE tenant_id = %s RETURNING 1"
            await store.database.rows(later, [tenant])
            assert len(await asked(store, tenant, spellings(10, chance))) == 1
            other = await open_brokerage(store)
            assert len(await asked(store, other, spellings(10, chance))) == 1

    run(scenario())


def test_tags_and_dots_do_not_make_a_mailbox_many(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant = await open_brokerage(store)
            tagged = [f"victim+{number}@example.com" for number in range(200)]
            dotted = [f"v.i{'.' * (number % 2)}c.tim+{number}@example.com".replace("..", ".") for number in range(200)]
            assert len(await asked(store, tenant, tagged + dotted, batch=7)) == MOST_OF_MAILBOX
            assert len(await asked(store, tenant, ["victims@example.com"])) == 1

    run(scenario())


def test_a_brokerage_sends_no_more_than_its_cap_in_an_hour(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant = await open_brokerage(store)
            many = [f"visitor{number}@example.com" for number in range(3_000)]
            assert await asked(store, tenant, many, cap=1_000) == many[:1_000]
            later = (
                "UPDATE confirmations SET sent_at = sent_at - interval '61 minutes' WHERE tenant_id = %s RETURNING 1"
            )
            await store.database.rows(later, [tenant])
            assert await asked(store, tenant, many, cap=10) == many[1_000:1_010]
            assert await asked(store, tenant, ["x@example.com"], cap=0) == []

    run(scenario())


@pytest.mark.parametrize("cap", [5, 1_000])
def test_the_limits_hold_with_two_workers_at_once(module_database_url: str, cap: int) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, _, _ = await office(store)
            await told(store, tenant)
            emails = [f"{name}@example.com" for name in "abcdefghij" for _ in range(4)]
            await store_new(store, tenant, *(new_lead(email=email) for email in emails))
            settings = LetterSettings(confirmations_an_hour=cap)
            workers = [told(store, tenant, 3, settings=settings) for _ in range(4)]
            letters = [one for found in await asyncio.gather(*workers) for one in found if one.kind == "confirmation"]
            sent = Counter(one.recipient.address for one in letters)
            assert len(sent) == min(cap, 10) and set(sent.values()) == {1}

    run(scenario())
