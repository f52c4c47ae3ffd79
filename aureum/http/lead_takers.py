"""The agents of each brokerage that take leads, as this process remembers them.

The gate tells on every request how often the staff has changed, so what is remembered is never stale.
"""

from collections import OrderedDict
from uuid import UUID

from aureum.domain.routing import Agent, agent
from aureum.projections import users
from aureum.store.database import Database

LIMIT = 1_000
"""Brokerages that are remembered; the least recently used of more is forgotten."""


class LeadTakers:
    """Agents by tenant, with the staff's version that they are of."""

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, tuple[int, tuple[Agent, ...]]] = OrderedDict()

    async def of(self, database: Database, tenant_id: UUID, staff_version: int) -> tuple[Agent, ...]:
        """The agents of *tenant_id* at *staff_version* or later. Raises Unavailable."""
        known = self._known.get(tenant_id)
        if known is not None and known[0] == staff_version:
            self._known.move_to_end(tenant_id)
            return known[1]
        rows = await database.tenant_rows(tenant_id, users.LEAD_TAKERS, {"tenant": tenant_id})
        agents = tuple(agent(user_id, specialties) for user_id, _, specialties in rows)
        self._known[tenant_id] = (staff_version, agents)
        if len(self._known) > LIMIT:
            self._known.popitem(last=False)
        return agents
