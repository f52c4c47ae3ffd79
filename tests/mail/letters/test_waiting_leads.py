"""Who hears of a lead that agents may claim, and of one that was not answered in time."""

from datetime import timedelta
from typing import Any

from aureum.mail.letter import Letter
from aureum.mail.letters.composing import AboutBrokerage, rendered
from tests.mail.letters.letters import AT, MESSAGE_ID, SENDER
from tests.mail.letters.telling import do, hire, office, store_new, summary, told
from tests.stores import new_lead, opened_store
from tests.webhooks.waiting import run

DECIDED: dict[str, Any] = {
    "known": None, "mode": "subject_based", "choices": 0, "fewest": False, "pool": [], "out": [], "pool_size": 2,
    "out_size": 0, "rule": {"number": 1, "when": None, "group": "north", "claim_minutes": 10},
}  # fmt: skip


def in_words(letter: Letter) -> str:
    return rendered(letter, AboutBrokerage("Snake River Realty"), MESSAGE_ID, SENDER, AT).decode()


def test_who_may_claim_and_who_was_late(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, olga, ana = await office(store)
            ben = await hire(store, tenant, "Ben")
            await hire(store, tenant, "Nils", notify="none")
            await hire(store, tenant, "Bert", "broker")
            offered = DECIDED | {"why": "offered", "offered": [str(ana.id), str(ben.id)]}
            lead = new_lead(routing=offered, email=None)
            await store_new(store, tenant, lead)
            offers = await told(store, tenant)
            assert summary(offers) == [("lead_offered", "Ana"), ("lead_offered", "Ben")]
            assert str(offers[0].fields["link"]).endswith("/admin/pond")
            # On the brokerage's clock, whose offset is in whole hours.
            until = lead.created_on + timedelta(minutes=10)
            assert str(offers[0].fields["until"])[14:16] == f"{until:%M}" and "you and other agents" in in_words(
                offers[0]
            )

            # Passed on to Ana, who does not answer; then to Ben, who does not either and keeps it.
            to_agent = DECIDED | {"why": "rule"}
            await do(
                store,
                tenant,
                lead.id,
                lambda one: one.pass_on("not_claimed", 10, one.modified_on, ana.id, to_agent, None),
                None,
            )
            assert summary(await told(store, tenant)) == [("lead_assigned", "Ana")]
            await do(
                store,
                tenant,
                lead.id,
                lambda one: one.pass_on("not_answered", 30, one.modified_on, ben.id, to_agent, None),
                None,
            )
            letters = await told(store, tenant)
            assert sorted(summary(letters)) == [("answer_late", "Ana"), ("lead_assigned", "Ben")]
            (late,) = [one for one in letters if one.kind == "answer_late"]
            assert late.fields["link"] is None and "so it went to another agent" in in_words(late).replace("=\r\n", "")
            await do(store, tenant, lead.id, lambda one: one.remain(30, one.modified_on), None)
            kept = await told(store, tenant)
            assert sorted(summary(kept)) == [("answer_late", "Ben"), ("answer_late", "Olga")]
            assert all("/admin/leads/" in str(one.fields["link"]) for one in kept)
            assert "It stays with its agent" in in_words(kept[0]).replace("=\r\n", "")
            assert olga.id in {one.recipient.user_id for one in kept} and await told(store, tenant) == []

    run(scenario())
