"""Digests: one mail on a user's working morning that lists all leads and showings since the one before.

The row of the day (table ``digests``) is inserted, what has waited is taken, and the mail is queued in one transaction:
so there is one a day, with several workers and whenever one of them dies.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from aureum.background.reading import STREAM, WRAPPED, Unreadable, read
from aureum.domain.aggregate import replay
from aureum.domain.ids import to_wire
from aureum.domain.lead import Lead
from aureum.domain.tour import Tour
from aureum.domain.wall_time import zone_of
from aureum.mail.letter import Letter
from aureum.mail.letters import links, mornings
from aureum.mail.letters.about import About, LetterSettings, about_brokerage
from aureum.mail.letters.digest_items import Item
from aureum.mail.letters.occasions import is_erased
from aureum.mail.letters.recipients import letter_to
from aureum.store.cipher import TenantKey
from aureum.store.postgres.database import Database

MOST_SHOWN = 25
"""Of leads, and of showings; the digest counts the others."""

WAITING = """
SELECT i.tenant_id, i.user_id, i.since, (
           SELECT max(d.day) FROM digests d WHERE d.tenant_id = i.tenant_id AND d.user_id = i.user_id
       ), b.time_zone, u.hours, u.away_from, u.away_to, now()
  FROM (SELECT w.tenant_id, w.user_id, min(w.at) AS since FROM digest_items w GROUP BY w.tenant_id, w.user_id) AS i
  JOIN users u ON u.tenant_id = i.tenant_id AND u.user_id = i.user_id AND NOT u.disabled AND u.notify <> 'none'
  JOIN brokerages b ON b.tenant_id = i.tenant_id
 WHERE NOT b.disabled
"""

TAKE_DAY = """
INSERT INTO digests (tenant_id, user_id, day) VALUES (%(tenant)s, %(user)s, %(day)s)
ON CONFLICT (tenant_id, user_id, day) DO NOTHING
RETURNING 1
"""

TAKE_ITEMS = """
DELETE FROM digest_items i
 WHERE i.tenant_id = %(tenant)s AND i.user_id = %(user)s
RETURNING i.user_id, i.position, i.kind, i.stream_id, i.at
"""

STREAMS = """
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, k.wrapped
  FROM events e
  LEFT JOIN subject_keys k ON k.tenant_id = e.tenant_id AND k.subject_id = e.stream_id
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(streams)s)
 ORDER BY e.stream_id, e.version
"""

OLD = """
DELETE FROM digest_items i
 WHERE i.at < now() - interval '30 days' OR EXISTS (
           SELECT FROM users u
            WHERE u.tenant_id = i.tenant_id AND u.user_id = i.user_id AND (u.disabled OR u.notify = 'none')
       )
"""
OLD_DAYS = "DELETE FROM digests d WHERE d.made_at < now() - interval '30 days'"


class Due(NamedTuple):
    """A user's digest of a day of the brokerage's clock."""

    tenant_id: UUID
    user_id: UUID
    day: date


async def digests_due(database: Database, at: datetime | None = None) -> list[Due]:
    """The digests that are due at a moment (now, by the database's clock). Raises Unavailable."""
    found = []
    for tenant_id, user_id, since, last, zone, hours, away_from, away_to, now in await database.look(WAITING, "i"):
        work = mornings.Work(zone_of(zone), hours, away_from, away_to)
        day = mornings.due(work, at or now, since, last)
        if day is not None:
            found.append(Due(tenant_id, user_id, day))
    return found


async def digest(
    connection: AsyncConnection[Any], tenant_key: TenantKey, due: Due, settings: LetterSettings
) -> list[Letter]:
    """The letter of a digest, in a transaction of *connection*; none if it was made already, or nothing is left to say.
    The commit removes what has waited for it."""
    of = {"tenant": due.tenant_id, "user": due.user_id, "day": due.day}
    if await (await connection.execute(TAKE_DAY, of)).fetchone() is None:
        return []
    items = [Item(*row) for row in await (await connection.execute(TAKE_ITEMS, of)).fetchall()]
    about = await about_brokerage(connection, due.tenant_id, settings)
    if about is None or due.user_id not in about.staff or not items:
        return []
    items.sort(key=lambda item: item.position)
    things = await as_they_are(connection, tenant_key, {item.stream_id for item in items})
    told = still_true(items, things)
    if not told:
        return []
    leads = [(item, thing) for item, thing in told if isinstance(thing, Lead)]
    tours = [(item, thing) for item, thing in told if isinstance(thing, Tour)]
    fields = {
        "leads": [entry(item, thing, about) for item, thing in leads[-MOST_SHOWN:]],
        "lead_count": len(leads),
        "tours": [entry(item, thing, about) for item, thing in tours[-MOST_SHOWN:]],
        "tour_count": len(tours),
        "link": links.page(about.link, ""),
    }
    named = tuple(item.stream_id for item, _ in (*leads[-MOST_SHOWN:], *tours[-MOST_SHOWN:]))
    letter = letter_to(about.staff[due.user_id], "digest", fields, items[-1].position)
    return [replace(letter, also_about=named)]


async def as_they_are(
    connection: AsyncConnection[Any], tenant_key: TenantKey, streams: Iterable[UUID]
) -> dict[UUID, Lead | Tour]:
    """Leads and tours as they are now, without those that cannot be read and those of persons who were erased."""
    of = {"tenant": tenant_key.tenant_id, "streams": list(streams)}
    rows: dict[UUID, list[Any]] = defaultdict(list)
    for row in await (await connection.execute(STREAMS, of, binary=True)).fetchall():
        rows[row[STREAM]].append(row)
    found = {}
    for stream_id, own in rows.items():
        events = [record.event for record in read(tenant_key, stream_id, own[0][WRAPPED], own)]
        if not any(isinstance(event, Unreadable) for event in events):
            thing = replay(events)
            if isinstance(thing, (Lead, Tour)) and not is_erased(thing):
                found[stream_id] = thing
    return found


def still_true(items: Sequence[Item], things: dict[UUID, Lead | Tour]) -> list[tuple[Item, Lead | Tour]]:
    """What the digest lists, each lead once: leads that are still the user's, and those that still have no agent."""
    told: dict[UUID, tuple[Item, Lead | Tour]] = {}
    for item in items:
        thing = things.get(item.stream_id)
        wanted = item.user_id if item.kind.endswith("_assigned") else None
        if thing is not None and thing.assigned_to == wanted:
            told.setdefault(item.stream_id, (item, thing))
    return list(told.values())


def entry(item: Item, thing: Lead | Tour, about: About) -> dict[str, str | None]:
    """A line of the digest."""
    is_lead = isinstance(thing, Lead)
    return {
        "name": f"{thing.first_name} {thing.last_name}".strip() if isinstance(thing, Lead) else thing.name,
        "at": item.at.astimezone(zone_of(about.time_zone)).strftime("%Y-%m-%d %H:%M"),
        "link": links.page(about.link, f"{'leads' if is_lead else 'showings'}/{to_wire(item.stream_id)}"),
    }


async def forget_old(database: Database) -> None:
    """Remove what no digest will list any more, and the days that are long past. Raises Unavailable."""
    await database.rows(OLD)
    await database.rows(OLD_DAYS)
