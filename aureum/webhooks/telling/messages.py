"""What endpoints are told of one save: the events of one append become one message, or none. Pure.

One save is told in two messages: a task that is completed when it is created.

A message is made of the stream alone, so the same bytes come out whenever it is made again, unless a person was erased
meanwhile. Its body is serialised once; every attempt sends these bytes and every signature covers them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

import orjson

from aureum.background.reading import Unreadable, edges
from aureum.domain.aggregate import Aggregate
from aureum.domain.ids import aureum_time
from aureum.projections.changes import changes
from aureum.registry import AGGREGATES, EMITTING
from aureum.store.event_store import Recorded
from aureum.webhooks.queue.message import Message, Parked, message_id

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Emitter:
    """How one aggregate is told of: its fold, whose rows have the shown resource as ``doc``, and what each type of its
    events is called (``projections.emits``)."""

    step: Callable[[Row | None, Any], Row | None]
    names: Mapping[str, str]
    apart: str = ""
    data: Callable[[Mapping[str, Any], Any], Mapping[str, Any]] = lambda doc, _: doc
    beside: Callable[[Any], Mapping[str, Any]] = lambda _: {}


SOURCES: Mapping[type[Aggregate], Emitter] = {
    model.aggregate: Emitter(model.step, emits.names, emits.apart, emits.data, emits.beside)
    for model, emits in EMITTING
}
"""The aggregates that endpoints hear of."""

TYPES_OF: Mapping[type[Aggregate], tuple[str, ...]] = {
    aggregate: tuple(event.TOPIC for event in AGGREGATES[aggregate]) for aggregate in SOURCES
}
"""All types of events that an aggregate has."""

SOURCE_OF: Mapping[str, Emitter] = {
    name: source for aggregate, source in SOURCES.items() for name in TYPES_OF[aggregate]
}
"""By the type of an event."""

SILENT = Emitter(lambda row, _: row, {})
"""An aggregate that emits nothing."""


def messages(
    tenant_id: UUID, stream_id: UUID, recorded: Iterable[Recorded], after: int = 0
) -> Iterator[Message | Parked]:
    """What is told of a stream's saves that ended at positions above *after*, in their order.

    *recorded* is the whole stream from its first event on; an event may be ``Unreadable``. From there on nothing is
    known of the resource: the saves that follow are parked.
    """
    row: Row | None = None
    before: Row | None = None
    name: str | None = None
    named: Any = None
    beside: Row = {}
    cause: tuple[int, str] | None = None
    for record in recorded:
        first, last = edges(record.metadata)
        if first:
            before, name, beside = row, None, {}
        source = SILENT
        if isinstance(record.event, Unreadable):
            # It may have a name: better parked in vain than lost without a word.
            cause, name = cause or (record.position, record.event.reason), name or "?"
        else:
            source = SOURCE_OF.get(record.event.TOPIC, SILENT)
            if name is None:
                name, named = source.names.get(record.event.TOPIC), record.event
            if cause is None:
                try:
                    row = source.step(row, record.event)
                    beside = {**beside, **source.beside(record.event)}
                except Exception as error:
                    # Even if something is wrong with this event, the messages of other streams go out.
                    cause = record.position, type(error).__name__
        told = last or name == source.apart
        if told and name is not None and record.position > after and not (cause is None and is_suspect(row)):
            if cause is None:
                told_of = None if row is None else source.data(row["doc"], named)
                yield message(tenant_id, stream_id, name, before, row, record, beside, told_of)
            else:
                yield Parked(record.position, stream_id, *cause)
        if told:
            before, name, beside = row, None, {}


def is_suspect(row: Row | None) -> bool:
    """Whether a program seems to have sent it: nothing is emitted until staff have cleared it."""
    return bool((row or {}).get("doc", {}).get("suspect"))


def message(
    tenant_id: UUID,
    stream_id: UUID,
    name: str,
    before: Row | None,
    after: Row | None,
    record: Recorded,
    beside: Mapping[str, Any] = MappingProxyType({}),
    data: Mapping[str, Any] | None = None,
) -> Message | Parked:
    """The message called *name* of the append that ended with *record* and made *after* of *before*, and changed what
    stands *beside* them. *data* is what is told of it, if that is not all."""
    identifier = message_id(tenant_id, record.position)
    try:
        doc = (after or {})["doc"]
        body = {
            "event": name,
            "timestamp": aureum_time(record.event.timestamp),
            "data": doc if data is None else data,
            "id": identifier,
            "sequence": record.position,
        }
        if name.endswith(".updated"):
            body["changes"] = {**changes((before or {})["doc"], doc), **beside}
        written = orjson.dumps(body)
    except (KeyError, TypeError) as error:
        # The stream lacks its beginning, or holds what JSON cannot.
        return Parked(record.position, stream_id, record.position, type(error).__name__)
    return Message(record.position, identifier, name, stream_id, written, record.recorded_at)
