"""The brokerages that are measured: each with agents, an API key and leads, in Aureum and beside the yardstick."""

import asyncio
import random
from dataclasses import dataclass
from uuid import UUID

import orjson
import psycopg
from uuid_utils.compat import uuid7

from aureum.app import open_store
from aureum.commands.api_keys import IssueApiKey, issue_api_key
from aureum.commands.brokerages import OpenBrokerage, open_brokerage
from aureum.commands.leads import CaptureLead, capture_lead
from aureum.commands.routing import ChangeRouting, change_routing
from aureum.commands.users import CreateUser, create_user
from aureum.domain.lead import STATUSES, LeadFields
from aureum.domain.routing.settings import Routing
from aureum.settings import Settings
from aureum.store.cipher import MasterKey
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, VISITOR, Origin
from aureum.store.postgres.migrate import migrate
from bench.bare import INSERT, TABLES
from bench.load import get, post
from bench.processes import MASTER_KEY

BROKERAGES = 20
AGENTS = 3
LEADS = 200
RATE_LIMIT = 1_000_000
FIRST_NAMES = ("John", "Maria", "Wei", "Amara", "Olivia", "Mateo", "Ingrid", "Sanjay")
SUBJECTS = ("Interested in property at 123 Main St", "A condo downtown", "Selling our house near the river")
MESSAGE = "I would like to learn more about this listing. Could I see it on Saturday afternoon, or early next week?"

dice = random.Random(7)


@dataclass(frozen=True)
class Tenant:
    """A brokerage as clients know it."""

    tenant_id: UUID
    host: str
    key: str


def form(number: int) -> dict[str, str]:
    """What visitor *number* writes; no two write the same."""
    first, last = dice.choice(FIRST_NAMES), f"Smith{number}"
    return {
        "firstName": first,
        "lastName": last,
        "email": f"{first.lower()}.{last.lower()}@example.com",
        "phone": f"208-{200 + number % 700}-{number % 10_000:04}"
        if number % 3
        else f"+1 (208) 5{number % 1_000_000:06}",
        "subject": dice.choice(SUBJECTS),
        "message": MESSAGE,
        "source_page": f"/property/{202_400_000 + number % 9_999}",
        "utm_source": "google",
        "utm_medium": "organic",
        "utm_campaign": "spring-2024",
    }


numbers = iter(range(1, 1 << 40))


def contact_requests(tenants: list[Tenant], count: int) -> list[bytes]:
    """*count* new forms, to all tenants in turn."""
    return [
        post(tenants[place % len(tenants)].host, "/api/contact", orjson.dumps(form(next(numbers))))
        for place in range(count)
    ]


def list_requests(tenants: list[Tenant]) -> list[bytes]:
    return [get(tenant.host, "/api/leads?limit=50", tenant.key) for tenant in tenants]


def count_requests(tenants: list[Tenant]) -> list[bytes]:
    return [get(tenant.host, "/api/leads/count") for tenant in tenants]


async def open_tenants(url: str, count: int = BROKERAGES) -> list[Tenant]:
    """Migrate the database and open *count* brokerages, with leads at all statuses."""
    await migrate(url, MasterKey(MASTER_KEY))
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        return [await open_tenant(store, number) for number in range(count)]


async def open_tenant(store: EventStore, number: int) -> Tenant:
    """One brokerage."""
    origin, host = Origin(COMMAND_LINE), f"b{number}.example.com"
    opening = OpenBrokerage(name=f"Brokerage {number}", slug=f"b{number}", domains=(host,), plan="Elite")
    tenant_id = (await open_brokerage(store, opening, origin)).id
    for place in range(AGENTS):
        joining = CreateUser(
            tenant_id=tenant_id,
            email=f"agent{place}@{host}",
            name=f"Agent {place}",
            role="agent",
            specialties=(("downtown", "condo"), ("river",), ())[place],
        )
        await create_user(store, joining, origin)
    # So that what is measured is the form, and not the comparison with profiles, which ``bench.routing`` measures.
    await change_routing(store, ChangeRouting(tenant_id=tenant_id, routing=Routing(mode="round_robin")), origin)
    _, key = await issue_api_key(store, IssueApiKey(tenant_id=tenant_id, name="bench", rate_limit=RATE_LIMIT), origin)
    await asyncio.gather(*(capture(store, tenant_id, host, place) for place in range(LEADS)))
    return Tenant(tenant_id, host, key)


def captured_fields(sent: dict[str, str], domain: str) -> LeadFields:
    """What a visitor left in the form, as a lead has it."""
    return LeadFields(
        first_name=sent["firstName"],
        last_name=sent["lastName"],
        email=sent["email"],
        phone=sent["phone"],
        subject=sent["subject"],
        message=sent["message"],
        notes=None,
        source="website",
        source_domain=domain,
        source_page=sent["source_page"],
        utm_source=sent["utm_source"],
        utm_medium=sent["utm_medium"],
        utm_campaign=sent["utm_campaign"],
    )


async def capture(store: EventStore, tenant_id: UUID, host: str, place: int) -> None:
    """A lead of the past."""
    sent = form(next(numbers))
    command = CaptureLead(
        tenant_id=tenant_id,
        country="US",
        fields=captured_fields(sent, host),
        status=STATUSES[place % len(STATUSES)],
    )
    await capture_lead(store, command, Origin(VISITOR))


def fill_bare(url: str, tenants: list[Tenant]) -> None:
    """The same brokerages and as many leads for the yardstick."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLES)
        for tenant in tenants:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(INSERT, [bare_row(tenant, form(next(numbers)), place) for place in range(LEADS)])


def settle(url: str) -> None:
    """What autovacuum would do sooner or later, and not in the middle of a slice."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def bare_row(tenant: Tenant, sent: dict[str, str], place: int) -> list[object]:
    """The parameters of ``INSERT`` for a form."""
    about, campaign = list(sent.values())[:6], list(sent.values())[6:]
    return [tenant.tenant_id, uuid7(), STATUSES[place % len(STATUSES)], *about, tenant.host, *campaign]
