"""What each step makes of one event of every type: a file for each list and version of its step.

    python -m tests.projections.steps

writes those that are missing, for steps whose version was raised, and adds to a file what its step makes of new types
of events. It changes nothing that a file has: other rows of the same events are another version.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_type_hints
from uuid import UUID

import orjson

from aureum.domain.aggregate import Created, events_of
from aureum.domain.lead_events import DETAILS
from aureum.domain.template_roles import role_id
from aureum.projections.document_list import DocumentList
from aureum.registry import LISTS
from aureum.store.mapper import REGISTRY
from tests.store.golden_files import example, made

DIRECTORY = Path(__file__).parent / "golden"
STREAM_ID = UUID("01890000-0000-7000-8000-000000000002")
FIRST = UUID("01890000-0000-7000-8000-0000000000ff")
"""A part of an aggregate: a document or a recipient of an envelope."""

VALID: dict[str, dict[str, Any]] = {
    "lead": {"details": {name: f"other {name}" for name in DETAILS}},
    "property": {
        "status": "PENDING",
        "price": "450000.1",
        "bedrooms": "3",
        "bathrooms": "2.5",
        "sqft": "1800",
        "details": {"price": "9", "title": "Other", "mls_id": "7", "is_featured": False},
    },
    "task": {
        "due_date": "2025-03-01T00:00:00.000Z",
        "details": {"title": "Other", "lead_id": None, "due_date": "2025-02-01T00:00:00.000Z"},
    },
    "contact": {
        "changes": {"type": "VENDOR", "score": 7, "tags": ["vip"]},
        "type": "BUYER",
        "gained": {"email": "other@example.com", "other_phones": [["555", None]]},
        "restored": {"email": None, "other_phones": []},
        "others": (STREAM_ID.hex,),
    },
    "envelope": {
        "document_id": FIRST,
        "recipient_id": FIRST,
        "settings": {"lead_id": STREAM_ID.hex, "in_order": False, "deadline_days": 9},
        "texts": {"subject": "Other", "message": None},
        "fields": [
            {
                **dict.fromkeys(("label", "page", "x", "y", "width", "height")),
                **{"id": FIRST.hex, "recipient_id": FIRST.hex, "document_id": FIRST.hex},
                **{"kind": "signature", "required": True, "anchor": "/sig/"},
            }
        ],
        "deadline": "2025-03-01T00:00:00.000Z",
        "retain_until": "2032-03-01T00:00:00.000Z",
        "purge_at": "2025-04-01T00:00:00.000Z",
    },
    "envelope_template": {
        "document_id": FIRST,
        "roles": [{"name": "buyer", "role": "signer", "order": 1}, {"name": "witness", "role": "copy", "order": 2}],
        "settings": {"in_order": False, "deadline_days": 9},
        "texts": {"subject": "Other", "message": None},
        "fields": [
            {
                **dict.fromkeys(("label", "page", "x", "y", "width", "height")),
                **{"id": FIRST.hex, "recipient_id": role_id("buyer").hex, "document_id": FIRST.hex},
                **{"kind": "signature", "required": True, "anchor": "/sig/"},
            }
        ],
    },
    "subscriber": {"since": "2024-01-01T00:00:00.000Z", "consented_at": "2024-02-01T00:00:00.000Z"},
    "tour": {
        "starts_at": "2025-03-09T16:00:00.000Z",
        "details": {"email": "other@example.com", "property_id": STREAM_ID.hex},
    },
}
"""Where any text will not do, by kind of aggregate."""


def event(model: DocumentList, kind: type, version: int) -> Any:
    """An event of this type, each of whose fields has a value of its own."""
    described = REGISTRY[kind.TOPIC]  # type: ignore[attr-defined]  # events have one
    hints = get_type_hints(kind)
    valid = VALID.get(model.kind, {})
    fields = {name: valid.get(name, example(name, hints[name])) for name in described.fields}
    at = datetime(2025, 1, 15, 10, 30, version, tzinfo=UTC)
    return made(described, fields, originator_id=STREAM_ID, originator_version=version, timestamp=at)


def streams(model: DocumentList) -> Iterator[tuple[str, list[Any]]]:
    """Every first event, alone and with each of the others behind it."""
    kinds = events_of(model.aggregate)
    for first in (kind for kind in kinds if issubclass(kind, Created)):
        begun = event(model, first, 1)
        yield first.TOPIC, [begun]
        for later in (kind for kind in kinds if not issubclass(kind, Created)):
            yield f"{first.TOPIC} {later.TOPIC}", [begun, event(model, later, 2)]


def rows(model: DocumentList) -> Any:
    """The rows of these streams, as the append stores them."""
    return orjson.loads(orjson.dumps({name: model.rows((), events) for name, events in streams(model)}))


def path(model: DocumentList) -> Path:
    return DIRECTORY / f"{model.table}.v{model.step_version}.json"


if __name__ == "__main__":
    DIRECTORY.mkdir(exist_ok=True)
    for model in LISTS:
        known = orjson.loads(path(model).read_bytes()) if path(model).exists() else {}
        if rows(model).keys() - known.keys():
            path(model).write_bytes(orjson.dumps(rows(model) | known, option=orjson.OPT_INDENT_2) + b"\n")
            print(f"wrote {path(model)}")
