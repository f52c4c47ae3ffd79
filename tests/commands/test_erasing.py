"""Erasing a person by the command itself: cut off anywhere, it goes on; all records with the address are erased."""

from uuid import UUID

from aureum.commands.erasing import ErasePerson, erase_person, rehearse_erasing
from aureum.commands.erasures import carry_out, finish_erasures, resume_erasures
from aureum.commands.person import find_person
from aureum.domain import ids
from aureum.store.chain import Verified, verify
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.database import connect
from tests.stores import capture, new_task, open_brokerage, opened_store
from tests.webhooks.killing import killed, make_mortal
from tests.webhooks.waiting import run

ORIGIN = Origin(COMMAND_LINE)

LEFT = """
SELECT (SELECT count(*) FROM subject_keys k WHERE k.tenant_id = %(tenant)s AND k.subject_id = ANY (%(ids)s)),
       (SELECT count(*) FROM lead_list l WHERE l.tenant_id = %(tenant)s AND l.lead_id = ANY (%(ids)s)),
       (SELECT count(*) FROM task_list t WHERE t.tenant_id = %(tenant)s AND t.task_id = ANY (%(ids)s)),
       (SELECT count(*) FROM events e WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(ids)s)
                                        AND e.type LIKE '%%.erased'),
       (SELECT sum(leads)::int FROM lead_counts c JOIN heads h USING (tenant_id)
         WHERE c.tenant_id = %(tenant)s AND c.read_version = h.lead_counts_version)
"""


async def task_about(store: EventStore, tenant: UUID, lead_id: UUID, title: str) -> UUID:
    """A new task."""
    task = new_task(title=title, lead_id=lead_id)
    await store.append(tenant, task, NO_STREAM, command="CreateTask", origin=ORIGIN)
    return task.id


async def erase(store: EventStore, tenant: UUID, email: str) -> None:
    """As the command line does it."""
    await resume_erasures(store, tenant)
    erased = await erase_person(store, ErasePerson(tenant_id=tenant, email=email), ORIGIN)
    if erased.id is not None:
        await carry_out(store, tenant, erased.id)


def test_cut_off_before_any_statement_it_goes_on_to_the_same_end(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, opened_store(database_url) as victim:
            await make_mortal(victim)
            tenant = await open_brokerage(store)
            await capture(store, tenant, email="other@example.com")
            statement = -2
            came = True
            while came:
                # Every third one, since what is between two of them is one transaction or none.
                statement += 3
                email = f"p{statement}@example.com"
                lead = await capture(store, tenant, email=email)
                records = [lead.id, await task_about(store, tenant, lead.id, "Call her")]
                came = await killed(victim, tenant, statement, erase(victim, tenant, email))
                # Whatever was committed of it, the same command again comes to the end.
                await erase(store, tenant, email)
                about = {"tenant": tenant, "ids": records}
                assert await store.database.rows(LEFT, about) == [(0, 0, 0, 2, 1)], statement
            assert statement > 20, "it takes more statements than were tried"
            async with await connect(database_url) as connection:
                assert isinstance(await verify(connection, tenant), Verified)

    run(scenario())


def test_the_worker_finishes_what_was_left_and_what_came_meanwhile(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            lead = await capture(store, tenant)
            asked = await erase_person(store, ErasePerson(tenant_id=tenant, lead_id=lead.id), ORIGIN)
            await finish_erasures(store, None)
            assert (await store.load(tenant, lead.id)).aggregate().erased is False, "the command itself is at it"
            early = "UPDATE erasures SET requested_at = now() - interval '1 minute' RETURNING 1"
            await store.database.rows(early)
            await finish_erasures(store, None)
            assert (await store.load(tenant, lead.id)).aggregate().erased
            # A request that had found the lead before.
            late = await task_about(store, tenant, lead.id, "Call Jane Doe")
            await store.database.rows("UPDATE erasures SET ended_at = now() - interval '3 minutes' RETURNING 1")
            assert await finish_erasures(store, None) == 1
            task = (await store.load(tenant, late)).aggregate()
            assert (task.erased, task.title) == (True, "[erased]")
            assert await finish_erasures(store, None) == 0
            assert asked.erased == 1

    run(scenario())


def test_one_address_in_any_spelling_is_one_person_and_no_other_address_is(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            spelled = (
                "Zora@Bücher.example.com",
                " zora@BÜCHER.example.com",
                "zora@xn--bcher-kva.example.com",
                "ＺＯＲＡ@bücher.example.com",
            )
            mine = [await capture(store, tenant, email=one, phone_e164="+12085550177") for one in spelled]
            for other in (
                "zora@bucher.example.com",
                "zora.b@bücher.example.com",
                "xzora@bücher.example.com",
                "z%@bücher.example.com",
            ):
                await capture(store, tenant, email=other)
            phone = await capture(store, tenant, email=None, phone_e164="+12085550177")
            for one in spelled:
                found = await find_person(store, tenant, email=one)
                assert set(found.records) == {lead.id for lead in mine}, one
            command = ErasePerson(tenant_id=tenant, lead_id=mine[1].id)
            rehearsed = await rehearse_erasing(store, command)
            assert (rehearsed.id, rehearsed.records) == (None, {"lead": 4})
            assert [one.id for one in rehearsed.kept if one.what == "lead"] == [ids.to_wire(phone.id)]
            assert (await erase_person(store, command, ORIGIN)).erased == 4
            assert set((await find_person(store, tenant, email="z%@bücher.example.com")).records) != set()

    run(scenario())
