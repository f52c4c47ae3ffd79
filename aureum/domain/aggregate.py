"""What every aggregate of ours shares: the library's ``Aggregate`` with ids of ours and times in milliseconds.

An event class names its permanent type (``TOPIC``), the version of its fields (``class_version``, 1 unless it says
otherwise) and which of its fields are ``PERSONAL``: those are encrypted before they are stored, all together. Up to
version ``SEALED_ONE_BY_ONE`` each of them was encrypted by itself, before version ``SEALED_SINCE`` none was. ``SECRET``
fields let a program or a person in: they never leave the installation (``aureum/transfer``). An event whose fields of
``OPTIONAL_SINCE``, by the version that they came with, have no value is stored in the version before, so that
the previous release, which may serve beside this one, reads streams that do not use what is new.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from eventsourcing import domain
from eventsourcing.utils import get_topic, resolve_topic

from aureum.domain import ids

ERASED = "[erased]"
"""What replay shows where the key of an erased person is gone."""


class Event(domain.Aggregate.Event):
    """A fact about one aggregate; ``apply`` only assigns."""

    TOPIC: ClassVar[str] = ""
    PERSONAL: ClassVar[frozenset[str]] = frozenset()
    SECRET: ClassVar[frozenset[str]] = frozenset()
    class_version: ClassVar[int] = 1
    SEALED_ONE_BY_ONE: ClassVar[int] = 0
    SEALED_SINCE: ClassVar[int] = 1
    OPTIONAL_SINCE: ClassVar[Mapping[int, tuple[str, ...]]] = {}

    @staticmethod
    def create_timestamp() -> datetime:
        return ids.now()


class Created(Event, domain.Aggregate.Created):
    """The first event of a stream."""

    def mutate(self, aggregate: Any) -> Any:
        """The aggregate that begins with this event, made of nothing. The library would look for fields that its
        ``__init__`` takes; ours take none."""
        assert aggregate is None
        begun: Any = object.__new__(resolve_topic(self.originator_topic))
        begun.__base_init__(self.originator_id, self.originator_version, self.timestamp)
        self.apply(begun)
        return begun


class PersonErased(Event):
    """The person whose data stands in the stream was erased. The key of the stream was destroyed in the same
    transaction, so what is personal in its events cannot be read again, and nothing follows this event."""

    def apply(self, aggregate: "Aggregate") -> None:
        aggregate.erased = True


class ResourceRemoved(Event):
    """The resource was taken back, as if it had never been added. It is in no list any more, and nothing follows this
    event. Before it, the history says everything."""

    def apply(self, aggregate: "Aggregate") -> None:
        aggregate.removed = True


class Aggregate(domain.Aggregate):
    """The thing that decides."""

    erased = False
    """Whether the person was erased."""

    removed = False
    """Whether it was taken back."""

    @property
    def gone(self) -> bool:
        """Whether nothing is done with it any more."""
        return self.erased or self.removed

    class Event(Event):
        """Base of the events of an aggregate."""

    @staticmethod
    def create_id(*_: Any, **__: Any) -> UUID:
        return ids.new_id()

    @classmethod
    def _create(cls, event_class: Any, *, id: UUID | None = None, **values: Any) -> Self:
        """A new aggregate with its first event. The library's own copies *values* several times on the way.

        Raises TypeError if they are not the event's.
        """
        values |= {
            "originator_topic": get_topic(cls),
            "originator_id": id or cls.create_id(),
            "originator_version": cls.INITIAL_VERSION,
        }
        if values.keys() != field_names(event_class):
            raise TypeError(f"{event_class.__qualname__} has other fields than {sorted(values)}")
        event = event_of(event_class, values)
        begun: Self = event.mutate(None)
        begun.pending_events.append(event)
        return begun


def events_of(aggregate: type[Aggregate]) -> tuple[type[Event], ...]:
    """The types of events that *aggregate* declares, by itself or in a base class."""
    names = dict.fromkeys(name for one in reversed(aggregate.__mro__) for name in vars(one))
    declared = (kind for kind in (getattr(aggregate, name) for name in names) if isinstance(kind, type))
    return tuple(kind for kind in declared if issubclass(kind, Event) and kind.TOPIC)


AnyAggregate = TypeVar("AnyAggregate", bound=Aggregate)
AnyEvent = TypeVar("AnyEvent", bound=Event)


def event_of(kind: type[AnyEvent], values: dict[str, Any]) -> AnyEvent:
    """An event of *kind* whose fields are *values*: all of them, and nothing else.

    The library's events are frozen: their ``__init__`` would set one field after the other, around the guard.
    """
    event = object.__new__(kind)
    object.__setattr__(event, "__dict__", values)
    return event


@cache
def field_names(kind: type[Event]) -> frozenset[str]:
    """The fields of an event, those of the library's included."""
    return frozenset(field.name for field in fields(kind))


def replay(events: Iterable[Any], aggregate: Any = None) -> Any:
    """Fold *events* into an aggregate; None if there are none.

    The library's own projector checks each event against a runtime protocol, which costs two thirds of a load.
    """
    for event in events:
        aggregate = event.mutate(aggregate)
    return aggregate
