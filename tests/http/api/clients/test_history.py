"""What stood around a contact at a moment, and who did what to it: of messages, listings and key dates."""

from typing import Any

from aureum.commands.shortlists import React, react
from tests.http.api.clients.test_around_clients import DATE, ORIGIN, a_property, say, uuid
from tests.http.api.contacts.test_contacts import contact
from tests.http.api.contacts.test_merging import merge
from tests.http.links import next_page
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

KINDS = ("messages", "listings", "key-dates")


def history(server: Server, tenant: Tenant, contact_id: str, kind: str, query: str = "") -> list[dict[str, Any]]:
    answer = server.by_key(tenant, "GET", f"/api/contacts/{contact_id}/{kind}/history{query}")
    assert answer.status == 200, answer.body
    entries: list[dict[str, Any]] = answer.json
    return entries


def test_messages_as_they_were(server: Server, operator: Operator, tenant: Tenant) -> None:
    one, agent = contact(server, tenant, email="jane@example.com")["id"], operator.staff(tenant.id, "agent")
    path = f"/api/contacts/{one}/messages"
    first = server.ask("POST", path, {"text": "The seller accepted."}, agent.bearer).json
    say(operator, tenant, one, "When is the inspection?")
    server.by_key(tenant, "POST", f"{path}/read")

    now = server.by_key(tenant, "GET", path).json
    assert server.by_key(tenant, "GET", f"{path}?asOf={first['at']}").json == [first], "nobody had read it"
    then = server.by_key(tenant, "GET", f"{path}?asOf={now[0]['at']}&limit=1")
    assert then.json == [now[0] | {"readAt": None}]
    further = next_page(then)
    assert further is not None and "asOf=" in further
    assert server.by_key(tenant, "GET", further).json == [now[1]]
    cursor = further.partition("cursor=")[2].partition("&")[0]
    elsewhen = server.by_key(tenant, "GET", f"{path}?asOf={first['at']}&limit=1&cursor={cursor}")
    assert elsewhen.status == server.by_key(tenant, "GET", f"{path}?limit=1&cursor={cursor}").status == 400

    begun, sent, asked, read = history(server, tenant, one, "messages")
    assert [entry["type"] for entry in (begun, sent, asked, read)] == [
        "conversation.begun",
        "conversation.message_sent",
        "conversation.message_sent",
        "conversation.read",
    ]
    assert sent["changes"]["text"] == {"from": None, "to": "The seller accepted."}
    assert sent["changes"]["authorId"]["to"] == agent.id == sent["actor"]["id"] and sent["actor"]["name"]
    assert (asked["changes"]["from"]["to"], read["changes"]["unread"]) == ("client", {"from": 1, "to": 0})
    assert history(server, tenant, one, "messages", f"?asOf={first['at']}") == [begun, sent]


def test_listings_as_they_were(server: Server, operator: Operator, tenant: Tenant) -> None:
    one, villa = contact(server, tenant)["id"], a_property(server, tenant, "Villa")
    path = f"/api/contacts/{one}/listings"
    sent = server.by_key(tenant, "POST", path, {"propertyId": villa, "note": "The yard!"}).json
    said = React(tenant_id=tenant.id, contact_id=uuid(one), property_id=uuid(villa), reaction="love", comment="Yes")
    operator.run(lambda store: react(store, said, ORIGIN))
    (liked,) = server.by_key(tenant, "GET", path).json
    server.by_key(tenant, "DELETE", f"/api/contact-listings/{sent['id']}")

    assert server.by_key(tenant, "GET", path).json == []
    assert server.by_key(tenant, "GET", f"{path}?asOf={sent['at']}").json == [sent]
    assert server.by_key(tenant, "GET", f"{path}?asOf={liked['reactedAt']}").json == [liked]
    changes = [entry["changes"].get("listing") for entry in history(server, tenant, one, "listings")]
    assert changes[1:] == [{"from": None, "to": sent}, {"from": sent, "to": liked}, {"from": liked, "to": None}]


def test_key_dates_have_a_history(server: Server, operator: Operator, tenant: Tenant) -> None:
    one, agent = contact(server, tenant)["id"], operator.staff(tenant.id, "agent")
    path = f"/api/contacts/{one}/key-dates"
    server.ask("PUT", path, {"dates": [DATE]}, agent.bearer)
    first = history(server, tenant, one, "key-dates")[-1]
    server.by_key(tenant, "PUT", path, {"dates": [DATE | {"label": "Keys"}]})

    assert server.by_key(tenant, "GET", f"{path}?asOf={first['at']}").json == {"dates": [DATE]}
    assert (first["actor"]["id"], first["changes"]["dates"]["to"]) == (agent.id, [DATE])
    last = history(server, tenant, one, "key-dates")[-1]
    assert last["changes"]["dates"] == {"from": [DATE], "to": [DATE | {"label": "Keys"}]}
    assert last["actor"]["type"] == "key"
    assert history(server, tenant, one, "key-dates", f"?asOf={first['at']}")[-1] == first


def test_histories_are_of_the_contact_and_of_those_who_may_see_it(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    one, other = (contact(server, tenant, email=email)["id"] for email in ("a@example.com", "b@example.com"))
    stranger, starter = operator.brokerage(), operator.brokerage("Starter")
    owner = operator.staff(tenant.id, "brokerage_owner")
    for kind in KINDS:
        assert history(server, tenant, one, kind) == [], "nothing has begun"
        path = f"/api/contacts/{one}/{kind}/history"
        assert server.by_key(stranger, "GET", path).status == 404
        assert server.by_key(starter, "GET", path).status == 403
        assert server.by_key(tenant, "GET", f"/api/contacts/c{'1' * 25}/{kind}/history").status == 404
        assert server.by_key(tenant, "GET", f"{path}?asOf=yesterday").status == 400
        assert server.by_key(tenant, "GET", f"/api/contacts/{one}/{kind}?asOf=yesterday").status == 400
        assert server.by_key(tenant, "GET", f"/api/contacts/{one}/{kind}?asOf=2020-01-01T00:00:00Z").status == 404

    server.by_key(tenant, "POST", f"/api/contacts/{other}/messages", {"text": "secretmark"})
    villa = a_property(server, tenant, "Villa")
    server.by_key(tenant, "POST", f"/api/contacts/{other}/listings", {"propertyId": villa, "note": "secretmark"})
    server.by_key(tenant, "PUT", f"/api/contacts/{other}/key-dates", {"dates": [DATE | {"note": "secretmark"}]})
    merge(server, tenant, one, other)
    for kind in KINDS:
        assert history(server, tenant, one, kind) == []
        assert "secretmark" in str(history(server, tenant, other, kind)), "as the contact's own history"

    assert server.ask("POST", "/api/v1/admin/people/erase", {"contact_id": one}, owner.bearer).status == 202
    for kind in KINDS:
        answer = server.ask("GET", f"/api/contacts/{other}/{kind}/history", None, owner.bearer)
        assert answer.status == 200 and b"secretmark" not in answer.body
        assert answer.json[-1]["changes"] == {"erased": {"from": None, "to": True}}
