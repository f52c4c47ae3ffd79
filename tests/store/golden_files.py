"""One file for each event type and version of its fields: bytes as they were stored once, and the event they must give.

    python -m tests.store.golden_files

writes those that are missing, for event types whose fields are new. It changes no file that is there: what has been
stored once must be readable for ever.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_type_hints
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.store.mapper import REGISTRY, EventMapper, EventType

DIRECTORY = Path(__file__).parent / "golden"

TENANT_ID = UUID("01890000-0000-7000-8000-000000000001")
STREAM_ID = UUID("01890000-0000-7000-8000-000000000002")
VERSION = 3
KEY = b"a subject's key for golden files"
AT = datetime(2025, 1, 15, 10, 30, 0, 123_000, tzinfo=UTC)


def example(name: str, kind: Any) -> Any:
    """A value for the field *name*, of each type that fields have."""
    examples: dict[Any, Any] = {
        str: f"Zoë's {name}",
        str | None: f"{name}@example.com",
        int: len(name),
        int | None: len(name),
        bool: True,
        UUID: UUID(bytes=name.encode().ljust(16, b"\0")[:16]),
        UUID | None: UUID(bytes=name.encode().ljust(16, b"\0")[:16]),
        tuple[str, ...]: (name, "and more"),
        list[int]: [len(name), 0],
        dict[str, Any]: {"price": "450000.1", "tags": [name, "and more"], "isFeatured": True, "zip": None},
        dict[str, Any] | None: {"score": 0.75, "because": [name, None, True]},
        list[list[str]] | None: [[f"Zoë's {name}", "and more"]],
        list[str]: [name, "and more"],
        list[list[float]]: [[612.0, 792.0], [595.5, 842.0]],
        list[dict[str, Any]]: [{"id": "018900000000700080000000000000ff", "sha256": name, "bytes": 3}],
        dict[str, str]: {"018900000000700080000000000000ff": f"Zoë's {name}"},
        list[dict[str, str]]: [{"url": f"https://example.com/{name}.jpg", "alt": f"Zoë's {name}"}],
        list[dict[str, str | None]]: [{"date": "2027-03-12", "label": f"Zoë's {name}", "note": None}],
        dict[str, str | None]: {"email": f"{name}@example.com", "phone": None},
        dict[str, str | bool | None]: {"price": "450000.1", "isFeatured": True, "zip": None},
        dict[str, str | int | list[str]]: {"score": 7, "tags": [name, "and more"]},
    }
    return examples[kind]


def path(name: str, schema_version: int) -> Path:
    return DIRECTORY / f"{name}.v{schema_version}.json"


def golden_mapper() -> EventMapper:
    """The mapper that reads the files."""
    key = AESGCM(KEY)
    return EventMapper(TENANT_ID, lambda _: key)


def made(kind: EventType, fields: dict[str, Any], **envelope: Any) -> Any:
    """An event of *kind*."""
    if kind.aggregate_topic is not None:
        envelope["originator_topic"] = kind.aggregate_topic
    return kind.cls(**envelope, **fields)


def readable(event: Any) -> dict[str, Any]:
    """The event's fields, as they stand in a file. Where the aggregate's class lives is no part of them."""
    fields: dict[str, Any] = orjson.loads(orjson.dumps(vars(event)))
    fields.pop("originator_topic", None)
    return fields


def missing() -> Iterator[EventType]:
    """The types without a file for the present version of their fields."""
    return (kind for name, kind in REGISTRY.items() if not path(name, kind.schema_version).exists())


def write(kind: EventType) -> None:
    hints = get_type_hints(kind.cls)
    fields = {name: example(name, hints[name]) for name in kind.fields}
    event = made(kind, fields, originator_id=STREAM_ID, originator_version=VERSION, timestamp=AT)
    content = {
        "data": golden_mapper().to_stored_event(event).state.decode(),
        "event": readable(event),
    }
    path(kind.cls.TOPIC, kind.schema_version).write_bytes(
        orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )


if __name__ == "__main__":
    for one in missing():
        write(one)
        print(path(one.cls.TOPIC, one.schema_version).name)
