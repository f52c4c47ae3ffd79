"""The tenant whose users and keys the caller manages: an owner's own brokerage, or any brokerage for a platform
admin."""

from typing import NamedTuple
from uuid import UUID

from aureum.domain.errors import NotFound
from aureum.domain.ids import PLATFORM
from aureum.http.access.named_brokerage import checked
from aureum.http.access.roles import ADMIN, check_manager
from aureum.http.contract.endpoint import Context
from aureum.http.wire.errors import HttpError
from aureum.projections import brokerages
from aureum.projections.brokerages import BrokerageRow

NO_BROKERAGE = "Brokerage not found"
NO_CONTEXT = "You do not belong to a brokerage."
NAME_ONE = "You do not belong to a brokerage. Name one with brokerage_id."


class Managed(NamedTuple):
    """A tenant, and the number of its brokerage; None for the platform, whose users have none."""

    tenant_id: UUID
    number: int | None


async def managed(context: Context, named: int | None) -> Managed:
    """The own tenant, or for a platform admin the brokerage *named*; of others, what they name is ignored.

    Raises NotAllowed, NotFound, InvalidRequest for what is no number, HttpError 400 for an owner of nothing.
    """
    caller = context.caller
    check_manager(caller.role)
    if caller.role == ADMIN and named is not None:
        row = await brokerage_of(context, named)
        return Managed(row.tenant_id, row.number)
    if caller.role != ADMIN and caller.tenant_id == PLATFORM:
        raise HttpError("brokerage_required", NO_CONTEXT)
    return Managed(caller.tenant_id, caller.number or None)


async def managed_brokerage(context: Context, named: int | None) -> Managed:
    """The same, where the platform's own tenant does not count. Raises HttpError 400 as well."""
    found = await managed(context, named)
    if found.number is None:
        raise HttpError("brokerage_required", NAME_ONE)
    return found


async def brokerage_of(context: Context, number: int) -> BrokerageRow:
    """The brokerage with this number, disabled or not. Raises NotFound, InvalidRequest."""
    rows = await context.app.database.rows(brokerages.OF_NUMBER, {"number": checked(number)})
    if not rows:
        raise NotFound(NO_BROKERAGE)
    return BrokerageRow(*rows[0])


async def position(context: Context, tenant_id: UUID) -> int:
    """How far the tenant's log has come."""
    if tenant_id == context.tenant_id:
        return context.caller.head
    ((found,),) = await context.app.database.rows(brokerages.POSITION, {"tenant": tenant_id})
    return int(found)
