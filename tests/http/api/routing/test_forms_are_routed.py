"""Forms and tours find their agents: fair over two processes, never above a cap, with the reason; and claims."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.http.api.routing.sending import LEADS, agents_of, change, lead, put, sent
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Answer, Server

DAYS = "UPDATE turns SET window_name = '2000-01-01' WHERE tenant_id = %(tenant)s RETURNING 1"
ROWS = "SELECT data FROM events WHERE tenant_id = %(tenant)s AND type IN ('lead.captured', 'tour.requested')"


def at_once(servers: tuple[Server, ...], tenant: Tenant, forms: int) -> list[int]:
    """So many forms at the same time, to each process its share."""
    with ThreadPoolExecutor(12) as threads:
        return list(threads.map(lambda place: sent(servers[place % len(servers)], tenant), range(forms)))


def test_round_robin_is_fair_over_processes_and_under_concurrency(
    server: Server, proxied: Server, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    numbers = at_once((server, proxied), tenant, 60)
    assert agents_of(server, owner, numbers) == {agent.number: 20 for agent in team}
    # One after the other, each comes once a round, in the same order.
    order = [lead(server, owner, sent(place, tenant))["assigned_agent_id"] for place in (server, proxied) * 3]
    assert order[:3] == order[3:] and set(order) == {agent.number for agent in team}


def test_what_is_stored_names_the_agent_and_no_placeholder(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    number = sent(server, tenant)
    shown = lead(server, owner, number)
    assert shown["routing"] == {
        "mode": "round_robin",
        "agent": shown["assigned_agent_id"],
        "rule": None,
        "margin": None,
        "reason": "Round robin: of 3 agents, none has waited longer for a lead.",
        "model": None,
        "because": [],
        "pool": [{"agent": agent.number, "score": None, "out": None} for agent in sorted(team, key=lambda one: one.id)],
    }
    (by_key,) = server.leads(tenant)
    chosen = next(agent for agent in team if agent.number == shown["assigned_agent_id"])
    assert by_key["assignedToId"] == chosen.id
    listed = server.ask("GET", LEADS, headers=owner.bearer).json["items"][0]
    brief = {name: value for name, value in shown["routing"].items() if name not in ("because", "pool")}
    assert listed["routing"] == brief and listed == shown | {"routing": brief}
    history = server.ask("GET", f"{LEADS}/{number}/history", headers=owner.bearer).json
    assert history[0]["changes"]["routing"] == {"from": None, "to": shown["routing"]}
    assert history[0]["changes"]["assigned_agent_id"]["to"] == chosen.number
    wire = server.by_key(tenant, "GET", f"/api/leads/{by_key['id']}/history").json[0]["changes"]["routing"]["to"]
    assert (wire["agent"], wire["reason"]) == (chosen.id, shown["routing"]["reason"])
    # An agent is told the reason, and nothing of colleagues.
    reason = {"reason": shown["routing"]["reason"]}
    assert lead(server, chosen, number)["routing"] == reason
    assert server.ask("GET", LEADS, headers=chosen.bearer).json["items"][0]["routing"] == reason
    for path in (f"{LEADS}/{number}/history",):
        told = server.ask("GET", path, headers=chosen.bearer).json[0]["changes"]["routing"]["to"]
        assert told == reason
    as_of = server.ask("GET", f"{LEADS}/{number}?asOf=9999-01-01", headers=owner.bearer).json
    assert as_of == shown


def test_a_cap_holds_over_processes(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    ana, ben, cora = team
    change(server, owner, ana, daily_cap=3)
    change(server, owner, ben, daily_cap=5)
    change(server, owner, cora, takes_leads=False)
    numbers = at_once((server, proxied), tenant, 14)
    assert agents_of(server, owner, numbers) == {ana.number: 3, ben.number: 5, None: 6}
    waiting = next(found for number in numbers if (found := lead(server, owner, number))["assigned_agent_id"] is None)
    assert waiting["routing"]["reason"].startswith("No agent can take leads now, and the fallback found no agent")
    assert {one["agent"]: one["out"] for one in waiting["routing"]["pool"]} == {
        ana.number: "has had as many leads today as the daily cap allows",
        ben.number: "has had as many leads today as the daily cap allows",
        cora.number: "takes no leads",
    }
    # Another day, another count.
    assert operator.rows(DAYS, tenant=tenant.id)
    change(server, owner, ana, daily_cap=2)
    numbers = [sent((server, proxied)[place % 2], tenant) for place in range(4)]
    assert agents_of(server, owner, numbers) == {ana.number: 2, ben.number: 2}


def test_agents_whose_pools_differ_are_not_skipped(
    server: Server, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    """A and B share what is about yards, C has the rest: neither A nor B waits for ever, as the next behind C would."""
    ana, ben, cora = team
    rules = [
        {"when": {"subject_has": ["yard"]}, "to": {"group": "yards"}},
        {"to": {"agent": cora.number}},
    ]
    put(server, owner, mode="subject_based", rules=rules, groups={"yards": [ana.number, ben.number]})
    numbers = [sent(server, tenant, subject=subject) for subject in ("a yard", "other") * 6]
    assert agents_of(server, owner, numbers) == {ana.number: 3, ben.number: 3, cora.number: 6}
    shown = lead(server, owner, numbers[0])["routing"]
    assert shown["rule"] == 1 and "leads to the group yards" in shown["reason"]


def test_who_is_away_gets_nothing(server: Server, tenant: Tenant, owner: Staff, team: list[Staff]) -> None:
    ana, ben, cora = team
    put(server, owner, mode="round_robin")
    change(server, owner, ana, away_from="2020-01-01")
    change(server, owner, ben, away_from="2020-01-01", away_to="2020-02-01")
    assert agents_of(server, owner, [sent(server, tenant) for _ in range(4)]) == {ben.number: 2, cora.number: 2}


def test_modes_and_fallbacks(server: Server, tenant: Tenant, owner: Staff, team: list[Staff]) -> None:
    ana, ben, _ = team
    change(server, owner, ben, primary=True)
    put(server, owner, mode="primary_only")
    assert agents_of(server, owner, [sent(server, tenant) for _ in range(3)]) == {ben.number: 3}
    change(server, owner, ben, daily_cap=0)
    put(server, owner, mode="primary_only", fallback="pond")
    assert lead(server, owner, sent(server, tenant))["assigned_agent_id"] is None
    put(server, owner, mode="primary_only", fallback="primary")
    assert lead(server, owner, sent(server, tenant))["assigned_agent_id"] == ben.number
    put(server, owner, mode="random")
    drawn = agents_of(server, owner, [sent(server, tenant) for _ in range(12)])
    assert sum(drawn.values()) == 12 and ben.number not in drawn and None not in drawn
    change(server, owner, ana, specialties=["beach house"])
    put(server, owner)
    found = lead(server, owner, sent(server, tenant, message="A beach house, please"))
    assert found["assigned_agent_id"] == ana.number and found["routing"]["because"]
    put(server, owner, mode="round_robin", semantic_filter=True)
    filtered = [sent(server, tenant, message="A beach house, please") for _ in range(3)]
    assert agents_of(server, owner, filtered) == {ana.number: 3}


def test_rules_know_the_listing(server: Server, tenant: Tenant, owner: Staff, team: list[Staff]) -> None:
    ana, ben, cora = team
    house = {"title": "Loft", "address": "1 Main St", "city": "Boise", "state": "ID", "price": 750000, "mlsId": "L-77"}
    assert server.by_key(tenant, "POST", "/api/properties", house).status == 201
    rules = [
        {"when": {"area": ["boise"], "price_from": 700000}, "to": {"agent": ana.number}},
        {"when": {"listing_id": ["X-1"]}, "to": {"agent": ben.number}},
        {"to": {"agent": cora.number}},
    ]
    put(server, owner, mode="subject_based", rules=rules)
    assert lead(server, owner, sent(server, tenant, source_page="/property/L-77"))["assigned_agent_id"] == ana.number
    assert lead(server, owner, sent(server, tenant, source_page="/property/loft"))["assigned_agent_id"] == ana.number
    assert lead(server, owner, sent(server, tenant, source_page="/contact"))["assigned_agent_id"] == cora.number
    for listing, agent in (("L-77", ana), ("X-1", ben), ("?", cora)):
        body = {"listing_id": listing, "name": "Jane Doe", "email": f"jane{agent.number}@example.com"}
        made = server.ask("POST", "/api/tours", body, host=tenant.domain)
        assert made.status == 200
        tour = server.ask("GET", f"/api/tours/{made.json['id']}", headers=owner.bearer).json
        assert tour["assigned_agent_id"] == agent.number
    # So do leads and tours that staff have cleared.
    suspect = sent(server, tenant, source_page="/property/L-77", _gotcha="x")
    cleared = server.ask("PATCH", f"{LEADS}/{suspect}", {"suspect": False}, owner.bearer).json
    assert cleared["assigned_agent_id"] == ana.number
    body = {"listing_id": "L-77", "name": "Jane Doe", "email": "again@example.com", "_gotcha": "x"}
    tour = server.ask("POST", "/api/tours", body, host=tenant.domain).json
    cleared = server.ask("PATCH", f"/api/tours/{tour['id']}", {"suspect": False}, owner.bearer).json
    assert cleared["assigned_agent_id"] == ana.number


def test_tours_take_turns_with_leads(server: Server, tenant: Tenant, owner: Staff, team: list[Staff]) -> None:
    put(server, owner, mode="round_robin")
    got = []
    for place in range(6):
        if place % 2:
            got.append(lead(server, owner, sent(server, tenant))["assigned_agent_id"])
            continue
        body = {"listing_id": "1", "name": "Jane Doe", "email": f"jane{place}@example.com"}
        made = server.ask("POST", "/api/tours", body, host=tenant.domain).json
        got.append(server.ask("GET", f"/api/tours/{made['id']}", headers=owner.bearer).json["assigned_agent_id"])
    assert Counter(got) == {agent.number: 2 for agent in team}


def test_suspects_take_no_turn(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    number = sent(server, tenant, _gotcha="x")
    shown = lead(server, owner, number)
    assert (shown["assigned_agent_id"], shown["routing"]) == (None, None)
    assert operator.rows("SELECT 1 FROM turns WHERE tenant_id = %(tenant)s", tenant=tenant.id) == []
    cleared = server.ask("PATCH", f"{LEADS}/{number}", {"suspect": False}, owner.bearer).json
    assert cleared["assigned_agent_id"] in [agent.number for agent in team]
    assert cleared["routing"]["agent"] == cleared["assigned_agent_id"]
    assert lead(server, owner, number) == cleared


def claim(server: Server, who: Staff, number: int, **headers: str) -> Answer:
    return server.ask("POST", f"{LEADS}/{number}/claim", headers=who.bearer | headers)


def pond(server: Server, who: Staff) -> list[int]:
    return [one["id"] for one in server.ask("GET", "/api/v1/admin/pond", headers=who.bearer).json["items"]]


def test_the_pond_is_claimed_once(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="primary_only", fallback="pond")
    number, other = sent(server, tenant), sent(server, tenant)
    assert pond(server, team[0]) == [other, number]
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda p: claim((server, proxied)[p % 2], team[p % 3], number), range(6)))
    winners = {answer.json["assigned_agent_id"] for answer in answers if answer.status == 200}
    assert {answer.status for answer in answers} == {200, 409} and len(winners) == 1
    assert winners == {lead(server, owner, number)["assigned_agent_id"]} and pond(server, team[0]) == [other]
    # Once more is the same; the key remembers it.
    winner = next(agent for agent in team if agent.number in winners)
    again = claim(server, winner, number, **{"Idempotency-Key": "k"})
    assert again.status == 200 and claim(server, winner, number, **{"Idempotency-Key": "k"}).json == again.json
    stranger = operator.staff(operator.brokerage().id, "agent")
    assert claim(server, stranger, other).status == 404 and claim(server, winner, 10**12).status == 404
    assert server.ask("POST", f"{LEADS}/{other}/claim").status == 401
    # What was assigned by hand is in no pond.
    by_hand = server.ask("PATCH", f"{LEADS}/{number}", {"assigned_agent_id": None}, owner.bearer)
    assert by_hand.status == 200


def test_a_group_claims_first(server: Server, tenant: Tenant, owner: Staff, team: list[Staff]) -> None:
    ana, ben, _ = team
    rules = [
        {"when": {"subject_has": ["sell"]}, "to": {"group": "sellers"}, "claim_minutes": 15},
        {"to": {"group": "everyone"}},
    ]
    put(server, owner, mode="subject_based", rules=rules, groups={"sellers": [ana.number]})
    number = sent(server, tenant, subject="I want to sell")
    shown = lead(server, owner, number)
    assert shown["assigned_agent_id"] is None and pond(server, ben) == [number]
    assert shown["routing"]["reason"] == (
        "Rule 1 (the subject has “sell”) lets the agents of the group sellers claim it, for 15 minutes."
    )
    refused = claim(server, ben, number)
    assert refused.status == 409 and "The agents of the group sellers may claim this lead first" in refused.detail
    assert claim(server, ana, number).json["assigned_agent_id"] == ana.number
    assert claim(server, ben, number).status == 409


def test_an_empty_brokerage_stores_every_form(server: Server, tenant: Tenant, owner: Staff) -> None:
    for message in ("x" * 20_000, "🏡🔑🏡", "我想买一套公寓", "?"):
        found = lead(server, owner, sent(server, tenant, message=message))
        assert found["assigned_agent_id"] is None
        assert found["routing"]["reason"].startswith("No agent can take leads now")
