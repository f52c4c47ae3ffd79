"""The list of read models, in the order in which an append updates them."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

from aureum.projections import (
    api_keys,
    brokerages,
    contact_list,
    lead_counts,
    lead_list,
    property_list,
    subscriber_list,
    task_list,
    tour_list,
    users,
    webhook_endpoints,
    webhook_replays,
)


class ReadModel(Protocol):
    """What each module of this package offers. ``EVENTS`` is the base of the events that it is made of."""

    NAME: str
    APPEND: str
    EVENTS: type

    def rows(self, before: Sequence[Any], new: Sequence[Any]) -> list[dict[str, Any]]: ...


READ_MODELS: tuple[ReadModel, ...] = (
    lead_list,
    lead_counts,
    property_list,
    contact_list,
    task_list,
    tour_list,
    subscriber_list,
    brokerages,
    users,
    api_keys,
    webhook_endpoints,
    webhook_replays,
)


@cache
def read_models_of(event: type) -> tuple[ReadModel, ...]:
    """Those that an event of this class, and whatever else happens to its stream, may change."""
    return tuple(model for model in READ_MODELS if issubclass(event, model.EVENTS))
