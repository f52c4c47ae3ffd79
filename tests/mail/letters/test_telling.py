"""Which events make which letters, and to whom."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from aureum.commands.brokerages import ChangeBrokerage, change_brokerage
from aureum.domain.ids import now, to_wire
from aureum.domain.routing.reasons import POND
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.mail.letters.about import LetterSettings
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Actor, Origin
from tests.mail.letters.telling import do, hire, office, store_new, summary, told
from tests.stores import new_lead, new_tour, opened_store
from tests.webhooks.tenants import register
from tests.webhooks.waiting import run

SPECIALTY: dict[str, Any] = {
    "known": None, "mode": "semantic", "why": "best", "choices": 1, "fewest": False, "pool": [], "out": [],
    "pool_size": 1, "out_size": 0, "ranking": {"how": "literal"},
}  # fmt: skip
IN_POND = SPECIALTY | {"why": "pond", "fallback": "pond", "pool_size": 0}
OFFERED = SPECIALTY | {"why": "offered", "rule": {"number": 1, "when": None, "group": "north", "claim_minutes": 10}}


async def quiet(store: EventStore, tenant: UUID) -> None:
    """No confirmations."""
    command = ChangeBrokerage(tenant_id=tenant, settings={"confirmations": False})
    await change_brokerage(store, command, Origin(COMMAND_LINE))


def test_the_agent_is_told_of_a_lead_with_the_reason_and_a_link_and_can_answer(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, _, ana = await office(store)
            await quiet(store, tenant)
            lead = new_lead(assigned_to=ana.id, routing=SPECIALTY)
            tour = new_tour(assigned_to=ana.id, routing=SPECIALTY)
            await store_new(store, tenant, lead, tour)
            of_lead, of_tour = await told(store, tenant)
            assert summary([of_lead, of_tour]) == [("lead_assigned", "Ana"), ("tour_assigned", "Ana")]
            assert of_lead.recipient.user_id == ana.id and of_lead.recipient.subject_id == lead.id
            assert (of_lead.reply_to, of_lead.language, of_lead.not_before) == ("jane@example.com", "en", None)
            slug = (
                f"b{(await store.database.rows('SELECT number FROM brokerages WHERE tenant_id = %s', [tenant]))[0][0]}"
            )
            assert of_lead.fields == {
                "lead": "Jane Doe",
                "email": "jane@example.com",
                "phone": "+1-555-0200",
                "subject": "A house",
                "message": "Interested in the Beverly Hills listing",
                "page": "/property/1",
                "reason": "The enquiry names a specialty of this agent.",
                "by": None,
                "link": f"https://{slug}.crm.example.com/admin/leads/{to_wire(lead.id)}",
            }
            assert of_tour.fields["wished"] == "2024-12-30, 10:00 AM"
            assert of_tour.fields["link"] == f"https://{slug}.crm.example.com/admin/showings/{to_wire(tour.id)}"
            assert await told(store, tenant) == []

    run(scenario())


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_who_hears_of_what_wherever_a_batch_ends(module_database_url: str, limit: int) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, olga, ana = await office(store)
            await quiet(store, tenant)
            await hire(store, tenant, "Bert", "broker")
            gone = await hire(store, tenant, "Gone", disabled=True)
            later = await hire(store, tenant, "Dora", notify="digest")
            never = await hire(store, tenant, "Nils", "broker", notify="none")
            assert await told(store, tenant, limit) == []

            pond = new_lead(routing=IN_POND)
            unrouted = new_lead()
            offered = new_lead(routing=OFFERED)
            suspect = new_lead(suspect=True)
            spam = new_tour(suspect=True)
            others = [new_lead(assigned_to=one.id, routing=SPECIALTY) for one in (gone, later, never)]
            await store_new(store, tenant, pond, unrouted, offered, suspect, spam, *others)
            managers = [("lead_in_pond", "Olga"), ("lead_in_pond", "Bert")]
            letters = await told(store, tenant, limit)
            assert summary(letters) == managers * 2
            assert str(letters[0].fields["reason"]).endswith(POND)

            await do(store, tenant, pond.id, lambda lead: lead.assign(ana.id, lead.modified_on), ana.id)
            await do(store, tenant, unrouted.id, lambda lead: lead.assign(ana.id, lead.modified_on), olga.id)
            await do(store, tenant, unrouted.id, lambda lead: lead.change_status("lost", lead.modified_on), olga.id)
            await do(store, tenant, unrouted.id, lambda lead: lead.assign(None, lead.modified_on), olga.id)
            await do(store, tenant, suspect.id, lambda lead: lead.clear(lead.modified_on, ana.id, SPECIALTY), olga.id)
            await do(store, tenant, spam.id, lambda tour: tour.clear(tour.modified_on, None, IN_POND), olga.id)
            letters = await told(store, tenant, limit)
            assert summary(letters) == [("lead_assigned", "Ana"), ("lead_assigned", "Ana"), ("tour_in_pond", "Bert")]
            assert [letter.fields["by"] for letter in letters] == ["Olga", None, None]
            assert [letter.fields["reason"] is None for letter in letters] == [True, False, False]

            mine = new_lead(source="manual", created_by=ana.id, assigned_to=ana.id)
            await store_new(store, tenant, mine, origin=Origin(Actor("user", to_wire(ana.id))))
            await store_new(store, tenant, new_lead(source="api"), origin=Origin(Actor("key", to_wire(UUID(int=7)))))
            assert await told(store, tenant, limit) == []

    run(scenario())


def disabling(reason: str) -> Callable[[Any], None]:
    def decide(endpoint: Any) -> None:
        endpoint.disable(reason, endpoint.modified_on)

    return decide


def test_owners_hear_of_webhooks_that_were_disabled_by_no_person(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, _, _ = await office(store)
            await hire(store, tenant, "Otto", "brokerage_owner", notify="none")
            for reason in ("gone", "failing", "staff"):
                endpoint = await register(store, tenant)
                await do(store, tenant, endpoint, disabling(reason), None)
            letters = await told(store, tenant)
            assert summary(letters) == [("webhook_disabled", name) for name in ("Olga", "Otto")] * 2
            assert [letter.fields["why"] for letter in letters] == ["gone", "gone", "failing", "failing"]
            stream = (await store.load(tenant, endpoint)).aggregate()
            assert isinstance(stream, WebhookEndpoint) and str(letters[0].fields["host"]) in stream.url

    run(scenario())


SPANISH = "Hola, buscamos una casa en el norte de la ciudad. ¿Cuándo podemos visitarla? Gracias."


def test_a_form_is_confirmed_in_its_language_with_nothing_but_a_first_name(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, _, ana = await office(store)
            command = ChangeBrokerage(tenant_id=tenant, settings={"reply_to": "office@example.com"})
            await change_brokerage(store, command, Origin(COMMAND_LINE))
            cases: list[tuple[Any, tuple[str, str | None, str]]] = [
                (new_lead(email="a1@example.com", first_name="Jane"), ("en", "Jane", "lead")),
                (new_lead(email="a2@example.com", message=SPANISH, subject=None), ("es", "Jane", "lead")),
                (new_tour(email="a3@example.com", name="Zoë van Dam", message=SPANISH), ("es", "Zoë", "tour")),
                (new_lead(email="a4@example.com", first_name="Buy:www.spam.example"), ("en", None, "lead")),
                (new_lead(email="a5@example.com", first_name="x" * 21), ("en", None, "lead")),
                (new_lead(email="a6@example.com", first_name="Ünal\u202e"), ("en", None, "lead")),
                (new_lead(email="a7@example.com", first_name="\u0301", assigned_to=ana.id), ("en", None, "lead")),
            ]
            await store_new(store, tenant, *(made for made, _ in cases))
            await store_new(store, tenant, new_lead(email="b1@example.com", suspect=True))
            key = Origin(Actor("key", to_wire(UUID(int=7))))
            await store_new(store, tenant, new_lead(email="b2@example.com"), origin=key)
            await store_new(store, tenant, new_lead(email=None), new_lead(email="not an address"))
            letters = [one for one in await told(store, tenant) if one.kind == "confirmation"]
            assert [one.recipient.address for one in letters] == [made.email for made, _ in cases]
            said = [(one.language, one.fields["first_name"], one.fields["asked"]) for one in letters]
            assert said == [expected for _, expected in cases]
            assert {one.recipient.name for one in letters} == {"Jane", "Zoë", ""}
            assert {one.reply_to for one in letters} == {"office@example.com"}
            assert [one.recipient.subject_id for one in letters] == [made.id for made, _ in cases]

            await quiet(store, tenant)
            await store_new(store, tenant, new_lead(email="c1@example.com"))
            assert "confirmation" not in {one.kind for one in await told(store, tenant)}

    run(scenario())


def test_what_happened_more_than_a_week_ago_makes_no_letter(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, _, ana = await office(store)
            ages = (timedelta(days=8), timedelta(days=6))
            leads = [new_lead(assigned_to=ana.id, email=None, at=now() - age) for age in ages]
            await store_new(store, tenant, *leads)
            assert [one.recipient.subject_id for one in await told(store, tenant)] == [leads[1].id]

    run(scenario())


def test_an_erased_person_and_a_disabled_brokerage_make_no_letters(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, _, ana = await office(store)
            await told(store, tenant)
            lead = new_lead(assigned_to=ana.id, email="erased@example.com")
            await store_new(store, tenant, lead)
            await store.database.rows("DELETE FROM subject_keys WHERE subject_id = %s RETURNING 1", [lead.id])
            assert await told(store, tenant) == []
            await store_new(store, tenant, new_lead(assigned_to=ana.id))
            await change_brokerage(store, ChangeBrokerage(tenant_id=tenant, disabled=True), Origin(COMMAND_LINE))
            assert await told(store, tenant, settings=LetterSettings()) == []

    run(scenario())
