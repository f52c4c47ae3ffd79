"""Turns events into stored bytes and back: orjson, permanent type names, upcasting, encrypted personal fields.

Stored data is one JSON object with the event's own fields. Its time stands there in milliseconds since 1970. The
personal fields that have a value are one JSON object, encrypted, in base64, under the name ``TOGETHER``; those that
have none stand beside it as ``null``. In old events each personal field is the base64 of its own encrypted JSON, and
those of tasks are not encrypted. The version of the fields, which tells the forms apart, stands beside the data, in a
column.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, cast, get_type_hints
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import Mapper, StoredEvent
from eventsourcing.utils import get_topic

from aureum.domain.aggregate import ERASED, Aggregate, Created, Event, PersonErased, event_of
from aureum.registry import AGGREGATES
from aureum.store.cipher import field_context, seal, unseal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
TOGETHER = ""
"""Where the sealed fields stand. No field has this name, which is authenticated: the seal of a single field cannot be
taken for the seal of all, nor the reverse."""

ENVELOPE = frozenset(("originator_id", "originator_version", "originator_topic", "timestamp"))


class UnknownEventType(Exception):
    """The store holds an event type that this version of Aureum does not know: was it written by a newer one?"""

    def __init__(self, topic: str) -> None:
        super().__init__(f"{self.__doc__} ({topic})")


class SubjectKeys(Protocol):
    """Where the mapper finds the key of a stream's subject; None if the person was erased."""

    def __call__(self, subject_id: UUID, /) -> AESGCM | None: ...


@dataclass(frozen=True)
class EventType:
    """How one event class is stored: worked out once, not per event."""

    cls: type[Event]
    schema_version: int
    aggregate_topic: str | None
    fields: tuple[str, ...]
    personal: tuple[str, ...]
    readers: tuple[tuple[str, Callable[[Any], Any]], ...]


def describe(cls: type[Event], aggregate: type[Aggregate]) -> EventType:
    """Read an event class's fields and types."""
    names = tuple(f.name for f in fields(cls) if f.name not in ENVELOPE)
    hints = get_type_hints(cls)
    readers = tuple((name, READERS[hints[name]]) for name in names if hints[name] in READERS)
    topic = get_topic(aggregate) if issubclass(cls, Created) else None
    personal = tuple(name for name in names if name in cls.PERSONAL)
    return EventType(cls, cls.class_version, topic, names, personal, readers)


READERS: dict[Any, Callable[[Any], Any]] = {UUID: UUID, UUID | None: UUID, tuple[str, ...]: tuple}


def describe_all(aggregates: Mapping[type[Aggregate], tuple[type[Event], ...]]) -> dict[str, EventType]:
    """The registry of a mapper, by type name."""
    return {cls.TOPIC: describe(cls, aggregate) for aggregate, classes in aggregates.items() for cls in classes}


REGISTRY = describe_all(AGGREGATES)

ERASING = frozenset(topic for topic, kind in REGISTRY.items() if issubclass(kind.cls, PersonErased))
"""The types of events after which nothing of a person can be read."""

ONCE_IN_CLEAR = {topic: kind.cls.SEALED_SINCE for topic, kind in REGISTRY.items() if kind.cls.SEALED_SINCE > 1}
"""The types of events whose personal fields were not encrypted before this version of the fields."""

BEFORE_SEALING = REGISTRY | {
    topic: replace(REGISTRY[topic], schema_version=since - 1, personal=()) for topic, since in ONCE_IN_CLEAR.items()
}
"""How events are written while programs run beside this one that know the fields of these types in clear alone."""


def without_unused(kind: EventType, data: dict[str, Any]) -> int:
    """The oldest version of its fields in which an event with *data* can be stored; *data* loses what came later."""
    version = kind.schema_version
    while version > 1 and (came := kind.cls.OPTIONAL_SINCE.get(version)) and all(data[name] is None for name in came):
        for name in came:
            del data[name]
        version -= 1
    return version


class EventMapper(Mapper[UUID]):
    """The library's mapper for the events of one tenant.

    A stored event's topic is the type's name, followed by ``:2`` and so on once its fields have changed.
    """

    def __init__(
        self,
        tenant_id: UUID,
        subject_key: SubjectKeys,
        registry: Mapping[str, EventType] = REGISTRY,
        *,
        erased: bool = False,
    ) -> None:
        """*erased*: whether the events are of an erased person; then nothing that is personal in them is read, not even
        what was not encrypted."""
        # The library's transcoder, compressor and cipher have no part in it.
        self.tenant_id = tenant_id
        self.subject_key = subject_key
        self.registry = registry
        self.erased = erased

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        kind = self.registry[domain_event.TOPIC]
        stream_id, version = domain_event.originator_id, domain_event.originator_version
        values = vars(domain_event)
        data = {name: values[name] for name in kind.fields}
        schema_version = without_unused(kind, data) if kind.cls.OPTIONAL_SINCE else kind.schema_version
        if kind.personal:
            self._seal(kind, data, stream_id, version)
        data["timestamp"] = (domain_event.timestamp - EPOCH) // MILLISECOND
        topic = join_topic(domain_event.TOPIC, schema_version)
        return StoredEvent(stream_id, version, topic, orjson.dumps(data))

    def _seal(self, kind: EventType, data: dict[str, Any], stream_id: UUID, version: int) -> None:
        personal = {name: data[name] for name in kind.personal if data.get(name) is not None}
        if not personal:
            return
        key = self.subject_key(stream_id)
        if key is None:
            # An erased person stays erased: what would be written about them now is not kept either.
            data.update(dict.fromkeys(personal))
            return
        for name in personal:
            del data[name]
        place = field_context(self.tenant_id, stream_id, stream_id, version, TOGETHER)
        data[TOGETHER] = b64encode(seal(key, orjson.dumps(personal), place)).decode()

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """Raises UnknownEventType."""
        name, schema_version = split_topic(stored_event.topic)
        stream_id = cast(UUID, stored_event.originator_id)
        return self.event(stream_id, stored_event.originator_version, name, schema_version, stored_event.state)

    def event(self, stream_id: UUID, version: int, name: str, schema_version: int, state: bytes) -> Any:
        """The event of a row of the log. Raises UnknownEventType."""
        kind = self.registry.get(name)
        if kind is None or not 1 <= schema_version <= kind.schema_version:
            raise UnknownEventType(join_topic(name, schema_version))
        data = orjson.loads(state)
        if kind.personal and schema_version >= kind.cls.SEALED_SINCE:
            open_fields = self._unseal_each if schema_version <= kind.cls.SEALED_ONE_BY_ONE else self._unseal
            open_fields(kind, data, stream_id, version)
        elif kind.personal and self.erased:
            data |= {name: ERASED for name in kind.personal if data[name] is not None}
        while schema_version < kind.schema_version:
            if schema_version not in (kind.cls.SEALED_ONE_BY_ONE, kind.cls.SEALED_SINCE - 1):
                getattr(kind.cls, f"upcast_v{schema_version}_v{schema_version + 1}")(data)
            schema_version += 1
        for name, read in kind.readers:
            if data[name] is not None:
                data[name] = read(data[name])
        data["timestamp"] = EPOCH + data["timestamp"] * MILLISECOND
        data["originator_id"] = stream_id
        data["originator_version"] = version
        if kind.aggregate_topic is not None:
            data["originator_topic"] = kind.aggregate_topic
        return event_of(kind.cls, data)

    def _unseal(self, kind: EventType, data: dict[str, Any], stream_id: UUID, version: int) -> None:
        sealed = data.pop(TOGETHER, None)
        personal = {}
        if sealed is not None:
            key = self.subject_key(stream_id)
            if key is None:
                personal = {name: ERASED for name in kind.personal if name not in data}
            else:
                place = field_context(self.tenant_id, stream_id, stream_id, version, TOGETHER)
                personal = orjson.loads(unseal(key, b64decode(sealed), place))
        # Only what was sealed counts: nothing can be put beside it in clear.
        data |= dict.fromkeys(kind.personal) | personal

    def _unseal_each(self, kind: EventType, data: dict[str, Any], stream_id: UUID, version: int) -> None:
        key = self.subject_key(stream_id)
        place = field_context(self.tenant_id, stream_id, stream_id, version, "")
        for name in kind.personal:
            if data.get(name) is None:
                continue
            if key is None:
                data[name] = ERASED
                continue
            data[name] = orjson.loads(unseal(key, b64decode(data[name]), place + name.encode()))


def join_topic(name: str, schema_version: int) -> str:
    """A stored event's topic: the first version of a type's fields goes without a number."""
    return name if schema_version == 1 else f"{name}:{schema_version}"


def split_topic(topic: str) -> tuple[str, int]:
    """The inverse of ``join_topic``."""
    name, colon, schema_version = topic.rpartition(":")
    numbered = colon and schema_version.isascii() and schema_version.isdigit()
    return (name, int(schema_version)) if numbered else (topic, 1)
