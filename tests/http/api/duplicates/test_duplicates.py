"""Suggestions of duplicates: who is suggested for whom, why, how sure; what is told apart; the link of a new one."""

from typing import Any
from urllib.parse import urlencode

import pytest

from aureum.commands.contacts import AddContact, add_contact
from aureum.domain.ids import from_wire
from aureum.store.event_store import EventStore
from tests.http.api.contacts.test_contacts import contact
from tests.http.links import next_page
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.serving import Answer, Server

PAIRS = "/api/contacts/duplicates"
ERASE = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(id)s RETURNING 1"


def get(server: Server, tenant: Tenant, path: str, **headers: str) -> Answer:
    return server.by_key(tenant, "GET", path, None, headers)


def pairs(server: Server, tenant: Tenant, path: str = PAIRS) -> list[tuple[Any, ...]]:
    answer = get(server, tenant, path)
    assert answer.status == 200, answer.body
    return [(*(one["id"] for one in pair["contacts"]), pair["score"]) for pair in answer.json]


def told_apart(server: Server, tenant: Tenant, one: str, other: Any) -> Answer:
    return server.by_key(tenant, "POST", f"/api/contacts/{one}/distinct", {"from": other})


def test_pairs_come_by_what_they_share(server: Server, proxied: Server, tenant: Tenant) -> None:
    john = contact(server, tenant, email="john@example.com", phone="208-555-0123")["id"]
    mary = contact(server, tenant, firstName="Mary", email="John@Example.com", phone="(208) 555-0123")["id"]
    again = contact(server, tenant, firstName="SMITH", lastName="john", email="john@example.com")["id"]
    office = contact(server, tenant, firstName="Petra", lastName="Kowalska", phone="+1 208 555 0123")["id"]
    named = contact(server, tenant, firstName="Kowalska", lastName="Petra", email="petra@example.com")["id"]
    contact(server, tenant, firstName="Someone", lastName="Else", email="else@example.com")

    expected = [
        (john, again, 0.95),
        # Grouped by address, by phone, by name.
        (john, mary, 0.3),
        (mary, again, 0.3),
        (john, office, 0.25),
        (mary, office, 0.25),
        (office, named, 0.4),
    ]
    assert pairs(server, tenant) == pairs(proxied, tenant) == expected
    (first, couple, *_) = get(server, tenant, PAIRS).json
    assert (first["reasons"], first["certainty"], first["mayBeCouple"]) == (["email", "name"], "high", False)
    assert (couple["reasons"], couple["certainty"], couple["mayBeCouple"]) == (["email", "phone"], "low", True)
    assert first["contacts"][0] == {
        **{"kind": "contact", "id": john, "firstName": "John", "lastName": "Smith", "email": "john@example.com"},
        **{"phone": "208-555-0123", "createdAt": first["contacts"][0]["createdAt"]},
    }
    for limit in (1, 2, 5):
        found, path = [], f"{PAIRS}?limit={limit}"
        while path:
            page = get(server, tenant, path)
            assert 1 <= len(page.json) <= limit
            found += pairs(server, tenant, path)
            path = next_page(page) or ""
        assert found == expected


def test_more_pairs_than_a_chunk(server: Server, operator: Operator) -> None:
    """The whole list is every page: 220 contacts of one phone, each with three others at most."""
    tenant = operator.brokerage()

    async def added(store: EventStore) -> None:
        for number in range(220):
            command = AddContact(
                tenant_id=tenant.id, country="US", first_name=f"P{number}", last_name=f"Q{number}", phone="2085550123"
            )
            await add_contact(store, command, ORIGIN)

    operator.run(added)
    whole = get(server, tenant, PAIRS)
    assert next_page(whole) is None and len(whole.json) == 1 + 2 + 3 * 217
    items, path = [], f"{PAIRS}?limit=500"
    while path:
        page = get(server, tenant, path)
        items += page.json
        path = next_page(page) or ""
    assert items == whole.json


def test_no_contact_is_made_that_may_be_another_one(server: Server, operator: Operator, tenant: Tenant) -> None:
    path, person = (
        "/api/contacts?unlessSimilar=true",
        {"firstName": "Z.", "lastName": "Smith", "email": "z@example.com"},
    )
    key = {"Idempotency-Key": "first"}
    first = server.by_key(tenant, "POST", path, person, key)
    lead = server.by_key(tenant, "POST", "/api/leads", {"name": "Zoe Smith", "email": "z@example.com"}).json["id"]
    head = operator.head(tenant)
    for asked in (path, f"/api/leads/{lead}/convert?unlessSimilar=true"):
        refused = server.by_key(tenant, "POST", asked, person)
        assert (refused.status, refused.code) == (409, "similar_contacts") and first.json["id"] in refused.json["error"]
    # The same request again is the same contact.
    assert server.by_key(tenant, "POST", path, person, key).json == first.json
    assert operator.head(tenant) == head
    told_apart(server, tenant, first.json["id"], lead)
    converted = server.by_key(tenant, "POST", f"/api/leads/{lead}/convert?unlessSimilar=true")
    assert (converted.status, converted.json["status"]) == (200, "converted")


def test_an_unchanged_list_is_304_and_cursors_are_its_own(server: Server, operator: Operator, tenant: Tenant) -> None:
    for _ in range(3):
        made = contact(server, tenant, email="john@example.com")
    page = get(server, tenant, f"{PAIRS}?limit=1")
    following = next_page(page)
    assert following is not None
    for path in (PAIRS, f"/api/contacts/{made['id']}/duplicates"):
        answer = get(server, tenant, path)
        assert get(server, tenant, path, **{"If-None-Match": answer.etag}).status == 304
    assert get(server, operator.brokerage(), following).status == 400
    for query in ("cursor=x", "limit=0", "limit=501", "q=1", "cursor=" + "A" * 76):
        refused = get(server, tenant, f"{PAIRS}?{query}")
        assert refused.status == 400 and query.partition("=")[0] in refused.json["error"]


def test_what_is_told_apart_does_not_come_back(server: Server, operator: Operator, tenant: Tenant) -> None:
    one, other = (contact(server, tenant, email="john@example.com")["id"] for _ in range(2))
    lead = server.by_key(tenant, "POST", "/api/leads", {"name": "John Smith", "email": "john@example.com"}).json["id"]
    assert len(get(server, tenant, f"/api/leads/{lead}/duplicates").json) == 2

    answer = told_apart(server, tenant, one, other)
    assert (answer.status, answer.json["id"]) == (200, one)
    before = operator.head(tenant)
    assert told_apart(server, tenant, one, other).json == answer.json
    assert operator.head(tenant) == before

    assert pairs(server, tenant) == []
    assert get(server, tenant, f"/api/contacts/{one}/duplicates").json == []
    assert get(server, tenant, f"/api/contacts/{other}/duplicates").json == []
    assert told_apart(server, tenant, other, lead).status == 200
    (left,) = get(server, tenant, f"/api/leads/{lead}/duplicates").json
    assert (left["person"]["id"], left["score"]) == (one, 0.95)
    # A contact that shares it later is suggested for both.
    third = contact(server, tenant, email="john@example.com")["id"]
    assert pairs(server, tenant) == [(one, third, 0.95), (other, third, 0.95)]


def test_one_that_was_merged_is_told_apart_with_the_contact_that_answers_for_it(server: Server, tenant: Tenant) -> None:
    one, merged, kept = (contact(server, tenant, email="john@example.com")["id"] for _ in range(3))
    assert told_apart(server, tenant, one, merged).status == 200
    assert server.by_key(tenant, "POST", f"/api/contacts/{kept}/merge", {"with": merged}).status == 200
    assert pairs(server, tenant) == [(one, kept, 0.95)]

    assert told_apart(server, tenant, one, merged).status == 200

    assert pairs(server, tenant) == []
    assert get(server, tenant, f"/api/contacts/{one}/duplicates").json == []
    assert told_apart(server, tenant, kept, merged).status == 400


def test_who_cannot_be_told_apart(server: Server, operator: Operator, tenant: Tenant) -> None:
    one = contact(server, tenant)["id"]
    foreign = contact(server, operator.brokerage())["id"]
    task = server.by_key(tenant, "POST", "/api/tasks", {"title": "Call"}).json["id"]
    agent = operator.staff(tenant.id, "agent")
    lead = server.by_key(tenant, "POST", "/api/leads", {"name": "J", "email": "j@example.com"}).json["id"]
    for other, status in ((foreign, 404), (task, 404), ("nonsense", 404), (one, 400), (7, 400), (None, 400)):
        assert told_apart(server, tenant, one, other).status == status, other
    assert told_apart(server, tenant, foreign, one).status == 404
    hidden = server.ask("POST", f"/api/contacts/{one}/distinct", {"from": lead}, agent.bearer)
    assert hidden.status == 404


def test_a_lead_finds_contacts_and_leads(server: Server, operator: Operator, tenant: Tenant) -> None:
    known = contact(server, tenant, firstName="Zoë", lastName="van Dam", email="zoe@example.com")["id"]
    phone = contact(server, tenant, firstName="Max", lastName="Meier", phone="208-555-0199")["id"]
    agent = operator.staff(tenant.id, "agent")

    def lead(name: str, **fields: Any) -> str:
        made: str = server.by_key(tenant, "POST", "/api/leads", {"name": name} | fields).json["id"]
        return made

    mine = lead("Dam van Zoe", email="ZOE@example.com", phone="+12085550199", assignedToId=agent.id)
    earlier = lead("Zoe van Dam", email="zoe2@example.com", phone="(208) 555-0199")
    alike = lead("Z. van Dam", email="zoe@example.com")
    lead("Someone Else", email="azoe@example.com")

    path = f"/api/leads/{mine}/duplicates"
    found = [(one["person"]["kind"], one["person"]["id"], one["score"]) for one in get(server, tenant, path).json]
    assert found == [
        ("contact", known, 0.95),
        ("lead", alike, 0.85),
        ("lead", earlier, 0.7),
        ("contact", phone, 0.25),
    ]
    # An agent hears of no colleague's leads.
    shown = server.ask("GET", path, None, agent.bearer).json
    assert [one["person"]["id"] for one in shown] == [known, phone]
    assert server.ask("GET", f"/api/leads/{earlier}/duplicates", None, agent.bearer).status == 404
    # What is known to be the same person is no suggestion.
    converted = server.by_key(tenant, "POST", f"/api/leads/{alike}/convert").json["contactId"]
    assert converted not in [one["person"]["id"] for one in get(server, tenant, f"/api/leads/{alike}/duplicates").json]
    assert get(server, operator.brokerage(), path).status == 404


def test_a_suspect_and_an_erased_person_are_not_suggested(server: Server, operator: Operator, tenant: Tenant) -> None:
    one, other = (contact(server, tenant, email="john@example.com")["id"] for _ in range(2))
    form = server.form(tenant, email="john@example.com", _gotcha="x")
    assert form.status == 200
    lead = server.by_key(tenant, "POST", "/api/leads", {"name": "Jo", "email": "john@example.com"}).json["id"]
    assert operator.rows(ERASE, tenant=tenant.id, id=from_wire(other))
    contact(server, tenant, firstName="Not", lastName="Alike")
    assert pairs(server, tenant) == []
    assert [found["person"]["id"] for found in get(server, tenant, f"/api/leads/{lead}/duplicates").json] == [one]


@pytest.mark.parametrize("email", ["john@example.com", " JOHN@example.com "])
def test_a_new_contact_names_those_of_its_address(server: Server, operator: Operator, email: str) -> None:
    tenant = operator.brokerage()
    contact(server, operator.brokerage(), email="john@example.com")
    ids = [contact(server, tenant, firstName=f"John {number}", email="john@example.com")["id"] for number in range(6)]
    new = {"firstName": "John", "lastName": "Smith", "email": email}
    key = {"Idempotency-Key": "once"}
    first, second = (server.by_key(tenant, "POST", "/api/contacts", new, key) for _ in range(2))
    assert first.status == second.status == 201
    assert first.headers["link"] == ", ".join(f'</api/contacts/{one}>; rel="duplicate"' for one in ids[:5])
    assert second.headers["link"] == first.headers["link"]
    other = server.by_key(tenant, "POST", "/api/contacts", new | {"email": "other@example.com"})
    assert "link" not in other.headers


def test_someone_who_is_about_to_be_added(server: Server, operator: Operator, tenant: Tenant) -> None:
    one = contact(server, tenant, email="john@example.com", phone="208-555-0123")["id"]
    before = operator.head(tenant)

    def found(**person: Any) -> list[Any]:
        answer = get(server, tenant, f"/api/contacts/similar?{urlencode(person)}")
        assert answer.status == 200, answer.body
        return [(each["person"]["id"], each["reasons"]) for each in answer.json]

    assert found(email="JOHN@example.com") == [(one, ["email"])]
    assert found(firstName="Smith", lastName="John", phone="(208) 555-0123") == [(one, ["phone", "name"])]
    assert found(firstName="John", lastName="Smith") == [(one, ["name"])]
    assert found() == found(firstName="John") == found(email="other@example.com") == []
    assert operator.head(tenant) == before
    assert get(server, tenant, "/api/contacts/similar?email=john").status == 400
