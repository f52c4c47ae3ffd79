"""Rehearsals over the API: past leads under other settings, and nothing is changed."""

import asyncio
import csv
import io
from itertools import cycle, islice
from typing import Any

import pytest

from aureum.commands.routing_rehearsals import MOST_RUNNING, claim, go_on
from aureum.domain.ids import from_wire
from aureum.http.api.routing.rehearsals import ENDPOINTS
from aureum.http.contract.endpoint import Endpoint
from aureum.store.event_store import EventStore
from tests.http.api.routing.sending import LEADS, ROUTING, address, change, lead, put, sent
from tests.http.api.routing.test_forms_are_routed import at_once
from tests.http.every.of_routing import rehearse_all as to_the_end
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server

REHEARSE = ROUTING + "/rehearse"
REHEARSALS = ROUTING + "/rehearsals"

EVERYTHING = "2001-01-01"

STATE = """
SELECT (SELECT position FROM heads WHERE tenant_id = %(tenant)s),
       (SELECT json_agg(t ORDER BY t.name) FROM turns t WHERE t.tenant_id = %(tenant)s)
"""
ERASE = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(lead)s RETURNING 1"
BACK = """
UPDATE routing_rehearsals SET held_until = NULL, cursor = cursor
 WHERE tenant_id = %(tenant)s AND state = 'running' RETURNING 1
"""


def asked(server: Server, who: Staff, **body: Any) -> dict[str, Any]:
    answer = server.ask("POST", REHEARSE, {"since": EVERYTHING} | body, who.bearer)
    assert answer.status == 202, answer.body
    found: dict[str, Any] = answer.json
    return found


def got(server: Server, who: Staff, job: dict[str, Any], more: str = "") -> dict[str, Any]:
    answer = server.ask("GET", f"{REHEARSALS}/{job['id']}{more}", headers=who.bearer)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def rehearsed(
    server: Server, operator: Operator, who: Staff, **body: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What came of a rehearsal, and its leads."""
    job = asked(server, who, **body)
    operator.run(to_the_end)
    return got(server, who, job), got(server, who, job, "/leads?page_size=100")["items"]


def tour(server: Server, tenant: Tenant, **fields: Any) -> int:
    body = {"listing_id": "1", "name": "Jane Doe", "email": f"j{address()}@example.com"} | fields
    answer = server.ask("POST", "/api/tours", body, {"X-Forwarded-For": address()}, host=tenant.domain)
    assert answer.status == 200, answer.body
    number: int = answer.json["id"]
    return number


SUBJECTS = ("I want to sell", "A yard", "?", "A beach house, please", "A condo downtown", "Farm land")


def settings_of(team: list[Staff]) -> list[dict[str, Any]]:
    """Settings of every mode, for three agents."""
    ana, ben, cora = (agent.number for agent in team)
    rules = [
        {"when": {"subject_has": ["sell"]}, "to": {"group": "sellers"}, "claim_minutes": 15},
        {"when": {"subject_has": ["yard", "farm"]}, "to": {"group": "yards"}},
        {"when": {"subject_has": ["condo"]}, "to": {"agent": cora}},
        {"to": {"group": "everyone"}},
    ]
    groups = {"sellers": [ana], "yards": [ana, ben]}
    return [
        {"mode": "round_robin"},
        {"mode": "round_robin", "semantic_filter": True},
        {"mode": "subject_based", "rules": rules, "groups": groups, "fallback": "pond"},
        {"mode": "semantic"},
        {"mode": "semantic", "least_busy": False, "fallback": "primary"},
        {"mode": "random"},
        {"mode": "primary_only"},
    ]


@pytest.mark.parametrize("place", range(7))
def test_the_very_settings_give_the_same_agents(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff], place: int
) -> None:
    """Whatever the mode, with caps that are reached, two processes, tours, suspects, and leads that are not routed."""
    settings = settings_of(team)[place]
    put(server, owner, **settings)
    ana, ben, cora = team
    change(server, owner, ana, specialties=["beach house", "farm"], primary=True)
    change(server, owner, ben, specialties=["condo"], daily_cap=6)
    change(server, owner, cora, specialties=["yard", "farm"], daily_cap=4)
    at_once((server, proxied), tenant, 6)
    for number, subject in enumerate(islice(cycle(SUBJECTS), 18)):
        process = (server, proxied)[number % 2]
        if number % 5 == 4:
            tour(process, tenant, message=subject)
        elif number % 7 == 6:
            suspect = sent(process, tenant, subject=subject, _gotcha="x")
            assert server.ask("PATCH", f"{LEADS}/{suspect}", {"suspect": False}, owner.bearer).status == 200
        else:
            sent(process, tenant, subject=subject)
        server.lead(tenant)
    before = operator.rows(STATE, tenant=tenant.id)

    found, leads = rehearsed(server, operator, owner)

    assert (found["status"], found["progress"], found["leads"], found["moved"]) == ("completed", 1.0, 24, 0)
    assert [one["moved"] for one in leads] == [False] * 24
    for one in leads:
        if one["lead_id"] is not None:
            routing = lead(server, owner, one["lead_id"])["routing"]
            assert (one["would_have"], one["rule"]) == (routing["agent"], routing["rule"])
            # The others name how many could take it: a process counts full agents until that has made a difference.
            # What the filter compared depends on that, too.
            if settings.get("semantic_filter"):
                assert one["reason"].split(".")[0] == routing["reason"].split(".")[0]
            elif settings["mode"] not in ("semantic", "random"):
                assert one["reason"] == routing["reason"]
    assert sum(one["had"] for one in found["agents"]) + found["pond"]["had"] == 24
    assert all(one["had"] == one["would_have"] for one in found["agents"])
    # One event, the request itself; no turn has moved.
    ((head, turns),) = operator.rows(STATE, tenant=tenant.id)
    assert (head, turns) == (before[0][0] + 1, before[0][1])


def test_how_the_load_shifts(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    ana, ben, cora = team
    put(server, owner, mode="round_robin")
    numbers = [sent(server, tenant, subject=subject) for subject in SUBJECTS]
    now = server.ask("GET", ROUTING, headers=owner.bearer).json
    wanted = {
        "mode": "subject_based",
        "rules": [
            {"when": {"subject_has": ["sell", "condo"]}, "to": {"agent": cora.number}},
            {"when": {"subject_has": ["yard"]}, "to": {"group": "y"}, "claim_minutes": 5},
            {"to": {"group": "y"}},
        ],
        "groups": {"y": [ana.number]},
    }

    found, leads = rehearsed(server, operator, owner, settings=wanted)

    assert found["settings"]["rules"][1]["claim_minutes"] == 5 and found["settings"]["mode"] == "subject_based"
    load = {one["agent"]: (one["name"], one["had"], one["would_have"]) for one in found["agents"]}
    assert load == {ana.number: ("Ana", 2, 3), ben.number: ("Ben", 2, 0), cora.number: ("Cora", 2, 2)}
    assert found["agents"][0]["agent"] == ana.number and found["pond"] == {"had": 0, "would_have": 1}
    assert [one["lead_id"] for one in leads] == numbers
    expected = [cora.number, None, ana.number, ana.number, cora.number, ana.number]
    assert [one["would_have"] for one in leads] == expected
    assert [one["rule"] for one in leads] == [1, 2, 3, 3, 1, 3]
    assert leads[0]["reason"] == "Rule 1 (the subject has “sell” or “condo”) leads to this agent."
    assert found["moved"] == sum(one["had"] != one["would_have"] for one in leads)
    assert server.ask("GET", ROUTING, headers=owner.bearer).json == now
    assert [lead(server, owner, number)["assigned_agent_id"] for number in numbers] == [one["had"] for one in leads]


def test_the_turns_before_count(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    """A rehearsal that begins in the middle begins with whose turn it was, and with what the day had brought."""
    put(server, owner, mode="round_robin")
    change(server, owner, team[0], daily_cap=3)
    numbers = [sent(server, tenant) for _ in range(5)]
    times = operator.rows(
        "SELECT recorded_at FROM events WHERE tenant_id = %(tenant)s AND type = 'lead.captured' ORDER BY position",
        tenant=tenant.id,
    )
    since = times[4][0].isoformat()
    numbers += [sent(server, tenant) for _ in range(6)]
    found, leads = rehearsed(server, operator, owner, since=since)
    assert (found["leads"], found["moved"]) == (7, 0)
    assert [one["lead_id"] for one in leads] == numbers[4:]


def test_erased_persons_stay_with_their_agents(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    numbers = [sent(server, tenant) for _ in range(6)]
    (second,) = [one for one in server.leads(tenant) if one["id"] == server.leads(tenant)[-2]["id"]]
    assert operator.rows(ERASE, tenant=tenant.id, lead=from_wire(second["id"]))
    found, leads = rehearsed(server, operator, owner, settings={"mode": "round_robin"})
    assert (found["leads"], found["erased"], found["moved"]) == (6, 1, 0)
    assert [one["erased"] for one in leads] == [number == numbers[1] for number in numbers]
    assert leads[1]["reason"] is None and leads[1]["had"] == leads[1]["would_have"]
    assert sum(one["had"] for one in found["agents"]) == 5


def test_agents_are_those_of_now(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    for _ in range(6):
        sent(server, tenant)
    change(server, owner, team[0], takes_leads=False)
    change(server, owner, team[1], away_from="2001-01-01", away_to="2001-02-01")
    found, _ = rehearsed(server, operator, owner)
    load = {one["agent"]: (one["had"], one["would_have"]) for one in found["agents"]}
    assert load == {team[0].number: (2, 0), team[1].number: (2, 3), team[2].number: (2, 3)}


def test_as_csv(server: Server, operator: Operator, tenant: Tenant, owner: Staff) -> None:
    formula = operator.staff(tenant.id, "agent", "=1+1")
    put(server, owner, mode="round_robin")
    for _ in range(3):
        sent(server, tenant)
    tour(server, tenant)
    job = asked(server, owner, settings={"mode": "primary_only", "fallback": "pond"})
    operator.run(to_the_end)
    answer = server.ask("GET", f"{REHEARSALS}/{job['id']}/leads.csv", headers=owner.bearer)
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    leads = got(server, owner, job, "/leads")["items"]
    assert [(row["kind"], int(row["id"])) for row in rows] == [
        ("tour", one["tour_id"]) if one["lead_id"] is None else ("lead", one["lead_id"]) for one in leads
    ]
    assert {(row["had"], row["had_name"], row["would_have"], row["moved"]) for row in rows} == {
        (str(formula.number), "'=1+1", "", "yes")
    }
    assert {row["reason"] for row in rows} == {one["reason"] for one in leads}


def test_a_worker_that_is_killed(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    """What it held goes on where it stood, and what it was at is done once."""
    put(server, owner, mode="round_robin")
    for _ in range(8):
        sent(server, tenant)
    operator.run(to_the_end)
    job = asked(server, owner, settings={"mode": "random"})

    async def killed(store: EventStore) -> None:
        held = await claim(store.database)
        assert held is not None and await claim(store.database) is None
        # It lives on, and finishes when another one has done so.
        await store.database.rows(BACK, {"tenant": tenant.id})
        await to_the_end(store)
        await go_on(store, held)

    operator.run(killed)
    found, leads = got(server, owner, job), got(server, owner, job, "/leads")
    assert (found["status"], found["leads"], leads["total"]) == ("completed", 8, 8)


def test_pages(server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]) -> None:
    put(server, owner, mode="round_robin")
    numbers = [sent(server, tenant) for _ in range(5)]
    job = asked(server, owner)
    assert (job["status"], job["progress"], job["leads"], job["ended_at"]) == ("running", 0.0, 0, None)
    assert got(server, owner, job) == job and got(server, owner, job, "/leads")["items"] == []
    operator.run(to_the_end)
    pages = [got(server, owner, job, f"/leads?page_size=2&page={page}") for page in (1, 2, 3, 4)]
    assert [one["lead_id"] for page in pages for one in page["items"]] == numbers
    assert {(page["total"], page["total_pages"]) for page in pages} == {(5, 3)}
    tag = server.ask("GET", f"{REHEARSALS}/{job['id']}", headers=owner.bearer).headers["etag"]
    again = server.ask("GET", f"{REHEARSALS}/{job['id']}", headers=owner.bearer | {"If-None-Match": tag})
    assert again.status == 304


@pytest.mark.parametrize(
    ("body", "loc", "message"),
    [
        ({"settings": {"mode": "best"}}, ["body", "settings", "mode"], "unexpected value"),
        (
            {"settings": {"rules": [{"to": {"agent": 10**12}}]}},
            ["body", "settings", "rules"],
            "names agent 1000000000000, who is not a user of this brokerage.",
        ),
        (
            {"settings": {"groups": {"g": []}}},
            ["body", "settings", "groups"],
            "groups.g must have at least one member.",
        ),
        ({"since": "lately"}, ["body", "since"], "invalid datetime"),
    ],
)
def test_what_is_wrong_is_said_as_by_put(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, body: Any, loc: list[str], message: str
) -> None:
    before = operator.head(tenant)
    answer = server.ask("POST", REHEARSE, body, owner.bearer)
    assert answer.status == 422
    (problem,) = answer.json["detail"]
    assert problem["loc"] == loc and message in problem["msg"]
    assert operator.head(tenant) == before


def test_a_rule_that_names_a_disabled_agent(server: Server, tenant: Tenant, owner: Staff, team: list[Staff]) -> None:
    server.ask("PATCH", f"/api/v1/admin/users/{team[0].number}", {"disabled": True}, owner.bearer)
    settings = {"rules": [{"to": {"agent": team[0].number}}]}
    answer = server.ask("POST", REHEARSE, {"settings": settings}, owner.bearer)
    assert answer.status == 422 and "who is disabled" in answer.json["detail"][0]["msg"]
    put_answer = server.ask("PUT", ROUTING, settings, owner.bearer)
    assert put_answer.json["detail"][0]["msg"] == answer.json["detail"][0]["msg"]


def test_so_many_at_once(server: Server, operator: Operator, tenant: Tenant, owner: Staff) -> None:
    jobs = [asked(server, owner) for _ in range(MOST_RUNNING)]
    refused = server.ask("POST", REHEARSE, {}, owner.bearer)
    assert refused.status == 409 and "Wait until one of them has ended" in refused.detail
    operator.run(to_the_end)
    assert {got(server, owner, job)["status"] for job in jobs} == {"completed"}
    assert asked(server, owner)["leads"] == 0


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
def test_who_may(server: Server, operator: Operator, tenant: Tenant, owner: Staff, endpoint: Endpoint) -> None:
    job = asked(server, owner)
    path = endpoint.path.replace("{id}", job["id"])
    broker, agent = operator.staff(tenant.id, "broker"), operator.staff(tenant.id, "agent")
    body: Any = {} if endpoint.method == "POST" else None
    assert server.ask(endpoint.method, path, body, broker.bearer).status == endpoint.status
    assert server.ask(endpoint.method, path, body, agent.bearer).status == 403
    assert server.ask(endpoint.method, path, body).status == 401
    stranger = operator.staff(operator.brokerage().id, "brokerage_owner")
    assert server.ask(endpoint.method, path, body, stranger.bearer).status == (404 if endpoint.id else endpoint.status)


def test_a_clients_leads_stay_with_the_clients_agent(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    """They take no turn in a rehearsal, as they took none when they came."""
    put(server, owner, mode="round_robin")
    numbers = [sent(server, tenant, email="john@example.com") for _ in range(4)]
    sent(server, tenant)
    agent = lead(server, owner, numbers[0])["assigned_agent_id"]
    found, leads = rehearsed(server, operator, owner)
    assert (found["moved"], len(leads)) == (0, 5)
    found, leads = rehearsed(server, operator, owner, settings={"mode": "primary_only", "fallback": "pond"})
    would = {one["lead_id"]: (one["would_have"], one["reason"]) for one in leads}
    known = [would.pop(number) for number in numbers[1:]]
    assert {who for who, _ in known} == {agent} and all(reason.startswith("The client's agent:") for _, reason in known)
    assert [who for who, _ in would.values()] == [None, None] and found["moved"] == 2


def test_an_empty_brokerage_and_any_message(server: Server, operator: Operator, tenant: Tenant, owner: Staff) -> None:
    messages = ("x" * 20_000, "🏡🔑🏡", "我想买一套公寓", "?", "a house\x00 \ud800")
    for message in messages:
        sent(server, tenant, message=message, source_page="/listing/none-of-ours")
    tour(server, tenant, listing_id="none of ours", message="🏡")
    found, leads = rehearsed(server, operator, owner, settings={"mode": "semantic"})
    assert (found["leads"], found["moved"], found["agents"]) == (6, 0, [])
    assert found["pond"] == {"had": 6, "would_have": 6}
    assert {one["reason"][:31] for one in leads} == {"No agent can take leads now, an"}
    for name in ("Ana", "Ben"):
        change(server, owner, operator.staff(tenant.id, "agent", name), specialties=[f"{name} houses"])
    found, leads = rehearsed(server, operator, owner, settings={"mode": "semantic", "semantic_filter": True})
    assert (found["leads"], found["moved"], found["pond"]["would_have"]) == (6, 6, 0)
    assert all(one["would_have"] is not None and one["reason"] for one in leads)


def test_rehearsals_are_listed_newest_first(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    assert server.ask("GET", REHEARSALS, headers=owner.bearer).json == {"rehearsals": []}
    jobs = [asked(server, owner, settings={"mode": mode}) for mode in ("random", "primary_only")]
    assert server.ask("GET", REHEARSALS, headers=owner.bearer).json == {"rehearsals": jobs[::-1]}
    operator.run(to_the_end)
    listed = server.ask("GET", REHEARSALS, headers=owner.bearer)
    assert listed.json == {"rehearsals": [got(server, owner, job) for job in jobs[::-1]]}
    assert server.ask("GET", REHEARSALS, headers=owner.bearer | {"If-None-Match": listed.headers["etag"]}).status == 304
    stranger = operator.staff(operator.brokerage().id, "brokerage_owner")
    assert server.ask("GET", REHEARSALS, headers=stranger.bearer).json == {"rehearsals": []}
    assert server.ask("GET", REHEARSALS, headers=team[0].bearer).status == 403


def test_a_cancelled_rehearsal_goes_no_further(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    """Also while a worker is at it; what it has found stays."""
    for _ in range(3):
        sent(server, tenant)
    job = asked(server, owner)
    path = f"{REHEARSALS}/{job['id']}/cancel"

    async def cancelled_meanwhile(store: EventStore) -> None:
        held = await claim(store.database)
        assert held is not None and held.id == from_wire(job["id"])
        await asyncio.to_thread(lambda: cancelled.append(server.ask("POST", path, headers=owner.bearer)))
        await go_on(store, held)

    cancelled: list[Any] = []
    operator.run(cancelled_meanwhile)
    operator.run(to_the_end)
    assert cancelled[0].status == 200
    found = got(server, owner, job)
    assert found == cancelled[0].json and (found["status"], found["leads"]) == ("cancelled", 0)
    assert found["ended_at"] is not None and found["progress"] < 1
    # Once more, and at the other process: the same success, and no second event.
    head = operator.rows(STATE, tenant=tenant.id)
    assert proxied.ask("POST", path, headers=owner.bearer).json == found
    assert operator.rows(STATE, tenant=tenant.id) == head


def test_only_a_running_rehearsal_is_cancelled(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    job = asked(server, owner)
    path = f"{REHEARSALS}/{job['id']}/cancel"
    stranger = operator.staff(operator.brokerage().id, "brokerage_owner")
    assert server.ask("POST", path, headers=stranger.bearer).status == 404
    assert server.ask("POST", path, headers=team[0].bearer).status == 403
    operator.run(to_the_end)
    refused = server.ask("POST", path, headers=owner.bearer)
    assert refused.status == 409 and "Only a running rehearsal" in refused.json["detail"]
    assert got(server, owner, job)["status"] == "completed"


def test_cancelling_makes_room(server: Server, operator: Operator, tenant: Tenant, owner: Staff) -> None:
    jobs = [asked(server, owner) for _ in range(MOST_RUNNING)]
    full = server.ask("POST", REHEARSE, {}, owner.bearer)
    assert full.status == 409 and "cancel one" in full.json["detail"]
    keyed = owner.bearer | {"Idempotency-Key": "k"}
    first, again = (server.ask("POST", f"{REHEARSALS}/{jobs[0]['id']}/cancel", headers=keyed) for _ in range(2))
    assert first.json == again.json and again.headers["idempotent-replayed"] == "true"
    assert server.ask("POST", REHEARSE, {}, owner.bearer).status == 202
