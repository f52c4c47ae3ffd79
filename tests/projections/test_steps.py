"""A step that makes other rows of the same events has another version: else old rows were served as if new."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest

from aureum.domain.aggregate import Created, events_of
from aureum.projections import lead_counts
from aureum.projections.document_list import DocumentList
from aureum.registry import LISTS
from aureum.store.mapper import REGISTRY
from tests.projections.steps import event, path, rows

EACH = pytest.mark.parametrize("model", LISTS, ids=lambda model: str(model.table))

RAISE = (
    "The step of {table} makes other rows than before: raise its step_version, so that 'aureum migrate' rebuilds "
    "those that are there, and then run: python -m tests.projections.steps"
)
WRITE = "Run: python -m tests.projections.steps"

NOT_KEPT: dict[str, set[str]] = {
    "envelope_list": {"template_id"},
    "property_list": {"created_by"},
    "contact_list": {"created_by"},
    "tour_list": {"local_start", "source", "source_domain"},
    "subscriber_list": {"source_page", "consent_text", "address", "user_agent", "digest"},
    "conversation_list": {"begun_by"},
    "shortlists": {"begun_by"},
    "key_dates": {"begun_by"},
}
"""What an event says that its list does not need."""

NOT_THE_AGGREGATES = {"since", "consented_at"}
"""What an event says that decides nothing later."""


@EACH
def test_the_version_says_what_the_step_makes(model: DocumentList) -> None:
    assert path(model).exists(), WRITE
    assert rows(model) == orjson.loads(path(model).read_bytes()), RAISE.format(table=model.table)


def test_the_counts_too() -> None:
    """They have no rows by event: what they make of each type stands here."""
    assert lead_counts.STEP_VERSION == 2
    lead = next(model for model in LISTS if model.table == "lead_list")
    made = {kind.TOPIC: lead_counts.rows((), [event(lead, kind, 2)]) for kind in events_of(lead.aggregate)}
    counted = {topic: [(row["status"], row["leads"]) for row in some] for topic, some in made.items() if some}
    assert counted == {
        "lead.captured": [("Zoë's status", 1)],
        "lead.status_changed": [("Zoë's previous", -1), ("Zoë's status", 1)],
        "lead.suspected": [("Zoë's status", -1), ("suspect Zoë's status", 1)],
        "lead.cleared": [("Zoë's status", 1), ("suspect Zoë's status", -1)],
        "lead.erased": [("suspect Zoë's status", -1)],
    }


def another(value: Any) -> Any:
    """A value of the same type."""
    match value:
        case bool():
            return not value
        case "PENDING":
            return "SOLD"
        case str() if value[0].isdigit() and "T" not in value:
            return value + "1"
        case str():
            year = value[:4]
            return str(int(year) - 1) + value[4:] if year.isdecimal() else value + "x"
        case int():
            return value + 1
        case UUID():
            return UUID(int=1)
    return type(value)()


@EACH
def test_no_field_of_an_event_is_forgotten(model: DocumentList) -> None:
    """Every field of the event that begins a stream makes another row, unless the list does not need it; and is the
    aggregate's."""
    for kind in (kind for kind in events_of(model.aggregate) if issubclass(kind, Created)):
        begun = event(model, kind, 1)
        for name in REGISTRY[kind.TOPIC].fields:
            other = replace(begun, **{name: another(getattr(begun, name))})
            kept = model.rows((), [other]) != model.rows((), [begun])
            assert kept != (name in NOT_KEPT.get(model.table, set())), name
            assert getattr(begun.mutate(None), name, None) == getattr(begun, name) or name in NOT_THE_AGGREGATES, name
