"""``/api/v1/admin/routing``: how a brokerage routes its leads. Brokers read the settings, owners change them."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from aureum.commands.clock import on_clock
from aureum.commands.routing import ChangeRouting, change_routing
from aureum.domain.brokerage import Brokerage
from aureum.domain.errors import NotFound
from aureum.domain.ids import PLATFORM, leads_time
from aureum.domain.routing.settings import from_json
from aureum.http.access import named_brokerage
from aureum.http.access.callers import origin
from aureum.http.access.roles import check_leader, check_manager
from aureum.http.api.routing.setting_fields import RoutingResponse, RoutingUpdate, document, settings
from aureum.http.api.staff.scope import NO_BROKERAGE, in_brokerage
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.http.contract.history import with_names
from aureum.http.contract.resource import AsOf, answered, as_it_was, expected_versions, unless_known
from aureum.http.contract.state_history import states
from aureum.http.wire.shapes import StaffEventResponse
from aureum.projections import brokerages, users
from aureum.store.event_store import Stream

PATH = "/api/v1/admin/routing"


class OfBrokerage(BaseModel):
    """Whose settings."""

    model_config = ConfigDict(frozen=True)

    brokerage_id: Annotated[
        named_brokerage.InQuery | None,
        Field(description="For platform admins only: the brokerage. Default: their own. Ignored for all other users."),
    ] = None


class OfBrokerageAsOf(AsOf, OfBrokerage):
    """Whose settings, and when."""


async def get_routing(context: Context, of: OfBrokerageAsOf) -> Response:
    """Returns the routing settings, or those at ``asOf``. Until the brokerage changes them, they have their
    defaults."""
    check_leader(context.caller.role)
    context = await in_brokerage(context, of.brokerage_id, "show routing")
    if of.as_of is not None:
        then = (await stream_of(context, of)).aggregate()
        return unless_known(context, encoded(document(then.routing, await numbers_of(context))), then.version)
    parameters = {"tenant": context.tenant_id}
    found = await context.app.database.rows(brokerages.ROUTING, parameters)
    if not found:
        raise NotFound(NO_BROKERAGE)
    ((version, kept),) = found
    body = encoded(document(from_json(kept), await numbers_of(context)))
    return unless_known(context, body, version)


async def get_routing_history(context: Context, of: OfBrokerageAsOf) -> Response:
    """Lists every change of the routing settings, oldest first: who changed what, when, from which value to which.
    With ``asOf`` it ends at that moment."""
    check_leader(context.caller.role)
    context = await in_brokerage(context, of.brokerage_id, "show routing")
    stream = await stream_of(context, of)
    numbers = await numbers_of(context)
    history = states(stream, lambda brokerage: document(brokerage.routing, numbers), leads_time)
    changed = [one for one in history if one["type"] == Brokerage.RoutingChanged.TOPIC]
    return await with_names(context, stream, changed, *sorted(numbers.values()))


async def stream_of(context: Context, of: OfBrokerageAsOf) -> Stream:
    """The brokerage's stream, until ``asOf``. Raises NotFound."""
    (at,) = await on_clock(context.app.database, context.tenant_id, of.as_of)
    stream = await context.app.store.load(PLATFORM, context.tenant_id)
    if not stream.events:
        raise NotFound(NO_BROKERAGE)
    return as_it_was(stream, at)


async def put_routing(context: Context, of: OfBrokerage, update: RoutingUpdate) -> Response:
    """Replaces the routing settings, and returns them. Rules and groups may name active users of the brokerage. Send
    ``If-Match`` with the ETag to avoid overwriting someone else's change."""
    check_manager(context.caller.role)
    context = await in_brokerage(context, of.brokerage_id, "change routing")
    numbers = await numbers_of(context)
    command = ChangeRouting(
        tenant_id=context.tenant_id,
        routing=settings(update, {number: user_id for user_id, number in numbers.items()}),
        expected_versions=expected_versions(context.request),
    )
    brokerage = await change_routing(context.app.store, command, origin(context.request, context.caller))
    return answered(context, brokerage, lambda changed: encoded(document(changed.routing, numbers)))


async def numbers_of(context: Context) -> Mapping[UUID, int]:
    """The numbers of the brokerage's users, disabled ones too."""
    rows = await context.app.database.tenant_rows(context.tenant_id, users.ASSIGNABLE, {"tenant": context.tenant_id})
    return {user_id: number for user_id, number, *_ in rows}


routing = partial(Endpoint, path=PATH, access=STAFF, dialect="leads", answers=RoutingResponse, refusals=(400, 403))

ENDPOINTS = (
    routing(method="GET", run=get_routing, summary="Get the routing settings", query=OfBrokerageAsOf, own_clock=True),
    routing(
        method="GET",
        path=PATH + "/history",
        run=get_routing_history,
        summary="Get the history of the routing settings",
        query=OfBrokerageAsOf,
        answers=list[StaffEventResponse],
        own_clock=True,
    ),
    routing(
        method="PUT",
        run=put_routing,
        summary="Replace the routing settings",
        query=OfBrokerage,
        body=RoutingUpdate,
    ),
)
