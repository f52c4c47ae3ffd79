"""Messages, listings and key dates of a contact over HTTP: written, read together after a merge, and by whom."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aureum.commands.conversations import SendMessage, read_messages, send_message
from aureum.commands.person import find_person
from aureum.commands.portal.feeds import open_client_feed
from aureum.commands.shortlists import React, react, remove_listing, save_listing
from aureum.domain.conversation import FROM_CLIENT_A_DAY, Conversation
from aureum.domain.errors import NotAllowed, NotFound, TooMany
from aureum.domain.ids import from_wire
from aureum.domain.of_contact import CLIENT
from aureum.http.api.people.exporting import everything
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from tests.http.api.contacts.test_contacts import contact
from tests.http.api.contacts.test_merging import merge, unmerge
from tests.http.links import next_page
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

ORIGIN = Origin(COMMAND_LINE)
FEEDS = "SELECT 1 FROM portal_feeds WHERE tenant_id = %(tenant)s"
DATE = {"label": "Closing", "date": "2027-04-01", "note": None}


def uuid(wire: str) -> Any:
    found = from_wire(wire)
    assert found is not None
    return found


def say(operator: Operator, tenant: Tenant, contact_id: str, text: str) -> None:
    """The client writes, as the portal lets the client do."""
    command = SendMessage(tenant_id=tenant.id, contact_id=uuid(contact_id), text=text, sender=CLIENT)
    operator.run(lambda store: send_message(store, command, ORIGIN))


def texts(server: Server, tenant: Tenant, contact_id: str) -> list[str]:
    return [one["text"] for one in server.by_key(tenant, "GET", f"/api/contacts/{contact_id}/messages").json]


def a_property(server: Server, tenant: Tenant, title: str) -> str:
    body = {"title": title, "address": "1 Palm Dr", "city": "Boise", "state": "ID", "zip": "83702", "price": 450000}
    made = server.by_key(tenant, "POST", "/api/properties", body)
    assert made.status == 201, made.body
    return str(made.json["id"])


def test_a_conversation_of_both_sides(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    one = contact(server, tenant, email="jane@example.com")["id"]
    agent = operator.staff(tenant.id, "agent")
    path = f"/api/contacts/{one}/messages"
    assert server.by_key(tenant, "GET", path).json == []

    made = server.ask("POST", path, {"text": "The seller accepted."}, agent.bearer | {"Idempotency-Key": "m"})
    again = proxied.ask("POST", path, {"text": "The seller accepted."}, agent.bearer | {"Idempotency-Key": "m"})
    say(operator, tenant, one, "When is the inspection?")

    assert (made.status, again.body) == (201, made.body)
    newest, first = server.by_key(tenant, "GET", path).json
    assert first | {"readAt": None} == made.json
    assert (first["from"], first["authorId"], newest["from"], newest["authorId"]) == ("staff", agent.id, "client", None)
    assert first["readAt"] == newest["at"], "an answer has read what was before it"
    assert newest["readAt"] is None
    state = server.by_key(tenant, "POST", f"{path}/read")
    assert state.json["unread"] == state.json["unreadByClient"] == 0 and state.json["messages"] == 2
    assert server.by_key(tenant, "GET", path).json[0]["readAt"] is not None
    before = server.by_key(tenant, "GET", path)
    assert server.by_key(tenant, "POST", f"{path}/read").json == state.json, "and twice is the same success"
    assert server.ask("GET", path, None, tenant.bearer | {"If-None-Match": before.etag}).status == 304
    page = server.by_key(tenant, "GET", f"{path}?limit=1")
    further = next_page(page)
    assert further is not None
    rest = server.by_key(tenant, "GET", further)
    assert page.json + rest.json == before.json


def test_what_a_message_may_be(server: Server, operator: Operator, tenant: Tenant) -> None:
    one = contact(server, tenant)["id"]
    path = f"/api/contacts/{one}/messages"
    for text in ("", "  \n", None, 7, ["x"], "x" * 10_001, "nul\0"):
        assert server.by_key(tenant, "POST", path, {"text": text}).status == 400, text
    assert server.ask("POST", path, b'{"text": "\\ud800"}', tenant.bearer).status == 400
    missing = "/api/contacts/c0000000000000000000000000/messages"
    assert [server.by_key(tenant, method, missing, {"text": "x"}).status for method in ("GET", "POST")] == [404, 404]
    starter = operator.brokerage("Starter")
    staff = operator.staff(starter.id, "brokerage_owner")
    for bearer in (starter.bearer, staff.bearer):
        assert server.ask("GET", path, None, bearer).status == 403
    assert texts(server, tenant, one) == []


def test_a_client_writes_so_many_messages_a_day(operator: Operator, server: Server, tenant: Tenant) -> None:
    one = uuid(contact(server, tenant)["id"])

    async def fill(store: EventStore) -> None:
        conversation = Conversation.begin(one, (await store.load(tenant.id, one)).aggregate().modified_on)
        for number in range(FROM_CLIENT_A_DAY - 1):
            conversation.send(CLIENT, f"{number}", conversation.modified_on)
        await store.append(tenant.id, conversation, NO_STREAM, command="SendMessage", origin=ORIGIN)

    operator.run(fill)
    command = SendMessage(tenant_id=tenant.id, contact_id=one, text="the last", sender=CLIENT)
    operator.run(lambda store: send_message(store, command, ORIGIN))
    with pytest.raises(TooMany):
        operator.run(lambda store: send_message(store, command, ORIGIN))


def test_many_write_at_once_and_none_is_lost(server: Server, proxied: Server, tenant: Tenant) -> None:
    one = contact(server, tenant)["id"]
    path = f"/api/contacts/{one}/messages"

    def write(number: int) -> int:
        return (server, proxied)[number % 2].by_key(tenant, "POST", path, {"text": f"{number}"}).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(write, range(16)))

    assert set(statuses) <= {201, 409}
    assert len(texts(server, tenant, one)) == statuses.count(201) > 0


def test_a_list_of_listings(server: Server, operator: Operator, tenant: Tenant) -> None:
    one, agent = contact(server, tenant)["id"], operator.staff(tenant.id, "agent")
    villa, loft = a_property(server, tenant, "Villa"), a_property(server, tenant, "Loft")
    path = f"/api/contacts/{one}/listings"
    about = (tenant.id, uuid(one), uuid(villa))

    sent = server.ask("POST", path, {"propertyId": villa, "note": "The yard!"}, agent.bearer)
    operator.run(lambda store: save_listing(store, tenant.id, uuid(one), uuid(loft), ORIGIN))
    said = React(tenant_id=tenant.id, contact_id=uuid(one), property_id=uuid(villa), reaction="love", comment="Yes")
    operator.run(lambda store: react(store, said, ORIGIN))

    assert (sent.status, sent.json["by"], sent.json["sentById"], sent.json["reaction"]) == (
        201,
        "staff",
        agent.id,
        None,
    )
    saved, liked = server.by_key(tenant, "GET", path).json
    assert (saved["propertyId"], saved["by"]) == (loft, "client")
    assert liked["reactedAt"] and liked | {"reactedAt": None} == sent.json | {"reaction": "love", "comment": "Yes"}
    assert [one["propertyId"] for one in server.by_key(tenant, "GET", f"{path}?by=client").json] == [loft]
    # Each side takes back what it put there.
    assert server.by_key(tenant, "DELETE", f"/api/contact-listings/{saved['id']}").status == 403
    with pytest.raises(NotAllowed):
        operator.run(lambda store: remove_listing(store, *about, CLIENT, ORIGIN))
    assert server.by_key(tenant, "DELETE", f"/api/contact-listings/{liked['id']}").status == 204
    assert server.by_key(tenant, "DELETE", f"/api/contact-listings/{liked['id']}").status == 404
    assert server.by_key(tenant, "GET", path).json == [saved]
    with pytest.raises(NotFound):
        operator.run(lambda store: react(store, said, ORIGIN))
    other = operator.brokerage()
    for bad in ({"propertyId": a_property(server, other, "Theirs")}, {"propertyId": 7}, {}, {"propertyId": "x"}):
        assert server.by_key(tenant, "POST", path, bad).status == 400, bad
    assert server.by_key(tenant, "POST", path, {"propertyId": loft, "note": "x" * 2001}).status == 400
    assert server.by_key(other, "DELETE", f"/api/contact-listings/{saved['id']}").status == 404


def test_key_dates_are_set_together(server: Server, tenant: Tenant) -> None:
    one = contact(server, tenant)["id"]
    path = f"/api/contacts/{one}/key-dates"
    empty = server.by_key(tenant, "GET", path)
    inspection = {"label": "Inspection", "date": "2027-03-12", "note": "Bring the keys."}

    put = server.by_key(tenant, "PUT", path, {"dates": [DATE, inspection]}, {"If-Match": empty.etag})
    late = server.by_key(tenant, "PUT", path, {"dates": []}, {"If-Match": empty.etag})

    assert (empty.json, put.status, put.json) == ({"dates": []}, 200, {"dates": [inspection, DATE]})
    assert (late.status, server.by_key(tenant, "GET", path).json) == (412, put.json)
    assert server.by_key(tenant, "PUT", path, {"dates": [inspection, DATE]}).etag == put.etag, "nothing was recorded"
    assert server.by_key(tenant, "PUT", path, {"dates": []}).json == {"dates": []}
    for bad in ("2027-02-29", "1989-12-31", "2200-01-01", "2027-3-1", "20270301", "tomorrow", 7, None, "2027-W10-1"):
        assert server.by_key(tenant, "PUT", path, {"dates": [DATE | {"date": bad}]}).status == 400, bad
    for wrong in ({"dates": [DATE] * 51}, {"dates": None}, {}, {"dates": [{"date": "2027-01-01", "label": " "}]}):
        assert server.by_key(tenant, "PUT", path, wrong).status == 400, wrong


def test_after_a_merge_all_is_shown_together_and_parts_again(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    one, other = (contact(server, tenant, email=email)["id"] for email in ("a@example.com", "b@example.com"))
    villa = a_property(server, tenant, "Villa")
    for name, text in ((one, "first"), (other, "second")):
        server.by_key(tenant, "POST", f"/api/contacts/{name}/messages", {"text": text})
        dates = {"dates": [DATE | {"label": text}]}
        assert server.by_key(tenant, "PUT", f"/api/contacts/{name}/key-dates", dates).status == 200
    server.by_key(tenant, "POST", f"/api/contacts/{other}/listings", {"propertyId": villa, "note": "x"})
    say(operator, tenant, other, "a question")
    merge(server, tenant, one, other)

    for name in (one, other):
        assert texts(server, tenant, name) == ["a question", "second", "first"]
        dates = server.by_key(tenant, "GET", f"/api/contacts/{name}/key-dates").json["dates"]
        assert [date["label"] for date in dates] == ["first", "second"]
    # What the client says of a listing of the other contact goes there; a message goes to the one that stands.
    said = React(tenant_id=tenant.id, contact_id=uuid(one), property_id=uuid(villa), reaction="no", comment=None)
    operator.run(lambda store: react(store, said, ORIGIN))
    assert server.by_key(tenant, "GET", f"/api/contacts/{one}/listings").json[0]["reaction"] == "no"
    assert server.by_key(tenant, "POST", f"/api/contacts/{other}/messages", {"text": "third"}).status == 201
    assert server.by_key(tenant, "POST", f"/api/contacts/{one}/messages/read").json["unread"] == 0
    put = server.by_key(tenant, "PUT", f"/api/contacts/{one}/key-dates", {"dates": [DATE]})
    assert put.json == {"dates": [DATE]}
    unmerge(server, tenant, one, other)

    assert texts(server, tenant, one) == ["third", "first"]
    assert texts(server, tenant, other) == ["a question", "second"]
    assert len(server.by_key(tenant, "GET", f"/api/contacts/{other}/listings").json) == 1
    assert server.by_key(tenant, "GET", f"/api/contacts/{one}/listings").json == []


def test_erasing_a_person_erases_what_stands_around(server: Server, operator: Operator, tenant: Tenant) -> None:
    one, owner = contact(server, tenant, email="gone@example.com")["id"], operator.staff(tenant.id, "brokerage_owner")
    server.by_key(tenant, "POST", f"/api/contacts/{one}/messages", {"text": "secretmark"}, {"Idempotency-Key": "s"})
    villa = a_property(server, tenant, "Villa")
    server.by_key(tenant, "POST", f"/api/contacts/{one}/listings", {"propertyId": villa, "note": "secretmark"})
    server.by_key(tenant, "PUT", f"/api/contacts/{one}/key-dates", {"dates": [DATE | {"note": "secretmark"}]})

    async def exported(store: EventStore) -> dict[str, Any]:
        person = await find_person(store, tenant.id, email="gone@example.com")
        return await everything(store, tenant.id, person)

    document = operator.run(exported)
    assert {one["type"] for one in document["records"]} == {"contact", "conversation", "shortlist", "key_dates"}
    for record in document["records"]:
        assert ("secretmark" in str(record)) == (record["type"] != "contact"), record
        assert record["history"], record

    async def with_feed(store: EventStore) -> int:
        tenant_key = await store.tenant_key(tenant.id)
        await open_client_feed(store.database, tenant_key, "gone@example.com", "secret")
        return len(await store.database.rows(FEEDS, {"tenant": tenant.id}))

    assert operator.run(with_feed) == 1

    erased = server.ask("POST", "/api/v1/admin/people/erase", {"email": "gone@example.com"}, owner.bearer)

    assert erased.json["records"] == {"contact": 1, "conversation": 1, "shortlist": 1, "key_dates": 1}
    for path in ("messages", "listings", "key-dates"):
        assert server.by_key(tenant, "GET", f"/api/contacts/{one}/{path}").status == 404
    assert server.by_key(tenant, "POST", f"/api/contacts/{one}/messages", {"text": "late"}).status == 404
    with pytest.raises(NotFound):
        operator.run(lambda store: read_messages(store, tenant.id, uuid(one), CLIENT, ORIGIN))
    assert operator.rows(FEEDS, tenant=tenant.id) == []
    text = str(operator.run(lambda store: store.load(tenant.id, Conversation.stream_of(uuid(one)))))
    assert "secretmark" not in text and "[erased]" in text
