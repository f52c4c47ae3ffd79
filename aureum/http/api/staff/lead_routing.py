"""How a lead found its agent, as the staff read it: agents by their numbers."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from aureum.domain.ids import leads_time
from aureum.domain.routing import reasons
from aureum.http.contract.endpoint import Context
from aureum.projections import admin_leads
from aureum.projections.document_list import Row

NUMBERS_EVERYWHERE = "SELECT user_id, number FROM users WHERE user_id = ANY(%(users)s)"
"""Of all tenants, as the owner: for platform admins."""


async def numbers_of(context: Context, users: set[UUID]) -> dict[UUID, int]:
    """The numbers of users of the brokerage."""
    if not users:
        return {}
    parameters = {"tenant": context.tenant_id, "users": list(users)}
    return dict(await context.app.database.tenant_rows(context.tenant_id, admin_leads.AGENTS, parameters))


async def routed_numbers(
    context: Context, details: Iterable[Mapping[str, Any]], *, whole: bool, everywhere: bool = False
) -> dict[UUID, int]:
    """The numbers of all whom the routing of leads names; *details* are the read model's."""
    users: set[UUID] = set()
    for one in details:
        users |= reasons.offered_in(one)
        if context.caller.visible_to is not None:
            # Agents see only the offer and the reason.
            continue
        routed_to = one.get("routed_to")
        users |= reasons.agents_in(one) if whole else set() if routed_to is None else {UUID(routed_to)}
    if everywhere and users:
        return dict(await context.app.database.rows(NUMBERS_EVERYWHERE, {"users": list(users)}))
    return await numbers_of(context, users)


def offer_of(row: Row, numbers: Mapping[UUID, int]) -> dict[str, Any] | None:
    """``offer`` of the lead detail."""
    return reasons.offer_shown(row["doc"], row["details"], numbers.get, leads_time)


def routing_of(
    details: Mapping[str, Any], numbers: Mapping[UUID, int], *, brief: bool, whole: bool
) -> dict[str, Any] | None:
    """``routing`` of the lead detail."""
    return reasons.shown(details, numbers.get, brief=brief, whole=whole)
