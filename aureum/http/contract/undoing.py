"""Undoing a change of one resource: the same for all kinds of them."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field
from starlette.responses import Response

from aureum.commands.undoing import Undo, undo_save
from aureum.domain.aggregate import Aggregate
from aureum.domain.undoing import ACTIVITY
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.resource import run_once
from aureum.http.wire.numbers import Whole
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape

NAMES = {
    "schedule": ("preferredDate", "preferredTime", "startsAt", "timeZone"),
    "mls": ("mls", "mlsId"),
    "assigned_to": ("assignedToId",),
    "zip_code": ("zip",),
}
"""What the parts of resources are called in the Aureum API, where that is not their own name in its spelling."""


class UndoBody(Body):
    """The change to undo."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"version": 2}})

    version: Annotated[
        int,
        Whole(1, 2**31 - 1),
        Field(description="A version of the resource, from its history. All that was saved with it is undone."),
    ]


class UndoResponse(Shape):
    """What was undone. Both lists are empty if the change was undone before."""

    version: Annotated[int, Field(description="The version of the resource afterwards.")]
    undone: Annotated[list[str], Field(description="The fields that have their previous values again.")]
    left: Annotated[list[str], Field(description="The fields that were left alone, because they changed since.")]


def fields_of(parts: Sequence[str]) -> list[str]:
    """The fields of the Aureum API that *parts* are, each once."""
    found: list[str] = []
    for part in parts:
        if part.startswith(ACTIVITY):
            found.append("activities")
        else:
            found += NAMES.get(part, (spelled(part),))
    return list(dict.fromkeys(found))


def spelled(name: str) -> str:
    """``first_name`` → ``firstName``."""
    first, *others = name.split("_")
    return first + "".join(one.capitalize() for one in others)


async def post_undo(
    kind: type[Aggregate], missing: str, context: Context, stream_id: UUID, asked: UndoBody
) -> Response:
    """Undoes the save that made this version: fields get the values that they had before, notes and calls that were
    logged are removed, and removed ones are logged again. Fields that changed since are left alone; if all did, or
    there is no such version yet, the answer is 409. The change is undone by events of its own, which the history and
    webhooks show as an ordinary update. Undoing it again has no further effect."""
    told: dict[str, Any] = {"undone": [], "left": []}

    def tell(back: Sequence[str], left: Sequence[str]) -> None:
        told.update(undone=fields_of(back), left=fields_of(left))

    def body(aggregate: Aggregate) -> bytes:
        return encoded({"version": aggregate.version, **told})

    undo = Undo(
        tenant_id=context.tenant_id,
        stream_id=stream_id,
        kind=kind,
        missing=missing,
        version=asked.version,
        visible_to=context.caller.visible_to,
    )
    return await run_once(context, partial(undo_save, context.app.store, undo, tell=tell), body)


def undo_endpoint(path: str, kind: type[Aggregate], missing: str, name: str) -> Endpoint:
    """``POST {path}/{id}/undo`` of a *kind* of resources, which are called *name*."""

    async def run(context: Context, stream_id: UUID, asked: UndoBody) -> Response:
        return await post_undo(kind, missing, context, stream_id, asked)

    run.__name__, run.__doc__ = f"undo_{name}", post_undo.__doc__
    return Endpoint(
        "POST",
        f"{path}/{{id}}/undo",
        run,
        f"Undo a change of a {name}",
        id=Id(missing),
        body=UndoBody,
        answers=UndoResponse,
    )
