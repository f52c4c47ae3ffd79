"""Sets timers from a tenant's log: for each lead with new events, until when it waits."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.background.follower import Batch, Consumer, Handled
from aureum.background.reading import DATA, EARLIER_EVENTS, POSITION, RECORDED_AT, STREAM, TYPE, VERSION, WRAPPED, read
from aureum.commands.passing_on import HOURS, clocks, due_at, waiting_in
from aureum.domain.ids import now
from aureum.domain.routing.settings import Routing, from_json
from aureum.domain.routing.waiting import Waiting
from aureum.domain.user import User
from aureum.domain.working_hours import LONGEST
from aureum.projections import brokerages
from aureum.store.cipher import TenantKey
from aureum.store.event_store import Stream
from aureum.timers import envelopes

KIND = "lead."
"""What the types of a lead's events begin with."""

OFFERED = b'"why":"offered"'
"""The mark of an event that makes an offer. If agents need not answer in time, other events set no timer."""

SET_ALREADY = "SELECT lead_id FROM timers WHERE tenant_id = %(tenant)s AND lead_id = ANY (%(leads)s)"

SET = """
INSERT INTO timers AS t (tenant_id, lead_id, due_at, version)
SELECT %(tenant)s, n.lead_id, n.due_at, n.version
  FROM unnest(%(leads)s::uuid[], %(dues)s::timestamptz[], %(versions)s::integer[]) AS n (lead_id, due_at, version)
ON CONFLICT (tenant_id, lead_id) DO UPDATE SET due_at = excluded.due_at, version = excluded.version, failures = 0
 WHERE t.version <= excluded.version
"""

CLOCK_CHANGED = frozenset((User.ProfileChanged.TOPIC, User.Disabled.TOPIC, User.Enabled.TOPIC))
"""After which an agent's clock may show another time, as that of an agent who is back early does."""

LOOK_AGAIN = """
UPDATE timers t SET due_at = now()
  FROM lead_list l
  JOIN heads h ON h.tenant_id = l.tenant_id AND h.lead_list_version = l.read_version
 WHERE t.tenant_id = %(tenant)s AND t.due_at > now()
   AND l.tenant_id = t.tenant_id AND l.lead_id = t.lead_id AND l.assigned_to = ANY (%(agents)s)
"""
"""The end of the time is then computed again, as it is whenever a timer is due."""

UNSET = """
DELETE FROM timers t
 USING unnest(%(leads)s::uuid[], %(versions)s::integer[]) AS n (lead_id, version)
 WHERE t.tenant_id = %(tenant)s AND t.lead_id = n.lead_id AND t.version <= n.version
"""


async def handle(batch: Batch) -> Handled[int]:
    """The timers of all leads in the batch. The result is the number of events."""
    new: dict[UUID, list[Any]] = defaultdict(list)
    for row in batch.rows:
        if row[TYPE].startswith(KIND):
            new[row[STREAM]].append(row)
    settings, zone = Routing(), "UTC"
    for kept, time_zone in batch.beside:
        settings, zone = from_json(kept), time_zone
    about = {"tenant": batch.tenant_id}
    known = set()
    if any(rows[0][VERSION] > 1 for rows in new.values()):
        known = {one for (one,) in await fetched(batch.connection, SET_ALREADY, about | {"leads": list(new)})}
    if settings.answer_within_minutes is None:
        offered = {lead_id for lead_id, rows in new.items() if any(OFFERED in row[DATA] for row in rows)}
        new = {lead_id: rows for lead_id, rows in new.items() if lead_id in known | offered}
    changed = list({row[STREAM] for row in batch.rows if row[TYPE] in CLOCK_CHANGED})
    moved = list({row[STREAM] for row in batch.rows if row[TYPE] in envelopes.MOVED})
    dues: dict[UUID, datetime | None] = {}
    if new:
        agents = clocks(await fetched(batch.connection, HOURS, about))
        for lead_id, stream in (await streams(batch.connection, batch.tenant_key, batch.rows, new)).items():
            found = waiting_in(stream)
            if found is not None and lead_id not in known and not begins(found, new[lead_id]):
                found = None
            dues[lead_id] = None if found is None else due_at(found, settings, agents, zone)

    async def write() -> None:
        versions = {lead_id: rows[-1][VERSION] for lead_id, rows in new.items()}
        waits = {lead_id: due for lead_id, due in dues.items() if due is not None}
        over = [lead_id for lead_id in dues if lead_id not in waits]
        if waits:
            await batch.connection.execute(
                SET,
                about
                | {
                    "leads": list(waits),
                    "dues": list(waits.values()),
                    "versions": [versions[lead_id] for lead_id in waits],
                },
            )
        if over:
            ended = {"leads": over, "versions": [versions[lead_id] for lead_id in over]}
            await batch.connection.execute(UNSET, about | ended)
        if moved:
            await batch.connection.execute(envelopes.LOOK_AGAIN, about | {"leads": moved})
        if changed:
            await batch.connection.execute(LOOK_AGAIN, about | {"agents": changed})

    return Handled(len(batch.rows), write)


def begins(found: Waiting, rows: Sequence[Any]) -> bool:
    """Whether the lead waits since one of its new events. A lead that came when agents did not have to answer in time,
    or in a log that was imported, stays where it is."""
    return found.since > now() - LONGEST and any(row[RECORDED_AT] == found.since for row in rows)


async def streams(
    connection: AsyncConnection[Any], tenant_key: TenantKey, rows: Sequence[Any], new: dict[UUID, list[Any]]
) -> dict[UUID, Stream]:
    """The streams of leads that have *new* events, up to the last of these."""
    earlier: dict[UUID, list[Any]] = defaultdict(list)
    begun_earlier = [lead_id for lead_id, own in new.items() if own[0][VERSION] > 1]
    if begun_earlier:
        about = {"tenant": tenant_key.tenant_id, "streams": begun_earlier, "after": rows[0][POSITION] - 1}
        for row in await fetched(connection, EARLIER_EVENTS, about):
            earlier[row[STREAM]].append(row)
    found = {}
    for lead_id, own in new.items():
        wrapped = own[0][WRAPPED]
        events = list(read(tenant_key, lead_id, wrapped, [*earlier[lead_id], *own]))
        key = None if wrapped is None else tenant_key.open_subject_key(lead_id, wrapped)
        found[lead_id] = Stream(events, key)
    return found


async def fetched(connection: AsyncConnection[Any], query: str, parameters: dict[str, Any]) -> list[Any]:
    return await (await connection.execute(query, parameters, binary=True)).fetchall()


TIMERS = Consumer("timers", handle, beside=brokerages.ROUTED_BY)
"""What sets timers, as the worker follows the logs with it."""
