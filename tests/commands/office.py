"""A brokerage with agents whose leads wait, for tests of what becomes of those: hours pass by moving its log back."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aureum.commands.leads import CaptureLead, capture_lead
from aureum.commands.passing_on import pass_on
from aureum.commands.routed import team_of
from aureum.commands.routing import ChangeRouting, change_routing
from aureum.commands.users import CreateUser, create_user
from aureum.domain import ids
from aureum.domain.lead import Lead, LeadFields
from aureum.domain.routing.settings import EVERYONE, Routing, Rule, When
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, VISITOR, Origin
from tests.stores import open_brokerage

OPERATOR = Origin(COMMAND_LINE)

PASS = """
UPDATE events SET recorded_at = recorded_at - make_interval(mins => %(minutes)s)
 WHERE tenant_id = %(tenant)s RETURNING 1
"""

SELL = When(subject_has=("sell",))
RENT = When(subject_has=("sell", "rent"))


@dataclass
class Office:
    """Its agents by name."""

    store: EventStore
    tenant_id: UUID
    agents: dict[str, UUID]

    def offering(self, **others: Any) -> Routing:
        """Who wants to sell is offered to the sellers, then to the north; then it is everyone's turn."""
        groups = {"sellers": (self.agents["Ana"],), "north": (self.agents["Ana"], self.agents["Ben"])}
        rules = (
            Rule(SELL, group="sellers", claim_minutes=15),
            Rule(RENT, group="north", claim_minutes=10),
            Rule(group=EVERYONE),
        )
        return Routing(**{"mode": "subject_based", "rules": rules, "groups": groups} | others)

    async def route(self, routing: Routing) -> None:
        await change_routing(self.store, ChangeRouting(tenant_id=self.tenant_id, routing=routing), OPERATOR)

    async def sent(self, *, suspect: bool = False, **said: Any) -> UUID:
        """A form, routed."""
        fields: dict[str, Any] = dict.fromkeys(LeadFields.__dataclass_fields__)
        fields |= {"first_name": "Jane", "last_name": "Doe", "email": f"{ids.new_id()}@example.com"}
        form = LeadFields(**fields | {"source": "website"} | said)
        command = CaptureLead(tenant_id=self.tenant_id, country="US", fields=form, suspect=suspect)
        team = await team_of(self.store, self.tenant_id)
        lead, _ = await capture_lead(self.store, command, Origin(VISITOR), team=team)
        return lead.id

    async def minutes_pass(self, minutes: int) -> None:
        assert await self.store.database.rows(PASS, {"tenant": self.tenant_id, "minutes": minutes})

    async def look(self, lead_id: UUID, minutes: int = 0) -> str | None:
        """What becomes of the lead after so many minutes: the last event, if there is a new one; else "later" or
        "never", as the next look is."""
        if minutes:
            await self.minutes_pass(minutes)
        before = await self.history(lead_id)
        again = await pass_on(self.store, self.tenant_id, lead_id)
        after = await self.history(lead_id)
        assert len(after) - len(before) in (0, 1)
        return after[-1] if len(after) > len(before) else "never" if again is None else "later"

    async def history(self, lead_id: UUID) -> list[str]:
        return [one.event.TOPIC for one in (await self.store.load(self.tenant_id, lead_id)).events]

    async def lead(self, lead_id: UUID) -> Lead:
        found: Lead = (await self.store.load(self.tenant_id, lead_id)).aggregate()
        return found

    async def agent(self, lead_id: UUID) -> str | None:
        """Who has the lead; the read model says the same."""
        assigned = (await self.lead(lead_id)).assigned_to
        listed = "SELECT assigned_to, stream_version FROM lead_list WHERE lead_id = %(lead)s"
        version = len(await self.history(lead_id))
        assert await self.store.database.rows(listed, {"lead": lead_id}) == [(assigned, version)]
        return None if assigned is None else next(name for name, one in self.agents.items() if one == assigned)

    async def profile(self, name: str, assignment: str) -> None:
        """Sets a column of the agent's."""
        query = f"UPDATE users SET {assignment} WHERE user_id = %(user)s RETURNING 1"
        assert await self.store.database.rows(query, {"user": self.agents[name]})

    async def leads_of(self) -> Counter[str | None]:
        """How many leads each has."""
        names = {user_id: name for name, user_id in self.agents.items()}
        rows = await self.store.database.rows(
            "SELECT assigned_to FROM lead_list WHERE tenant_id = %(tenant)s", {"tenant": self.tenant_id}
        )
        return Counter(names.get(user_id) for (user_id,) in rows)


async def opened(store: EventStore, *names: str) -> Office:
    """A new brokerage with agents of these names."""
    tenant_id, agents = await open_brokerage(store), {}
    for name in names:
        email = f"{name}@{tenant_id}.example.com"
        made = await create_user(store, CreateUser(tenant_id=tenant_id, email=email, name=name, role="agent"), OPERATOR)
        agents[name] = made.id
    return Office(store, tenant_id, agents)
