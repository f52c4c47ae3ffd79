"""Creating many resources with one request: up to a hundred rows, an outcome for each, one append.

A row is what a single POST takes as its body, and it is refused for the same reasons with the same words. A row that is
refused does not keep the others from being made. The request as a whole counts once against the limit of a key.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

import orjson
from pydantic import BaseModel, Field
from starlette.responses import Response

from aureum.commands.batches import Outcome, append_rows
from aureum.http.access.callers import origin
from aureum.http.contract.answers import answer
from aureum.http.contract.endpoint import Context, Endpoint, dated
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.resource import once
from aureum.http.wire.error_codes import CODES
from aureum.http.wire.errors import InvalidRequest, code_of, render
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape
from aureum.http.wire.validation import validate
from aureum.store.event_store import Decided

MOST_ROWS = 100

DOC = """Creates up to {most} {names} with one request, and returns an outcome for each row: the new resource, or the
reason why the row was refused. A refused row does not affect the others. All accepted rows are saved together. The
request counts once against the rate limit. Webhooks are sent for each new resource."""

Row = TypeVar("Row", bound=BaseModel)
Shown = TypeVar("Shown")


class Batch(Body):
    """Resources to create. Each row has the fields of a single POST."""

    rows: Annotated[
        list[dict[str, Any]],
        Field(
            min_length=1,
            max_length=MOST_ROWS,
            description=f"Up to {MOST_ROWS} rows, each with the fields of the body of a single POST.",
        ),
    ]


class RowRefused(Shape):
    """A refused row, with the error that a single POST would return."""

    status: Annotated[int, Field(description="The status that a single POST would return.")]
    error: Annotated[str, Field(description="The error message, for people.")]
    code: Annotated[str, Field(description="The error code.")]
    fields: Annotated[dict[str, str] | None, Field(description="Every invalid field, with its own message.")] = None


class RowMade(Shape, Generic[Shown]):
    """A row that was created."""

    status: Literal[201]
    body: Annotated[Shown, Field(description="The new resource.")]


class BatchResponse(Shape, Generic[Shown]):
    """What became of the rows, in their order."""

    made: Annotated[int, Field(description="The number of rows that were created.")]
    refused: Annotated[int, Field(description="The number of rows that were refused.")]
    rows: Annotated[
        list[RowMade[Shown] | RowRefused],
        Field(description="The outcomes, in the order of the rows. `status` is 201 for a row that was created."),
    ]


def batch_endpoint(
    path: str,
    batch: type[Batch],
    model: type[Row],
    shown: Any,
    decide: Callable[[Context, Sequence[Row]], Awaitable[Sequence[Outcome]]],
    body: Callable[[Context, Any], bytes],
    *,
    command: str,
    names: str,
) -> Endpoint:
    """``POST {path}/batch``: *batch* is its body, *model* a row, *decide* makes aggregates of validated rows, *body*
    shows one. *names* is what the resources are called."""

    async def run(context: Context, asked: Batch) -> Response:
        return await respond(context, asked.rows, model, decide, body, command)

    run.__name__ = f"post_{names}_batch"
    run.__doc__ = DOC.format(most=MOST_ROWS, names=names)
    return Endpoint("POST", f"{path}/batch", run, f"Create many {names}", body=batch, answers=BatchResponse[shown])


async def respond(
    context: Context,
    sent: Sequence[dict[str, Any]],
    model: type[Row],
    decide: Callable[[Context, Sequence[Row]], Awaitable[Sequence[Outcome]]],
    body: Callable[[Context, Any], bytes],
    command: str,
) -> Response:
    """Validate each row, decide the valid ones together, append them, and tell all outcomes."""
    valid, refused = await validated(context, sent, model)

    def told(outcomes: Sequence[Outcome]) -> bytes:
        return outcomes_in_order(len(sent), refused, iter(outcomes), lambda made: body(context, made))

    remember = await once(context, told, tagged=False)
    outcomes, appended = await append_rows(
        context.app.store,
        context.tenant_id,
        lambda: decide(context, valid),
        command=command,
        origin=origin(context.request, context.caller),
        idempotency=remember,
    )
    if appended.remembered is not None:
        raise Replayed(appended.remembered)
    return answer(told(outcomes))


async def validated(
    context: Context, sent: Sequence[dict[str, Any]], model: type[Row]
) -> tuple[list[Row], dict[int, Exception]]:
    """The rows that are valid, and by its place why each other one is not."""
    valid: list[Row] = []
    refused: dict[int, Exception] = {}
    for place, row in enumerate(sent):
        try:
            valid.append(await dated(context.request, context.caller, validate(model, row)))
        except InvalidRequest as error:
            refused[place] = error
    return valid, refused


def outcomes_in_order(count: int, refused: dict[int, Exception], decided: Any, body: Callable[[Any], bytes]) -> bytes:
    """The answer. *decided* are the outcomes of the rows that are not *refused* by their places."""
    rows: list[Any] = []
    made = 0
    for place in range(count):
        outcome = refused.get(place) or next(decided)
        if isinstance(outcome, Decided):
            made += 1
            rows.append({"status": 201, "body": orjson.Fragment(body(outcome.aggregate))})
        else:
            _, _, said = render(outcome, "aureum")
            rows.append({"status": CODES[code_of(outcome)].status} | orjson.loads(said))
    return orjson.dumps({"made": made, "refused": count - made, "rows": rows})
