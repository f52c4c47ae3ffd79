"""What staff say and send to a client, on a page beside the contact's; and unread messages on Today."""

from aureum.commands.shortlists import React, react
from tests.http.api.clients.test_around_clients import ORIGIN, a_property, say, uuid
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import as_staff, page, refused
from tests.http.serving import Server

SAID = ("Yes!", "Closing: 1 Apr 2027", "Ann Agent", "At 9.", "<b>it</b>?")
"""What the entries of the timeline say, newest first."""


def test_staff_write_send_and_set_dates(server: Server, operator: Operator, tenant: Tenant) -> None:
    agent = operator.staff(tenant.id, "agent", "Ann Agent")
    ann = as_staff(server, agent)
    new = {"firstName": "Nora", "lastName": "Lind", "email": "nora@example.com"}
    contact = server.by_key(tenant, "POST", "/api/contacts", new).json["id"]
    villa, here = a_property(server, tenant, "Villa by the lake"), f"/admin/contacts/{contact}/client"
    say(operator, tenant, contact, "When is <b>it</b>?")

    beside = ann.get(f"/admin/contacts/{contact}").body.decode()
    assert "1 new" in beside and "When is &lt;b&gt;it&lt;/b&gt;?" in beside
    shown = ann.read(here)
    assert ann.follow(ann.send(f"{here}/messages/read", shown.form(f"{here}/messages/read").fields))
    assert "1 new" not in ann.get(here).body.decode()
    form = ann.read(here).form(f"{here}/messages")
    for _ in range(2):
        assert ann.send(form.action, form.filled(text="On Friday.\r\nAt 9.")).status == 303
    (answer, _) = server.by_key(tenant, "GET", f"/api/contacts/{contact}/messages").json
    assert (answer["text"], answer["authorId"]) == ("On Friday.\nAt 9.", agent.id)
    assert "blank" in page(ann.send(f"{here}/messages", {"text": ""}), 400).problem

    listing = ann.read(here).form(f"{here}/listings")
    sent = ann.send(listing.action, [*listing.filled(**{"propertyId.words": "Villa by the lake", "note": "A yard!"})])
    assert sent.status == 303, sent.body
    (one,) = server.by_key(tenant, "GET", f"/api/contacts/{contact}/listings").json
    assert (one["propertyId"], one["note"], one["sentById"]) == (villa, "A yard!", agent.id)
    assert "Villa by the lake" in ann.get(here).body.decode()
    assert ann.send(f"{here}/listings", {"propertyId.words": "Nowhere"}).status == 400

    dates = ann.read(here).form(f"{here}/dates")
    etag = dates["etag"]
    rows = [("label", "Closing"), ("date", "2027-04-01"), ("note", "Keys"), ("label", ""), ("date", ""), ("note", "")]
    assert ann.send(dates.action, [("etag", etag), *rows]).status == 303
    set_ = server.by_key(tenant, "GET", f"/api/contacts/{contact}/key-dates").json["dates"]
    assert set_ == [{"label": "Closing", "date": "2027-04-01", "note": "Keys"}]
    late = ann.send(dates.action, [("etag", etag), ("label", "Other"), ("date", "2027-05-01"), ("note", "")])
    assert "changed after you opened it" in page(late, 400).problem and b"Other" in late.body
    assert ann.send(dates.action, [("etag", ""), ("label", ""), ("date", "2027-05-01"), ("note", "")]).status == 400

    # All of it stands in the contact's timeline, in order and with who it was.
    said = React(
        tenant_id=tenant.id, contact_id=uuid(contact), property_id=uuid(villa), reaction="love", comment="Yes!"
    )
    operator.run(lambda store: react(store, said, ORIGIN))
    story = [text for text in ann.read(f"/admin/contacts/{contact}").said("li") if " · " in text]
    told = ("Loves it: Villa", "Set the key", "Sent Villa", "Message to the client", "Message from the client")
    lines = [text for text in story if text.startswith(told)]
    assert [line.partition(" · ")[0] for line in lines] == [
        "Loves it: Villa by the lake",
        "Set the key dates",
        "Sent Villa by the lake",
        "Message to the client",
        "Message from the client",
    ]
    assert [words in line for words, line in zip(SAID, lines, strict=True)] == [True] * 5

    removed = ann.send(f"{here}/listings/remove", {"listing": one["id"]})
    assert (removed.status, server.by_key(tenant, "GET", f"/api/contacts/{contact}/listings").json) == (303, [])
    assert ann.send(f"{here}/listings/remove", {"listing": one["id"]}).status == 404


def test_today_names_the_clients_who_wait_for_an_answer(server: Server, operator: Operator, tenant: Tenant) -> None:
    agent, owner = operator.staff(tenant.id, "agent"), operator.staff(tenant.id, "brokerage_owner")
    lead = server.lead(tenant, name="Nora Lind", email="nora@example.com", assignedToId=agent.id)
    mine = server.by_key(tenant, "POST", f"/api/leads/{lead['id']}/convert").json["contactId"]
    other = server.by_key(tenant, "POST", "/api/contacts", {"firstName": "Ole", "lastName": "Berg"}).json["id"]
    say(operator, tenant, mine, "Hello?")
    say(operator, tenant, mine, "Are you there?")
    say(operator, tenant, other, "Good morning")

    def waiting(bearer: dict[str, str]) -> list[tuple[str, int]]:
        found = server.ask("GET", "/api/v1/admin/today", headers=bearer).json["messages"]
        assert found["total"] == len(found["items"])
        return [(one["name"], one["unread"]) for one in found["items"]]

    assert waiting(agent.bearer) == [("Nora Lind", 2)]
    assert waiting(owner.bearer) == [("Ole Berg", 1), ("Nora Lind", 2)]
    shown = as_staff(server, agent).read("/admin")
    assert f"/admin/contacts/{mine}/client" in shown.links and f"/admin/contacts/{other}/client" not in shown.links
    server.by_key(tenant, "POST", f"/api/contacts/{mine}/messages", {"text": "Here I am."})
    assert waiting(agent.bearer) == []


def test_without_the_portal_there_is_no_such_part(server: Server, operator: Operator) -> None:
    starter = operator.brokerage("Starter")
    olga = as_staff(server, operator.staff(starter.id, "brokerage_owner"))
    made = olga.send("/admin/contacts/new", {"firstName": "A", "lastName": "B", "type": "BUYER", "once": "x"})
    path = made.headers["location"].partition("?")[0]
    assert "Messages, listings and dates" not in olga.get(path).body.decode()
    assert "Grow" in refused(olga.get(f"{path}/client"), 403)
    assert olga.get("/admin").status == 200
