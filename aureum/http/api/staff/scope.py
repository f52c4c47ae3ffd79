"""The brokerage of a staff request: the user's own, or, for a platform admin, the one that the request names."""

from dataclasses import replace
from typing import Any

from aureum.domain.errors import NotFound
from aureum.domain.ids import PLATFORM
from aureum.http.access.named_brokerage import checked
from aureum.http.contract.endpoint import Context
from aureum.http.wire.errors import HttpError
from aureum.projections import admin_leads

NO_CONTEXT = "No brokerage context — cannot {what}"
NO_BROKERAGE = "Brokerage not found or disabled"


def is_platform_admin(context: Context) -> bool:
    """Whether the caller may name any brokerage."""
    return context.caller.role == "platform_admin"


async def in_brokerage(context: Context, named: int | None, what: str) -> Context:
    """The request, asked of the brokerage that it means. *named* is looked at for platform admins only.

    Raises NotFound for one that is unknown or disabled, InvalidRequest for what is no number, HttpError 400 if there is
    none in which to do *what*.
    """
    if named is not None and is_platform_admin(context):
        found = await context.app.database.rows(admin_leads.BROKERAGE, {"number": checked(named)})
        if not found:
            raise NotFound(NO_BROKERAGE)
        return moved(context, found[0])
    if context.tenant_id == PLATFORM:
        raise HttpError("brokerage_required", NO_CONTEXT.format(what=what))
    return context


async def where_lead_is(context: Context, number: int, missing: str) -> Context:
    """The request, asked of the brokerage where the lead is: for all but platform admins their own.

    Raises NotFound with *missing*.
    """
    if not is_platform_admin(context):
        return context
    found = await context.app.database.rows(admin_leads.BROKERAGE_OF_LEAD, {"number": number})
    if not found:
        raise NotFound(missing)
    return moved(context, found[0])


def moved(context: Context, brokerage: tuple[Any, ...]) -> Context:
    """The request with another brokerage, and the same person asking."""
    tenant_id, number, country, head, read_version = brokerage
    caller = context.caller._replace(
        tenant_id=tenant_id, number=number, country=country, head=head, read_version=read_version
    )
    return replace(context, caller=caller)
