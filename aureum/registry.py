"""What follows from the list of resources, for all who do not need to know any of them."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from aureum.domain.aggregate import events_of
from aureum.domain.errors import Invalid
from aureum.projections.document_list import DocumentList
from aureum.projections.read_model import Exclusive, ReadModel, Versioned
from aureum.resources import RESOURCES

AGGREGATES = {one.aggregate: events_of(one.aggregate) for one in RESOURCES}
"""The closed list of event types. What a row names is looked up here, and nothing else is ever imported for it."""

READ_MODELS = tuple(model for one in RESOURCES for model in one.read_models)

LISTS = tuple(model for model in READ_MODELS if isinstance(model, DocumentList))

VERSIONED = tuple(model for model in READ_MODELS if isinstance(model, Versioned))

TAKEN = {
    index: message for model in READ_MODELS if isinstance(model, Exclusive) for index, message in model.TAKEN.items()
}
"""What a violated unique index means, by its name or the table's."""

EMITTING = tuple((model, model.emits) for model in LISTS if model.emits is not None)
"""The lists whose resources emit webhooks, and what they emit."""

WEBHOOK_EVENTS = tuple(
    dict.fromkeys(name for _, emits in EMITTING if not emits.opt_in for name in emits.names.values())
)
"""The documented events. What reads all events reads these."""

OPT_IN_EVENTS = tuple(dict.fromkeys(name for _, emits in EMITTING if emits.opt_in for name in emits.names.values()))
"""The others: only those who name them hear of them."""

ALL_EVENTS = (*WEBHOOK_EVENTS, *OPT_IN_EVENTS)
"""What endpoints may ask for."""

WEBHOOK_GROUPS = tuple(dict.fromkeys(f"{event.partition('.')[0]}.*" for event in ALL_EVENTS))
"""``lead.*`` and so on: all events of one kind of resource."""


@cache
def read_models_of(event: type) -> tuple[tuple[ReadModel, dict[str, int]], ...]:
    """Those that an event of this class, and all else that happens to its stream, may change; and what each of their
    rows says of the version of the step that has made it."""
    return tuple(
        (model, {"step": model.STEP_VERSION} if isinstance(model, Versioned) else {})
        for model in READ_MODELS
        if issubclass(event, model.EVENTS)
    )


def rows_of(history: Sequence[Any], new: Sequence[Any]) -> dict[str, list[dict[str, Any]]]:
    """By read model, the rows that the *new* events of one stream make, given those before them; each says which
    version of its step has made it."""
    made = {}
    kind: type = type(new[0])
    for model, step in read_models_of(kind):
        rows = [row | step for row in model.rows(history, new)]
        if rows:
            made[model.NAME] = rows
    return made


def check_events(events: Iterable[str]) -> None:
    """Raises Invalid unless *events* are some of ``ALL_EVENTS`` and ``WEBHOOK_GROUPS``."""
    wanted = list(events)
    if not wanted or set(wanted) - {*ALL_EVENTS, *WEBHOOK_GROUPS}:
        raise Invalid("events", f"events must be some of: {', '.join((*ALL_EVENTS, *WEBHOOK_GROUPS))}.")


def check_event(event: str) -> None:
    """Raises Invalid unless *event* is one of ``ALL_EVENTS``."""
    if event not in ALL_EVENTS:
        raise Invalid("event", f"event must be one of: {', '.join(ALL_EVENTS)}.")


def expand(events: Iterable[str]) -> frozenset[str]:
    """The events that *events* stand for: ``lead.*`` for all of a lead's."""
    return frozenset(
        event
        for wanted in events
        for event in ALL_EVENTS
        if event == wanted or f"{event.partition('.')[0]}.*" == wanted
    )
