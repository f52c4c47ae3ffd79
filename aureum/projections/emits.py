"""What webhooks are sent of a resource, declared with its list: what each type of its events is called there, and a
sample of the message for those who test their endpoints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aureum.domain.ids import to_wire

AT = "2025-01-15T10:30:00.000Z"
TIMES = {"createdAt": AT, "updatedAt": AT}
A_LEAD, A_CONTACT, A_PROPERTY, A_SHOWING, A_TASK, AN_AGENT = (
    to_wire(UUID(f"01946962-6140-7000-8000-00000000000{number}")) for number in range(1, 7)
)
"""Of the samples, which name each other."""


@dataclass(frozen=True)
class Emits:
    """*names* by type of event: a type without a name changes the resource and sends nothing by itself. *sample* is the
    resource as it was created, *changed* what the events that are not its first made of it, by name. *apart* is what is
    emitted by itself, even if the same save holds more. With *opt_in*, only endpoints that name these events hear of
    them. *data* is what is told of the resource and of the event that has the name; by itself the whole resource.
    *beside* tells what an event changed that the resource is not shown with."""

    names: Mapping[str, str]
    sample: Mapping[str, Any]
    changed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    apart: str = ""
    opt_in: bool = False
    data: Callable[[Mapping[str, Any], Any], Mapping[str, Any]] = lambda doc, _: doc
    beside: Callable[[Any], Mapping[str, Any]] = lambda _: {}
