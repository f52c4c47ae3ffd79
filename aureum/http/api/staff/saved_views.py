"""``/api/me/views``: lists that a user has saved, as they are filtered and sorted. Only the user sees and
changes them."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field
from starlette.responses import Response

from aureum.commands.saved_views import SaveView, remove_view, save_view
from aureum.domain import ids
from aureum.domain.errors import NotFound
from aureum.domain.ids import to_wire
from aureum.domain.saved_view import NO_VIEW
from aureum.domain.user import User
from aureum.http.access.callers import origin
from aureum.http.api.staff.me import caller
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.contract.resource import NOT_YET, AsOf, answered, expected_versions, run_once, unless_known
from aureum.http.wire.characters import Characters
from aureum.http.wire.nulls import NOT_NULL
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Wire

PATH = "/api/me/views"

Name = Annotated[str, Characters(limit=100, lines=False, blank=False), Field(description="What you call it.")]
Page = Annotated[Literal["leads"], Field(description="Which list it is.")]
Query = Annotated[
    str,
    Characters(limit=1_000, lines=False, blank=False),
    Field(description="The query of the list's address in the panel, without `?`."),
]


class ViewCreate(Body):
    """A view to save."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"example": {"name": "New and unassigned", "page": "leads", "query": "status=new"}},
    )

    name: Name
    page: Page
    query: Query


class ViewChange(Body):
    """The fields to change. Fields that are left out keep their value."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"name": "New leads"}})

    name: Annotated[Name, NOT_NULL]
    query: Annotated[Query, NOT_NULL]


class ViewResponse(Shape):
    """A saved view."""

    id: Wire
    name: str
    page: Page
    query: str


def shown(view: str, user: User) -> dict[str, Any]:
    """A view on the wire. Raises NotFound."""
    if view not in user.views:
        raise NotFound(NO_VIEW)
    return {"id": view, **user.views[view]._asdict()}


def body(view: str, user: User) -> bytes:
    """The same, encoded."""
    return encoded(shown(view, user))


async def own(context: Context, as_of: AsOf | None = None) -> User:
    """The user who asks, as of a moment if one is given. Raises NotFound."""
    stream = await context.app.store.load(context.tenant_id, caller(context))
    user = stream.aggregate(None if as_of is None else as_of.as_of)
    if not isinstance(user, User):
        raise NotFound(NOT_YET)
    return user


async def get_views(context: Context) -> Response:
    """Lists the user's saved views in the order in which they were saved."""
    user = await own(context)
    return unless_known(context, encoded([shown(view, user) for view in user.views]), user.version)


async def get_view(context: Context, view_id: UUID, as_of: AsOf) -> Response:
    """Returns a saved view, or its state at ``asOf``."""
    user = await own(context, as_of)
    return unless_known(context, body(to_wire(view_id), user), user.version)


async def post_view(context: Context, new: ViewCreate) -> Response:
    """Saves a view. A user keeps up to 50 of them."""
    view = to_wire(ids.new_id())
    command = SaveView(
        tenant_id=context.tenant_id,
        user_id=caller(context),
        view=view,
        name=new.name,
        page=new.page,
        query=new.query,
        made=True,
    )
    return await run_once(context, partial(save_view, context.app.store, command), partial(body, view), 201)


async def patch_view(context: Context, view_id: UUID, change: ViewChange) -> Response:
    """Changes the fields that are sent, and returns the view. Send ``If-Match`` with the ETag to avoid overwriting
    another change."""
    sent = change.model_dump(exclude_unset=True)
    view = to_wire(view_id)
    command = SaveView(
        tenant_id=context.tenant_id,
        user_id=caller(context),
        view=view,
        name=sent.get("name"),
        query=sent.get("query"),
        expected_versions=expected_versions(context.request),
    )
    user, _ = await save_view(context.app.store, command, origin(context.request, context.caller))
    return answered(context, user, partial(body, view))


async def delete_view(context: Context, view_id: UUID) -> Response:
    """Removes a saved view."""
    made_by = origin(context.request, context.caller)
    await remove_view(context.app.store, context.tenant_id, caller(context), to_wire(view_id), made_by)
    return Response(status_code=204)


views = partial(Endpoint, path=PATH, access=STAFF)
one = partial(views, path=f"{PATH}/{{id}}", id=Id(NO_VIEW), answers=ViewResponse)

ENDPOINTS = (
    views(method="GET", run=get_views, summary="List your saved views", answers=list[ViewResponse]),
    views(method="POST", run=post_view, summary="Save a view", body=ViewCreate, answers=ViewResponse, status=201),
    one(method="GET", run=get_view, summary="Get a saved view", query=AsOf),
    one(method="PATCH", run=patch_view, summary="Change a saved view", body=ViewChange),
    one(method="DELETE", run=delete_view, summary="Remove a saved view", answers=None, status=204),
)
