"""Leads that no agent claims, or answers in time, go on: to whom, how often, and when they do not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from aureum.commands.brokerages import disable_brokerage, enable_brokerage
from aureum.commands.leads import ChangeLead, change_lead, claim_lead, clear_lead
from aureum.commands.passing_on import pass_on
from aureum.commands.tasks import CreateTask, create_task
from aureum.domain.errors import WrongState
from aureum.domain.ids import to_wire
from aureum.domain.routing import reasons
from aureum.domain.routing.settings import Routing, Rule
from aureum.domain.task import TaskFields
from aureum.store.metadata import Actor, Origin
from tests.commands.office import OPERATOR, Office, opened
from tests.stores import opened_store
from tests.webhooks.waiting import run

TEAM = ("Ana", "Ben", "Cora")


def scenario(url: str, test: Callable[[Office], Awaitable[None]], names: tuple[str, ...] = TEAM) -> None:
    """Runs *test* in a new brokerage."""

    async def whole() -> None:
        async with opened_store(url) as store:
            await test(await opened(store, *names))

    run(whole())


def by(office: Office, name: str) -> Origin:
    return Origin(Actor("user", to_wire(office.agents[name])))


async def reason(office: Office, lead_id: object) -> str:
    lead = await office.lead(lead_id)  # type: ignore[arg-type]  # of a lead
    assert lead.routing is not None
    return reasons.reason(lead.routing)


def test_an_offer_goes_on_from_rule_to_rule(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        await office.route(office.offering())
        lead_id = await office.sent(subject="I want to sell")
        offer = reasons.offer((await office.lead(lead_id)).routing, (await office.lead(lead_id)).created_on)
        assert offer is not None and (offer.group, offer.agents) == ("sellers", (office.agents["Ana"],))
        assert await office.look(lead_id) == "later" and await office.look(lead_id, 14) == "later"
        assert await office.look(lead_id, 1) == "lead.passed_on"
        assert await reason(office, lead_id) == (
            "No agent of the group sellers claimed it within 15 minutes. "
            "Rule 2 (the subject has “sell” or “rent”) lets the agents of the group north claim it, for 10 minutes."
        )
        offer = reasons.offer((await office.lead(lead_id)).routing, (await office.lead(lead_id)).created_on)
        assert offer is not None and offer.agents == (office.agents["Ana"], office.agents["Ben"])
        assert await office.agent(lead_id) is None and await office.look(lead_id, 9) == "later"
        # Cora is of neither group, and must not claim while the offer is open.
        with pytest.raises(WrongState, match="agents of the group north may claim this lead first"):
            await claim_lead(office.store, office.tenant_id, lead_id, office.agents["Cora"], by(office, "Cora"))
        assert await office.look(lead_id, 1) == "lead.passed_on"
        assert await office.agent(lead_id) in TEAM
        assert (await reason(office, lead_id)).startswith(
            "No agent of the group north claimed it within 10 minutes. Rule 3 (where no other rule fits) leads to the "
            "group everyone; of 3 agents"
        )
        assert await office.look(lead_id, 9_999) == "never"

    scenario(module_database_url, test)


def test_what_no_rule_wants_goes_to_the_fallback_or_the_pond(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        sellers = office.offering().rules[0]
        for fallback, claims in (("round_robin", False), ("pond", True)):
            rules = (office.offering().rules[1], Rule(group="sellers", claim_minutes=15))
            await office.route(office.offering(rules=rules, fallback=fallback))
            lead_id = await office.sent(subject="Else")
            assert await office.look(lead_id, 15) == "lead.passed_on"
            assert (await office.agent(lead_id) is None) == claims
            said = await reason(office, lead_id)
            assert "claimed it within 15 minutes. No later rule finds an agent, " in said
            assert reasons.is_offered((await office.lead(lead_id)).routing) == claims
            assert await office.look(lead_id, 9_999) == "never"
        # Everyone is away: the pond, open to all.
        await office.route(office.offering(rules=(sellers, *office.offering().rules[2:])))
        lead_id = await office.sent(subject="sell")
        for name in TEAM:
            await office.profile(name, "away_from = now()")
        assert await office.look(lead_id, 15) == "lead.passed_on" and await office.agent(lead_id) is None
        with pytest.raises(WrongState, match="while you are away"):
            await claim_lead(office.store, office.tenant_id, lead_id, office.agents["Ben"], by(office, "Ben"))
        await office.profile("Ben", "away_from = NULL, takes_leads = false")
        with pytest.raises(WrongState, match="your profile says that you take none"):
            await claim_lead(office.store, office.tenant_id, lead_id, office.agents["Ben"], by(office, "Ben"))
        await office.profile("Ben", "takes_leads = true")
        lead, _ = await claim_lead(office.store, office.tenant_id, lead_id, office.agents["Ben"], by(office, "Ben"))
        assert lead.assigned_to == office.agents["Ben"]

    scenario(module_database_url, test)


def test_settings_that_change_while_an_offer_runs(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        first, second, last = office.offering().rules
        # The rule moves down: what stands behind it goes on, and the same group is offered it once.
        await office.route(office.offering())
        lead_id = await office.sent(subject="sell")
        await office.route(office.offering(rules=(second, first, last)))
        assert await office.look(lead_id, 15) == "lead.passed_on" and await office.agent(lead_id) in TEAM
        # The rule is gone: all begin, but for the offer that was made.
        await office.route(office.offering())
        lead_id = await office.sent(subject="sell")
        other = Rule(second.when, group="sellers", claim_minutes=5)
        await office.route(office.offering(rules=(other, Rule(agent=office.agents["Cora"]))))
        assert await office.look(lead_id, 15) == "lead.passed_on" and await office.agent(lead_id) == "Cora"
        # No rules any more.
        await office.route(office.offering())
        lead_id = await office.sent(subject="sell")
        await office.route(Routing("round_robin"))
        assert await office.look(lead_id, 15) == "lead.passed_on" and await office.agent(lead_id) in TEAM

    scenario(module_database_url, test)


def test_a_lead_that_is_not_answered_goes_round_and_then_stays(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        await office.route(Routing("round_robin", answer_within_minutes=30))
        lead_id = await office.sent()
        had = [await office.agent(lead_id)]
        for _ in range(2):
            assert await office.look(lead_id, 29) == "later" and await office.look(lead_id, 1) == "lead.passed_on"
            assert (await reason(office, lead_id)).startswith(
                "The previous agent did not answer within 30 minutes of work."
            )
            had.append(await office.agent(lead_id))
        assert sorted(map(str, had)) == sorted(TEAM)
        # All had it: it stays, and that is said once.
        assert await office.look(lead_id, 30) == "lead.overdue" and await office.agent(lead_id) == had[-1]
        assert await office.look(lead_id, 9_999) == "never"
        # The turns that it took count as any.
        assert sum((await office.leads_of()).values()) == 1

    scenario(module_database_url, test)


def test_it_is_passed_on_three_times_at_most(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        await office.route(Routing("round_robin", answer_within_minutes=30))
        lead_id = await office.sent()
        assert [await office.look(lead_id, 30) for _ in range(4)] == ["lead.passed_on"] * 3 + ["lead.overdue"]

    scenario(module_database_url, test, ("Ana", "Ben", "Cora", "Dan", "Eve"))


def test_the_only_agent_and_none(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        await office.route(Routing("round_robin", answer_within_minutes=30))
        lead_id, other = await office.sent(), await office.sent()
        assert await office.look(lead_id, 30) == "lead.overdue"
        await office.profile("Ana", "disabled = true")
        assert await office.look(other) == "lead.overdue" and await office.look(other, 60) == "never"
        # A brokerage that has no agents any more.
        nowhere = await office.sent()
        assert await office.agent(nowhere) is None and await office.look(nowhere, 60) == "never"
        # Where the owner wants it in the pond, others may claim it.
        await office.profile("Ana", "disabled = false")
        await office.route(Routing("round_robin", answer_within_minutes=30, fallback="pond"))
        lead_id = await office.sent()
        assert await office.look(lead_id, 30) == "lead.passed_on" and await office.agent(lead_id) is None

    scenario(module_database_url, test, ("Ana",))


def test_rules_go_on_within_their_group_first(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        first, *_ = office.offering().rules
        groups = {"sellers": (office.agents["Ana"], office.agents["Ben"])}
        rules = (Rule(first.when, group="sellers"), Rule(agent=office.agents["Cora"]))
        await office.route(Routing("subject_based", rules=rules, groups=groups, answer_within_minutes=5))
        lead_id = await office.sent(subject="sell")
        had = [await office.agent(lead_id)]
        for _ in range(2):
            assert await office.look(lead_id, 5) == "lead.passed_on"
            had.append(await office.agent(lead_id))
        assert sorted(map(str, had[:2])) == ["Ana", "Ben"] and had[2] == "Cora"
        # Who claims an offer and does not answer loses it to the rules behind that offer.
        await office.route(office.offering(answer_within_minutes=5))
        lead_id = await office.sent(subject="sell")
        await claim_lead(office.store, office.tenant_id, lead_id, office.agents["Ana"], by(office, "Ana"))
        assert await office.look(lead_id, 4) == "later" and await office.look(lead_id, 1) == "lead.passed_on"
        offer = reasons.offer((await office.lead(lead_id)).routing, (await office.lead(lead_id)).created_on)
        assert offer is not None and (offer.group, offer.agents) == ("north", (office.agents["Ben"],))

    scenario(module_database_url, test)


def test_the_clock_is_the_agents_as_it_is_now(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        await office.route(Routing("round_robin", answer_within_minutes=30))
        lead_id = await office.sent()
        # On leave while the timer runs, and back again.
        await office.profile("Ana", "away_from = now() - interval '29 minutes'")
        assert await office.look(lead_id, 40) == "later"
        await office.profile("Ana", "away_from = NULL")
        await office.profile("Ana", 'hours = \'{"mon": ["00:00", "00:01"]}\'')
        assert await office.look(lead_id) == "later"
        # A clock that hardly ever runs: two weeks are the end of patience.
        assert await office.look(lead_id, 14 * 24 * 60) in ("lead.passed_on", "lead.overdue")
        # The setting is gone, or longer.
        other = await office.sent()
        await office.route(Routing("round_robin"))
        assert await office.look(other, 60) == "never"
        await office.route(Routing("round_robin", answer_within_minutes=90))
        await office.profile("Ana", "hours = NULL")
        assert await office.look(other) == "later" and await office.look(other, 30) == "lead.overdue"

    scenario(module_database_url, test, ("Ana",))


@pytest.mark.parametrize("contact", ["status", "notes", "task", "by_hand", "lost", "erased", "suspect", "own_choice"])
def test_what_waits_no_more(module_database_url: str, contact: str) -> None:
    async def test(office: Office) -> None:
        await office.route(Routing("round_robin", answer_within_minutes=30))
        lead_id, ana = await office.sent(), office.agents["Ana"]
        changed: dict[str, dict[str, Any]] = {
            "status": {"status": "contacted"},
            "lost": {"status": "lost"},
            "notes": {"details": {"notes": "Left a message"}},
            "by_hand": {"assign": True, "assigned_to": office.agents["Ben"]},
            "own_choice": {"assign": True, "assigned_to": None},
        }
        if contact in changed:
            command = ChangeLead(tenant_id=office.tenant_id, country="US", lead_id=lead_id, **changed[contact])
            await change_lead(office.store, command, by(office, "Ana"))
        if contact == "task":
            fields: dict[str, Any] = dict.fromkeys(TaskFields.__dataclass_fields__)
            fields |= {"title": "Called", "type": "call"}
            fields |= {"priority": "LOW", "status": "completed", "lead_id": lead_id, "created_by": ana}
            await create_task(
                office.store, CreateTask(tenant_id=office.tenant_id, fields=TaskFields(**fields)), OPERATOR
            )
        if contact == "erased":
            erase = "DELETE FROM subject_keys WHERE subject_id = %(lead)s RETURNING 1"
            assert await office.store.database.rows(erase, {"lead": lead_id})
        if contact == "suspect":
            lead_id = await office.sent(suspect=True)
        assert await office.look(lead_id, 60) == "never"

    scenario(module_database_url, test)


def test_a_suspect_waits_once_it_is_cleared(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        await office.route(office.offering())
        lead_id = await office.sent(subject="sell", suspect=True)
        assert await office.look(lead_id, 60) == "never"
        await clear_lead(office.store, office.tenant_id, lead_id, by(office, "Ana"))
        lead = await office.lead(lead_id)
        offer = reasons.offer(lead.routing, lead.created_on)
        assert offer is not None and offer.until is not None and (offer.until - lead.modified_on).seconds == 15 * 60
        assert await office.look(lead_id, 14) == "later" and await office.look(lead_id, 1) == "lead.passed_on"

    scenario(module_database_url, test)


def test_a_disabled_brokerage_waits(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        await office.route(office.offering())
        lead_id = await office.sent(subject="sell")
        await disable_brokerage(office.store, office.tenant_id, OPERATOR)
        assert await office.look(lead_id, 60) == "later"
        await enable_brokerage(office.store, office.tenant_id, OPERATOR)
        assert await office.look(lead_id) == "lead.passed_on"

    scenario(module_database_url, test)


def test_a_claim_and_the_timers_of_two_processes(module_database_url: str) -> None:
    """Two processes' stores, a claim in between: one step each, and never two."""

    async def test(office: Office) -> None:
        async with opened_store(module_database_url) as other:
            await office.route(office.offering())
            for _ in range(8):
                lead_id = await office.sent(subject="sell")
                await office.minutes_pass(15)
                claim = claim_lead(office.store, office.tenant_id, lead_id, office.agents["Ana"], by(office, "Ana"))
                looks = [pass_on((office.store, other)[n % 2], office.tenant_id, lead_id) for n in range(6)]
                ended = await asyncio.gather(claim, *looks, return_exceptions=True)
                assert not any(isinstance(one, BaseException) for one in ended[1:])
                history = await office.history(lead_id)
                # If the claim was second, it is one of the next offer, or refused.
                assert history[1:] in (["lead.assigned"], ["lead.passed_on"], ["lead.passed_on", "lead.assigned"])

    scenario(module_database_url, test)
