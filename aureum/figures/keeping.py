"""Makes the rows from a tenant's log. Which contact is the first one, and how far a lead ever came, the events tell.
All else is copied from the lists, which are never older than the log that is read here.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.background.follower import BATCH, Batch, Consumer, Follower, Handled
from aureum.background.reading import METADATA, POSITION, RECORDED_AT, STREAM, TYPE, WRAPPED, about_event, read
from aureum.background.waiting import wait_for
from aureum.domain.ids import from_wire
from aureum.domain.lead import STATUSES, Lead
from aureum.domain.routing.waiting import is_contact
from aureum.figures import days
from aureum.store.event_store import EventStore

STAGES = tuple(status for status in STATUSES if status != "lost")
"""The pipeline in its order; its places are what ``reached`` counts."""

TOLD = frozenset(
    kind.TOPIC
    for kind in (
        Lead.Captured,
        Lead.StatusChanged,
        Lead.Converted,
        Lead.ActivityLogged,
        Lead.DetailsChanged,
        Lead.Overdue,
        Lead.Assigned,
        Lead.PassedOn,
        Lead.Cleared,
    )
)
"""Types of events that tell what the lists do not."""

SEALED = Lead.DetailsChanged.TOPIC
"""Whether there are notes in it, only the person's key tells."""

CLEAR_FACTS = "DELETE FROM lead_facts WHERE tenant_id = %(tenant)s"
CLEAR_AGENDA = "DELETE FROM agenda WHERE tenant_id = %(tenant)s"

DONE = """
SELECT t.task_id, t.doc::json ->> 'leadId'
  FROM task_list t
  JOIN heads h ON h.tenant_id = t.tenant_id AND h.task_list_version = t.read_version
 WHERE t.tenant_id = %(tenant)s AND t.task_id = ANY (%(tasks)s) AND t.status = 'completed'
   AND t.doc::json ->> 'leadId' IS NOT NULL
"""
"""A task about a lead that was completed is a contact, as it is for the timers."""

DROP_LEADS = "DELETE FROM lead_facts WHERE tenant_id = %(tenant)s AND lead_id = ANY (%(leads)s)"

KEEP_LEADS = """
INSERT INTO lead_facts AS f (tenant_id, lead_id, created_at, status, source, source_domain, suspect, assigned_to,
                             created_by, owner, pond, contacted_at, contacted_by, reached, overdue)
SELECT l.tenant_id, l.lead_id, (l.doc::json ->> 'createdAt')::timestamptz, l.status, l.source, l.source_domain,
       l.doc LIKE '%%,"suspect":true%%', l.assigned_to, l.created_by, coalesce(l.assigned_to, l.created_by),
       l.assigned_to IS NULL AND l.status NOT IN ('converted', 'lost')
       AND coalesce(l.details::json -> 'routing' ->> 'why', '') IN ('pond', 'offered')
       AND coalesce(l.details::json -> 'routing' ->> 'known', '') NOT IN ('contact', 'lead'),
       n.contacted_at, n.contacted_by, n.reached, coalesce(n.overdue, false)
  FROM unnest(%(leads)s::uuid[], %(contacted)s::timestamptz[], %(by)s::uuid[], %(reached)s::smallint[],
              %(overdue)s::boolean[]) AS n (lead_id, contacted_at, contacted_by, reached, overdue)
  JOIN heads h ON h.tenant_id = %(tenant)s
  JOIN lead_list l ON l.tenant_id = h.tenant_id AND l.read_version = h.lead_list_version AND l.lead_id = n.lead_id
ON CONFLICT (tenant_id, lead_id) DO UPDATE SET
       status = excluded.status, source = excluded.source, source_domain = excluded.source_domain,
       suspect = excluded.suspect, assigned_to = excluded.assigned_to, created_by = excluded.created_by,
       owner = excluded.owner, pond = excluded.pond,
       contacted_at = coalesce(f.contacted_at, excluded.contacted_at),
       contacted_by = CASE WHEN f.contacted_at IS NULL THEN excluded.contacted_by ELSE f.contacted_by END,
       reached = greatest(f.reached, excluded.reached),
       overdue = CASE WHEN excluded.lead_id = ANY (%(unmoved)s::uuid[]) THEN f.overdue ELSE excluded.overdue END
"""

DROP_PLACES = "DELETE FROM agenda WHERE tenant_id = %(tenant)s AND id = ANY (%(ids)s)"

KEEP_TASKS = """
INSERT INTO agenda (tenant_id, kind, id, at, assigned_to, owner)
SELECT t.tenant_id, 'task', t.task_id, (t.doc::json ->> 'dueDate')::timestamptz, t.assigned_to,
       coalesce(t.assigned_to, t.created_by)
  FROM task_list t
  JOIN heads h ON h.tenant_id = t.tenant_id AND h.task_list_version = t.read_version
 WHERE t.tenant_id = %(tenant)s AND t.task_id = ANY (%(ids)s) AND t.status <> 'completed'
   AND t.doc::json ->> 'dueDate' IS NOT NULL
"""

KEEP_SHOWINGS = """
INSERT INTO agenda (tenant_id, kind, id, at, day, assigned_to, owner)
SELECT t.tenant_id, 'showing', t.tour_id, (t.doc::json ->> 'startsAt')::timestamptz,
       CASE WHEN t.doc::json ->> 'startsAt' IS NULL THEN (t.doc::json ->> 'preferredDate')::date END,
       t.assigned_to, coalesce(t.assigned_to, t.created_by)
  FROM tour_list t
  JOIN heads h ON h.tenant_id = t.tenant_id AND h.tour_list_version = t.read_version
 WHERE t.tenant_id = %(tenant)s AND t.tour_id = ANY (%(ids)s) AND t.status <> 'cancelled'
   AND t.doc NOT LIKE '%%,"suspect":true%%'
   AND coalesce(t.doc::json ->> 'startsAt', t.doc::json ->> 'preferredDate') IS NOT NULL
"""
"""Without those that a program seems to have sent."""


@dataclass
class News:
    """What new events tell of a lead. ``overdue`` is None where they do not."""

    contacted_at: datetime | None = None
    contacted_by: UUID | None = None
    reached: int = 0
    overdue: bool | None = None

    def contact(self, at: datetime, actor: Mapping[str, Any]) -> None:
        """There was a contact with the person; the first one counts."""
        if self.contacted_at is None or at < self.contacted_at:
            self.contacted_at = at
            self.contacted_by = from_wire(str(actor.get("id"))) if actor.get("type") == "user" else None


def told(news: News, event: Any, actor: Mapping[str, Any]) -> None:
    """Put what *event* tells to the *news* of its lead."""
    match event:
        case Lead.Captured() | Lead.StatusChanged() if event.status in STAGES:
            news.reached = max(news.reached, STAGES.index(event.status))
        case Lead.Converted():
            news.reached = len(STAGES) - 1
        case Lead.Overdue():
            news.overdue = True
        case Lead.Assigned() | Lead.PassedOn() | Lead.Cleared():
            news.overdue = False
    if is_contact(event, actor):
        news.contact(event.timestamp, actor)


async def handle(batch: Batch) -> Handled[int]:
    """The rows of all leads, tasks and showings in the batch. The result is the number of events."""
    changed: dict[str, set[UUID]] = defaultdict(set)
    for row in batch.rows:
        changed[row[TYPE].partition(".")[0]].add(row[STREAM])
    leads: dict[UUID, News] = {lead_id: News() for lead_id in changed["lead"]}
    for row in batch.rows:
        if row[TYPE] in TOLD:
            wrapped = row[WRAPPED] if row[TYPE] == SEALED else None
            (recorded,) = read(batch.tenant_key, row[STREAM], wrapped, [row])
            told(leads[row[STREAM]], recorded.event, recorded.metadata.get("actor") or {})
    erased = [row[STREAM] for row in batch.rows if row[TYPE] == Lead.Erased.TOPIC]
    for lead_id, row in await completed(batch, changed["task"]):
        leads.setdefault(lead_id, News()).contact(row[RECORDED_AT], about_event(row[METADATA]).get("actor") or {})

    async def write() -> None:
        about = {"tenant": batch.tenant_id}
        execute = batch.connection.execute
        since = batch.rows[0][POSITION] - 1
        if since == 0:
            # The log is read from its beginning, perhaps again.
            await execute(CLEAR_FACTS, about)
            await execute(CLEAR_AGENDA, about)
            await execute(days.CLEAR, about)
        if erased:
            await execute(DROP_LEADS, about | {"leads": erased})
        if leads:
            await execute(KEEP_LEADS, about | columns(leads))
            await days.forget_days(batch.connection, batch.tenant_id, sorted(leads), erased)
        await execute(days.MARK, about | {"since": since, "until": batch.until})
        for kind, statement in (("task", KEEP_TASKS), ("tour", KEEP_SHOWINGS)):
            if changed[kind]:
                ids = about | {"ids": list(changed[kind])}
                await execute(DROP_PLACES, ids)
                await execute(statement, ids)

    return Handled(len(batch.rows), write)


async def completed(batch: Batch, tasks: Iterable[UUID]) -> list[tuple[UUID, Sequence[Any]]]:
    """The leads of tasks that are completed, each with the first of the task's new events."""
    asked = {"tenant": batch.tenant_id, "tasks": list(tasks)}
    if not asked["tasks"]:
        return []
    found = await (await batch.connection.execute(DONE, asked, binary=True)).fetchall()
    leads = {task_id: from_wire(lead_id) for task_id, lead_id in found}
    firsts: dict[UUID, Sequence[Any]] = {}
    for row in batch.rows:
        if leads.get(row[STREAM]) is not None:
            firsts.setdefault(row[STREAM], row)
    return [(lead_id, row) for task_id, row in firsts.items() if (lead_id := leads[task_id]) is not None]


def columns(leads: Mapping[UUID, News]) -> dict[str, list[Any]]:
    """The parameters of ``KEEP_LEADS``."""
    # In one order, so that no two writers wait for each other.
    ordered = sorted(leads.items())
    return {
        "leads": [lead_id for lead_id, _ in ordered],
        "contacted": [news.contacted_at for _, news in ordered],
        "by": [news.contacted_by for _, news in ordered],
        "reached": [news.reached for _, news in ordered],
        "overdue": [news.overdue for _, news in ordered],
        "unmoved": [lead_id for lead_id, news in ordered if news.overdue is None],
    }


FIGURES = Consumer("figures", handle)
"""What keeps the rows, as the worker follows the logs with it."""


class Keeper:
    """Follows the logs with a pause of *poll_seconds*, so that all events of a pause cost a brokerage one
    transaction."""

    def __init__(self, store: EventStore, poll_seconds: float, stop: asyncio.Event) -> None:
        self.follower = Follower(store, FIGURES, self.heard, 0)
        self.poll_seconds = poll_seconds
        self.stop = stop
        self.more = False

    def heard(self, _: UUID, events: int) -> None:
        """There is more in the log if the batch was full."""
        self.more = self.more or events >= BATCH

    async def round(self) -> None:
        """A batch of each tenant that is behind. Raises Unavailable."""
        self.more = False
        await self.follower.round()
        if not self.more:
            await wait_for(self.stop, self.poll_seconds)
