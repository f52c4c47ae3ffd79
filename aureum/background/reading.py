"""Opens the events of a tenant's log for the consumers that follow it, one by one. An event that cannot be read is
marked, not skipped.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.store import metadata
from aureum.store.cipher import TenantKey
from aureum.store.event_store import Recorded
from aureum.store.mapper import ERASING, EventMapper

STREAM, VERSION, POSITION, TYPE, SCHEMA_VERSION, DATA, METADATA, RECORDED_AT, WRAPPED = range(9)
"""Their places in a row of the log. ``WRAPPED`` is the stored key of the stream's subject."""

EARLIER_EVENTS = """
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, NULL
  FROM events e
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(streams)s) AND e.position <= %(after)s
 ORDER BY e.stream_id, e.version
"""
"""The events before the new ones, of streams that began earlier."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands where an event's bytes could not be read; ``reason`` is the class of the error."""

    reason: str


def read(tenant_key: TenantKey, stream_id: UUID, wrapped: bytes | None, rows: Sequence[Any]) -> Iterator[Recorded]:
    """The events of one stream, with ``Unreadable`` for those whose bytes cannot be read. Without *wrapped*, the person
    was erased."""
    opened: list[AESGCM | None] = []

    def subject_key(_: UUID) -> AESGCM | None:
        if not opened:
            opened.append(None if wrapped is None else tenant_key.open_subject_key(stream_id, wrapped))
        return opened[0]

    mapper = EventMapper(tenant_key.tenant_id, subject_key, erased=bool(rows) and rows[-1][TYPE] in ERASING)
    for _, version, position, name, schema_version, data, about, recorded_at, _ in rows:
        try:
            event = mapper.event(stream_id, version, name, schema_version, data)
        except Exception as error:
            # Broken bytes may raise anything; the tenant's other streams go on.
            event = Unreadable(type(error).__name__)
        yield Recorded(event, position, recorded_at, about_event(about))


def about_event(stored: bytes) -> dict[str, Any]:
    """An event's metadata, or nothing where it is broken."""
    try:
        found: Any = metadata.decode(stored)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def edges(metadata: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether an event is the first, and the last, of its append. An event without that metadata is both."""
    match metadata.get("append"):
        case [int(place), int(of)]:
            return place == 1, place == of
    return True, True
