"""Which resources change in a brokerage, for all pages of this process that listen: names only, nothing of a person.

One follower serves all listeners. It looks at the positions of the logs: at once when something was appended, and twice
a second in any case. A position that a listener has not seen yet says that something changed, and the types of the
events since say what. A browser that comes back names the position it has seen, so it misses nothing. The follower runs
only while there are listeners. Every ten seconds it ends those whose session is over.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aureum.background.persevering import persevere
from aureum.http.wire.errors import HttpError
from aureum.store.postgres.database import Database, connect
from aureum.store.postgres.notify import CHANNEL

LISTS = {"lead": "leads", "contact": "contacts", "property": "properties", "task": "tasks", "tour": "showings"}
"""What an aggregate is called here, of those that every user works with."""

OTHERS = {
    "subscriber": "subscribers",
    "user": "users",
    "api_key": "keys",
    "webhook_endpoint": "webhooks",
    "webhook_ping": "webhooks",
    "webhook_redelivery": "webhooks",
    "webhook_replay": "webhooks",
    "routing_rehearsal": "rehearsals",
}
"""Of which agents hear nothing."""

NAMES = LISTS | OTHERS
ALL = frozenset(NAMES.values())
OF_AGENTS = frozenset(LISTS.values())

LOOK_SECONDS = 0.5
PAUSE_SECONDS = 0.1
"""Between two looks, so that a busy log costs no more than ten of them a second."""

CHECK_SECONDS = 10.0

FAR = 1_000
"""Events of one look. Beyond that, everything is said to have changed."""

MOST, MOST_OF_USER = 2_000, 20
"""Listeners of a process, and of one user in it. A browser has one for all its tabs."""

TOO_MANY = "Too many pages are listening for changes. Reload this page to see what has changed."

CHANGED = """
SELECT tenant_id, position, kinds
  FROM logs_changed(%(tenants)s::uuid[], %(seen)s::bigint[], %(far)s::bigint)
"""
"""The logs that have gone on, and the aggregates of the new events; NULL where these are too many. The function stands
in ``logs_changed.sql``."""

SESSIONS = """
SELECT t.token_hash, u.role
  FROM user_tokens t
  JOIN users u ON u.tenant_id = t.tenant_id AND u.user_id = t.user_id AND NOT u.disabled
  LEFT JOIN brokerages b ON b.tenant_id = t.tenant_id
 WHERE t.token_hash = ANY (%(tokens)s) AND t.expires_at > clock_timestamp() AND NOT coalesce(b.disabled, false)
"""
"""Those that go on, with the role that the user has now."""


@dataclass(eq=False)
class Listener:
    """One stream: of the session with this digest, about one brokerage. ``position`` is what it was told up to."""

    token: bytes
    user_id: UUID
    role: str
    tenant_id: UUID
    position: int
    changed: set[str] = field(default_factory=set)
    ended: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, position: int, names: Iterable[str]) -> None:
        """Something changed. What the stream has not sent yet is put together, so that it never grows."""
        self.position = max(self.position, position)
        heard = OF_AGENTS.intersection(names) if self.role == "agent" else set(names)
        if heard:
            self.changed |= heard
            self.wake.set()

    def end(self) -> None:
        """The stream ends. The browser asks for another one, and learns then whether it may."""
        self.ended = True
        self.wake.set()


class Listeners:
    """Those of one process."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.present: set[Listener] = set()
        self.stop = asyncio.Event()
        self.follower: asyncio.Task[None] | None = None
        self.checked = 0.0

    def join(self, listener: Listener) -> None:
        """It hears of all changes after its position. Raises HttpError 429, 503."""
        if self.stop.is_set() or len(self.present) >= MOST:
            raise HttpError("busy", TOO_MANY, {"Retry-After": "60"})
        if Counter(one.user_id for one in self.present)[listener.user_id] >= MOST_OF_USER:
            raise HttpError("rate_limited", TOO_MANY, {"Retry-After": "60"})
        self.present.add(listener)
        if self.follower is None:
            self.follower = asyncio.create_task(persevere("live", self.follow, self.stop))

    def leave(self, listener: Listener) -> None:
        """It hears nothing more. Without listeners nothing is followed."""
        self.present.discard(listener)
        if not self.present and self.follower is not None:
            self.follower.cancel()
            self.follower = None

    def end(self) -> None:
        """The process stops: all streams end at once."""
        self.stop.set()
        for listener in self.present:
            listener.end()

    async def follow(self) -> None:
        """Look whenever something was appended. Raises what the driver raises when the connection is lost."""
        async with await connect(self.database.url, watch=self.database.watch) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            while not self.stop.is_set():
                await self.look()
                await asyncio.sleep(PAUSE_SECONDS)
                async for _ in connection.notifies(timeout=LOOK_SECONDS, stop_after=1):
                    pass
                if time.monotonic() - self.checked >= CHECK_SECONDS:
                    await self.check()
                    # Silence may be the line's.
                    await connection.execute("SELECT 1")

    async def look(self) -> None:
        """Tell the listeners what has changed since the last look. Raises Unavailable."""
        listening: dict[UUID, list[Listener]] = defaultdict(list)
        for one in self.present:
            listening[one.tenant_id].append(one)
        seen = [min(one.position for one in some) for some in listening.values()]
        asked = {"tenants": list(listening), "seen": seen, "far": FAR}
        for tenant_id, position, kinds in await self.database.rows(CHANGED, asked):
            names = ALL if kinds is None else named(kinds)
            for one in listening[tenant_id]:
                if one.position < position:
                    one.hear(position, names)
            if "users" in names:
                self.checked = 0.0

    async def check(self) -> None:
        """End the streams of sessions that are over, or of users with another role. Raises Unavailable."""
        present = list(self.present)
        rows = await self.database.rows(SESSIONS, {"tokens": list({one.token for one in present})})
        roles: Mapping[bytes, Any] = {bytes(token): role for token, role in rows}
        for one in present:
            if roles.get(one.token) != one.role:
                one.end()
        self.checked = time.monotonic()


def named(kinds: Iterable[str]) -> set[str]:
    """The resources of aggregates. What belongs to none is not shown anywhere."""
    return {NAMES[kind] for kind in kinds if kind in NAMES}
