"""Fills a database with as many events and brokerages as ``bench.scale`` wants: in minutes, since most are copies.

The product itself opens every brokerage, with an agent and a webhook endpoint, and makes the leads of the first one,
each with ten events. The other brokerages get these leads by ``INSERT … SELECT``, under ids of their own: the log with
its positions and its hash chain, which ``aureum audit verify`` finds right, the list, the counts, what is searched,
and the checkpoints of all followers at the end of the log. What is not copied is the key of each person, since it is
bound to the brokerage: to the product the copies are leads of persons that were erased from the log, and whose rows in
the lists stand there still. As many keys of no one fill the table of keys.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import psycopg

from aureum.app import open_store
from aureum.commands.activities import LogActivity, log_activity
from aureum.commands.api_keys import IssueApiKey, issue_api_key
from aureum.commands.brokerages import OpenBrokerage, open_brokerage
from aureum.commands.leads import NO_LEAD, CaptureLead, ChangeLead, capture_lead, change_lead
from aureum.commands.users import CreateUser, create_user
from aureum.domain import ids
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.projections import lead_list
from aureum.settings import Settings
from aureum.store.cipher import MasterKey
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.migrate import migrate
from aureum.webhooks.sending.signing import new_secret
from bench.processes import MASTER_KEY
from bench.tenants import RATE_LIMIT, Tenant, captured_fields, form, numbers

EVENTS_OF_A_LEAD = 10
AT_ONCE = 8
"""Brokerages that are opened at the same moment: as many as there are connections."""
COPIED_AT_ONCE = 100_000
"""Events of one transaction."""

WITH_KEYS = 20
"""Brokerages that get an API key, to be asked through."""

ORIGIN = Origin(COMMAND_LINE)
STAGES = ("contacted", "qualified", "showing", "offer", "converted")

CHAIN = """
CREATE FUNCTION bench_link(bytea, bytea, bytea) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT sha256(coalesce($1, $2) || $3)';
CREATE AGGREGATE bench_chain(bytea, bytea) (SFUNC = bench_link, STYPE = bytea);
CREATE TABLE bench_tenants (n integer PRIMARY KEY, tenant_id uuid NOT NULL)
"""
"""The hash of an append: of the head before the first one, then of one event after the other (append.sql)."""

EVENTS = """
INSERT INTO events (tenant_id, stream_id, version, position, type, schema_version, data, metadata, recorded_at, hash)
SELECT tenant_id, stream_id, version, position, type, schema_version, data, metadata, recorded_at,
       bench_chain(before, bytes) OVER (PARTITION BY tenant_id ORDER BY position)
  FROM (
      SELECT *, uuid_send(tenant_id) || uuid_send(stream_id) || int4send(version) || int8send(position)
                || int2send(schema_version) || timestamptz_send(recorded_at) || int4send(octet_length(type))
                || convert_to(type, 'UTF8') || int4send(octet_length(data)) || data || metadata AS bytes
        FROM (
            SELECT h.tenant_id, h.hash AS before, {of} AS stream_id, e.version,
                   h.position + row_number() OVER (PARTITION BY h.tenant_id ORDER BY e.position) AS position,
                   e.type, e.schema_version, e.data, e.metadata, e.recorded_at
              FROM heads h
             CROSS JOIN events e
             WHERE h.tenant_id = ANY (%(tenants)s) AND e.tenant_id = %(first)s AND e.type LIKE 'lead.%%'
        ) AS named
  ) AS packed
 ORDER BY tenant_id, position
""".replace("{of}", "(left(e.stream_id::text, 24) || left(md5(e.stream_id::text || h.tenant_id::text), 12))::uuid")

HEADS = """
UPDATE heads h
   SET position = e.position, hash = e.hash, recorded_at = e.recorded_at,
       lead_list_searched = (SELECT max(l.lead_id::text)::uuid FROM lead_list l WHERE l.tenant_id = h.tenant_id)
  FROM (
      SELECT DISTINCT ON (tenant_id) tenant_id, position, hash, recorded_at FROM events
       WHERE tenant_id = ANY (%(tenants)s) ORDER BY tenant_id, position DESC
  ) AS e
 WHERE h.tenant_id = e.tenant_id
"""

LEADS = """
INSERT INTO lead_list (tenant_id, read_version, {columns})
SELECT h.tenant_id, h.lead_list_version, {values}
  FROM heads h
 CROSS JOIN lead_list l
 WHERE h.tenant_id = ANY (%(tenants)s) AND l.tenant_id = %(first)s
"""

OF_A_LEAD = {
    "lead_id": "(left(l.lead_id::text, 24) || left(md5(l.lead_id::text || h.tenant_id::text), 12))::uuid",
    "number": "nextval('lead_numbers')",
}

KEYS = """
INSERT INTO subject_keys (tenant_id, subject_id, wrapped)
SELECT t.tenant_id, md5(k.subject_id::text || t.tenant_id::text)::uuid, k.wrapped
  FROM unnest(%(tenants)s::uuid[]) AS t (tenant_id)
 CROSS JOIN subject_keys k
 WHERE k.tenant_id = %(first)s
"""

COUNTS = """
INSERT INTO lead_counts (tenant_id, read_version, status, leads)
SELECT h.tenant_id, h.lead_counts_version, c.status, c.leads
  FROM heads h
 CROSS JOIN lead_counts c
 WHERE h.tenant_id = ANY (%(tenants)s) AND c.tenant_id = %(first)s
"""

SEARCHED = """
INSERT INTO searched_texts (tenant_id, list, read_version, id, search)
SELECT tenant_id, 'lead_list', read_version, lead_id, search FROM lead_list ORDER BY tenant_id, lead_id
"""

CHECKPOINTS = """
INSERT INTO checkpoints (tenant_id, consumer, position)
SELECT h.tenant_id, c.consumer, h.position
  FROM heads h
 CROSS JOIN unnest('{webhooks,mail,timers,figures}'::text[]) AS c (consumer)
ON CONFLICT (tenant_id, consumer) DO UPDATE SET position = excluded.position
"""

AFTERWARDS = (
    "DROP INDEX searched_texts_parts",
    SEARCHED,
    "CREATE INDEX searched_texts_parts ON searched_texts USING gin (tenant_id, list, search gin_trgm_ops)",
    CHECKPOINTS,
    "INSERT INTO bench_tenants (n, tenant_id) SELECT row_number() OVER (ORDER BY random()), tenant_id FROM brokerages",
    "VACUUM (ANALYZE)",
)


async def fill(url: str, brokerages: int, events: int) -> list[Tenant]:
    """So many brokerages with so many events in all; the tenants that have an API key, and the hosts of all."""
    await migrate(url, MasterKey(MASTER_KEY))
    async with open_store(Settings(database_url=url, pool_size=AT_ONCE), url, MASTER_KEY) as store:
        tenants: list[UUID] = []
        for start in range(0, brokerages, AT_ONCE):
            some = range(start, min(start + AT_ONCE, brokerages))
            tenants += await asyncio.gather(*(opened(store, number) for number in some))
        keyed = [await with_key(store, tenant_id, number) for number, tenant_id in enumerate(tenants[:WITH_KEYS])]
        await asyncio.gather(
            *(lead(store, tenants[0]) for _ in range(max(1, events // brokerages // EVENTS_OF_A_LEAD)))
        )
    await asyncio.to_thread(copy, url, tenants, max(1, COPIED_AT_ONCE * brokerages // events))
    return keyed


async def opened(store: EventStore, number: int) -> UUID:
    """A brokerage with an agent, and a webhook endpoint that hears of tasks only."""
    host = host_of(number)
    opening = OpenBrokerage(name=f"Brokerage {number}", slug=f"b{number}", domains=(host,), plan="Elite")
    tenant_id = (await open_brokerage(store, opening, ORIGIN)).id
    joining = CreateUser(tenant_id=tenant_id, email=f"agent@{host}", name="Agent", role="agent")
    await create_user(store, joining, ORIGIN)
    endpoint = WebhookEndpoint.register(
        ids.new_id(), ids.now(), url=f"https://hooks.{host}/", events=("task.created",), secret=new_secret()
    )
    await store.append(tenant_id, endpoint, NO_STREAM, command="RegisterWebhookEndpoint", origin=ORIGIN)
    return tenant_id


def host_of(number: int) -> str:
    """Where the forms of a brokerage are sent."""
    return f"b{number}.example.com"


async def with_key(store: EventStore, tenant_id: UUID, number: int) -> Tenant:
    """A brokerage that can be asked."""
    issuing = IssueApiKey(tenant_id=tenant_id, name="bench", rate_limit=RATE_LIMIT)
    _, key = await issue_api_key(store, issuing, ORIGIN)
    return Tenant(tenant_id, host_of(number), key)


async def lead(store: EventStore, tenant_id: UUID) -> None:
    """A lead with its events: captured, moved from stage to stage, and a note to each stage but one."""
    number = next(numbers)
    command = CaptureLead(tenant_id=tenant_id, country="US", fields=captured_fields(form(number), host_of(0)))
    captured, _ = await capture_lead(store, command, ORIGIN)
    for place in range(EVENTS_OF_A_LEAD - 1):
        if place % 2 == 0:
            stage = STAGES[(number + place // 2) % len(STAGES)]
            moving = ChangeLead(tenant_id=tenant_id, country="US", lead_id=captured.id, status=stage)
            await change_lead(store, moving, ORIGIN)
        else:
            noting = LogActivity(tenant_id=tenant_id, of=captured.id, missing=NO_LEAD, type="note", text="Called back.")
            await log_activity(store, noting, ORIGIN)


def copy(url: str, tenants: Sequence[UUID], at_once: int) -> None:
    """The first one's leads to all others."""
    first, *others = tenants
    columns = list(lead_list.LIST.columns)
    values = ", ".join(OF_A_LEAD.get(name, f"l.{name}") for name in columns)
    leads = LEADS.replace("{columns}", ", ".join(columns)).replace("{values}", values)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in CHAIN.split(";"):
            connection.execute(statement.encode())
        for start in range(0, len(others), at_once):
            about = {"first": first, "tenants": list(others[start : start + at_once])}
            with connection.transaction():
                for statement in (EVENTS, leads, COUNTS, KEYS, HEADS):
                    connection.execute(statement.encode(), about)
        for statement in AFTERWARDS:
            connection.execute(statement.encode())
