"""The event store as commands use it: load a stream, append what an aggregate decided, read its history."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.domain.aggregate import Aggregate, PersonErased, replay
from aureum.domain.errors import (
    AlreadyTaken,
    Busy,
    Conflict,
    DayFull,
    KeyReused,
    NameTaken,
    NotFound,
    SiteChanged,
    TooMany,
)
from aureum.domain.ids import new_id, now
from aureum.registry import TAKEN, rows_of
from aureum.store import metadata
from aureum.store.addresses import Addresses
from aureum.store.answers_afterwards import KEEP, pending, stored_at
from aureum.store.append import Append, Remember
from aureum.store.cipher import TenantKey, TenantKeys
from aureum.store.guards import Guard
from aureum.store.mapper import BEFORE_SEALING, ERASING, REGISTRY, EventMapper, EventType
from aureum.store.metadata import Origin
from aureum.store.one_at_a_time import alone
from aureum.store.postgres.database import Database
from aureum.store.postgres.notify import Notifier
from aureum.store.writer import AppendWriter

STREAM = """
SELECT e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, k.wrapped
  FROM events e
  LEFT JOIN subject_keys k ON k.tenant_id = e.tenant_id AND k.subject_id = e.stream_id
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = %(stream)s
 ORDER BY e.version
"""

STREAMS = """
SELECT e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, k.wrapped, e.stream_id
  FROM events e
  LEFT JOIN subject_keys k ON k.tenant_id = e.tenant_id AND k.subject_id = e.stream_id
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(streams)s::uuid[])
 ORDER BY e.stream_id, e.version
"""

REMEMBERED = """
SELECT request_hash, answer FROM idempotency_keys
 WHERE tenant_id = %(tenant)s AND key = %(key)s AND recorded_at > now() - interval '24 hours'
"""

TENANT_KEY = "SELECT wrapped FROM tenant_keys WHERE tenant_id = %(tenant)s"

NEW_TENANT_KEY = """
INSERT INTO tenant_keys (tenant_id, wrapped) VALUES (%(tenant)s, %(wrapped)s) ON CONFLICT (tenant_id) DO NOTHING
"""

SEALED_FROM = "SELECT sealed_from FROM sealing"

NUMBERS_A_BLOCK = 1_000

Read = Callable[[str, Mapping[str, Any]], Awaitable[list[Any]]]
"""Runs one statement with its parameters, and fetches its rows in binary."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in the log."""

    event: Any
    position: int
    recorded_at: datetime
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stream:
    """All events of one aggregate, oldest first, and the key of its subject (None: erased, or nothing personal).
    ``new_key`` is that key as it is kept, of a stream that has no event yet."""

    events: Sequence[Recorded]
    subject_key: AESGCM | None
    new_key: bytes = b""

    def until(self, moment: datetime | None) -> "Stream":
        """The stream as it was at *moment*, that moment included; as it is for None."""
        if moment is None:
            return self
        return Stream([r for r in self.events if r.event.timestamp <= moment], self.subject_key)

    def aggregate(self, until: datetime | None = None) -> Any:
        """The aggregate as it is, or was at *until* (that moment included); None before it existed."""
        return replay(r.event for r in self.until(until).events)

    def at_version(self, version: int) -> Any:
        """The aggregate as it was at a version."""
        return replay(r.event for r in self.events if r.event.originator_version <= version)


@dataclass(frozen=True, slots=True)
class Appended:
    """Where the append stands in the tenant's log; or the answer that was remembered for its idempotency key, or the
    stream that the same has begun a moment ago. ``chosen`` is whom the append chose (``Turn``)."""

    position: int | None
    remembered: bytes | None = None
    again: UUID | None = None
    chosen: UUID | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What *aggregate* decided since it was made of *before*, and what must hold for it."""

    aggregate: Aggregate
    before: Stream
    guards: Sequence[Guard] = ()


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's Idempotency-Key and the request under it, both hashed; ``answer`` makes what to say now and again.
    ``afterwards``: it names what the append itself chooses, so it is made of what was stored."""

    key: bytes
    request: bytes
    answer: Callable[[Any], bytes]
    afterwards: bool = False


class EventStore:
    """One a process. The code that made the writer and the pool opens and closes them."""

    def __init__(
        self, database: Database, writer: AppendWriter, keys: TenantKeys, notifier: Notifier | None = None
    ) -> None:
        self.notifier = notifier
        self.database = database
        self.writer = writer
        self.keys = keys
        self.addresses = Addresses()
        self._numbers: dict[str, Iterator[int]] = {}
        self._taking_numbers = asyncio.Lock()
        self._sealed_from: datetime | None = None
        self._registry: Mapping[str, EventType] | None = None

    async def tenant_key(self, tenant_id: UUID) -> TenantKey:
        """The tenant's key, made when it is first needed. Raises Unavailable."""
        key = self.keys.get(tenant_id)
        if key is not None:
            return key
        rows = await self.database.tenant_rows(tenant_id, TENANT_KEY, {"tenant": tenant_id})
        if not rows:
            wrapped = self.keys.master.new_tenant_key(tenant_id)
            await self.database.rows(NEW_TENANT_KEY, {"tenant": tenant_id, "wrapped": wrapped})
            rows = await self.database.tenant_rows(tenant_id, TENANT_KEY, {"tenant": tenant_id})
        return self.keys.open(tenant_id, rows[0][0])

    async def load(self, tenant_id: UUID, stream_id: UUID, read: Read | None = None) -> Stream:
        """A whole stream, of which there are dozens of events, rarely hundreds; empty if there is none. *read* runs the
        statement elsewhere than at the primary."""
        read = read or partial(self.database.tenant_rows, tenant_id)
        rows = await read(STREAM, {"tenant": tenant_id, "stream": stream_id})
        if not rows or rows[0][-1] is None:
            return without_key(tenant_id, stream_id, rows)
        return recorded(await self.tenant_key(tenant_id), stream_id, rows)

    async def beginning(self, tenant_id: UUID, stream_id: UUID) -> Stream:
        """A stream that is to begin with a key which is needed before: bytes are encrypted with it. The key is kept
        once the first event is appended. Raises Unavailable."""
        return Stream((), *(await self.tenant_key(tenant_id)).new_subject_key(stream_id))

    async def load_all(self, tenant_id: UUID, stream_ids: Sequence[UUID]) -> dict[UUID, Stream]:
        """Several streams, read together; those that do not exist are left out."""
        if not stream_ids:
            return {}
        about = {"tenant": tenant_id, "streams": list(stream_ids)}
        rows = await self.database.tenant_rows(tenant_id, STREAMS, about)
        return streams_in(await self.tenant_key(tenant_id), rows)

    async def append(
        self,
        tenant_id: UUID,
        aggregate: Aggregate,
        before: Stream,
        *,
        command: str,
        origin: Origin,
        idempotency: Idempotency | None = None,
        guards: Sequence[Guard] = (),
        also: Sequence[Aggregate] = (),
        beside: Sequence[tuple[Aggregate, Stream]] = (),
    ) -> Appended:
        """Append what *aggregate* decided since it was made of *before*, together with the new aggregates *also*, and
        with what others decided since they were made of their streams (*beside*): all or nothing.

        Nothing decided, nothing happens, but that a request with an Idempotency-Key is remembered.

        Raises Conflict if the stream grew meanwhile, AlreadyTaken, KeyReused, NotFound (no such tenant), Busy,
        Unavailable; where a guard does not hold SiteChanged, TooMany or NameTaken.
        """
        new: Sequence[Any] = aggregate.collect_events()
        if not new and idempotency is None:
            return Appended(None)
        tenant_key = await self.tenant_key(tenant_id)
        if origin.address is not None:
            origin = await self.addresses.sealed(self.database, tenant_key, self.tenant_key, origin)
        registry = self._registry or await self.registry()
        remember = None
        if idempotency is not None:
            of_stored = idempotency.afterwards
            answer = pending(aggregate.id, aggregate.version) if of_stored else idempotency.answer(aggregate)
            sealed = tenant_key.seal_answer(answer, idempotency.key)
            remember = Remember(idempotency.key, idempotency.request, sealed)
        append = prepared(
            tenant_key,
            aggregate.id,
            new,
            before,
            command,
            origin,
            remember=remember,
            guards=guards,
            registry=registry,
            also=tuple(
                prepared(tenant_key, other.id, other.collect_events(), stream, command, origin, registry=registry)
                for other, stream in (*((new_one, NO_STREAM) for new_one in also), *beside)
            ),
        )
        appended = await self._write(append, tenant_key, idempotency)
        if idempotency is not None and idempotency.afterwards and appended.position is not None:
            await self._answer_of(tenant_key, idempotency, aggregate.id, aggregate.version)
        return appended

    async def append_all(
        self,
        tenant_id: UUID,
        decided: Sequence[Decided],
        *,
        command: str,
        origin: Origin,
        idempotency: Idempotency | None = None,
        made: Any = None,
    ) -> Appended:
        """Append what several aggregates decided: all or nothing, each a save of its own. The answer that is remembered
        is made of *made*. Of the guards only ``Unique``, and a ``Turn`` that is fixed, may be of any but the first.

        Raises what ``append`` raises. A name that is taken, of any but the first, is a Conflict.
        """
        if not decided:
            if idempotency is None:
                return Appended(None)
            return Appended(None, await self.remember(tenant_id, made, idempotency, origin))
        tenant_key = await self.tenant_key(tenant_id)
        if origin.address is not None:
            origin = await self.addresses.sealed(self.database, tenant_key, self.tenant_key, origin)
        registry = self._registry or await self.registry()
        first, *others = (
            prepared(
                tenant_key,
                one.aggregate.id,
                one.aggregate.collect_events(),
                one.before,
                command,
                origin,
                guards=one.guards,
                registry=registry,
            )
            for one in decided
        )
        if idempotency is not None:
            sealed = tenant_key.seal_answer(idempotency.answer(made), idempotency.key)
            first.remember = Remember(idempotency.key, idempotency.request, sealed)
        first.also = tuple(others)
        return await self._write(first, tenant_key, idempotency)

    async def registry(self) -> Mapping[str, EventType]:
        """How events are written now: for a day after an upgrade as version 0.9 reads them, which may run beside this
        one. Raises Unavailable."""
        if self._sealed_from is None:
            ((self._sealed_from,),) = await self.database.rows(SEALED_FROM)
        if now() < self._sealed_from:
            return BEFORE_SEALING
        self._registry = REGISTRY
        return REGISTRY

    async def remembered(self, tenant_id: UUID, idempotency: Idempotency) -> bytes | None:
        """The answer that an earlier request with this key got. Raises KeyReused if it was another request."""
        found = await self.database.tenant_rows(tenant_id, REMEMBERED, {"tenant": tenant_id, "key": idempotency.key})
        if not found:
            return None
        request, answer = found[0]
        if request != idempotency.request:
            raise KeyReused
        return await self._opened(await self.tenant_key(tenant_id), idempotency, answer)

    async def _opened(self, tenant_key: TenantKey, idempotency: Idempotency, sealed: bytes) -> bytes:
        """An answer that was kept. Raises Unavailable."""
        answer = tenant_key.open_answer(sealed, idempotency.key)
        stored = stored_at(answer)
        return answer if stored is None else await self._answer_of(tenant_key, idempotency, *stored)

    async def _answer_of(self, tenant_key: TenantKey, idempotency: Idempotency, stream_id: UUID, version: int) -> bytes:
        """The answer that is made of a stream at a version, and kept from now on. Raises Unavailable."""
        tenant_id = tenant_key.tenant_id
        made = (await self.load(tenant_id, stream_id)).at_version(version)
        answer = idempotency.answer(made)
        sealed = tenant_key.seal_answer(answer, idempotency.key)
        async with self.database.transaction(tenant_id) as connection:
            await connection.execute(KEEP, {"tenant": tenant_id, "key": idempotency.key, "answer": sealed})
        return answer

    async def remember(self, tenant_id: UUID, made: Any, idempotency: Idempotency, origin: Origin) -> bytes | None:
        """Remember the answer of a request that appends nothing, made of *made*. If the same request came first,
        returns its answer. Raises KeyReused, NotFound (no such tenant), Busy, Unavailable.
        """
        tenant_key = await self.tenant_key(tenant_id)
        sealed = tenant_key.seal_answer(idempotency.answer(made), idempotency.key)
        kept = Remember(idempotency.key, idempotency.request, sealed)
        append = prepared(tenant_key, new_id(), (), NO_STREAM, "Remember", origin, remember=kept)
        return (await self._write(append, tenant_key, idempotency)).remembered

    async def _write(self, append: Append, tenant_key: TenantKey, idempotency: Idempotency | None) -> Appended:
        try:
            outcome = await self.writer.append(append)
        except psycopg.errors.UniqueViolation as error:
            raise taken(error) from error
        match outcome.outcome:
            case "appended":
                if self.notifier is not None:
                    self.notifier.changed()
                # Not known of an append whose fate was in doubt: its stream says it.
                chosen = UUID(bytes=outcome.answer) if outcome.answer else None
                return Appended(outcome.position, chosen=chosen)
            case "done":
                assert idempotency is not None and outcome.answer is not None
                return Appended(None, await self._opened(tenant_key, idempotency, outcome.answer))
            case "again":
                assert outcome.answer is not None
                return Appended(None, again=UUID(bytes=outcome.answer))
            case "full":
                assert outcome.answer is not None
                ids = outcome.answer
                raise DayFull(UUID(bytes=ids[at : at + 16]) for at in range(0, len(ids), 16))
            case "reused":
                raise KeyReused
            case "taken":
                raise NameTaken
            case "stale":
                raise SiteChanged
            case "limited":
                assert outcome.retry_at is not None
                raise TooMany(outcome.retry_at)
            case "version":
                raise Conflict
            case "unknown":
                raise NotFound
        raise Busy

    async def number_of(self, block: str) -> int:
        """The next integer of a block that this process took; *block* is the statement that takes one."""
        for number in self._numbers.get(block, ()):
            return number
        async with alone(self._taking_numbers):
            # Those that waited find the block that the first one took.
            for number in self._numbers.get(block, ()):
                return number
            first = await self.next_number(block)
            self._numbers[block] = iter(range(first + 1, first + NUMBERS_A_BLOCK))
            return first

    async def next_number(self, query: str) -> int:
        """One integer of a sequence: *query* is the statement that takes it."""
        ((number,),) = await self.database.rows(query)
        return int(number)


def streams_in(tenant_key: TenantKey, rows: Iterable[Any]) -> dict[UUID, Stream]:
    """The streams of rows like those of ``STREAMS``, with a key or without."""
    found = {}
    for stream_id, own in groupby(rows, key=itemgetter(-1)):
        cut = [row[:-1] for row in own]
        if cut[0][-1] is None:
            found[stream_id] = without_key(tenant_key.tenant_id, stream_id, cut)
        else:
            found[stream_id] = recorded(tenant_key, stream_id, cut)
    return found


def recorded(tenant_key: TenantKey, stream_id: UUID, rows: Sequence[Any]) -> Stream:
    """A stream that has a key, of rows like those of ``STREAM``."""
    subject_key = tenant_key.open_subject_key(stream_id, rows[0][-1])
    return Stream(events_in(rows, EventMapper(tenant_key.tenant_id, lambda _: subject_key), stream_id), subject_key)


def without_key(tenant_id: UUID, stream_id: UUID, rows: Sequence[Any]) -> Stream:
    """A stream that has no key, of rows like those of ``STREAM``."""
    mapper = EventMapper(tenant_id, lambda _: None, erased=bool(rows) and rows[-1][2] in ERASING)
    return Stream(events_in(rows, mapper, stream_id), None)


def events_in(rows: Sequence[Any], mapper: EventMapper, stream_id: UUID) -> list[Recorded]:
    """The events of a stream's rows."""
    return [
        Recorded(
            mapper.event(stream_id, version, name, schema_version, data),
            position,
            recorded_at,
            metadata.decode(about),
        )
        for version, position, name, schema_version, data, about, recorded_at, _ in rows
    ]


def prepared(
    tenant_key: TenantKey,
    stream_id: UUID,
    new: Sequence[Any],
    before: Stream,
    command: str,
    origin: Origin,
    *,
    remember: Remember | None = None,
    guards: Sequence[Guard] = (),
    also: tuple[Append, ...] = (),
    registry: Mapping[str, EventType] = REGISTRY,
) -> Append:
    """The append of *new* events behind those of *before*: encoded, encrypted, with the rows of the read models."""
    subject_key, wrapped = before.subject_key, before.new_key
    history = [recorded.event for recorded in before.events]
    if subject_key is None and any(registry[event.TOPIC].personal for event in new) and has_no_key_yet(history):
        subject_key, wrapped = tenant_key.new_subject_key(stream_id)
    mapper = EventMapper(tenant_key.tenant_id, lambda _: subject_key, registry)
    return Append(
        tenant_id=tenant_key.tenant_id,
        stream_id=stream_id,
        expected_version=len(history),
        events=[mapper.to_stored_event(event) for event in new],
        metadata=[metadata.encode(origin, command, place, len(new)) for place in range(1, len(new) + 1)],
        rows=rows_of(history, new) if new else {},
        subject_key=wrapped,
        remember=remember,
        guards=guards,
        also=also,
    )


def has_no_key_yet(history: Sequence[Any]) -> bool:
    """Whether the stream of these events may begin to have a key: one that begins, or that began when its personal
    fields were not encrypted. The key of any other was destroyed."""
    return not history or (history[0].SEALED_SINCE > 1 and not isinstance(history[-1], PersonErased))


def taken(error: psycopg.errors.UniqueViolation) -> AlreadyTaken | Conflict:
    """A violated unique index as a domain error, under any name that the engine gives the constraint."""
    text = str(error)
    for index, message in TAKEN.items():
        # On Citus a shard's number follows the name.
        if re.search(rf'"{index}(_[a-z_]+)?(_\d+)?"', text):
            return AlreadyTaken(message)
    return Conflict()


NO_STREAM = Stream((), None)
"""What is before the first event."""
