"""The staff's list finds what a look at every lead finds: any filters together, any page, for brokers, agents and
platform admins; and it counts what is suspected."""

import random
from dataclasses import dataclass
from typing import Any

import pytest

from aureum.domain.ids import PLATFORM, from_wire
from aureum.store.search import Searched
from tests.conftest import fresh_database
from tests.http.api.staff.test_lead_list import asked
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server, served
from tests.stores import capture

STATUSES = ("new", "contacted", "lost")
SOURCES = ("website", "api", "rare")
DOMAINS = ("a.example.com", "b.example.com", None)
NAMES = ("Ann", "Bob", "Cyd")


@dataclass(frozen=True)
class Scene:
    """Two brokerages with a few dozen leads each, as they were captured."""

    server: Server
    staff: dict[str, Staff]
    leads: list[dict[str, Any]]


@pytest.fixture(scope="module", params=[False, True], ids=["just added", "copied for the index"])
def scene(request: pytest.FixtureRequest, server_url: str, template: str) -> Any:
    dice = random.Random(3)
    with fresh_database(server_url, template) as url, Operator.opened(url) as operator, served(url) as server:
        first, second = operator.brokerage(), operator.brokerage()
        staff = {"broker": operator.staff(first.id, "broker"), "other": operator.staff(second.id, "broker")}
        staff |= {"ana": operator.staff(first.id, "agent"), "ben": operator.staff(first.id, "agent")}
        staff["admin"] = operator.staff(PLATFORM, "platform_admin")
        leads = filled(operator, first, [staff["ana"], staff["ben"]], dice) + filled(operator, second, [], dice)
        if request.param:
            operator.run(lambda store: Searched().round(store.database, 1))
        yield Scene(server, staff, leads)


def filled(operator: Operator, tenant: Tenant, agents: list[Staff], dice: random.Random) -> list[dict[str, Any]]:
    """The leads that a brokerage gets."""
    made = []
    for _ in range(40):
        assigned, creator = dice.choice([*agents, None]), dice.choice([*agents, None, None])
        lead = {
            "status": dice.choice(STATUSES),
            "source": dice.choices(SOURCES, (6, 3, 1))[0],
            "source_domain": dice.choice(DOMAINS),
            "first_name": dice.choice(NAMES),
            "suspect": dice.random() < 0.1,
        }
        by = {"assigned_to": assigned and from_wire(assigned.id), "created_by": creator and from_wire(creator.id)}
        stored = operator.run(lambda store, lead=lead, by=by: capture(store, tenant.id, **lead, **by))  # type: ignore[misc]
        made.append(
            lead
            | {"id": stored.number, "tenant": tenant.slug}
            | {"assigned": assigned and assigned.number, "created": creator and creator.number}
        )
    return made


FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"status": "new"},
    {"source": "website"},
    {"source": "rare"},
    {"source_domain": "a.example.com"},
    {"status": "new", "source": "website"},
    {"status": "lost", "source": "rare"},
    {"status": "new", "source": "website", "source_domain": "b.example.com"},
    {"assigned_agent_id": "ana"},
    {"assigned_agent_id": "ana", "status": "contacted"},
    {"q": "ann"},
    {"q": "nn"},
    {"q": "ann doe", "status": "new"},
    {"q": "cyd", "source": "rare"},
    {"q": "cyd", "assigned_agent_id": "ben"},
    {"q": "zzzz"},
    {"q": "cdy"},
)


@pytest.mark.parametrize("who", ["broker", "ana", "ben", "admin"])
@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_every_page_is_what_a_look_at_every_lead_finds(scene: Scene, who: str, filters: dict[str, Any]) -> None:
    staff = scene.staff
    name = {"cdy": "cyd"}.get(filters.get("q", ""), filters.get("q", "")).partition(" ")[0]
    mine = scene.leads[0]["tenant"]

    def wanted(lead: dict[str, Any]) -> bool:
        number = staff[who].number
        agent = filters.get("assigned_agent_id")
        return (
            (who == "admin" or lead["tenant"] == mine)
            and (who in ("admin", "broker") or number in (lead["assigned"], lead["created"]))
            and all(lead[key] == filters[key] for key in ("status", "source", "source_domain") if key in filters)
            and (agent is None or lead["assigned"] == staff[agent].number)
            and name in lead["first_name"].lower()
        )

    expected = [lead["id"] for lead in scene.leads if wanted(lead)]
    query = filters | (
        {"assigned_agent_id": staff[agent].number} if (agent := filters.get("assigned_agent_id")) else {}
    )
    seen: list[int] = []
    for page in range(1, len(expected) // 7 + 3):
        answer = asked(scene.server, staff[who], **query, page=page, page_size=7).json
        assert answer["total"] == len(expected), page
        seen += [lead["id"] for lead in answer["items"]]
    assert len(seen) == len(set(seen))
    assert sorted(seen) == sorted(expected)
    if who != "admin":
        assert seen == expected[::-1]
