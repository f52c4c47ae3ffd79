"""``/api/v1/admin/brokerages``: the tenants of the installation, for platform admins; an owner has access to the
owner's brokerage."""

from functools import partial
from typing import Any

from starlette.responses import Response

from aureum.commands.brokerages import ChangeBrokerage, OpenBrokerage, change_brokerage, open_brokerage_once
from aureum.commands.clock import on_clock
from aureum.domain.brokerage import SETTINGS, SIGNING, Brokerage
from aureum.domain.errors import NotFound
from aureum.domain.ids import PLATFORM, leads_time
from aureum.http.access.callers import origin
from aureum.http.access.roles import ADMIN, OWNER, check_platform_admin
from aureum.http.api.brokerages.brokerage_domains import brokerage_domains
from aureum.http.api.brokerages.brokerage_fields import BrokerageChange, BrokerageCreate, BrokerageResponse, document
from aureum.http.api.staff.managed import NO_BROKERAGE, brokerage_of, position
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.contract.history import with_names
from aureum.http.contract.numbered_pages import FoundPage, Numbered, NumberedPage, paged
from aureum.http.contract.resource import NOT_YET, AsOf, answered, as_it_was, expected_versions, once, unless_known
from aureum.http.contract.state_history import states
from aureum.http.wire.shapes import StaffEventResponse
from aureum.projections import brokerages
from aureum.projections.brokerages import BrokerageRow

PATH = "/api/v1/admin/brokerages"

OWNERS = frozenset(("name", *SETTINGS)) - {*SIGNING}
"""What an owner sets of the own brokerage: domains and plan are the platform's business."""


def brokerage_body(brokerage: Brokerage) -> bytes:
    """A brokerage in the same words as the list."""
    return encoded(document(brokerage, brokerage.created_on))


async def get_brokerages(context: Context, numbered: Numbered) -> Response:
    """Lists all brokerages, newest first."""
    check_platform_admin(context.caller.role)
    database = context.app.database

    async def read() -> FoundPage:
        limits = {"limit": numbered.page_size, "skipped": numbered.skipped}
        found = [BrokerageRow(*row) for row in await database.rows(brokerages.PAGE, limits)]
        ((total,),) = await database.rows(brokerages.COUNT)
        return FoundPage(",".join(encoded(document(row, row.opened_at)).decode() for row in found), total)

    return await paged(context, numbered, (PATH, PLATFORM, await position(context, PLATFORM)), read)


async def post_brokerage(context: Context, new: BrokerageCreate) -> Response:
    """Returns the new brokerage. If another brokerage has the same slug or domain, the response is 409."""
    check_platform_admin(context.caller.role)
    domains = brokerage_domains(new.domains, context.app.settings.base_domain)
    command = OpenBrokerage(**{**new.model_dump(), "domains": domains})
    remember = await once(context, brokerage_body, tenant_id=PLATFORM)
    opened, appended = await open_brokerage_once(
        context.app.store, command, origin(context.request, context.caller), remember
    )
    return answered(context, opened, brokerage_body, appended, 201)


async def get_brokerage(context: Context, number: int, as_of: AsOf) -> Response:
    """Returns the brokerage, or its state at ``asOf``."""
    row = await managed_row(context, number)
    if as_of.as_of is None:
        return unless_known(context, encoded(document(row, row.opened_at)), row.stream_version)
    (at,) = await on_clock(context.app.database, row.tenant_id, as_of.as_of)
    brokerage = (await context.app.store.load(PLATFORM, row.tenant_id)).aggregate(at)
    if brokerage is None:
        raise NotFound(NOT_YET)
    return unless_known(context, brokerage_body(brokerage), brokerage.version)


async def get_brokerage_history(context: Context, number: int, as_of: AsOf) -> Response:
    """Lists every event of the brokerage, oldest first: who changed what, when, from which value to which. With
    ``asOf`` it ends at that moment. Changes of the routing settings are at ``/api/v1/admin/routing/history``."""
    row = await managed_row(context, number)
    (at,) = await on_clock(context.app.database, row.tenant_id, as_of.as_of)
    stream = as_it_was(await context.app.store.load(PLATFORM, row.tenant_id), at)
    return await with_names(context, stream, states(stream, in_history, leads_time), tenant_id=row.tenant_id)


def in_history(brokerage: Brokerage) -> dict[str, Any]:
    """What a brokerage's history tells of."""
    shown = document(brokerage, brokerage.created_on)
    return {name: value for name, value in shown.items() if name not in ("id", "created_at")}


async def patch_brokerage(context: Context, number: int, change: BrokerageChange) -> Response:
    """Changes the fields that are sent, and returns the brokerage. Its owner may set the name, the time zone, the
    country, and whether the count of its leads is public. Send ``If-Match`` with the ETag to avoid overwriting
    someone else's change."""
    row = await managed_row(context, number)
    sent = change.model_dump(exclude_unset=True)
    if sent.keys() - OWNERS:
        check_platform_admin(context.caller.role)
    if "domains" in sent:
        sent["domains"] = brokerage_domains(sent["domains"], context.app.settings.base_domain, row.domains)
    command = ChangeBrokerage(
        tenant_id=row.tenant_id,
        settings={name: value for name, value in sent.items() if name in SETTINGS},
        expected_versions=expected_versions(context.request),
        **{name: value for name, value in sent.items() if name not in SETTINGS},
    )
    changed = await change_brokerage(context.app.store, command, origin(context.request, context.caller))
    return answered(context, changed, brokerage_body)


async def managed_row(context: Context, number: int) -> BrokerageRow:
    """Platform admins manage every brokerage, an owner their own. Another tenant's brokerage is as unknown to all other
    staff as a number that was never given; their own is there, though only its owner may see its settings. Raises
    NotFound, NotAllowed."""
    if context.caller.role != ADMIN:
        if context.tenant_id == PLATFORM or number != context.caller.number:
            raise NotFound(NO_BROKERAGE)
        if context.caller.role != OWNER:
            check_platform_admin(context.caller.role)
    return await brokerage_of(context, number)


every = partial(Endpoint, path=PATH, access=STAFF, dialect="leads", refusals=(403,))
one = partial(every, path=PATH + "/{id}", id=Id(NO_BROKERAGE, number=True), answers=BrokerageResponse)

ENDPOINTS = (
    every(
        method="GET",
        run=get_brokerages,
        summary="List brokerages",
        query=Numbered,
        answers=NumberedPage[BrokerageResponse],
    ),
    every(
        method="POST",
        run=post_brokerage,
        summary="Create a brokerage",
        body=BrokerageCreate,
        answers=BrokerageResponse,
        status=201,
        refusals=(403, 409),
    ),
    one(method="GET", run=get_brokerage, summary="Get a brokerage", query=AsOf, own_clock=True),
    one(
        method="GET",
        path=PATH + "/{id}/history",
        run=get_brokerage_history,
        summary="Get a brokerage's history",
        query=AsOf,
        answers=list[StaffEventResponse],
        own_clock=True,
    ),
    one(method="PATCH", run=patch_brokerage, summary="Change a brokerage", body=BrokerageChange, refusals=(403, 409)),
)
