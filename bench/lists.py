"""How long the lists of leads take in the database at scale: one brokerage with 100,000 leads among 700,000.

The staff's list in numbered pages, with every filter, on its first page and on deep ones, for owners, agents and
platform admins; searching it; and the API's list. Each is one call as an endpoint makes it, prepared, from a client on
the same machine, without a cache: the time is from sending it to having its rows. A search that finds nothing is asked
again with a typo forgiven, and both count.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.domain import ids
from aureum.domain.contact import Contact
from aureum.domain.lead import Lead, LeadFields
from aureum.projections import admin_leads, lead_list
from aureum.projections.document_list import ABOVE_ALL
from aureum.projections.search import asked
from aureum.store.cipher import MasterKey
from aureum.store.postgres.database import Database, connect
from aureum.store.postgres.migrate import migrate
from aureum.store.rebuild.list import COPY
from bench.databases import database, server
from bench.people import FIRST, LAST, people
from bench.processes import MASTER_KEY
from bench.rows import Row
from bench.search import judged, letters, mistyped, part

LEADS = 100_000
OTHERS = 24
"""Brokerages that have a quarter as many each."""

CALLS = 60
PAGE_SIZE = 20
SECONDS = 150.0
"""Bound of all calls together: what is left then is measured less often."""

AGENTS = [ids.new_id() for _ in range(40)]
FILTER, SHORT, TYPO, EVERYWHERE = 20.0, 60.0, 80.0, 50.0
"""Budgets in milliseconds: any filter and page, and a search of three letters or more that finds anything; a shorter
one; one that finds nothing; a platform admin's list."""

STATUSES = {"new": 40, "contacted": 20, "qualified": 10, "showing": 5, "offer": 2, "converted": 13, "lost": 10}
SOURCES = {"website": 70, "api": 15, "manual": 8, "zillow": 5, "referral": 2, "billboard": 0.02}
DOMAINS = {"www.big.example.com": 60, "big.example.com": 20, "homes.example.com": 5, "rare.example.com": 0.02}
SUBJECTS = (
    "Interested in property at 123 Main St",
    "A condo downtown",
    "Selling our house near the river",
    "Viewing on Saturday",
    "Mortgage and closing costs",
    "Is the loft still available",
    "Relocating to Boise in June",
)
MESSAGE = "I would like to learn more about this listing. Could I see it on Saturday afternoon, or early next week?"

dice = random.Random(13)

OTHER = """
INSERT INTO lead_list (tenant_id, read_version, {columns})
SELECT %(other)s, 1, {values} FROM lead_list WHERE tenant_id = %(big)s AND number %% 4 = %(turn)s
"""
COUNTS = """
INSERT INTO lead_counts (tenant_id, read_version, status, leads)
SELECT tenant_id, 1, status, count(*) FROM lead_list GROUP BY 1, 3
"""
COPIED = (
    "DROP INDEX searched_texts_parts",
    "INSERT INTO searched_texts (tenant_id, list, read_version, id, search) "
    "SELECT tenant_id, 'lead_list', read_version, lead_id, search FROM lead_list ORDER BY tenant_id, lead_id",
    "CREATE INDEX searched_texts_parts ON searched_texts USING gin (tenant_id, list, search gin_trgm_ops)",
    "UPDATE heads h SET lead_list_searched = (SELECT l.lead_id FROM lead_list l WHERE l.tenant_id = h.tenant_id "
    "AND l.read_version = 1 ORDER BY l.lead_id DESC LIMIT 1) WHERE tenant_id IN (SELECT tenant_id FROM lead_list)",
    "VACUUM (ANALYZE) lead_list",
    "VACUUM (ANALYZE) searched_texts",
    "ANALYZE",
)
"""As the worker leaves it, made at once."""


@dataclass(frozen=True)
class Kind:
    """One kind of question: what it is called, its budget, its parameters, and the text that is searched."""

    name: str
    budget: float
    filters: Mapping[str, Any] = field(default_factory=dict)
    search: Callable[[], str] | None = None
    page: int = 1
    everywhere: bool = False
    keyset: bool = False
    """Whether it is the API's list."""


def one_of(shares: Mapping[Any, float]) -> Any:
    """One of them by its share."""
    return dice.choices(list(shares), weights=list(shares.values()))[0]


def lead_of(person: Contact, number: int, agents: Sequence[UUID] = AGENTS) -> Lead:
    """A lead that *person* is, of one of *agents* or none."""
    agent = agents[min(int(dice.expovariate(0.1)), len(agents) - 1)] if dice.random() < 0.9 else None
    source = one_of(SOURCES)
    fields = LeadFields(
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        phone=person.phone,
        subject=dice.choice(SUBJECTS),
        message=MESSAGE,
        notes=None,
        source=source,
        source_domain=one_of(DOMAINS) if source == "website" else None,
        source_page=f"/property/{number}",
        utm_source="google",
        utm_medium="organic",
        utm_campaign="spring-2024",
    )
    return Lead.capture(
        person.id,
        person.created_on,
        fields,
        number=number,
        phone_e164=person.phone_e164,
        status=one_of(STATUSES),
        assigned_to=agent,
        routing={"mode": "semantic", "why": "words", "matched": ["downtown", "condo"]},
        because=None,
        contact_id=None,
        created_by=agent if source == "manual" else None,
    )


async def brokerage(connection: AsyncConnection[Any], number: int) -> UUID:
    """A tenant without leads."""
    tenant_id = ids.new_id()
    await connection.execute("INSERT INTO heads (tenant_id) VALUES (%s)", [tenant_id])
    await connection.execute(
        "INSERT INTO brokerages (tenant_id, number, slug, name, plan, time_zone, country, public_lead_count, disabled, "
        "opened_at) VALUES (%s, %s, %s, 'B', 'Elite', 'America/Boise', 'US', true, false, now())",
        [tenant_id, number, f"b{number}"],
    )
    for place, agent in enumerate(AGENTS):
        await connection.execute(
            "INSERT INTO users (tenant_id, user_id, number, email, name, role, takes_leads, specialties) "
            "VALUES (%s, %s, %s, %s, 'A', 'agent', true, '{}')",
            [tenant_id, agent, number * 1_000 + place, f"{place}@b{number}.example.com"],
        )
    return tenant_id


async def fill(url: str, leads: int) -> tuple[UUID, list[Contact]]:
    """The brokerages; the big one, and a sample of its people."""
    persons = list(islice(people(leads), leads))
    columns = lead_list.LIST.columns
    async with await connect(url) as connection:
        big = await brokerage(connection, 1)
        async with connection.cursor() as cursor, cursor.copy(lead_list.LIST.statement(COPY)) as target:
            target.set_types(("uuid", "int4", *columns.values()))
            for number, person in enumerate(persons):
                ((row),) = lead_list.LIST.rows((), lead_of(person, number).pending_events)
                await target.write_row((big, 1, *map(row.__getitem__, columns)))
        values = {
            "lead_id": "(left(lead_id::text, 24) || left(md5(lead_id::text || %(other)s::text), 12))::uuid",
            "number": "number + %(turn)s * 10000000",
        }
        for turn in range(OTHERS):
            named = {"big": big, "other": await brokerage(connection, turn + 2), "turn": turn % 4}
            statement = OTHER.replace("{columns}", ", ".join(columns))
            statement = statement.replace("{values}", ", ".join(values.get(name, name) for name in columns))
            await connection.execute(statement.encode(), named)
        await connection.execute(COUNTS)
        for step in COPIED:
            await connection.execute(step.encode())
    return big, persons[:: max(1, leads // 5_000)]


def kinds(persons: list[Contact], leads: int) -> list[Kind]:
    """Every kind."""
    last = leads // PAGE_SIZE

    def one_of_them() -> Contact:
        return dice.choice(persons)

    def address() -> str:
        return next(one.email for one in iter(one_of_them, None) if one.email)

    def full_name() -> str:
        one = one_of_them()
        return f"{one.first_name} {one.last_name}"

    agent = dict(agent=1_000)
    found = [
        Kind("no filter, first page", FILTER),
        Kind("no filter, in the middle", FILTER, page=last // 2),
        Kind("no filter, last page", FILTER, page=last),
        Kind("status, 40 %", FILTER, dict(status="new")),
        Kind("status, 40 %, deep", FILTER, dict(status="new"), page=last // 5),
        Kind("status, 2 %", FILTER, dict(status="offer")),
        Kind("source, 70 %", FILTER, dict(source="website")),
        Kind("source, 70 %, deep", FILTER, dict(source="website"), page=last // 3),
        Kind("source, one in 5,000", FILTER, dict(source="billboard")),
        Kind("domain, 42 %", FILTER, dict(source_domain="www.big.example.com")),
        Kind("domain, one in 7,000", FILTER, dict(source_domain="rare.example.com")),
        Kind("agent, 9 %", FILTER, agent),
        Kind("agent, 1 %", FILTER, dict(agent=1_020)),
        Kind("status 40 % and source 70 %", FILTER, dict(status="new", source="website")),
        Kind("the same, deep", FILTER, dict(status="new", source="website"), page=last // 8),
        Kind(
            "status, source and domain", FILTER, dict(status="new", source="website", source_domain="homes.example.com")
        ),
        Kind("status 2 % and a rare source", FILTER, dict(status="offer", source="billboard")),
        Kind("status 40 % and a rare domain", FILTER, dict(status="new", source_domain="rare.example.com")),
        Kind("agent and status", FILTER, agent | dict(status="new")),
        Kind("an agent's own, 9 %", FILTER, dict(visible_to=AGENTS[0])),
        Kind("an agent's own, 9 %, deep", FILTER, dict(visible_to=AGENTS[0]), page=last // 24),
        Kind("an agent's own, 1 %", FILTER, dict(visible_to=AGENTS[30])),
        Kind(
            "an agent's own, by status and source", FILTER, dict(visible_to=AGENTS[0], status="new", source="website")
        ),
        Kind("a frequent name", FILTER, search=lambda: dice.choice(FIRST[:20] + LAST[:20])),
        Kind("a frequent name, page 50", FILTER, search=lambda: dice.choice(FIRST[:5] + LAST[:5]), page=50),
        Kind("a last name", FILTER, search=lambda: one_of_them().last_name),
        Kind("a part of a last name", FILTER, search=lambda: part(one_of_them().last_name.ljust(3, "s"))),
        Kind("first and last name", FILTER, search=full_name),
        Kind("an e-mail address", FILTER, search=address),
        Kind("a phone", FILTER, search=lambda: str(one_of_them().phone)),
        Kind("a frequent name and a status", FILTER, dict(status="new"), lambda: dice.choice(FIRST[:20])),
        Kind("a frequent name, an agent's own", FILTER, dict(visible_to=AGENTS[0]), lambda: dice.choice(FIRST[:20])),
        Kind("what nearly everybody has (com)", FILTER, search=lambda: "com"),
        Kind("the same and a status", FILTER, dict(status="new"), lambda: "com"),
        Kind("any two letters", SHORT, search=lambda: letters(2)),
        Kind("any letter", SHORT, search=lambda: letters(1)),
        Kind("e, page 1000", SHORT, search=lambda: "e", page=1_000),
        Kind("a last name with a typo", TYPO, search=lambda: mistyped(one_of_them().last_name.ljust(4, "x"))),
        Kind("an address with a typo", TYPO, search=lambda: mistyped(address())),
        Kind("any nine letters", TYPO, search=lambda: letters(9)),
        Kind("any five letters", TYPO, search=lambda: letters(5)),
        Kind("any three letters", TYPO, search=lambda: letters(3)),
        Kind("API, a last name", FILTER, search=lambda: one_of_them().last_name, keyset=True),
        Kind("API, a rare source", FILTER, dict(source="billboard"), keyset=True),
        Kind("everywhere, first page", EVERYWHERE, everywhere=True),
        Kind("everywhere, page 50", EVERYWHERE, page=50, everywhere=True),
        Kind("everywhere, page 5000", EVERYWHERE, page=5_000, everywhere=True),
        Kind("everywhere, status 40 %", EVERYWHERE, dict(status="new"), everywhere=True),
        Kind("everywhere, source 70 %", EVERYWHERE, dict(source="website"), everywhere=True),
        Kind("everywhere, a rare source", EVERYWHERE, dict(source="billboard"), everywhere=True),
        Kind("everywhere, an agent", EVERYWHERE, agent, everywhere=True),
        Kind("everywhere, a last name", EVERYWHERE, search=lambda: one_of_them().last_name, everywhere=True),
        Kind("everywhere, a phone", EVERYWHERE, search=lambda: str(one_of_them().phone), everywhere=True),
    ]
    return found


async def ask(reading: Database, big: UUID, kind: Kind, search: str | None) -> int:
    """One question, as an endpoint asks it; how many are found."""
    words = asked(search)
    for one in (None,) if words is None else words:
        every = {each.name for each in lead_list.LEADS.filters} | {"source_domain", "agent"}
        parameters: dict[str, Any] = dict.fromkeys(every)
        parameters |= {**kind.filters, "tenant": big, "words": one, "limit": PAGE_SIZE}
        if kind.keyset:
            parameters |= {"before": ABOVE_ALL, "updated_since": None, "assigned_to": None}
            statement = lead_list.LEADS.page if one is None else lead_list.LEADS.search
            found = (await reading.rows(statement, parameters))[0][2]
        else:
            parameters |= {"skipped": (kind.page - 1) * PAGE_SIZE}
            statement = admin_leads.PAGE_OF_ALL if kind.everywhere else admin_leads.PAGE
            found = (await reading.rows(statement, parameters))[0][0]
        if found:
            break
    return int(found)


async def measure(url: str, leads: int, calls: int) -> list[Row]:
    """A row for each kind."""
    await migrate(url, MasterKey(MASTER_KEY))
    big, persons = await fill(url, leads)
    return await ask_all(url, big, kinds(persons, leads), calls)


async def ask_all(url: str, big: UUID, kinds: list[Kind], calls: int) -> list[Row]:
    """Each of *kinds*, so many times."""
    rows = []
    end = time.monotonic() + SECONDS
    async with Database(url, pool_size=1) as reading:
        for kind in kinds:
            took, found = [], []
            for number in range(calls + 3):
                search = kind.search() if kind.search else None
                started = time.perf_counter()
                found.append(await ask(reading, big, kind, search))
                if number >= 3:
                    took.append((time.perf_counter() - started) * 1_000)
                if len(took) > 5 and time.monotonic() > end:
                    break
            rows.append(judged(kind.name, took, f"{sum(found) / len(found):,.0f} found", kind.budget))
    return rows


def run(*, quick: bool = False) -> list[Row]:
    """Make the leads and ask every kind; about three minutes."""
    with server() as server_url, database(server_url, "lists") as url:
        return asyncio.run(measure(url, LEADS // 20 if quick else LEADS, CALLS // 10 if quick else CALLS))
