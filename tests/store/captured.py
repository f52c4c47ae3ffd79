"""A stored event of a lead, sealed as now or as it was before."""

from base64 import b64decode, b64encode
from typing import Any, cast
from uuid import UUID

import orjson
import pytest
from eventsourcing.persistence import StoredEvent

from aureum.domain import ids
from aureum.store.cipher import field_context, seal, unseal
from aureum.store.mapper import (
    REGISTRY,
    TOGETHER,
    join_topic,
    split_topic,
)
from tests.store.mapping import KEY, mapper
from tests.stores import new_lead

NEWEST = REGISTRY["lead.captured"].schema_version


def captured() -> StoredEvent:
    return mapper().to_stored_event(new_lead().pending_events[0])


def with_fields(stored: StoredEvent, **fields: Any) -> StoredEvent:
    state = orjson.dumps(orjson.loads(stored.state) | fields)
    return StoredEvent(stored.originator_id, stored.originator_version, stored.topic, state)


def sealed_one_by_one(stored: StoredEvent, tenant_id: UUID = ids.PLATFORM) -> StoredEvent:
    """The same event as it was stored when each personal field was sealed by itself."""
    name, schema_version = split_topic(stored.topic)
    fields = orjson.loads(stored.state)
    stream_id, version = cast(UUID, stored.originator_id), stored.originator_version
    context = field_context(tenant_id, stream_id, stream_id, version, "")
    together = orjson.loads(unseal(KEY, b64decode(fields.pop(TOGETHER)), context))
    for field, value in together.items():
        sealed = seal(KEY, orjson.dumps(value), context + field.encode())
        fields[field] = b64encode(sealed).decode()
    before = REGISTRY[name].cls.SEALED_ONE_BY_ONE if name in REGISTRY else schema_version - 1
    return StoredEvent(stream_id, version, join_topic(name, before), orjson.dumps(fields))


BOTH_FORMS = pytest.mark.parametrize("form", [lambda stored: stored, sealed_one_by_one], ids=["together", "one by one"])
