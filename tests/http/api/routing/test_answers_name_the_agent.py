"""Where an answer names the agent and is kept for an Idempotency-Key, turns are as fair, and persons as well known, as
in any other append: over two processes, beside forms, with equal and with different keys."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from aureum.domain.ids import from_wire
from aureum.projections import lead_list, tour_list
from aureum.store.answers_afterwards import pending, stored_at
from aureum.store.event_store import EventStore
from tests.http.api.routing.sending import LEADS, lead, put, sent
from tests.http.api.routing.test_same_person import as_folded
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Answer, Server

KEPT = "SELECT key, answer FROM idempotency_keys WHERE tenant_id = %(tenant)s"
PUT_BACK = "UPDATE idempotency_keys SET answer = %(answer)s WHERE tenant_id = %(tenant)s"


def routed(server: Server, tenant: Tenant, key: str, path: str = "/api/leads", **fields: str) -> Answer:
    """What a program sends to be routed."""
    body = {"name": "Zoe van Dam", "email": f"{key}@example.com", "route": True} | fields
    answer = server.by_key(tenant, "POST", path, body, {"Idempotency-Key": key})
    assert answer.status == 201, answer.body
    return answer


def test_turns_are_fair_whatever_comes_at_once(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    suspects = [sent(server, tenant, _gotcha="x") for _ in range(6)]

    def act(place: int) -> None:
        process = (server, proxied)[place % 2]
        if place < 6:
            answer = process.ask("PATCH", f"{LEADS}/{suspects[place]}", {"suspect": False}, owner.bearer)
            assert answer.json == lead(process, owner, suspects[place])
        elif place % 4 == 0:
            sent(process, tenant)
        else:
            made = routed(process, tenant, f"k{place}").json
            assert process.by_key(tenant, "GET", f"/api/leads/{made['id']}").json == made

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(act, range(42)))
    assert Counter(one["assignedToId"] for one in server.leads(tenant)) == {agent.id: 14 for agent in team}
    as_folded(operator, tenant, lead_list.LIST)


def test_a_new_person_has_one_agent_and_a_key_one_lead(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")

    def act(place: int) -> tuple[str, str, str]:
        process, person = (server, proxied)[place % 2], place % 3
        path = "/api/showings" if place % 9 > 5 else "/api/leads"
        made = routed(process, tenant, f"k{place % 18}", path, email=f"zoe{person}@example.com").json
        return made["email"], made["id"], made["assignedToId"]

    with ThreadPoolExecutor(12) as threads:
        found = set(threads.map(act, range(36)))
    assert len({lead_id for _, lead_id, _ in found}) == len(found) == 18
    assert sorted(agent for _, agent in {(email, agent) for email, _, agent in found}) == sorted(one.id for one in team)
    as_folded(operator, tenant, lead_list.LIST)
    as_folded(operator, tenant, tour_list.LIST)


def test_a_process_that_dies_before_the_answer_is_made(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    made = routed(server, tenant, "k").json
    lead_id = from_wire(made["id"])
    assert lead_id is not None

    async def put_back(store: EventStore) -> bool:
        tenant_key = await store.tenant_key(tenant.id)
        ((key, answer),) = await store.database.rows(KEPT, {"tenant": tenant.id})
        waits = stored_at(tenant_key.open_answer(answer, key)) is not None
        sealed = tenant_key.seal_answer(pending(lead_id, 1), key)
        async with store.database.transaction(tenant.id) as connection:
            await connection.execute(PUT_BACK, {"tenant": tenant.id, "answer": sealed})
        return waits

    assert not operator.run(put_back)
    other = next(agent for agent in team if agent.id != made["assignedToId"])
    assert server.by_key(tenant, "PATCH", f"/api/leads/{made['id']}", {"assignedToId": other.id}).status == 200
    for _ in range(2):
        again = routed(server, tenant, "k")
        assert again.json == made and again.headers["idempotent-replayed"] == "true"
    assert not operator.run(put_back)
    body = {"lead_id": lead_number(server, owner)}
    erased = server.ask("POST", "/api/v1/admin/people/erase", body, owner.bearer)
    assert erased.status == 202, erased.body
    assert operator.rows(KEPT, tenant=tenant.id) == []


def lead_number(server: Server, owner: Staff) -> int:
    """Of the only lead."""
    (item,) = server.ask("GET", LEADS, headers=owner.bearer).json["items"]
    number: int = item["id"]
    return number
