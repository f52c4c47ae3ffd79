"""How long a search of one brokerage's contacts takes in the database, whatever is searched: 50 contacts a page.

Each search is one call as ``GET /api/contacts`` makes it, prepared, from a client on the same machine; the time is from
sending it to having its rows. Every word is another one, and none was searched before.
"""

import asyncio
import random
import string
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from statistics import quantiles
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.domain import ids
from aureum.domain.contact import Contact
from aureum.projections import contact_list
from aureum.projections.document_list import ABOVE_ALL
from aureum.projections.search import asked
from aureum.store.cipher import MasterKey
from aureum.store.postgres.database import Database, connect
from aureum.store.postgres.migrate import migrate
from aureum.store.rebuild.list import COPY
from aureum.store.search import Searched
from bench.databases import database, server
from bench.people import FIRST, LAST, people
from bench.processes import MASTER_KEY
from bench.rows import Row

CONTACTS = 100_000
OTHERS = 5_000
SEARCHES = 200
LIMIT = 50
BUDGET = 20.0

dice = random.Random(11)


@dataclass(frozen=True)
class Kind:
    """One kind of search: a name, and a function that makes the next search."""

    name: str
    next: Callable[[], str]
    tag: str | None = None
    late: bool = False
    """Whether it asks for a page that begins half-way down the list."""


def mistyped(word: str) -> str:
    """*word* with one typo."""
    place = dice.randrange(len(word) - 1)
    letter = dice.choice(string.ascii_lowercase)
    return dice.choice(
        (
            word[:place] + word[place + 1 :],
            word[:place] + letter + word[place:],
            word[:place] + letter + word[place + 1 :],
            word[:place] + word[place + 1] + word[place] + word[place + 2 :],
        )
    )


def letters(count: int) -> str:
    """Any word."""
    return "".join(dice.choices(string.ascii_lowercase, k=count))


def part(word: str) -> str:
    """Three to five letters out of the middle of *word*."""
    place = dice.randrange(max(1, len(word) - 4))
    return word[place : place + dice.randint(3, 5)]


def kinds(contacts: list[Contact]) -> list[Kind]:
    """Every kind, on a sample of the brokerage's *contacts*."""

    def somebody() -> Contact:
        return dice.choice(contacts)

    def address() -> str:
        return next(contact.email for contact in iter(somebody, None) if contact.email)

    long = [name for name in FIRST + LAST if len(name) >= 3]
    return [
        Kind("a frequent first or last name", lambda: dice.choice(FIRST[:20] + LAST[:20])),
        Kind("a random last name", lambda: somebody().last_name),
        Kind("the same with a typo", lambda: mistyped(somebody().last_name.ljust(3, "x"))),
        Kind("any name with a typo", lambda: mistyped(dice.choice(long))),
        Kind(
            "first and last name, both with a typo",
            lambda: " ".join((mistyped(dice.choice(long)), mistyped(somebody().last_name + "x"))),
        ),
        Kind("first and last name", lambda: f"{somebody().first_name} {somebody().last_name}"),
        Kind("a part of a last name", lambda: part(somebody().last_name)),
        Kind("an e-mail address", address),
        Kind("an e-mail address with a typo", lambda: mistyped(address())),
        Kind("the domain of nearly all addresses", lambda: dice.choice(("example.com", "example", "com", "@", "."))),
        Kind("the same and a last name", lambda: f"example.com {somebody().last_name}"),
        Kind("two domains, in no address together", lambda: "mail.example.com letters.example.com"),
        Kind("any word of nine letters", lambda: letters(9)),
        Kind("any three letters", lambda: letters(3)),
        Kind("any two letters", lambda: letters(2)),
        Kind("any letter or digit", lambda: dice.choice(string.ascii_lowercase + string.digits)),
        Kind("any two letters, twice", lambda: f"{letters(2)} {letters(2)}"),
        Kind("ten words", lambda: " ".join(letters(2) for _ in range(10))),
        Kind("a frequent tag", lambda: "", tag="vip"),
        Kind("a rare tag", lambda: "", tag="newsletter"),
        Kind("a tag and a name", lambda: dice.choice(FIRST), tag="open-house"),
        Kind("a random last name, from half-way down", lambda: somebody().last_name, late=True),
    ]


async def fill(connection: AsyncConnection[Any], contacts: list[Contact]) -> UUID:
    """A tenant whose list has *contacts*, as the projection makes its rows."""
    tenant_id, columns = ids.new_id(), contact_list.LIST.columns
    await connection.execute("INSERT INTO heads (tenant_id) VALUES (%s)", [tenant_id])
    copy = contact_list.LIST.statement(COPY)
    async with connection.cursor() as cursor, cursor.copy(copy) as target:
        target.set_types(("uuid", "int4", *columns.values()))
        for contact in contacts:
            ((row),) = contact_list.LIST.rows((), contact.pending_events)
            await target.write_row((tenant_id, 1, *map(row.__getitem__, columns)))
    return tenant_id


async def measure(url: str, contacts: list[Contact], searches: int) -> list[Row]:
    """A row for each kind, and one for all."""
    await migrate(url, MasterKey(MASTER_KEY))
    async with await connect(url) as connection:
        for number in range(3):
            await fill(connection, list(people(OTHERS, seed=number)))
        tenant_id = await fill(connection, contacts)
    async with Database(url, pool_size=1) as working:
        await Searched().round(working)
    async with await connect(url) as connection:
        await connection.execute("VACUUM (ANALYZE) contact_list")
        await connection.execute("VACUUM (ANALYZE) searched_texts")
    half = contacts[len(contacts) // 2].id
    rows, all_took = [], []
    async with Database(url, pool_size=1) as reading:
        for kind in kinds(contacts):
            took, found = [], []
            for _ in range(searches):
                words = asked(kind.next())
                given: dict[str, Any] = {
                    "tenant": tenant_id,
                    "before": half if kind.late else ABOVE_ALL,
                    "limit": LIMIT,
                }
                given |= {"type": None, "tag": kind.tag, "updated_since": None}
                started = time.perf_counter()
                for one in (None,) if words is None else words:
                    statement = contact_list.CONTACTS.page if one is None else contact_list.CONTACTS.search
                    ((_, _, count),) = await reading.rows(statement, given | {"words": one})
                    if count:
                        break
                took.append((time.perf_counter() - started) * 1_000)
                found.append(count)
            all_took += took
            rows.append(judged(kind.name, took, f"{sum(found) / len(found):.0f} found"))
    return [*rows, judged("all of them", all_took, "")]


def judged(name: str, took: list[float], found: str, budget: float = BUDGET) -> Row:
    """p50 and p99 in milliseconds, against the budget."""
    cuts = quantiles(took, n=100, method="inclusive")
    figures = f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms"
    return Row(name, figures, found, budget=f"p99 < {budget:.0f} ms", met=cuts[98] < budget)


def run(*, quick: bool = False) -> list[Row]:
    """Make the contacts and measure every kind."""
    contacts = list(islice(people(CONTACTS), CONTACTS // 10 if quick else CONTACTS))
    with server() as server_url, database(server_url, "search") as url:
        return asyncio.run(measure(url, contacts, SEARCHES // 10 if quick else SEARCHES))
