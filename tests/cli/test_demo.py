"""``aureum demo``: sensible data, the same key each time, whole again after an interruption."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from aureum.commands.portal.addresses import client_address_of
from aureum.commands.portal.opening import opened_by
from aureum.demo.demo import make_demo
from aureum.domain.lead import STATUSES
from aureum.http.wire.times import parse_time
from aureum.store.event_store import Appended, EventStore
from tests.cli.conftest import Terminal
from tests.conftest import MASTER_KEY
from tests.stores import opened_store

LEADS = """
SELECT doc::json FROM lead_list JOIN heads USING (tenant_id) WHERE read_version = lead_list_version ORDER BY lead_id
"""
STREAMS = "SELECT stream_id, count(*) FROM events WHERE type LIKE 'lead.%' GROUP BY stream_id"


OFFICE = {"property_list": 6, "contact_list": 8, "task_list": 5, "tour_list": 4, "subscriber_list": 3}


def leads(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return [doc for (doc,) in connection.execute(LEADS)]


def lengths(url: str) -> list[int]:
    """How many events each lead has, the shortest first."""
    with psycopg.connect(url) as connection:
        return sorted(count for _, count in connection.execute(STREAMS))


def check(url: str) -> None:
    """That the data is what a brokerage of three agents has after two months."""
    found = leads(url)
    assert len(found) == 40 == len({lead["email"] for lead in found})
    assert set(Counter(lead["status"] for lead in found)) == set(STATUSES)
    assert len({lead["assignedToId"] for lead in found}) == 3
    assert sum(length >= 6 for length in lengths(url)) >= 8
    now = datetime.now(UTC)
    for lead in found:
        created, updated = parse_time(lead["createdAt"]), parse_time(lead["updatedAt"])
        assert now - timedelta(days=61) < created <= updated <= now
    newest, oldest = (choose(parse_time(lead["createdAt"]) for lead in found) for choose in (max, min))
    assert now - newest < timedelta(days=3) and now - oldest > timedelta(days=55)
    with psycopg.connect(url) as connection:
        roles = Counter(role for (role,) in connection.execute("SELECT role FROM users"))
        assert roles == {"brokerage_owner": 1, "agent": 3}
        assert connection.execute("SELECT count(*) FROM api_keys").fetchone() == (1,)
        made = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in OFFICE}
    assert made == {table: (count,) for table, count in OFFICE.items()}


def opens(url: str, address: str) -> bool:
    """Whether the address opens the demo's client portal."""

    async def found() -> bool:
        async with opened_store(url) as store:
            ((tenant_id, plan),) = await store.database.rows("SELECT tenant_id, plan FROM brokerages")
            tenant_key = await store.tenant_key(tenant_id)
            client = client_address_of(tenant_key, address)
            return bool((await opened_by(store.database, tenant_key, client, plan)).contacts)

    return asyncio.run(found())


def test_twice(terminal: Terminal) -> None:
    first = terminal.json("demo")
    assert set(first) == {"url", "apiKey", "admin", "client"} and set(first["admin"]) == {"email", "password"}
    assert opens(terminal.url, first["client"]["email"])
    check(terminal.url)
    before = leads(terminal.url), lengths(terminal.url)
    assert terminal.json("demo") == first
    assert (leads(terminal.url), lengths(terminal.url)) == before
    people = terminal.run("demo")
    assert people.out.startswith("The demo brokerage already exists on localhost.\n")
    assert f"API key: {first['apiKey']}\n" in people.out


def test_histories_name_who_did_it(terminal: Terminal) -> None:
    terminal.json("demo")
    lead = next(lead for lead in leads(terminal.url) if lead["status"] == "converted")
    events = terminal.json("audit", "lead", lead["id"])["events"]
    assert len(events) >= 6
    actors = [tuple(event["actor"].values()) for event in events]
    assert actors[0] == ("visitor", None, None)
    (worked_on,) = set(actors[1:])
    assert worked_on[:2] == ("user", lead["assignedToId"]) and worked_on[2]
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)


class Interrupted(EventStore):
    """A store whose process is gone after so many appends."""

    left = 0

    async def append(self, *arguments: Any, **named: Any) -> Appended:
        if self.left == 0:
            raise asyncio.CancelledError
        self.left -= 1
        return await super().append(*arguments, **named)


@pytest.mark.parametrize("appends", [0, 3, 6, 60, 165])
def test_what_was_interrupted_is_finished(database_url: str, terminal: Terminal, appends: int) -> None:
    async def interrupted() -> None:
        async with opened_store(database_url) as store:
            broken = Interrupted(store.database, store.writer, store.keys)
            broken.left = appends
            await make_demo(broken, MASTER_KEY)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted())
    terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", database_url)
    made = terminal.json("demo")
    check(database_url)
    whole = leads(database_url), lengths(database_url)
    assert terminal.json("demo") == made
    assert (leads(database_url), lengths(database_url)) == whole
    # Not a change more or less than without the interruption.
    assert sum(whole[1]) == UNINTERRUPTED


UNINTERRUPTED = 216
"""Events of the forty leads."""


def test_two_at_once(database_url: str) -> None:
    async def both() -> None:
        async with opened_store(database_url) as one, opened_store(database_url) as other:
            first, second = await asyncio.gather(make_demo(one, MASTER_KEY), make_demo(other, MASTER_KEY))
            assert first.api_key == second.api_key

    asyncio.run(both())
    check(database_url)


def test_a_slug_of_another_brokerage(database_url: str, terminal: Terminal) -> None:
    terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", database_url)
    terminal.json("brokerage", "create", "--name", "Demolition Ltd", "--slug", "demo", "--plan", "grow")
    ended = terminal.run("demo", "--json")
    assert ended.code == 1
    assert ended.err == "This slug is already taken by another brokerage. Choose another one.\n"
