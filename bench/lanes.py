"""Whether one dead endpoint with half a million due deliveries delays the others: 25,000 of 5,000 healthy endpoints are
claimed and finished by one worker's statements, without HTTP, first without the backlog, then beside it.

The dead endpoint fails each attempt at once; its tenant has healthy endpoints too. It stands in front of the queue: all
that it has is due longer than anything else.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg

from aureum.app import open_store
from aureum.background.hosts import Hosts
from aureum.commands.brokerages import OpenBrokerage, open_brokerage
from aureum.domain import ids
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.settings import Settings
from aureum.store.cipher import MasterKey
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.database import Database
from aureum.store.postgres.migrate import migrate
from aureum.webhooks.queue.completions import Completion, write
from aureum.webhooks.queue.lanes import Claim, claim, due_tenants
from aureum.webhooks.sending.results import Failure
from aureum.webhooks.sending.signing import new_secret
from bench.databases import database, server
from bench.processes import MASTER_KEY
from bench.rows import Row

TENANTS = 50
ENDPOINTS = 5_000
EACH = 5
BACKLOG = 500_000
AT_MOST = 2.0
DEAD = "http://192.0.2.1:9/dead"
ORIGIN = Origin(COMMAND_LINE)

FILL = """
WITH messages AS (
    INSERT INTO webhook_messages (tenant_id, position, message_id, event, stream_id, body, recorded_at)
    SELECT %(tenant)s, p, 'msg_' || p, 'lead.created', %(tenant)s, '{}', now()
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS p
    ON CONFLICT DO NOTHING
)
INSERT INTO webhook_deliveries (tenant_id, endpoint_id, position, due_at)
SELECT %(tenant)s, e, p, now() - %(age)s * interval '1 second'
  FROM unnest(%(endpoints)s::uuid[]) AS e, generate_series(%(first)s::bigint, %(last)s::bigint) AS p
"""

LANES = """
INSERT INTO webhook_lanes (tenant_id, endpoint_id, next_due)
SELECT %(tenant)s, e, now() - %(age)s * interval '1 second' FROM unnest(%(endpoints)s::uuid[]) AS e
ON CONFLICT (tenant_id, endpoint_id) DO UPDATE SET next_due = excluded.next_due
"""


async def register(store: EventStore, tenants: int, endpoints: int) -> dict[UUID, list[UUID]]:
    """Brokerages with so many healthy endpoints in all, and one dead one, which is the first of the first."""
    found: dict[UUID, list[UUID]] = {}
    for number in range(tenants):
        opening = OpenBrokerage(name=f"B{number}", slug=f"b{number}", domains=(), plan="Elite")
        tenant_id = (await open_brokerage(store, opening, ORIGIN)).id
        urls = [f"http://h{number}-{place}.example.com/" for place in range(endpoints // tenants)]
        made = [
            WebhookEndpoint.register(ids.new_id(), ids.now(), url=url, events=("lead.created",), secret=new_secret())
            for url in ([DEAD, *urls] if number == 0 else urls)
        ]
        await asyncio.gather(
            *(store.append(tenant_id, one, NO_STREAM, command="RegisterWebhookEndpoint", origin=ORIGIN) for one in made)
        )
        found[tenant_id] = [one.id for one in made]
    return found


def fill(url: str, tenant: UUID, endpoints: Sequence[UUID], first: int, last: int, age: int) -> None:
    """Deliveries at these positions for each of *endpoints*, due for *age* seconds."""
    about = {"tenant": tenant, "endpoints": list(endpoints), "first": first, "last": last, "age": age}
    with psycopg.connect(url) as connection:
        connection.execute(FILL, about)
        connection.execute(LANES, about)


async def drain(database: Database, healthy: int, dead: UUID | None) -> tuple[float, int]:
    """Seconds until all of the healthy endpoints' deliveries are finished, and the attempts that the dead one took."""
    owner, hosts = uuid4(), Hosts(64)
    done = failed = 0
    began = time.perf_counter()
    while done < healthy:
        rooms = dict.fromkeys(await due_tenants(database, 16, hosts.full()), 8)
        claims = await claim(database, owner, rooms, limit=128, share=8, hosts=hosts) if rooms else []
        for one in claims:
            hosts.began(one.host)
            hosts.ended(one.host, one.endpoint_id != dead, time.monotonic(), 1.0)
        if claims:
            await write(database, owner, [ended(one, one.endpoint_id == dead) for one in claims])
        failed += sum(one.endpoint_id == dead for one in claims)
        done += sum(one.endpoint_id != dead for one in claims)
        if time.perf_counter() - began > 300:
            raise RuntimeError(f"Only {done} of {healthy} were finished in 300 s.")
    return time.perf_counter() - began, failed


def ended(one: Claim, failed: bool) -> Completion:
    """An attempt that took a millisecond."""
    if failed:
        return Completion(one, one.claimed_at, 1, None, Failure.REFUSED, b"", timedelta(minutes=5))
    return Completion(one, one.claimed_at, 1, 200, None, b"", None)


def run(*, quick: bool = False) -> list[Row]:
    """About a minute."""
    endpoints, backlog = (500, 20_000) if quick else (ENDPOINTS, BACKLOG)
    with server() as server_url, database(server_url, "lanes") as url:

        async def measure() -> tuple[float, float, int]:
            await migrate(url, MasterKey(MASTER_KEY))
            async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
                tenants = await register(store, TENANTS, endpoints)
                first, (dead, *_) = next(iter(tenants.items()))
                healthy = {t: [e for e in own if e != dead] for t, own in tenants.items()}
                number = EACH * endpoints

                def enqueue(since: int) -> None:
                    for tenant, own in healthy.items():
                        fill(url, tenant, own, since, since + EACH - 1, 0)
                    with psycopg.connect(url, autocommit=True) as connection:
                        connection.execute("ANALYZE")

                enqueue(1)
                alone, _ = await drain(store.database, number, None)
                fill(url, first, [dead], 1_000, 999 + backlog, 3_600)
                enqueue(11)
                beside, attempts = await drain(store.database, number, dead)
                return alone, beside, attempts

        alone, beside, attempts = asyncio.run(measure())
    number = EACH * endpoints
    return [
        Row(
            f"{number:,} deliveries of {endpoints:,} endpoints claimed and finished beside {backlog:,} of a dead one",
            f"{beside:.1f} s, {attempts} attempts for the dead one",
            f"without it {alone:.1f} s",
            f"{beside / alone:.2f} ×",
            f"≤ {AT_MOST:.0f} ×",
            beside / alone <= AT_MOST,
        )
    ]
