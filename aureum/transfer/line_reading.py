"""Reads the event that a line of an exported file stands for: one that the log can keep and histories can show, or
Broken."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict

from aureum.domain.ids import from_wire
from aureum.store.mapper import TOGETHER
from aureum.transfer.lines import Broken, LoggedEvent, kind_of, line_number, place
from aureum.transfer.sealing import LineSeal, WrongPassphrase

LAST_POSITION = (1 << 53) - 1

LINE_LIMIT = 16 * 1024 * 1024
"""Bytes in a line: more than any event has."""


class Known(BaseModel):
    """An actor with an id: a wire id, or a name of the system."""

    model_config = ConfigDict(strict=True)

    type: Literal["user", "key", "system", "client"]
    id: str


class Visitor(BaseModel):
    """An actor without an id."""

    model_config = ConfigDict(strict=True)

    type: Literal["visitor"]
    id: None


class Caused(BaseModel):
    """What histories and erasures read of an event's metadata (``aureum/store/metadata.py``)."""

    model_config = ConfigDict(strict=True)

    actor: Known | Visitor
    command: str
    request: str
    correlation: str
    causation: str
    undoes: int | None = None


def read_event(line: Mapping[str, Any], source: str, seal: LineSeal | None) -> LoggedEvent:
    """The event of a line. Raises Broken, WrongPassphrase."""
    try:
        subject, name, said = line["subject"], line["type"], line["data"]
        stream_id = from_wire(subject)
        version, schema_version = whole(line["streamversion"]), whole(line["schemaversion"])
        position = whole(int(line["sequence"]), LAST_POSITION) if "sequence" in line else 0
        if stream_id is None or line["source"] != source or line["specversion"] != "1.0":
            raise Broken("it is not an event of this brokerage")
        kind = kind_of(str(name), schema_version)
        fields, personal = said["fields"], said.get("personal")
        # An address in it is sealed with a key that stays on the other installation.
        metadata = {name: value for name, value in said["metadata"].items() if name != "address"}
        if "sealed" in said:
            if seal is None:
                raise Broken("its personal fields are sealed, but the file is not")
            number = line_number(position, version)
            personal = orjson.loads(seal.open(number, place(subject, version), said["sealed"]))
        event = LoggedEvent(
            stream_id=stream_id,
            version=version,
            position=position,
            kind=kind,
            schema_version=schema_version,
            time=datetime.fromisoformat(line["time"]).astimezone(UTC),
            fields=fields,
            personal=personal,
            lost=tuple(said.get("lost", ())),
            metadata=orjson.dumps(metadata),
            erased=line.get("erased", False) is True,
        )
        Caused.model_validate(metadata)
        check(event)
    except (Broken, WrongPassphrase):
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Broken("it is not an event as 'aureum export' writes it") from error
    return event


def check(event: LoggedEvent) -> None:
    """Raises Broken unless *event* has the shape that the log needs."""
    personal = event.personal
    if not isinstance(event.fields, dict) or not isinstance(personal, dict | None):
        raise Broken("its data is not as 'aureum export' writes it")
    if TOGETHER in event.fields or type(event.fields.get("timestamp")) is not int:
        raise Broken("its fields are not as 'aureum export' writes them")
    apart = {*(personal or ()), *event.lost}
    if apart - set(event.kind.personal) or apart & set(event.fields) or (personal and event.erased):
        raise Broken("its personal fields are not those of its type")


def whole(value: Any, most: int = (1 << 31) - 1) -> int:
    """A whole number from 1 to *most*. Raises Broken."""
    if type(value) is not int or not 1 <= value <= most:
        raise Broken("a number in it is not a whole number from 1 on")
    return value
