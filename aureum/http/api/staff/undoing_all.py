"""``/api/v1/admin/undo``: undoes what a user or a key did between two moments. For owners and platform admins."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool
from starlette.responses import Response

from aureum.commands.api_keys import NO_KEY
from aureum.commands.clock import on_clock
from aureum.commands.undoing_all import Stretch, UndoAll, Undone, key_there, undo_stretch
from aureum.commands.users import NO_USER
from aureum.domain.errors import Invalid, NotFound
from aureum.domain.ids import from_wire, to_wire
from aureum.http.access import named_brokerage
from aureum.http.access.callers import origin
from aureum.http.api.staff.managed import managed_brokerage
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.http.contract.idempotency import Replayed, unless_replayed
from aureum.http.contract.resource import once
from aureum.http.contract.undoing import fields_of
from aureum.http.wire.fields import WireId
from aureum.http.wire.nulls import NULL_IS_ABSENT
from aureum.http.wire.numbers import Number, Whole
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Wire
from aureum.http.wire.times import Time
from aureum.projections import users
from aureum.store.metadata import Actor
from aureum.store.postgres.turns import turn

PATH = "/api/v1/admin/undo"

ONE_OF_TWO = "Send exactly one of user_id and key_id."

Kind = Literal["lead", "contact", "property", "task", "showing", "other"]

KINDS: dict[str, Kind] = {
    "lead": "lead",
    "contact": "contact",
    "property": "property",
    "task": "task",
    "tour": "showing",
}


class UndoAsked(Body):
    """Whose changes are undone, and since when: exactly one of the first two."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"user_id": 12, "from": "2026-11-30T09:00:00Z", "dry_run": True}}
    )

    user_id: Annotated[Number | None, Field(description="The number of the user.")] = None
    key_id: Annotated[WireId | None, Field(description="The id of the API key.")] = None
    since: Annotated[
        Time | None, Field(alias="from", description="Only changes at this moment or later. Default: all.")
    ] = None
    before: Annotated[
        Time | None, Field(alias="to", description="Only changes at this moment or earlier. Default: now.")
    ] = None
    after: Annotated[
        int,
        Whole(0, 2**31 - 1),
        NULL_IS_ABSENT,
        Field(description="The `next` of the response before, to go on."),
    ] = 0
    dry_run: Annotated[StrictBool, NULL_IS_ABSENT, Field(description="Only tell what would be undone.")] = False
    brokerage_id: Annotated[
        named_brokerage.InBody | None,
        Field(description="For platform admins only: the brokerage. Default: their own. Ignored for all other users."),
    ] = None


class UndoneResponse(Shape):
    """A record that was changed."""

    type: Annotated[Kind, Field(description="`other`: users, keys, webhooks and settings, which are left alone.")]
    id: Wire
    undone: Annotated[list[str], Field(description="The fields that have their previous values again.")]
    left: Annotated[list[str], Field(description="The fields that were left alone.")]
    why: Annotated[str | None, Field(description="Why they were left alone, or why the record was.")]


class UndoAllResponse(Shape):
    """What was undone, or would be."""

    undone: Annotated[int, Field(description="The number of records of which something was undone.")]
    records: Annotated[
        list[UndoneResponse],
        Field(description="The records of which something was undone or left alone, in the order of the first change."),
    ]
    next: Annotated[int | None, Field(description="There are more records: send it as `after`. `null` at the end.")]


async def post_undo_all(context: Context, asked: UndoAsked) -> Response:
    """Undoes what a user or an API key changed, record by record, by events of its own. Fields that were changed by
    others since are left alone, and so are records that were created: the response lists them with the reason. A
    request goes through up to 50 records; send `next` as `after` until it is `null`. Undoing it again has no further
    effect."""
    tenant_id, _ = await managed_brokerage(context, asked.brokerage_id)
    store, about = context.app.store, origin(context.request, context.caller)
    undo = await undo_of(context, tenant_id, asked)
    remember = await once(context, body, tagged=False, tenant_id=tenant_id)
    if asked.dry_run:
        return answer(body(await undo_stretch(store, undo, about, rehearsed=True, after=asked.after)))
    # Twins of a request would each find undone what the other one has just undone, and say that nothing was.
    async with turn(store.database, tenant_id, "undo"):
        await unless_replayed(store, tenant_id, remember)
        found = await undo_stretch(store, undo, about, rehearsed=False, after=asked.after)
        kept = None if remember is None else await store.remember(tenant_id, found, remember, about)
    if kept is not None:
        raise Replayed(kept)
    return answer(body(found))


async def undo_of(context: Context, tenant_id: UUID, asked: UndoAsked) -> UndoAll:
    """What is to be undone. Raises Invalid, NotFound."""
    if (asked.user_id is None) == (asked.key_id is None):
        raise Invalid("user_id", ONE_OF_TWO)
    since, before = await on_clock(context.app.database, tenant_id, asked.since, asked.before)
    actor = await actor_of(context, tenant_id, asked)
    return UndoAll(tenant_id=tenant_id, actor=actor, since=since, before=before)


async def actor_of(context: Context, tenant_id: UUID, asked: UndoAsked) -> Actor:
    """Whose changes they are: of a user or a key of the brokerage, disabled and revoked ones as well."""
    if asked.key_id is not None:
        key_id = from_wire(asked.key_id)
        if key_id is None or not await key_there(context.app.store, tenant_id, key_id):
            raise NotFound(NO_KEY)
        return Actor("key", to_wire(key_id))
    for of, user_id in await context.app.database.rows(users.DIRECTORY, {"number": asked.user_id}):
        if of == tenant_id:
            return Actor("user", to_wire(user_id))
    raise NotFound(NO_USER)


def body(found: Stretch) -> bytes:
    """As the Leads API says it."""
    return encoded(
        {
            "undone": sum(bool(one.back) for one in found.outcomes),
            "records": [record(one) for one in found.outcomes],
            "next": found.next,
        }
    )


def record(one: Undone) -> dict[str, Any]:
    """One record, with its fields as the Aureum API calls them."""
    return {
        "type": KINDS.get(one.kind, "other"),
        "id": to_wire(one.stream_id),
        "undone": fields_of(one.back),
        "left": fields_of(one.left),
        "why": one.why or None,
    }


ENDPOINTS = (
    Endpoint(
        "POST",
        PATH,
        post_undo_all,
        "Undo what a user or a key changed",
        access=STAFF,
        dialect="leads",
        body=UndoAsked,
        answers=UndoAllResponse,
        refusals=(400, 403, 404, 409),
    ),
)
