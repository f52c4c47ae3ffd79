"""What the bodies of webhooks look like, for the OpenAPI document: ``data`` is the resource that the event is about."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel, create_model

from aureum.http.api.of_resources import shown
from aureum.http.wire.shapes import ChangeResponse, Shape, Timestamp
from aureum.projections.emits import Emits
from aureum.registry import EMITTING
from aureum.resources import RESOURCES

MessageId = Annotated[str, Field(pattern="^(msg|test)_[0-9a-z]{25}_[1-9][0-9]*$")]
Changes = Annotated[
    dict[str, ChangeResponse] | None,
    Field(description="With `*.updated` only: every field that changed, with its value before and after."),
]


def happened(kind: str, events: Sequence[str]) -> str:
    """``A lead was created or changed``."""
    verbs = (event.partition(".")[2].replace("updated", "changed") for event in events)
    return f"A {kind} was {' or '.join(verbs)}"


def model_of(data: Any, emits: Emits) -> type[Shape]:
    """The body of the messages about one kind of resource, whose ``data`` is *data*."""
    events = tuple(dict.fromkeys(emits.names.values()))
    kind = events[0].partition(".")[0]
    fields: dict[str, Any] = {
        "event": (Literal[events], ...),
        "timestamp": (Timestamp, ...),
        "data": (data, ...),
        "id": (MessageId, ...),
        "sequence": (int, ...),
    }
    if any(event.endswith(".updated") for event in events):
        fields["changes"] = (Changes, None)
    model: type[Shape] = create_model(
        f"{kind.title()}Message", __base__=Shape, __module__=__name__, __doc__=f"{happened(kind, events)}.", **fields
    )
    return model


MODELS: Mapping[str, type[Shape]] = {
    model.table: model_of(shown(next(one for one in RESOURCES if model in one.read_models)), emits)
    for model, emits in EMITTING
}

MESSAGES: dict[str, type[Shape]] = {
    event: MODELS[model.table] for model, emits in EMITTING for event in dict.fromkeys(emits.names.values())
}
"""The model of each event's body."""

AnyMessage: Any = reduce(or_, MODELS.values())


class MessageResponse(RootModel[Annotated[AnyMessage, Field(discriminator="event")]]):
    """The body of a webhook."""
