"""Digests: one on a working morning, whatever clocks, workers and connections do."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain.ids import to_wire
from aureum.mail.letter import Letter
from aureum.mail.letters.digesting import Due, digest, digests_due
from aureum.mail.letters.mornings import Work, due, morning
from aureum.store.event_store import EventStore
from tests.examples import examples
from tests.mail.letters.telling import SETTINGS, do, hire, office, store_new, summary, told
from tests.stores import new_lead, new_tour, opened_store
from tests.webhooks.killing import killed, make_mortal
from tests.webhooks.waiting import run

BOISE = ZoneInfo("America/Boise")
WEEK = {day: ["09:00", "17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


def at(text: str, place: ZoneInfo = BOISE) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=place).astimezone(UTC)


def test_a_morning_is_where_the_working_day_begins() -> None:
    work, always = Work(BOISE, WEEK, None, None), Work(BOISE, None, None, None)
    assert morning(work, date(2026, 3, 6)) == at("2026-03-06T09:00")
    assert morning(work, date(2026, 3, 7)) is None
    assert morning(always, date(2026, 3, 7)) == at("2026-03-07T08:00")
    # Clocks are set on the 8th: from two to three o'clock there is nothing.
    early = Work(BOISE, {"sun": ["02:30", "12:00"]}, None, None)
    assert morning(early, date(2026, 3, 8)) == datetime(2026, 3, 8, 9, 30, tzinfo=UTC)
    assert morning(Work(BOISE, {"sun": ["01:30", "12:00"]}, None, None), date(2026, 11, 1)) == at("2026-11-01T01:30")


def test_nothing_is_due_too_early_twice_when_away_or_with_nothing_to_say() -> None:
    work = Work(BOISE, WEEK, None, None)
    friday, before = at("2026-03-06T09:00"), at("2026-03-05T20:00")
    day = date(2026, 3, 6)
    assert due(work, friday, before, None) == day
    assert due(work, friday - timedelta(seconds=1), before, None) is None
    assert due(work, friday, before, day) is None
    assert due(work, at("2026-03-06T11:00"), friday, None) is None, "what comes by day waits for the next morning"
    assert due(work, at("2026-03-07T11:00"), before, None) is None, "Saturday"
    assert due(work, at("2026-03-09T09:00"), before, day) == date(2026, 3, 9)
    away = Work(BOISE, WEEK, at("2026-03-01T00:00"), at("2026-03-09T12:00"))
    assert due(away, friday, before, None) is None
    assert due(away, at("2026-03-10T09:00"), before, None) == date(2026, 3, 10)


@settings(deadline=None, max_examples=examples(40))
@given(
    st.sampled_from(["America/Boise", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu"]),
    st.one_of(st.none(), st.just(WEEK), st.just({"sun": ["00:30", "01:00"], "mon": ["02:15", "03:00"]})),
    st.dates(date(2025, 1, 1), date(2027, 12, 1)),
    st.integers(5, 59),
)
def test_over_any_ten_days_each_working_day_has_one(zone: str, hours: Any, first: date, minutes: int) -> None:
    work = Work(ZoneInfo(zone), hours, None, None)
    moment = datetime(first.year, first.month, first.day, tzinfo=UTC)
    last: date | None = None
    made: list[date] = []
    for _ in range(10 * 24 * 60 // minutes):
        day = due(work, moment, moment - timedelta(days=2), last)
        if day is not None:
            made.append(day)
            last = day
        moment += timedelta(minutes=minutes)
    assert made == sorted(set(made))
    inner = [first + timedelta(days=day) for day in range(1, 9)]
    assert [day for day in made if day in inner] == [day for day in inner if morning(work, day) is not None]


async def made(store: EventStore, ready: Sequence[Due]) -> list[Letter]:
    """The letters of the digests that are due, each in a transaction of its own."""
    letters = []
    for one in ready:
        key = await store.tenant_key(one.tenant_id)
        async with store.database.connection() as connection:
            await connection.execute("BEGIN")
            letters += await digest(connection, key, one, SETTINGS)
            await connection.execute("COMMIT")
    return letters


async def a_day_ago(store: EventStore, tenant: UUID) -> None:
    """What waits has waited since yesterday."""
    await store.database.rows(
        "UPDATE digest_items SET at = at - interval '30 hours' WHERE tenant_id = %s RETURNING 1", [tenant]
    )


async def due_of(store: EventStore, tenant: UUID, at: datetime | None = None) -> list[Due]:
    """At a moment, or at the last minute of today by the brokerage's clock."""
    at = at or datetime.now(BOISE).replace(hour=23, minute=59)
    return [one for one in await digests_due(store.database, at.astimezone(UTC)) if one.tenant_id == tenant]


def test_a_digest_tells_what_has_come_and_is_still_the_users(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, olga, ana = await office(store)
            dora = await hire(store, tenant, "Dora", notify="digest")
            bert = await hire(store, tenant, "Bert", "broker", notify="digest")
            await told(store, tenant)
            kept, lost, gone = (new_lead(assigned_to=dora.id, email=None, last_name=name) for name in "KLG")
            pond, tour = new_lead(email=None), new_tour(assigned_to=dora.id, email=None)
            await store_new(store, tenant, kept, lost, gone, pond, tour)
            await do(store, tenant, lost.id, lambda lead: lead.assign(ana.id, lead.modified_on), olga.id)
            await do(store, tenant, lost.id, lambda lead: lead.assign(dora.id, lead.modified_on), olga.id)
            await do(store, tenant, lost.id, lambda lead: lead.assign(ana.id, lead.modified_on), olga.id)
            await store.database.rows("DELETE FROM subject_keys WHERE subject_id = %s RETURNING 1", [gone.id])
            letters = await told(store, tenant)
            assert ("lead_assigned", "Dora") not in summary(letters)
            assert await due_of(store, tenant, datetime.now(UTC)) == [], "no morning has come since"

            await a_day_ago(store, tenant)
            ready = await due_of(store, tenant)
            assert {one.user_id for one in ready} == {dora.id, bert.id}
            letters = await made(store, ready)
            of_dora = next(one for one in letters if one.recipient.user_id == dora.id)
            of_bert = next(one for one in letters if one.recipient.user_id == bert.id)
            assert [(one.kind, one.recipient.subject_id) for one in letters] == [("digest", None)] * 2
            lines: Any = of_dora.fields["leads"]
            (line,) = lines
            assert line["name"] == "Jane K" and line["link"].endswith(f"/admin/leads/{to_wire(kept.id)}")
            assert (of_dora.fields["lead_count"], of_dora.fields["tour_count"]) == (1, 1)
            assert (of_bert.fields["lead_count"], of_bert.fields["tour_count"]) == (1, 0)
            assert await due_of(store, tenant) == [] and await made(store, ready) == []

            await store_new(store, tenant, new_lead(assigned_to=dora.id, email=None))
            await told(store, tenant)
            await a_day_ago(store, tenant)
            assert await due_of(store, tenant) == [], "today's was made"

    run(scenario())


def test_one_digest_with_several_workers_and_whenever_a_connection_dies(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store, opened_store(module_database_url) as victim:
            tenant, _, _ = await office(store)
            users = [await hire(store, tenant, f"User{number}", notify="digest") for number in range(4)]
            await told(store, tenant)
            leads = [new_lead(assigned_to=user.id, email=None) for user in users for _ in range(3)]
            await store_new(store, tenant, *leads)
            await told(store, tenant)
            await a_day_ago(store, tenant)
            ready = await due_of(store, tenant)
            assert len(ready) == 4
            await make_mortal(victim)
            letters: list[Letter] = []
            statement = 0
            while not letters:
                statement += 1
                assert statement < 20

                async def attempt() -> None:
                    letters.extend(await made(victim, ready[:1]))

                await killed(victim, tenant, statement, attempt())
                before = await store.database.rows("SELECT count(*) FROM digests WHERE tenant_id = %s", [tenant])
                assert before == [(1 if letters else 0,)]
            assert statement > 5
            for found in await asyncio.gather(*(made(store, ready) for _ in range(3))):
                letters += found
            assert sorted(one.recipient.name for one in letters) == sorted(user.name for user in users)
            assert {one.fields["lead_count"] for one in letters} == {3}

    run(scenario())
