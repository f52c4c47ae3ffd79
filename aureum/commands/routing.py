"""How a brokerage routes its leads: settings that name its own agents, and none who has left."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands.brokerages import NO_BROKERAGE
from aureum.commands.changes import change
from aureum.domain.brokerage import Brokerage
from aureum.domain.errors import Invalid
from aureum.domain.ids import PLATFORM
from aureum.domain.routing.settings import Routing
from aureum.projections import users
from aureum.store.event_store import EventStore
from aureum.store.metadata import Origin

DISABLED = "{where} names agent {number}, who is disabled."
UNKNOWN = "{where} names an agent who is not a user of this brokerage."


class ChangeRouting(BaseModel):
    """Route by these settings from now on: all of them are replaced."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    routing: Routing
    expected_versions: frozenset[int] | None = None


async def change_routing(store: EventStore, command: ChangeRouting, origin: Origin) -> Brokerage:
    """The brokerage afterwards. Raises NotFound, StaleVersion, Invalid, Conflict."""
    await check_agents(store, command.tenant_id, command.routing)

    def decide(brokerage: Brokerage, at: datetime) -> None:
        brokerage.change_routing(command.routing, at)

    brokerage, _ = await change(
        store,
        PLATFORM,
        command.tenant_id,
        Brokerage,
        decide,
        command="ChangeRouting",
        origin=origin,
        missing=NO_BROKERAGE,
        expected_versions=command.expected_versions,
    )
    return brokerage


async def check_agents(store: EventStore, tenant_id: UUID, routing: Routing) -> None:
    """Raises Invalid unless everyone whom rules and groups name is of this brokerage and not disabled."""
    rows = await store.database.tenant_rows(tenant_id, users.ASSIGNABLE, {"tenant": tenant_id})
    staff = {user_id: (number, disabled) for user_id, number, _, _, disabled in rows}
    named: list[tuple[str, str, tuple[UUID, ...]]] = [
        (f"rules[{place}].to", "rules", (rule.agent,)) for place, rule in enumerate(routing.rules) if rule.agent
    ]
    named += [(f"groups.{name}", "groups", members) for name, members in routing.groups.items()]
    for where, field, agents in named:
        for agent in agents:
            if agent not in staff:
                raise Invalid(field, UNKNOWN.format(where=where))
            number, disabled = staff[agent]
            if disabled:
                raise Invalid(field, DISABLED.format(where=where, number=number))
