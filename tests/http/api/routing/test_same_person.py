"""The same person goes to the same agent: a client of the brokerage, and a person who asked before. Nothing less than
address and name is enough, nothing else changes, and no answer tells."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from aureum.domain.ids import from_wire
from aureum.projections import lead_list, tour_list
from aureum.projections.document_list import DocumentList
from aureum.store.event_store import EventStore
from tests.http.api.routing.sending import LEADS, address, change, lead, put, sent
from tests.http.api.tours.tour_requests import TOUR
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server

ZOE = {"firstName": "Zoë", "lastName": "van Dam", "email": "zoe@example.com"}
HEAD = "SELECT position FROM heads WHERE tenant_id = %(tenant)s"
CLIENT = "The client's agent: the address and the name are those of a contact whom this agent serves."
EARLIER = "The client's agent: this agent has an earlier lead with the same address and name."
SHOWN = "The client's agent: this agent has an earlier showing with the same address and name."
STREAMS = "SELECT DISTINCT stream_id FROM events WHERE tenant_id = %(tenant)s AND starts_with(type, %(kind)s)"
ERASE = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(lead)s RETURNING 1"


def tour(server: Server, tenant: Tenant, owner: Staff, **fields: Any) -> dict[str, Any]:
    """A new tour, as staff see it."""
    body = TOUR | {"name": "Zoe van Dam", "email": "zoe@example.com", "message": address()} | fields
    made = server.ask("POST", "/api/tours", body, {"X-Forwarded-For": address()}, host=tenant.domain)
    assert made.status == 200, made.body
    found: dict[str, Any] = server.ask("GET", f"/api/tours/{made.json['id']}", headers=owner.bearer).json
    return found


def contact(server: Server, tenant: Tenant, **fields: Any) -> dict[str, Any]:
    made = server.by_key(tenant, "POST", "/api/contacts", ZOE | fields)
    assert made.status == 201, made.body
    found: dict[str, Any] = made.json
    return found


def assign(server: Server, owner: Staff, number: int, agent: Staff | None) -> None:
    given = server.ask("PATCH", f"{LEADS}/{number}", {"assigned_agent_id": agent and agent.number}, owner.bearer)
    assert given.status == 200, given.body


def as_folded(operator: Operator, tenant: Tenant, model: DocumentList) -> None:
    """What people read is what the events say, though the append has written some of it."""

    async def compared(store: EventStore) -> None:
        about = {"tenant": tenant.id, "kind": f"{model.kind}."}
        streams = await store.database.rows(STREAMS, about)
        assert streams
        for (stream_id,) in streams:
            events = [recorded.event for recorded in (await store.load(tenant.id, stream_id)).events]
            ((made),) = model.rows((), events)
            columns = [name for name in model.columns if name != "updated_at"]
            query = f"SELECT {', '.join(columns)} FROM {model.table} WHERE {model.id} = %(id)s"
            ((*kept,),) = await store.database.rows(query, {"id": stream_id})
            assert dict(zip(columns, kept, strict=True)) == {name: made[name] for name in columns}

    operator.run(compared)


def test_one_who_asked_before_goes_to_the_same_agent(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    first = lead(server, owner, sent(server, tenant, **ZOE))
    # It takes no turn of the agent's: the others come next, as if it had not been.
    again = lead(
        server, owner, sent(proxied, tenant, firstName="VAN DAM", lastName="zoe", email=" Zoe@Example.com", phone="1")
    )
    assert again["assigned_agent_id"] == first["assigned_agent_id"] is not None
    assert (again["contact_id"], again["id"] == first["id"]) == (None, False)
    routing = again["routing"]
    assert (routing["reason"], routing["agent"], routing["mode"]) == (
        EARLIER,
        first["assigned_agent_id"],
        "round_robin",
    )
    assert (routing["rule"], routing["margin"], routing["model"], routing["because"]) == (None, None, None, [])
    others = [lead(server, owner, sent(server, tenant))["assigned_agent_id"] for _ in range(2)]
    assert {first["assigned_agent_id"], *others} == {agent.number for agent in team}
    # The lead before is as it was.
    assert lead(server, owner, first["id"]) == first
    # Whoever has the newest lead is the client's agent: staff may have given it to another one.
    other = next(agent for agent in team if agent.number != first["assigned_agent_id"])
    assign(server, owner, again["id"], other)
    assert lead(server, owner, sent(server, tenant, **ZOE))["assigned_agent_id"] == other.number
    as_folded(operator, tenant, lead_list.LIST)


def test_a_client_goes_to_the_agent_who_serves_them(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    ana, ben, _ = team
    put(server, owner, mode="primary_only", fallback="pond")
    number = sent(server, tenant, **ZOE)
    assert lead(server, owner, number)["assigned_agent_id"] is None
    assign(server, owner, number, ben)
    wire = next(one["id"] for one in server.leads(tenant))
    converted = server.by_key(tenant, "POST", f"/api/leads/{wire}/convert").json
    known = server.by_key(tenant, "GET", f"/api/contacts/{converted['contactId']}").json
    # The contact counts as it is now, under whatever name and address the leads were sent.
    renamed = {"lastName": "Visser", "email": "zoe@visser.example"}
    assert server.by_key(tenant, "PATCH", f"/api/contacts/{known['id']}", renamed).status == 200
    as_client = {"firstName": "Zoe", "lastName": "Visser", "email": "ZOE@visser.example", "phone": "+1 208 555 0199"}
    before = server.by_key(tenant, "GET", "/api/contacts").json
    asked = sent(server, tenant, **as_client)
    shown = lead(server, owner, asked)
    assert (shown["assigned_agent_id"], shown["contact_id"]) == (ben.number, known["id"])
    assert shown["routing"]["reason"] == CLIENT
    # A form makes no contact, and adds nothing to one.
    assert server.by_key(tenant, "GET", "/api/contacts").json == before
    # Under the old name only the lead says so.
    old = lead(server, owner, sent(server, tenant, **ZOE))
    assert (old["assigned_agent_id"], old["contact_id"], old["routing"]["reason"]) == (ben.number, None, EARLIER)
    # Given to another agent, the client stays with that one.
    assign(server, owner, asked, ana)
    assert lead(server, owner, sent(server, tenant, **as_client))["assigned_agent_id"] == ana.number
    # All of it is told alike.
    wire = server.leads(tenant, "?limit=1")[0]["id"]
    told = server.by_key(tenant, "GET", f"/api/leads/{wire}").json
    assert (told["assignedToId"], told["contactId"]) == (ana.id, known["id"])
    assert told["routing"]["reason"] == CLIENT and told["routing"]["agent"] == ana.id
    assert told["routing"].keys() == {"mode", "agent", "rule", "margin", "reason", "model"}
    assert server.by_key(tenant, "POST", f"/api/leads/{wire}/convert").json["contactId"] == known["id"]
    assert server.by_key(tenant, "GET", "/api/contacts").json == before
    as_folded(operator, tenant, lead_list.LIST)


def test_a_contact_without_an_agent_is_named_all_the_same(
    server: Server, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    known, _ = contact(server, tenant), contact(server, tenant)
    shown = lead(server, owner, sent(server, tenant, **ZOE))
    assert shown["contact_id"] == known["id"]
    assert shown["routing"]["reason"].startswith("Round robin: of 3 agents")
    assert shown["assigned_agent_id"] in [agent.number for agent in team]
    # In the pond, too.
    put(server, owner, mode="primary_only", fallback="pond")
    other = {"firstName": "Max", "lastName": "Muster", "email": "max@example.com"}
    known = contact(server, tenant, **other)
    shown = lead(server, owner, sent(server, tenant, **other))
    assert (shown["contact_id"], shown["assigned_agent_id"]) == (known["id"], None)


@pytest.mark.parametrize(
    "other",
    [
        {"email": "other@example.com"},
        {"firstName": "Max"},
        {"lastName": "van Damme"},
        {"firstName": "Z."},
        {"email": "zoe+homes@example.com"},
    ],
)
def test_what_only_suggests_changes_nothing(
    server: Server, tenant: Tenant, owner: Staff, team: list[Staff], other: dict[str, str]
) -> None:
    put(server, owner, mode="round_robin")
    phone = {"phone": "208-555-0177"}
    contact(server, tenant, **phone)
    first = lead(server, owner, sent(server, tenant, **ZOE, **phone))
    suggested = lead(server, owner, sent(server, tenant, **ZOE | other, **phone))
    assert suggested["assigned_agent_id"] != first["assigned_agent_id"]
    assert suggested["contact_id"] is None and suggested["routing"]["reason"].startswith("Round robin")


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ({"away_from": "2020-01-01"}, "The client's agent is away."),
        ({"takes_leads": False}, "The client's agent takes no leads."),
        (None, "The client's agent is no longer active."),
    ],
)
def test_an_agent_who_cannot_take_it_is_passed_over(
    server: Server,
    operator: Operator,
    tenant: Tenant,
    owner: Staff,
    team: list[Staff],
    profile: dict[str, Any] | None,
    said: str,
) -> None:
    put(server, owner, mode="round_robin")
    first = lead(server, owner, sent(server, tenant, **ZOE))
    agent = next(one for one in team if one.number == first["assigned_agent_id"])
    if profile is not None:
        change(server, owner, agent, **profile)
    else:
        disabled = server.ask("PATCH", f"/api/v1/admin/users/{agent.number}", {"disabled": True}, owner.bearer)
        assert disabled.status == 200, disabled.body
    again = lead(server, owner, sent(server, tenant, **ZOE))
    assert again["assigned_agent_id"] not in (None, agent.number)
    assert again["routing"]["reason"].startswith(f"{said} Round robin: of 2 agents")
    # From now on that one is the client's agent.
    assert lead(server, owner, sent(server, tenant, **ZOE))["assigned_agent_id"] == again["assigned_agent_id"]
    as_folded(operator, tenant, lead_list.LIST)


def test_a_daily_cap_keeps_no_client_from_the_agent(
    server: Server, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    first = lead(server, owner, sent(server, tenant, **ZOE))
    for agent in team:
        change(server, owner, agent, daily_cap=1)
    for _ in range(2):
        again = lead(server, owner, sent(server, tenant, **ZOE))
        assert (again["assigned_agent_id"], again["routing"]["reason"]) == (first["assigned_agent_id"], EARLIER)
    # The client's leads are not counted.
    strangers = [lead(server, owner, sent(server, tenant))["assigned_agent_id"] for _ in range(3)]
    assert sorted(map(str, strangers)) == sorted(
        [*(str(agent.number) for agent in team if agent.number != first["assigned_agent_id"]), "None"]
    )


@pytest.mark.parametrize("mode", ["semantic", "random", "primary_only", "subject_based", "round_robin"])
def test_in_every_mode(server: Server, tenant: Tenant, owner: Staff, team: list[Staff], mode: str) -> None:
    ana, ben, _ = team
    change(server, owner, ben, primary=True, specialties=["loft"])
    rules = [{"to": {"agent": ben.number}}]
    put(server, owner, mode=mode, rules=rules)
    number = sent(server, tenant, **ZOE, message="A loft, please")
    assign(server, owner, number, ana)
    again = lead(server, owner, sent(server, tenant, **ZOE, message="A loft, please"))
    assert (again["assigned_agent_id"], again["routing"]["mode"]) == (ana.number, mode)
    assert (again["routing"]["reason"], again["routing"]["because"]) == (EARLIER, [])


def test_an_offer_to_a_group_is_none_for_a_client(
    server: Server, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    ana, ben, _ = team
    rules = [{"to": {"group": "sellers"}, "claim_minutes": 15}]
    put(server, owner, mode="subject_based", rules=rules, groups={"sellers": [ben.number]})
    number = sent(server, tenant, **ZOE)
    assert server.ask("POST", f"{LEADS}/{number}/claim", headers=ben.bearer).status == 200
    put(server, owner, mode="subject_based", rules=rules, groups={"sellers": [ana.number]})
    again = sent(server, tenant, **ZOE)
    assert lead(server, owner, again)["assigned_agent_id"] == ben.number
    waiting = server.ask("GET", "/api/v1/admin/pond", headers=ana.bearer).json
    assert waiting["items"] == []
    # Taken from the agent, it does not come to the pond.
    assign(server, owner, again, None)
    assert server.ask("GET", "/api/v1/admin/pond", headers=ana.bearer).json["items"] == []
    assert server.ask("POST", f"{LEADS}/{again}/claim", headers=ana.bearer).status == 404


def test_a_tour_carries_the_open_lead_and_goes_to_its_agent(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    stranger = tour(server, tenant, owner)
    assert stranger["lead_id"] is None and stranger["routing"]["reason"].startswith("Round robin")
    older, number = sent(server, tenant, **ZOE), sent(server, tenant, **ZOE)
    open_lead = lead(server, owner, number)
    asked = tour(server, tenant, owner)
    assert (asked["lead_id"], asked["assigned_agent_id"]) == (number, open_lead["assigned_agent_id"])
    assert asked["routing"]["reason"] == EARLIER and asked["routing"]["agent"] == open_lead["assigned_agent_id"]
    assert lead(server, owner, number) == open_lead and len(server.leads(tenant)) == 2
    # The showing says the same by wire ids, in a list and alone; the agent of it sees the reason alone.
    by_number = {one["id"]: one for one in server.ask("GET", "/api/tours", headers=owner.bearer).json}
    assert {**by_number[asked["id"]], "routing": asked["routing"]} == asked
    listed = next(one for one in server.by_key(tenant, "GET", "/api/showings").json if "leadId" in one)
    showing = server.by_key(tenant, "GET", f"/api/showings/{listed['id']}").json
    assert showing == listed | {"routing": showing["routing"]} and showing["routing"]["reason"] == EARLIER
    assert showing["leadId"] == server.leads(tenant)[0]["id"]
    assert showing["routing"]["agent"] == showing["assignedToId"]
    agent = next(one for one in team if one.id == showing["assignedToId"])
    for path in (f"/api/showings/{listed['id']}", f"/api/tours/{asked['id']}"):
        assert server.ask("GET", path, headers=agent.bearer).json["routing"] == {"reason": EARLIER}
        as_of = server.ask("GET", f"{path}?asOf=9999-01-01", headers=owner.bearer).json
        assert as_of == server.ask("GET", path, headers=owner.bearer).json
    # One that is closed is not carried; its agent shows the property all the same.
    for closed, status in ((number, "lost"), (older, "converted")):
        patched = server.ask("PATCH", f"{LEADS}/{closed}", {"status": status}, owner.bearer)
        assert patched.status == 200
    after = tour(server, tenant, owner)
    assert (after["lead_id"], after["assigned_agent_id"]) == (None, open_lead["assigned_agent_id"])
    as_folded(operator, tenant, tour_list.LIST)


def test_an_open_lead_in_the_pond_is_carried_too(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="primary_only", fallback="pond")
    number = sent(server, tenant, **ZOE)
    asked = tour(server, tenant, owner)
    assert (asked["lead_id"], asked["assigned_agent_id"]) == (number, None)
    # The other way round, the lead of an agent goes before a newer one in the pond.
    assign(server, owner, number, team[1])
    assign(server, owner, sent(server, tenant, **ZOE), None)
    asked = tour(server, tenant, owner)
    assert (asked["lead_id"], asked["assigned_agent_id"]) == (number, team[1].number)
    as_folded(operator, tenant, tour_list.LIST)


def test_suspects_and_other_brokerages_are_left_out(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    suspect = sent(server, tenant, **ZOE, _gotcha="x")
    first = lead(server, owner, sent(server, tenant, **ZOE))
    assert first["routing"]["reason"].startswith("Round robin")
    # A suspect that is known goes nowhere either; cleared, it goes to the client's agent.
    assert lead(server, owner, suspect)["assigned_agent_id"] is None
    cleared = server.ask("PATCH", f"{LEADS}/{suspect}", {"suspect": False}, owner.bearer).json
    assert (cleared["assigned_agent_id"], cleared["routing"]["reason"]) == (first["assigned_agent_id"], EARLIER)
    # So it is with a client, and with a tour.
    known = contact(server, tenant)
    suspect = sent(server, tenant, **ZOE, _gotcha="x")
    cleared = server.ask("PATCH", f"{LEADS}/{suspect}", {"suspect": False}, owner.bearer).json
    assert (cleared["contact_id"], cleared["routing"]["reason"]) == (known["id"], CLIENT)
    assert lead(server, owner, suspect) == cleared
    unseen = tour(server, tenant, owner, _gotcha="x")
    assert unseen["lead_id"] is None and "routing" not in unseen
    seen = server.ask("PATCH", f"/api/tours/{unseen['id']}", {"suspect": False}, owner.bearer).json
    assert (seen["lead_id"], seen["routing"]["reason"]) == (suspect, CLIENT)
    assert server.ask("GET", f"/api/tours/{unseen['id']}", headers=owner.bearer).json == seen
    as_folded(operator, tenant, tour_list.LIST)
    other = operator.brokerage()
    boss, agent = operator.staff(other.id, "brokerage_owner"), operator.staff(other.id, "agent")
    elsewhere = lead(server, boss, sent(server, other, **ZOE))
    assert elsewhere["assigned_agent_id"] == agent.number and "client" not in elsewhere["routing"]["reason"]
    as_folded(operator, tenant, lead_list.LIST)


def test_a_person_who_was_erased_is_nobody_known(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    first = lead(server, owner, sent(server, tenant, **ZOE))
    lead_id = from_wire(server.leads(tenant)[0]["id"])
    assert isinstance(lead_id, UUID) and operator.rows(ERASE, tenant=tenant.id, lead=lead_id)
    again = lead(server, owner, sent(server, tenant, **ZOE))
    assert again["routing"]["reason"].startswith("Round robin")
    assert again["assigned_agent_id"] != first["assigned_agent_id"]


def test_forms_of_a_new_person_at_the_same_moment_go_to_one_agent(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    people = [
        {"firstName": "Pat", "lastName": f"O'Neil {name}", "email": f"pat{name}@example.com"} for name in "abcdef"
    ]

    def send(place: int) -> tuple[int, int]:
        process = (server, proxied)[place % 2]
        return place % 6, sent(process, tenant, **people[place % 6], subject=f"Question {place}")

    with ThreadPoolExecutor(12) as threads:
        made = list(threads.map(send, range(36)))
    agents: dict[int, set[int]] = {}
    for person, number in made:
        agents.setdefault(person, set()).add(lead(server, owner, number)["assigned_agent_id"])
    assert len(agents) == 6 and all(len(found) == 1 and None not in found for found in agents.values())
    # Each of the six took one turn.
    counts = [sum(agent.number in found for found in agents.values()) for agent in team]
    assert counts == [2, 2, 2]
    as_folded(operator, tenant, lead_list.LIST)


def test_no_answer_tells_a_stranger(server: Server, tenant: Tenant, owner: Staff, team: list[Staff]) -> None:
    put(server, owner, mode="round_robin")
    stranger = server.form(tenant, {"X-Forwarded-For": address()}, **ZOE)
    known = server.form(tenant, {"X-Forwarded-For": address()}, **ZOE)
    hidden = ("date", "x-request-id")
    assert (stranger.status, stranger.json.keys()) == (known.status, known.json.keys())
    assert stranger.json | {"lead_id": 0} == known.json | {"lead_id": 0}
    shown = [{name: value for name, value in one.headers.items() if name not in hidden} for one in (stranger, known)]
    assert shown[0] == shown[1]
    kept = {"Idempotency-Key": "k"}
    first = server.form(tenant, {"X-Forwarded-For": address()} | kept, **ZOE)
    again = server.form(tenant, {"X-Forwarded-For": address()} | kept, **ZOE)
    assert first.json == again.json and again.headers["idempotent-replayed"] == "true"


def test_a_name_that_looks_like_what_is_written_stays_as_it_is(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    """What the append replaces is never what a visitor typed."""
    put(server, owner, mode="round_robin")
    contact(server, tenant)
    odd = '"contact_id":null "known":null ,"contactId":null "routing":{"known":null "lead_id":null'
    fields = {**ZOE, "subject": odd, "message": odd, "utm_source": odd, "source_page": odd}
    for _ in range(2):
        shown = lead(server, owner, sent(server, tenant, **fields))
        assert (shown["subject"], shown["message"], shown["utm_source"]) == (odd, odd, odd)
        tour(server, tenant, owner, message=odd, listing_id=odd)
    as_folded(operator, tenant, lead_list.LIST)
    as_folded(operator, tenant, tour_list.LIST)


@pytest.mark.parametrize("keyed", [False, True])
def test_what_is_sent_to_be_routed_is_routed(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff], keyed: bool
) -> None:
    put(server, owner, mode="round_robin")
    key = {"Idempotency-Key": "k"} if keyed else {}
    known = contact(server, tenant)
    body = {"name": "Zoe van Dam", "email": "zoe@example.com"}
    plain = server.by_key(tenant, "POST", "/api/leads", body).json
    assert (plain["assignedToId"], plain["contactId"]) == (None, None) and "routing" not in plain
    made = server.by_key(tenant, "POST", "/api/leads", body | {"route": True}, key)
    assert made.status == 201, made.body
    assert made.json["assignedToId"] in [agent.id for agent in team] and made.json["contactId"] == known["id"]
    assert made.json["routing"]["agent"] == made.json["assignedToId"]
    assert server.by_key(tenant, "GET", f"/api/leads/{made.json['id']}").json == made.json
    if keyed:
        again = server.by_key(tenant, "POST", "/api/leads", body | {"route": True}, key)
        assert again.json == made.json and again.headers["idempotent-replayed"] == "true"
    # The client's agent has it from now on, however it comes.
    entered = {"first_name": "Zoë", "last_name": "van Dam", "email": "zoe@example.com", "subject": "s", "message": "m"}
    by_staff = server.ask("POST", LEADS, entered | {"route": True}, owner.bearer | key)
    assert by_staff.status == 201, by_staff.body
    assert by_staff.json == lead(server, owner, by_staff.json["id"])
    agent = next(one for one in team if one.id == made.json["assignedToId"])
    assert (by_staff.json["assigned_agent_id"], by_staff.json["routing"]["reason"]) == (agent.number, CLIENT)
    by_agent = server.ask("POST", LEADS, entered | {"route": True}, agent.bearer | key)
    assert by_agent.json["routing"] == {"reason": CLIENT}
    showing = server.by_key(tenant, "POST", "/api/showings", body | {"route": True}, key).json
    assert (showing["assignedToId"], showing["leadId"]) == (agent.id, server.leads(tenant)[0]["id"])
    assert server.by_key(tenant, "GET", f"/api/showings/{showing['id']}").json == showing
    # Whom it is assigned to has it, and no route.
    other = next(one for one in team if one.id != agent.id)
    given = body | {"route": True, "assignedToId": other.id}
    assigned = server.by_key(tenant, "POST", "/api/leads", given).json
    assert assigned["assignedToId"] == other.id and "routing" not in assigned
    new = {"name": "Max Muster", "email": "max@example.com", "route": True}
    turns = [server.by_key(tenant, "POST", "/api/leads", new | {"email": f"max{n}@example.com"}) for n in range(3)]
    assert {one.json["assignedToId"] for one in turns} == {one.id for one in team}
    refused = server.by_key(tenant, "POST", "/api/leads", body | {"route": "maybe"})
    assert refused.status == 400 and refused.json["fields"]
    as_folded(operator, tenant, lead_list.LIST)


def test_each_of_several_goes_to_their_own(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="primary_only", fallback="pond")
    clients, asked = {}, {}
    for place, agent in enumerate(team):
        client = {"firstName": "Kim", "lastName": f"Client{place}", "email": f"client{place}@example.com"}
        clients[place] = contact(server, tenant, **client)["id"]
        number = sent(server, tenant, **client)
        found = lead(server, owner, number)
        assert found["contact_id"] == clients[place]
        assign(server, owner, number, agent)
        before = {"firstName": "Lee", "lastName": f"Asked{place}", "email": f"asked{place}@example.com"}
        asked[place] = sent(server, tenant, **before)
        assert lead(server, owner, asked[place])["contact_id"] is None
        assign(server, owner, asked[place], agent)
    for place, agent in enumerate(team):
        client = {"firstName": "Kim", "lastName": f"Client{place}", "email": f"client{place}@example.com"}
        again = lead(server, owner, sent(server, tenant, **client))
        assert (again["contact_id"], again["assigned_agent_id"]) == (clients[place], agent.number)
        before = {"firstName": "Lee", "lastName": f"Asked{place}", "email": f"asked{place}@example.com"}
        again = lead(server, owner, sent(server, tenant, **before))
        assert (again["contact_id"], again["assigned_agent_id"]) == (None, agent.number)
    as_folded(operator, tenant, lead_list.LIST)


def test_one_who_asked_for_tours_alone_goes_to_the_agent_who_shows(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    first = tour(server, tenant, owner)
    assert first["routing"]["reason"].startswith("Round robin") and first["lead_id"] is None
    again = tour(proxied, tenant, owner, name="VAN DAM, zoe", email=" ZOE@example.com")
    assert (again["assigned_agent_id"], again["routing"]["reason"]) == (first["assigned_agent_id"], SHOWN)
    assert again["lead_id"] is None
    asked = lead(server, owner, sent(server, tenant, **ZOE))
    assert (asked["assigned_agent_id"], asked["routing"]["reason"]) == (first["assigned_agent_id"], SHOWN)
    assert (asked["routing"]["agent"], asked["routing"]["because"], asked["contact_id"]) == (
        first["assigned_agent_id"],
        [],
        None,
    )
    # Neither took a turn.
    others = [lead(server, owner, sent(server, tenant))["assigned_agent_id"] for _ in range(2)]
    assert {first["assigned_agent_id"], *others} == {agent.number for agent in team}
    # From now on the lead says it, as for everyone.
    later = tour(server, tenant, owner)
    assert (later["lead_id"], later["routing"]["reason"]) == (asked["id"], EARLIER)
    # A lead goes before a showing: whom staff give it to is the client's agent.
    other = next(agent for agent in team if agent.number != first["assigned_agent_id"])
    assign(server, owner, asked["id"], other)
    assert lead(server, owner, sent(server, tenant, **ZOE))["assigned_agent_id"] == other.number
    assert server.ask("GET", f"/api/tours/{first['id']}", headers=owner.bearer).json == first
    as_folded(operator, tenant, tour_list.LIST)
    as_folded(operator, tenant, lead_list.LIST)


def test_of_several_tours_the_newest_open_one_names_the_agent(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    ana, ben, cleo = team
    put(server, owner, mode="primary_only", fallback="pond")
    tours = [tour(server, tenant, owner) for _ in range(3)]
    # Nobody has one of them, so nobody is known.
    assert [one["assigned_agent_id"] for one in tours] == [None, None, None]

    def changed(place: int, **fields: Any) -> None:
        done = server.ask("PATCH", f"/api/tours/{tours[place]['id']}", fields, owner.bearer)
        assert done.status == 200, done.body

    def goes_to() -> int | None:
        found = tour(server, tenant, owner)
        agent: int | None = found["assigned_agent_id"]
        # So that it is not the newest one that counts.
        gone = server.ask("PATCH", f"/api/tours/{found['id']}", {"assigned_agent_id": None}, owner.bearer)
        assert gone.status == 200
        return agent

    changed(0, assigned_agent_id=ana.number)
    assert goes_to() == ana.number
    changed(1, assigned_agent_id=ben.number)
    assert goes_to() == ben.number
    changed(1, status="cancelled")
    assert goes_to() == ana.number
    changed(0, status="cancelled")
    assert goes_to() == ben.number
    # Corrected by staff, it is another person's.
    changed(1, assigned_agent_id=None)
    changed(0, assigned_agent_id=None)
    made = {"name": "Zoe Visser", "email": "zoe@example.com", "assignedToId": cleo.id}
    entered = server.by_key(tenant, "POST", "/api/showings", made).json["id"]
    assert goes_to() is None
    assert server.by_key(tenant, "PATCH", f"/api/showings/{entered}", {"name": "Zoe van Dam"}).status == 200
    assert goes_to() == cleo.number
    as_folded(operator, tenant, tour_list.LIST)


def test_less_than_address_and_name_of_a_tour_changes_nothing(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin")
    tour(server, tenant, owner, phone="208-555-0123")
    for fields in (
        {"firstName": "Zora"},
        {"email": "zoe@example.org"},
        {"lastName": "van Dam Visser"},
        {"email": "other@example.com", "phone": "208-555-0123"},
    ):
        found = lead(server, owner, sent(server, tenant, **{**ZOE, **fields}))
        assert found["routing"]["reason"].startswith("Round robin"), fields
    # A suspect is not remembered; cleared, it is.
    unseen = tour(server, tenant, owner, name="Max Muster", email="max@example.com", _gotcha="x")
    max_muster = {"firstName": "Max", "lastName": "Muster", "email": "max@example.com"}
    assert unseen["assigned_agent_id"] is None
    cleared = server.ask("PATCH", f"/api/tours/{unseen['id']}", {"suspect": False}, owner.bearer).json
    assert cleared["routing"]["reason"].startswith("Round robin")
    found = lead(server, owner, sent(server, tenant, **max_muster))
    assert (found["assigned_agent_id"], found["routing"]["reason"]) == (cleared["assigned_agent_id"], SHOWN)
    # Nor is a person who was erased.
    (wire,) = [one["id"] for one in server.by_key(tenant, "GET", "/api/showings").json if one["name"] == "Zoe van Dam"]
    assert operator.rows(ERASE, tenant=tenant.id, lead=from_wire(wire))
    again = lead(server, owner, sent(server, tenant, **ZOE))
    assert again["routing"]["reason"].startswith("Round robin")


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ({"away_from": "2020-01-01T00:00:00Z"}, "The client's agent is away."),
        ({"takes_leads": False}, "The client's agent takes no leads."),
    ],
)
def test_an_agent_who_shows_and_cannot_take_it_is_passed_over(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff], gone: Any, said: str
) -> None:
    put(server, owner, mode="round_robin")
    first = tour(server, tenant, owner)
    change(server, owner, next(one for one in team if one.number == first["assigned_agent_id"]), **gone)
    asked = lead(server, owner, sent(server, tenant, **ZOE))
    assert asked["assigned_agent_id"] not in (None, first["assigned_agent_id"])
    assert asked["routing"]["reason"].startswith(f"{said} Round robin")
    as_folded(operator, tenant, lead_list.LIST)


@pytest.mark.parametrize("keyed", [False, True])
def test_tours_and_forms_of_a_new_person_at_the_same_moment_go_to_one_agent(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff], keyed: bool
) -> None:
    put(server, owner, mode="round_robin")

    def send(place: int) -> None:
        process, person = (server, proxied)[place % 2], f"pat{place % 4}@example.com"
        headers = {"X-Forwarded-For": address()} | ({"Idempotency-Key": f"k{place}"} if keyed else {})
        body = TOUR | {"name": f"Pat {'abcd'[place % 4]}", "email": person, "message": f"Question {place}"}
        for _ in range(2 if keyed else 1):
            assert process.ask("POST", "/api/tours", body, headers, host=tenant.domain).status == 200

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(send, range(24)))
    made = server.ask("GET", "/api/tours?limit=100", headers=owner.bearer).json
    assert len(made) == 24
    agents: dict[str, set[int]] = {}
    for one in made:
        agents.setdefault(one["email"], set()).add(one["assigned_agent_id"])
    assert len(agents) == 4 and all(len(found) == 1 and None not in found for found in agents.values())
    # Each of the four took one turn.
    assert sorted(sum(agent.number in found for found in agents.values()) for agent in team) == [1, 1, 2]
    as_folded(operator, tenant, tour_list.LIST)


def test_no_answer_to_a_tour_tells_a_stranger(server: Server, tenant: Tenant, owner: Staff, team: list[Staff]) -> None:
    put(server, owner, mode="round_robin")
    hidden = ("date", "x-request-id", "content-length")
    body = TOUR | {"name": "Zoe van Dam", "email": "zoe@example.com"}
    stranger, known = (
        server.ask(
            "POST", "/api/tours", body | {"message": address()}, {"X-Forwarded-For": address()}, host=tenant.domain
        )
        for _ in range(2)
    )
    assert stranger.status == known.status == 200
    assert stranger.json.keys() == known.json.keys()
    changing = {"id": 0, "message": "", "created_at": "", "updated_at": ""}
    assert stranger.json | changing == known.json | changing
    shown = [{name: value for name, value in one.headers.items() if name not in hidden} for one in (stranger, known)]
    assert shown[0] == shown[1]
