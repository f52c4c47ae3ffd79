"""Makes the read models of a log that was just imported, in the transaction of the import.

Lists are folded by what rebuilds them. Directories, which are never rebuilt, are folded stream by stream, and written
by the statement of the append.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg import AsyncConnection

from aureum.commands.properties import SLUG
from aureum.domain.aggregate import Aggregate, events_of
from aureum.domain.api_key import ApiKey
from aureum.domain.calendar_feed import CalendarFeed
from aureum.domain.envelope import Envelope
from aureum.domain.erasure import Erasure
from aureum.domain.ids import from_wire
from aureum.domain.lead import Lead
from aureum.domain.user import User
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.domain.webhook_replay import WebhookReplay
from aureum.projections import (
    api_keys,
    calendar_feeds,
    docusign_envelopes,
    envelope_recipients,
    envelope_timers,
    erasures,
    routing_examples,
    routing_rehearsals,
    sealings,
    users,
    webhook_endpoints,
    webhook_replays,
)
from aureum.projections.read_model import ReadModel
from aureum.store.cipher import TenantKey
from aureum.store.event_log import EventLog, rows_on
from aureum.store.mapper import ERASING
from aureum.store.rebuild.claim import claim
from aureum.store.rebuild.rebuild import REBUILDABLE, Work


class Directory(NamedTuple):
    """A read model that is folded here, and the events that it is made of."""

    model: ReadModel
    types: Sequence[str]


def all_of(aggregate: type[Aggregate]) -> tuple[str, ...]:
    """All types of an aggregate's events."""
    return tuple(event.TOPIC for event in events_of(aggregate))


DIRECTORIES: tuple[Directory, ...] = (
    Directory(users, all_of(User)),
    Directory(api_keys, all_of(ApiKey)),
    Directory(calendar_feeds, all_of(CalendarFeed)),
    Directory(envelope_recipients, all_of(Envelope)),
    Directory(envelope_timers, all_of(Envelope)),
    Directory(sealings, all_of(Envelope)),
    Directory(docusign_envelopes, all_of(Envelope)),
    Directory(webhook_endpoints, all_of(WebhookEndpoint)),
    Directory(webhook_replays, all_of(WebhookReplay)),
    Directory(erasures, all_of(Erasure)),
    Directory(routing_examples, tuple(event.TOPIC for event in (Lead.Captured, Lead.Cleared, Lead.Assigned))),
)

LEFT_OUT = (routing_rehearsals.NAME,)
"""Results of rehearsals of routing are no events."""

BATCH_EVENTS = 2_000
ROWS = 500

TAKEN_LOGINS = "SELECT email FROM users WHERE email = ANY (%(emails)s) OR address = ANY (%(emails)s)"

END_REPLAYS = """
UPDATE webhook_replays r SET state = s.state, cursor = s.cursor, queued = s.queued, ended_at = s.ended_at
  FROM json_to_recordset(%(replays)s::json) AS s (
           replay_id uuid, state text, cursor bigint, queued bigint, ended_at timestamptz)
 WHERE r.tenant_id = %(tenant)s AND r.replay_id = s.replay_id
"""

KEEP_TURNS = """
INSERT INTO turns (tenant_id, name, position, window_name, times)
SELECT %(tenant)s, s.name, s.position, s.window_name, s.times
  FROM json_to_recordset(%(turns)s::json) AS s (name uuid, position bigint, window_name text, times integer)
"""

KEEP_SLUGS = """
INSERT INTO taken_names (tenant_id, purpose, name, stream_id)
SELECT x.tenant_id, %(purpose)s, x.slug, x.property_id
  FROM property_list x
 WHERE x.tenant_id = %(tenant)s
   AND x.read_version = (SELECT h.property_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""

END_ERASURES = """
UPDATE erasures r SET ended_at = r.requested_at, settled_at = r.requested_at
 WHERE r.tenant_id = %(tenant)s AND NOT EXISTS (
           SELECT FROM unnest(r.subjects) AS s (id)
            WHERE NOT EXISTS (
                      SELECT FROM events e
                       WHERE e.tenant_id = r.tenant_id AND e.stream_id = s.id AND e.type = ANY (%(erasing)s)
                  )
       )
"""
RENUMBER_ERASURES = """
UPDATE erasures r SET numbers = ARRAY(
           SELECT x.number FROM lead_list x
             JOIN heads h ON h.tenant_id = x.tenant_id AND h.lead_list_version = x.read_version
            WHERE x.tenant_id = r.tenant_id AND x.lead_id = ANY (r.subjects)
       )
 WHERE r.tenant_id = %(tenant)s AND r.settled_at IS NULL
"""
"""An erasure that had not ended yet goes on here."""

FORGET_CLAIMS = "DELETE FROM rebuilds WHERE tenant_id = %(tenant)s"

ProgressOf = Callable[[str], Callable[[int, int], None]]
"""Called with the name of each step when it begins; what it returns is called with how much of how much is done."""


async def build(
    connection: AsyncConnection[Any], key: TenantKey, about: Mapping[str, Any], progress_of: ProgressOf
) -> list[tuple[UUID, str]]:
    """Make all read models of the tenant of *key*. Returns the users whose address has a login here already, each with
    the address."""
    tenant = {"tenant": key.tenant_id}
    for model in REBUILDABLE:
        given = await claim(connection, key.tenant_id, model.NAME, model.NEXT_VERSION)
        log = EventLog(rows_on(connection), key.tenant_id, model.TYPES, key, ahead=False)
        work = Work(model, given, log, progress_of(model.NAME))
        await work.copy()
        await work.follow()
        await connection.execute(model.FLIP.encode(), given.parameters())
    await connection.execute(FORGET_CLAIMS, tenant)
    apart: list[tuple[UUID, str]] = []
    for directory in DIRECTORIES:
        apart += await fold(connection, key, directory)
    await connection.execute(END_REPLAYS, tenant | {"replays": json_of(REPLAY, about["replays"])})
    await connection.execute(END_ERASURES, tenant | {"erasing": list(ERASING)})
    await connection.execute(RENUMBER_ERASURES, tenant)
    await connection.execute(KEEP_TURNS, tenant | {"turns": json_of(TURN, about["turns"])})
    await connection.execute(KEEP_SLUGS, tenant | {"purpose": SLUG})
    return apart


async def fold(connection: AsyncConnection[Any], key: TenantKey, directory: Directory) -> list[tuple[UUID, str]]:
    """Write the rows of one directory. Returns what ``logins_apart`` returns; nothing but for users."""
    log = EventLog(rows_on(connection), key.tenant_id, directory.types, key, ahead=False)
    ((head,),) = await (
        await connection.execute("SELECT position FROM heads WHERE tenant_id = %s", [key.tenant_id])
    ).fetchall()
    stream: list[Any] = []
    rows: list[dict[str, Any]] = []
    apart: list[tuple[UUID, str]] = []
    async with aclosing(log.by_stream(head, BATCH_EVENTS)) as batches:
        async for batch in batches:
            for event, _ in batch:
                if stream and event.originator_id != stream[0].originator_id:
                    rows += directory.model.rows([], stream)
                    stream = []
                stream.append(event)
            if len(rows) >= ROWS:
                apart += await write(connection, key.tenant_id, directory.model, rows)
                rows = []
    if stream:
        rows += directory.model.rows([], stream)
    return apart + await write(connection, key.tenant_id, directory.model, rows)


async def write(
    connection: AsyncConnection[Any], tenant_id: UUID, model: ReadModel, rows: list[dict[str, Any]]
) -> list[tuple[UUID, str]]:
    """Write *rows* by the statement of the append. Returns what ``fold`` returns."""
    if not rows:
        return []
    apart = await logins_apart(connection, rows) if model.NAME == users.NAME else []
    made = [row | {"item": 1} for row in rows]
    await connection.execute(statement(model).encode(), {"tenant": tenant_id, "rows": orjson.dumps(made).decode()})
    return apart


async def logins_apart(connection: AsyncConnection[Any], rows: Sequence[dict[str, Any]]) -> list[tuple[UUID, str]]:
    """Returns the users whose address has a login here already, each with the address. In *rows* their id takes the
    place of the address, so no login finds them."""
    cursor = await connection.execute(TAKEN_LOGINS, {"emails": [row["email"] for row in rows]})
    taken = {email for (email,) in await cursor.fetchall()}
    apart = []
    for row in rows:
        if row["email"] in taken:
            apart.append((row["user_id"], row["shown_email"]))
            row["email"] = str(row["user_id"])
        taken.add(row["email"])
    return apart


def statement(model: ReadModel) -> str:
    """The statement by which an append writes rows of *model*, with named parameters in the place of variables."""
    text = model.APPEND
    for variable, parameter in (
        ("tenants[r.item]", "%(tenant)s::uuid"),
        ("json_to_recordset(rows)", "json_to_recordset(%(rows)s::json)"),
    ):
        assert variable in text
        text = text.replace(variable, parameter)
    return text


REPLAY = ("replay_id", "state", "cursor", "queued", "ended_at")
TURN = ("name", "position", "window_name", "times")


def json_of(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows of the file's first line for the database; the first value of each is a wire id."""
    return orjson.dumps(
        [dict(zip(names, (from_wire(identifier), *values), strict=True)) for identifier, *values in rows]
    ).decode()
