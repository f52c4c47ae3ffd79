"""A sample of each event, for tests of endpoints: what the API document shows, in the shape of the real resources."""

from aureum.projections.changes import changes
from aureum.projections.document_list import Row
from aureum.registry import EMITTING


def sample(event: str) -> tuple[Row, Row | None]:
    """``data`` of the sample of *event*; and ``changes``, which only ``*.updated`` have."""
    emits = next(emits for _, emits in EMITTING if event in emits.names.values())
    created = dict(emits.sample)
    shown = created | dict(emits.changed.get(event, {}))
    return shown, changes(created, shown) if event.endswith(".updated") else None
