"""Whom a form comes from is looked up by indexes alone, also before the planner knows how many leads there are."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg

from aureum.commands.contacts import AddContact, add_contact
from aureum.domain.people import recognized_by
from aureum.projections import people
from aureum.store.event_store import NO_STREAM
from aureum.store.metadata import COMMAND_LINE, Origin
from tests.stores import capture, new_tour, open_brokerage, opened_store

MANY = 300
AS_IN_APPEND = ("enable_hashjoin = off", "enable_mergejoin = off", "enable_seqscan = off")
"""And the plan is one for all cases."""


async def filled(url: str) -> UUID:
    """A brokerage with many leads of as many people, some of one person, and a contact."""
    async with opened_store(url) as store:
        tenant_id = await open_brokerage(store)

        numbers = (max(number, 0) for number in range(-15, MANY))
        await asyncio.gather(*(capture(store, tenant_id, email=f"jane{number}@example.com") for number in numbers))
        known = AddContact(
            tenant_id=tenant_id, country="US", first_name="Jane", last_name="Doe", email="jane7@example.com"
        )
        await add_contact(store, known, Origin(COMMAND_LINE))
        for number in (*range(-15, 0), *range(30)):
            asked = new_tour(name="Jane Doe", email="tours@example.com" if number < 0 else f"t{number}@example.com")
            await store.append(tenant_id, asked, NO_STREAM, command="RequestTour", origin=Origin(COMMAND_LINE))
        return tenant_id


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All of a plan."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def test_nothing_is_read_but_what_is_theirs(module_database_url: str) -> None:
    url = module_database_url
    tenant_id = asyncio.run(filled(url))
    query = people.known("$1", "$2", "now()")
    with psycopg.connect(url, autocommit=True) as connection:
        for one in (*AS_IN_APPEND, "plan_cache_mode = force_generic_plan"):
            connection.execute(f"SET {one}".encode())
        connection.execute(f"PREPARE known(uuid, uuid) AS {query}".encode())
        # A stranger, a person with many leads, a contact, and a person with many tours.
        for email, leads, tours in (
            ("stranger@example.com", 0, 0),
            ("jane0@example.com", people.MOST, 0),
            ("jane7@example.com", 1, 0),
            ("tours@example.com", 0, people.MOST),
        ):
            person = recognized_by(email, "Jane", "Doe")
            asked = f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE known('{tenant_id}', '{person}')"
            found = connection.execute(asked.encode()).fetchone()
            assert found is not None
            read = [node for node in nodes(found[0][0]["Plan"]) if "Relation Name" in node]
            assert {node["Relation Name"] for node in read} >= {
                "lead_list",
                "contact_list",
                "tour_list",
                "subject_keys",
                "heads",
            }
            assert all("Index" in node["Node Type"] for node in read), read
            assert all(node.get("Rows Removed by Filter", 0) == 0 for node in read), read
            by_person = [node for node in read if node.get("Index Name") == "lead_list_people"]
            assert sum(node["Actual Rows"] for node in by_person) == leads
            by_person = [node for node in read if node.get("Index Name") == "tour_list_people"]
            assert sum(node["Actual Rows"] for node in by_person) == tours
