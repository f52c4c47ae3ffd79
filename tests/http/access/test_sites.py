"""What a process remembers of a brokerage's public side, and for how long."""

from typing import Any

import pytest

from aureum.commands.leads import CaptureLead, ChangeLead, capture_lead, change_lead
from aureum.commands.routed import team_of
from aureum.commands.routing import ChangeRouting, change_routing
from aureum.commands.users import CreateUser, create_user
from aureum.domain.lead import LeadFields
from aureum.domain.routing.settings import Routing
from aureum.http.access import sites
from aureum.http.access.gate import Gate
from aureum.http.access.sites import Site, Sites
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, VISITOR, Actor, Origin
from tests.http.operator import Operator, Tenant

OPERATOR = Origin(COMMAND_LINE)
STAFF = Origin(Actor("user", "c0000000000000000000000000"))


async def reassigned(store: EventStore, tenant: Tenant) -> None:
    """A lead that found an agent, whom staff gave to another one."""
    agents = [
        await create_user(
            store,
            CreateUser(tenant_id=tenant.id, email=f"{name}@{tenant.domain}", name=name, role="agent"),
            OPERATOR,
        )
        for name in ("Ana", "Ben")
    ]
    fields: dict[str, Any] = dict.fromkeys(LeadFields.__dataclass_fields__)
    said = {
        "first_name": "Jane",
        "last_name": "Doe",
        "email": "j@example.com",
        "source": "website",
        "message": "A barn",
    }
    command = CaptureLead(tenant_id=tenant.id, country="US", fields=LeadFields(**(fields | said)))
    lead, _ = await capture_lead(store, command, Origin(VISITOR), team=await team_of(store, tenant.id))
    for agent in agents:
        given = ChangeLead(tenant_id=tenant.id, country="US", lead_id=lead.id, assign=True, assigned_to=agent.id)
        await change_lead(store, given, STAFF)


def learnt(site: Site) -> int:
    """How many examples its team knows."""
    assert site.team is not None
    profiles: Any = site.team.rank
    return len(profiles.__self__.examples)


@pytest.mark.parametrize("learns", [True, False])
def test_what_staff_teach_is_known_when_the_time_is_over(
    operator: Operator, tenant: Tenant, served_url: str, monkeypatch: pytest.MonkeyPatch, learns: bool
) -> None:
    async def scenario(store: EventStore) -> None:
        await reassigned(store, tenant)
        routing = Routing("semantic", learn_from_reassignments=learns)
        await change_routing(store, ChangeRouting(tenant_id=tenant.id, routing=routing), OPERATOR)
        async with Gate(served_url, form_rate_limit=0) as gate:
            known = Sites(gate, store, None)

            async def find() -> Site:
                found = await known.find(tenant.domain, "")
                assert found is not None
                return found

            first = await find()
            assert learnt(first) == int(learns) and await find() is first
            (lead_id,) = [row[0] for row in await store.database.rows(LEADS, {"tenant": tenant.id})]
            given = ChangeLead(tenant_id=tenant.id, country="US", lead_id=lead_id, assign=True, assigned_to=None)
            await change_lead(store, given, STAFF)
            assert await find() is first
            assert learnt(first) == int(learns)
            monkeypatch.setattr(sites, "SECONDS", -1.0)
            later = await find()
            assert learnt(later) == 0 and (later is first) == (not learns)

    operator.run(scenario)


LEADS = "SELECT lead_id FROM routing_examples WHERE tenant_id = %(tenant)s"
