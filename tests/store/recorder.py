"""The library's recorders over our own tables, for one tenant each, so that the library's own tests can judge the log.

They subclass the *abstract* recorders of ``eventsourcing``: its PostgreSQL recorder locks the whole table, notifies
inside the transaction and tries again within a unit of work. What they append goes through the same ``append_events``
as everything else.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing import persistence
from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent, Subscription, TrackingRecorder
from psycopg import Connection
from psycopg_pool import ConnectionPool

from aureum.store import metadata
from aureum.store.append import CALL, Append, Outcome, arguments
from aureum.store.mapper import join_topic, split_topic
from aureum.store.metadata import Actor, Origin
from aureum.store.postgres.functions import named

Pool = ConnectionPool[Connection[Any]]

RECORDER = Actor("system", "recorder")
LOCK_TIMEOUT = "10s"
POLL_SECONDS = 0.05
PAGE = 500
BEFORE_ALL, AFTER_ALL = -(2**31), 2**31 - 1
"""The bounds of a version: the library's own tests begin streams at 0, we at 1."""

EVENTS = """
SELECT version, type, schema_version, data FROM events
 WHERE tenant_id = %(tenant)s AND stream_id = %(stream)s AND version > %(gt)s AND version <= %(lte)s
 ORDER BY version LIMIT %(limit)s
"""

EVENTS_LAST_FIRST = """
SELECT version, type, schema_version, data FROM events
 WHERE tenant_id = %(tenant)s AND stream_id = %(stream)s AND version > %(gt)s AND version <= %(lte)s
 ORDER BY version DESC LIMIT %(limit)s
"""

NOTIFICATIONS = """
SELECT position, stream_id, version, type, schema_version, data FROM events
 WHERE tenant_id = %(tenant)s AND position >= %(first)s AND (%(last)s::bigint IS NULL OR position <= %(last)s)
 ORDER BY position LIMIT %(limit)s
"""

NOTIFICATIONS_OF_TOPICS = """
SELECT position, stream_id, version, type, schema_version, data FROM events
 WHERE tenant_id = %(tenant)s AND position >= %(first)s AND (%(last)s::bigint IS NULL OR position <= %(last)s)
   AND (type, schema_version) IN (SELECT * FROM unnest(%(types)s::text[], %(schema_versions)s::smallint[]))
 ORDER BY position LIMIT %(limit)s
"""

HEAD = "SELECT nullif(position, 0) FROM heads WHERE tenant_id = %(tenant)s"

TRACK = """
INSERT INTO checkpoints AS c (tenant_id, consumer, position) VALUES (%(tenant)s, %(consumer)s, %(position)s)
ON CONFLICT (tenant_id, consumer) DO UPDATE SET position = excluded.position WHERE c.position < excluded.position
RETURNING position
"""

CHECKPOINT = "SELECT position FROM checkpoints WHERE tenant_id = %(tenant)s AND consumer = %(consumer)s"

LIBRARY_ERRORS: tuple[tuple[type[psycopg.Error], type[persistence.PersistenceError]], ...] = (
    (psycopg.InterfaceError, persistence.InterfaceError),
    (psycopg.DataError, persistence.DataError),
    (psycopg.OperationalError, persistence.OperationalError),
    (psycopg.IntegrityError, persistence.IntegrityError),
    (psycopg.InternalError, persistence.InternalError),
    (psycopg.ProgrammingError, persistence.ProgrammingError),
    (psycopg.NotSupportedError, persistence.NotSupportedError),
    (psycopg.DatabaseError, persistence.DatabaseError),
    (psycopg.Error, persistence.PersistenceError),
)
"""Both sides follow PEP 249. The pool's errors are operational ones."""


@contextmanager
def connected(pool: Pool) -> Iterator[Connection[Any]]:
    """A connection of *pool*; the driver's errors become the library's."""
    try:
        with pool.connection() as connection:
            yield connection
    except psycopg.Error as error:
        library_error = next(ours for theirs, ours in LIBRARY_ERRORS if isinstance(error, theirs))
        raise library_error(str(error)) from error


class TenantRecorder(ApplicationRecorder):
    """One tenant's streams and log. What it inserts changes no read model (rebuild them) and makes no person's key."""

    def __init__(self, pool: Pool, tenant_id: UUID) -> None:
        self.pool = pool
        self.tenant_id = tenant_id

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, metadata: Sequence[bytes] | None = None, **kwargs: Any
    ) -> Sequence[int]:
        """Append all or none; the positions, in the order given. *metadata* is one encoded entry an event.

        Raises the library's errors: IntegrityError if another writer appended first or a version is not the next one,
        ProgrammingError if there is no such tenant.
        """
        if kwargs:
            raise TypeError(f"insert_events knows no {', '.join(sorted(kwargs))}.")
        about = recorded(len(stored_events)) if metadata is None else metadata
        positions: list[int] = []
        with connected(self.pool) as connection, connection.transaction():
            events = zip(stored_events, about, strict=True)
            for stream_id, run in groupby(events, lambda event: event[0].originator_id):
                positions += self._append(connection, as_uuid(stream_id), list(run))
        return positions

    def _append(
        self, connection: Connection[Any], stream_id: UUID, run: Sequence[tuple[StoredEvent, bytes]]
    ) -> Sequence[int]:
        append = Append(
            tenant_id=self.tenant_id,
            stream_id=stream_id,
            expected_version=run[0][0].originator_version - 1,
            events=[stored for stored, _ in run],
            metadata=[about for _, about in run],
            rows={},
        )
        cursor = connection.execute(named(CALL), arguments([append], LOCK_TIMEOUT, False))
        ((_, *answer),) = cursor.fetchall()
        match Outcome(*answer):
            case Outcome("appended", int() as position):
                return range(position - len(run) + 1, position + 1)
            case Outcome("version", _, version):
                raise persistence.IntegrityError(
                    f"Stream {stream_id} is at version {version}, not {append.expected_version}: "
                    "another writer appended to it first."
                )
            case Outcome("unknown"):
                raise persistence.ProgrammingError(f"There is no tenant {self.tenant_id}.")
            case other:
                raise persistence.InternalError(f"append_events answered {other.outcome}.")

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """One stream, or a part of it: after version *gt*, up to and with *lte*, at most *limit* events."""
        query = EVENTS_LAST_FIRST if desc else EVENTS
        stream_id = as_uuid(originator_id)
        bounds = {"gt": BEFORE_ALL if gt is None else gt, "lte": AFTER_ALL if lte is None else lte, "limit": limit}
        with connected(self.pool) as connection, connection.cursor(binary=True) as cursor:
            cursor.execute(query, {"tenant": self.tenant_id, "stream": stream_id, **bounds})
            return [
                StoredEvent(stream_id, version, join_topic(name, schema_version), data)
                for version, name, schema_version, data in cursor
            ]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """The log from position *start* to *stop*, both included unless said otherwise; if *topics*, only of these."""
        first = 0 if start is None else start if inclusive_of_start else start + 1
        parameters: dict[str, Any] = {"tenant": self.tenant_id, "first": first, "last": stop, "limit": limit}
        query = NOTIFICATIONS
        if topics:
            query = NOTIFICATIONS_OF_TOPICS
            names, schema_versions = zip(*map(split_topic, topics), strict=True)
            parameters |= {"types": list(names), "schema_versions": list(schema_versions)}
        with connected(self.pool) as connection, connection.cursor(binary=True) as cursor:
            cursor.execute(query, parameters)
            return [
                Notification(stream_id, version, join_topic(name, schema_version), data, position)
                for position, stream_id, version, name, schema_version, data in cursor
            ]

    def max_notification_id(self) -> int | None:
        """The position of the last event; None if there is none yet."""
        with connected(self.pool) as connection:
            row = connection.execute(HEAD, {"tenant": self.tenant_id}).fetchone()
            return row[0] if row else None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "PollingSubscription":
        """Follow the log from after position *gt*."""
        return PollingSubscription(self, gt, topics)


class PollingSubscription(Subscription[TenantRecorder]):
    """Reads on when it has read to the end; waits in its caller's thread, at most ``POLL_SECONDS`` longer than needed.

    The library's own subscription waits for a notification without a bound, and appends send none.
    """

    def __init__(self, recorder: TenantRecorder, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        super().__init__(recorder, gt, topics)
        self._page: deque[Notification] = deque()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End the iteration, from whichever thread."""
        super().stop()
        self._stopped.set()

    def __next__(self) -> Notification:
        while not self._stopped.is_set():
            if self._page:
                notification = self._page.popleft()
                self._last_notification_id = notification.id
                return notification
            self._page.extend(
                self._recorder.select_notifications(
                    self._last_notification_id or 0, PAGE, topics=self._topics, inclusive_of_start=False
                )
            )
            if not self._page:
                self._stopped.wait(POLL_SECONDS)
        raise StopIteration


class TenantTrackingRecorder(TrackingRecorder):
    """The checkpoints of one tenant's consumers; a consumer is the library's "application name"."""

    def __init__(self, pool: Pool, tenant_id: UUID) -> None:
        self.pool = pool
        self.tenant_id = tenant_id

    def insert_tracking(self, tracking: persistence.Tracking) -> None:
        """Move a checkpoint forward. Raises IntegrityError if it stands there already, or further on."""
        consumer, position = tracking.application_name, tracking.notification_id
        with connected(self.pool) as connection:
            moved = {"tenant": self.tenant_id, "consumer": consumer, "position": position}
            if connection.execute(TRACK, moved).fetchone() is None:
                raise persistence.IntegrityError(f"The checkpoint of {consumer} is at {position} or later already.")

    def max_tracking_id(self, application_name: str) -> int | None:
        """The consumer's checkpoint; None if it has none yet."""
        with connected(self.pool) as connection:
            parameters = {"tenant": self.tenant_id, "consumer": application_name}
            row = connection.execute(CHECKPOINT, parameters).fetchone()
            return row[0] if row else None


def recorded(count: int) -> Sequence[bytes]:
    """Metadata for *count* events that are inserted without any."""
    origin = Origin(RECORDER)
    return [metadata.encode(origin, "insert_events", place, count) for place in range(1, count + 1)]


def as_uuid(stream_id: UUID | str) -> UUID:
    """The library allows both; our streams have UUIDs."""
    return stream_id if isinstance(stream_id, UUID) else UUID(stream_id)
