"""A line of an exported file: a CloudEvent (version 1.0, JSON format), and the stored event that it is made of.

    specversion, id, source, type   as CloudEvents requires them; ``id`` is the position in the brokerage's log
    subject                         the wire id of the stream
    time                            when the event was stored, to the microsecond
    sequence                        the position again, in nineteen digits, so that it sorts as text
    streamversion, schemaversion    the event's number in its stream, and the version of its fields
    erased                          true if the person was erased
    data.fields                     the event's fields as they are stored, without what is personal
    data.personal, data.sealed      what is personal: in clear, or under the file's passphrase
    data.lost                       the names of what was personal, where the person was erased
    data.metadata                   who caused it, by which command, in which request

The brokerage's own events stand in the platform's log: they have no position here, their ``id`` is that of the
brokerage with their version, and their ``time`` is when they happened.

The first line says what follows (type ``aureum.export.begun``), the last one proves that it is all there
(``aureum.export.ended``); ``aureum.export.links`` are the hashes of the links in newsletters by which people
unsubscribe, ``aureum.export.document`` is a part of a document (``documents.py``).
"""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.domain.api_key import ApiKey
from aureum.domain.ids import to_wire
from aureum.domain.user import User
from aureum.store.cipher import field_context, seal, unseal
from aureum.store.mapper import EPOCH, MILLISECOND, REGISTRY, TOGETHER, EventType
from aureum.transfer.sealing import LineSeal

BEGUN, ENDED, LINKS = "aureum.export.begun", "aureum.export.ended", "aureum.export.links"
DOCUMENTS = "aureum.export.document"

DIGITS = 19

NEWLINE = orjson.OPT_APPEND_NEWLINE

NOTHING = b"{}"
"""What is personal, as JSON, where nothing is."""


class Broken(ValueError):
    """A line is not what it has to be. The message says why."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """The event of a line. ``personal`` is None where the line has nothing personal. ``position`` is 0 for the
    brokerage's own events."""

    stream_id: UUID
    version: int
    position: int
    kind: EventType
    schema_version: int
    time: datetime
    fields: dict[str, Any]
    personal: dict[str, Any] | None
    lost: tuple[str, ...]
    metadata: bytes
    erased: bool

    @property
    def name(self) -> str:
        """The type of the event."""
        return self.kind.cls.TOPIC

    @property
    def one_by_one(self) -> bool:
        """Whether each personal field of this version is sealed by itself."""
        return self.schema_version <= self.kind.cls.SEALED_ONE_BY_ONE


@dataclass(frozen=True, slots=True)
class LineWriter:
    """Writes the events of one brokerage; *seal* is that of the file, None: in clear."""

    tenant_id: UUID
    source: str
    seal: LineSeal | None

    def line(
        self,
        *,
        stream_id: UUID,
        version: int,
        position: int,
        name: str,
        schema_version: int,
        data: bytes,
        metadata: bytes,
        time: str,
        key: AESGCM | None,
        gone: bool = False,
    ) -> bytes:
        """The line of a stored event; *key* is that of the stream's subject, None: erased, or nothing personal. *gone*:
        the person was erased, and what is personal in this version of the fields was never encrypted.

        Raises Broken if it cannot be read.
        """
        kind = kind_of(name, schema_version)
        subject = to_wire(stream_id)
        try:
            fields: dict[str, Any] = orjson.loads(data)
            personal, lost = opened(kind, self.tenant_id, stream_id, version, schema_version, fields, key, gone)
            if hidden := kind.cls.SECRET - set(lost):
                fields |= dict.fromkeys(hidden)
                personal = without(personal, hidden)
            said: dict[str, Any] = {"fields": fields}
            # The first event of a person says whether there is a key.
            erased = bool(lost) or (key is None and version == 1 and has_sealed(kind, schema_version))
            if lost:
                said["lost"] = lost
            if personal != NOTHING:
                if self.seal is None:
                    said["personal"] = orjson.Fragment(personal)
                else:
                    number = line_number(position, version)
                    said["sealed"] = self.seal.seal(number, place(subject, version), personal)
            said["metadata"] = orjson.loads(metadata)
        except (ValueError, TypeError, AttributeError, InvalidTag) as error:
            where = f"position {position}" if position else f"version {version} of the brokerage's own"
            raise Broken(
                f"The event at {where} cannot be read. 'aureum audit verify' says whether the log was damaged."
            ) from error
        if not position:
            time = moment_text(EPOCH + fields["timestamp"] * MILLISECOND)
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": str(position) if position else f"{subject}.{version}",
            "source": self.source,
            "type": name,
            "subject": subject,
            "time": time,
        }
        if position:
            event["sequence"] = f"{position:0{DIGITS}}"
        event["streamversion"] = version
        event["schemaversion"] = schema_version
        if erased:
            event["erased"] = True
        event["data"] = said
        return orjson.dumps(event, option=NEWLINE)


def special(source: str, name: str, identifier: str, time: str, data: Mapping[str, Any]) -> bytes:
    """A line that is no event of the log."""
    event = {"specversion": "1.0", "id": identifier, "source": source, "type": name, "time": time, "data": data}
    return orjson.dumps(event, option=NEWLINE)


def opened(
    kind: EventType,
    tenant_id: UUID,
    stream_id: UUID,
    version: int,
    schema_version: int,
    fields: dict[str, Any],
    key: AESGCM | None,
    gone: bool,
) -> tuple[bytes, list[str]]:
    """What is personal in *fields*, as JSON, and they are left without it; or the names of what is lost. Raises
    InvalidTag."""
    if not kind.personal:
        return NOTHING, []
    if not has_sealed(kind, schema_version):
        clear = {name: fields.pop(name) for name in kind.personal if fields.get(name) is not None}
        return (NOTHING, list(clear)) if gone else (orjson.dumps(clear), [])
    if schema_version > kind.cls.SEALED_ONE_BY_ONE:
        sealed = fields.pop(TOGETHER, None)
        if sealed is None:
            return NOTHING, []
        if key is None:
            return NOTHING, [
                name for name in kind.personal if name not in fields and name not in later(kind, schema_version)
            ]
        where = field_context(tenant_id, stream_id, stream_id, version, TOGETHER)
        return unseal(key, b64decode(sealed), where), []
    each = {name: fields.pop(name) for name in kind.personal if fields.get(name) is not None}
    if key is None:
        return NOTHING, list(each)
    where = field_context(tenant_id, stream_id, stream_id, version, "")
    values = {name: unseal(key, b64decode(sealed), where + name.encode()) for name, sealed in each.items()}
    return orjson.dumps({name: orjson.Fragment(value) for name, value in values.items()}), []


def later(kind: EventType, schema_version: int) -> set[str]:
    """The fields that came after this version of the fields and have no value in it."""
    return {name for since, names in kind.cls.OPTIONAL_SINCE.items() if since > schema_version for name in names}


def without(personal: bytes, secret: frozenset[str]) -> bytes:
    """What is personal but what is *secret*."""
    known: dict[str, Any] = orjson.loads(personal)
    return orjson.dumps({name: value for name, value in known.items() if name not in secret})


def has_sealed(kind: EventType, schema_version: int) -> bool:
    """Whether what is personal in this version of the fields is encrypted; of tasks it once was not."""
    return bool(kind.personal) and schema_version >= kind.cls.SEALED_SINCE


def without_secrets(event: LoggedEvent) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields and personal fields of *event*, with what stands in the place of secrets that must not be null."""
    fields, personal = event.fields, event.personal or {}
    if event.name == ApiKey.Issued.TOPIC:
        # The hash of no key.
        fields = fields | {"key_hash": secrets.token_hex(32)}
    if replaces_sealed(event):
        blank = dict.fromkeys(event.kind.cls.SECRET, "")
        fields = {name: value for name, value in fields.items() if name not in blank}
        personal = personal | blank
    return fields, personal


def replaces_sealed(event: LoggedEvent) -> bool:
    """Whether what stands in the place of a secret is sealed, too."""
    return event.name == User.TotpEnabled.TOPIC and not event.lost


def stored(event: LoggedEvent, tenant_id: UUID, key: AESGCM | None) -> bytes:
    """The data of *event* as the log keeps it, under the *key* of its subject."""
    if event.kind.personal and not has_sealed(event.kind, event.schema_version):
        return orjson.dumps(event.fields | dict.fromkeys(event.lost, "") | (event.personal or {}))
    fields, personal = (event.fields, {}) if key is None and replaces_sealed(event) else without_secrets(event)
    if event.lost:
        # Nothing opens it: what was personal reads as erased.
        return orjson.dumps(fields | dict.fromkeys(event.lost if event.one_by_one else (TOGETHER,), ""))
    if not personal:
        return orjson.dumps(fields)
    assert key is not None
    where = field_context(tenant_id, event.stream_id, event.stream_id, event.version, "")
    if event.one_by_one:
        sealed = {
            name: b64encode(seal(key, orjson.dumps(value), where + name.encode())).decode()
            for name, value in personal.items()
        }
        return orjson.dumps(fields | sealed)
    return orjson.dumps(fields | {TOGETHER: b64encode(seal(key, orjson.dumps(personal), where)).decode()})


def kind_of(name: str, schema_version: int) -> EventType:
    """How events of that type are stored. Raises Broken for one that this version does not know."""
    kind = REGISTRY.get(name)
    if kind is None or schema_version > kind.schema_version:
        raise Broken(f"this version of Aureum does not know the event type {name!r} in version {schema_version}")
    return kind


def line_number(position: int, version: int) -> int:
    """By which a line is sealed: no two of a file have the same, and none has a number of the first line."""
    return position << 32 if position else 1 << 88 | version


def place(subject: str, version: int) -> bytes:
    """What is authenticated with the sealed fields of an event."""
    return f"{subject}.{version}".encode()


def moment_text(moment: datetime) -> str:
    """A moment to the microsecond, as PostgreSQL writes those of the log."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
