"""What a client sees and does: messages, listings, tours, key dates, data; and nothing of anyone else."""

import json
import re
from typing import Any

import pytest

from aureum.commands.portal import opening
from aureum.commands.tours import ChangeTour, change_tour
from aureum.domain.ids import from_wire
from aureum.http.portal.pages import PAGES
from tests.http.api.clients.test_around_clients import DATE, a_property, say
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.panel.reader import as_staff, page
from tests.http.portal.client import Client, client_at
from tests.http.serving import Answer, Server

COMING = {"label": "Closing day", "date": "2199-04-01", "note": "Bring your passport."}
SHOWN = [one.path for one in PAGES if one.method == "GET" and not one.anyone and "{" not in one.path]


def of(contact: dict[str, Any], what: str) -> str:
    return f"/api/contacts/{contact['id']}/{what}"


def text(answer: Answer) -> str:
    assert answer.status in (200, 422), (answer.status, answer.body)
    return answer.body.decode()


def messages(server: Server, tenant: Tenant, contact: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.by_key(tenant, "GET", of(contact, "messages")).json
    return found


def test_a_client_reads_and_answers(
    client: Client, server: Server, operator: Operator, tenant: Tenant, contact: dict[str, Any]
) -> None:
    agent = operator.staff(tenant.id, "agent", "Ann Agent")
    server.ask("POST", of(contact, "messages"), {"text": "They <b>accepted</b>.\nCall me."}, agent.bearer)
    assert "You have 1 new message." in text(client.get("/portal"))

    as_staff(server, agent).read(f"/admin/contacts/{contact['id']}/portal/messages")
    client.ask("HEAD", "/portal/messages")
    client.ask("GET", "/portal/messages", None, {"Sec-Purpose": "prefetch;prerender"})
    assert messages(server, tenant, contact)[0]["readAt"] is None, "none of these is the client who reads"
    shown = client.get("/portal/messages")

    assert "They &lt;b&gt;accepted&lt;/b&gt;.\nCall me." in text(shown) and "Ann Agent" in text(shown)
    assert messages(server, tenant, contact)[0]["readAt"] is not None
    assert "new message" not in text(client.get("/portal"))
    once = page(shown, 200).form("/portal/messages")["once"]
    for _ in range(2):
        answer = client.send("/portal/messages", {"text": "Gladly!\r\nToday?", "once": once})
        assert (answer.status, answer.headers["location"]) == (303, "/portal/messages?done=sent")
    newest, _ = messages(server, tenant, contact)
    assert (newest["text"], newest["from"], newest["authorId"]) == ("Gladly!\nToday?", "client", None)
    for typed, status in (("", 422), ("x" * 10_001, 422), ("a\0b", 400)):
        assert client.send("/portal/messages", {"text": typed}).status == status
    assert len(messages(server, tenant, contact)) == 2
    assert client.get("/portal/messages?older=x").status == 200
    assert "Gladly" not in text(client.get("/portal/messages?older=1"))


def test_a_client_judges_saves_and_removes_listings(
    client: Client, server: Server, operator: Operator, tenant: Tenant, contact: dict[str, Any]
) -> None:
    villa, loft, sold = (a_property(server, tenant, name) for name in ("Villa", "Loft", "Barn"))
    photos = {"photos": [{"url": "https://photos.example.com/1.jpg", "alt": "The <yard>"}]}
    assert server.by_key(tenant, "PATCH", f"/api/properties/{villa}", photos).status == 200
    server.by_key(tenant, "PATCH", f"/api/properties/{sold}", {"status": "SOLD"})
    server.by_key(tenant, "POST", of(contact, "listings"), {"propertyId": villa, "note": "With a yard."})
    assert "See 1 new listing" in text(client.get("/portal"))

    shown = text(client.get("/portal/listings"))
    assert "$450,000" in shown and "With a yard." in shown and "1 Palm Dr, Boise, ID 83702" in shown
    assert '<a class="action" href="https://photos.example.com/1.jpg" rel="noopener noreferrer"' in shown
    assert "The &lt;yard&gt;" in shown and "<img" not in shown
    said = client.send(f"/portal/listings/{villa}/reaction", {"reaction": "love", "comment": "¡Sí!"})
    assert said.headers["location"] == "/portal/listings?done=said"
    assert client.send(f"/portal/listings/{villa}/reaction", {"reaction": "hate"}).status == 422
    assert client.send(f"/portal/listings/{villa}/reaction", {"comment": "x" * 2_001}).status == 422
    assert client.send(f"/portal/listings/{loft}/reaction", {"reaction": "love"}).status == 404, "not on the list"
    assert client.send(f"/portal/listings/{villa}/remove").status == 403, "the agent sent it"

    market = page(client.get("/portal/listings/market?q=LOFT%00+pal%25"), 200)
    assert market.said("article") == [] and "Loft" in text(client.get("/portal/listings/market?q=LOFT+palm"))
    assert "Barn" not in text(client.get("/portal/listings/market"))
    for bad in (sold, "x", "", villa[:-1] + ("1" if villa.endswith("0") else "0")):
        assert client.send("/portal/listings", {"listing": bad}).status == 404
    assert client.send("/portal/listings", {"listing": loft}).headers["location"] == "/portal/listings?done=saved"
    by_key = server.by_key(tenant, "GET", of(contact, "listings")).json
    assert [(one["propertyId"], one["by"], one["reaction"], one["comment"]) for one in by_key] == [
        (loft, "client", None, None),
        (villa, "staff", "love", "¡Sí!"),
    ]
    assert client.send(f"/portal/listings/{loft}/remove").status == 303
    assert len(server.by_key(tenant, "GET", of(contact, "listings")).json) == 1


def test_a_client_asks_for_a_tour_moves_and_cancels_it(
    client: Client, server: Server, operator: Operator, tenant: Tenant, contact: dict[str, Any]
) -> None:
    operator.agent(tenant, "Ana Agent")
    villa = a_property(server, tenant, "Villa")
    server.by_key(tenant, "POST", of(contact, "listings"), {"propertyId": villa})
    form = page(client.get(f"/portal/tours?listing={villa}"), 200).form("/portal/tours")
    assert form["listing"] == villa
    for bad in ({"date": "2020-01-01"}, {"date": "tomorrow"}, {"date": "2199-W01-1"}, {"time": "x" * 201}):
        assert client.send("/portal/tours", form.filled(**bad)).status == 422, bad
    for bad in ({"message": "x" * 2_001}, {"listing": "x"}):
        assert client.send("/portal/tours", dict(form.fields) | bad).status == 422, bad

    for _ in range(2):
        asked = client.send("/portal/tours", form.filled(date="2199-05-01", time="after 5 pm", message="Please!"))
        assert asked.headers["location"] == "/portal/tours?done=asked"
    (tour,) = server.by_key(tenant, "GET", "/api/showings").json
    assert (tour["email"], tour["propertyId"], tour["name"]) == (client.email, villa, "Nora Lindqvist")
    assert (tour["preferredDate"], tour["status"], tour["assignedToId"] is not None) == ("2199-05-01", "pending", True)
    shown = text(client.get("/portal/tours"))
    assert "Requested" in shown and "2199-05-01 after 5 pm" in shown and "With Ana Agent" in shown
    assert "Your next tour" in text(client.get("/portal"))

    moved = client.send(f"/portal/tours/{tour['id']}/move", {"date": "2199-05-02", "time": ""})
    assert moved.headers["location"] == "/portal/tours?done=moved"
    assert client.send(f"/portal/tours/{tour['id']}/move", {}).status == 422
    assert "1 Palm Dr" in messages(server, tenant, contact)[0]["text"]
    fixed = {"status": "confirmed", "startsAt": "2199-05-02T15:00:00Z"}
    assert server.by_key(tenant, "PATCH", f"/api/showings/{tour['id']}", fixed).status == 200
    file = client.get(f"/portal/tours/{tour['id']}.ics")
    assert file.headers["content-type"].startswith("text/calendar") and b"DTSTART" in file.body

    made = page(client.send("/portal/calendar"), 200)
    (url,) = re.findall(r"/portal/calendar/[\w-]+\.ics", text(client.send("/portal/calendar")))
    assert made and b"21990502T150000Z" not in server.ask("GET", url, host=tenant.domain).body, "it is too far ahead"
    assert b"BEGIN:VCALENDAR" in server.ask("GET", url, host=tenant.domain).body
    assert server.ask("GET", url, host=operator.brokerage().domain).status == 404
    assert client.send("/portal/calendar/revoke").status == 303
    assert server.ask("GET", url, host=tenant.domain).status == 404

    assert client.send(f"/portal/tours/{tour['id']}/cancel").headers["location"] == "/portal/tours?done=cancelled"
    assert server.by_key(tenant, "GET", f"/api/showings/{tour['id']}").json["status"] == "cancelled"
    assert client.send(f"/portal/tours/{tour['id']}/move", {"date": "2199-05-03"}).status == 422
    assert client.send("/portal/tours/x/cancel").status == 404


def test_a_client_reads_dates_and_data_and_asks_for_corrections(
    client: Client, server: Server, operator: Operator, tenant: Tenant, contact: dict[str, Any]
) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner", "Olga Owner")
    past = {"label": "Inspection", "date": "2020-01-01"}
    server.by_key(tenant, "PUT", of(contact, "key-dates"), {"dates": [COMING, past]})
    assert "Closing day" in text(client.get("/portal")) and "Inspection" not in text(client.get("/portal"))
    dates = page(client.get("/portal/dates"), 200)
    assert dates.said("h2")[0] == "Closing day" and dates.said("h3") == ["Inspection"]
    assert "1 de abril de 2199" in text(client.ask("GET", "/portal/dates", None, {"Accept-Language": "es"}))

    data = client.get("/portal/data/download")
    assert "attachment" in data.headers["content-disposition"]
    found = json.loads(data.body)
    assert found["persons"] == [{"name": "Nora Lindqvist", "email": client.email, "phone": None}]
    assert found["keyDates"][0]["label"] == "Closing day"
    assert client.send("/portal/data/correct", {"text": ""}).status == 422
    assert client.send("/portal/data/erase", {}).status == 422
    assert client.send("/portal/data/correct", {"text": "My name is Lindquist."}).status == 303
    assert client.send("/portal/data/erase", {"sure": "yes"}).status == 303
    erase, correct = server.by_key(tenant, "GET", "/api/tasks").json
    assert (correct["contactId"], "Lindquist" in correct["description"]) == (contact["id"], True)
    assert (erase["assignedToId"], erase["priority"], erase["status"]) == (owner.id, "HIGH", "pending")
    assert client.is_in and server.by_key(tenant, "GET", f"/api/contacts/{contact['id']}").status == 200
    assert client.send("/portal/data/correct", {"text": "a"}).status == 303
    assert client.send("/portal/data/correct", {"text": "b"}).status == 429


def test_no_page_shows_what_is_not_the_clients(
    client: Client, server: Server, operator: Operator, tenant: Tenant, contact: dict[str, Any]
) -> None:
    """Marks stand in all that staff know besides, in another client of the brokerage and in one of another one."""
    mark = "zqxsecret"
    owner = operator.staff(tenant.id, "brokerage_owner", f"Olga {mark}")
    ours = server.by_key(tenant, "PATCH", f"/api/contacts/{contact['id']}", {"tags": [mark], "score": 77})
    assert ours.status == 200
    lead = server.lead(tenant, name="Nora L", email=client.email, subject="A house", notes=mark, lostReason=None)
    server.by_key(tenant, "POST", f"/api/leads/{lead['id']}/activities", {"type": "note", "text": mark})
    server.by_key(tenant, "POST", f"/api/contacts/{contact['id']}/activities", {"type": "note", "text": mark})
    server.by_key(tenant, "POST", "/api/tasks", {"title": mark, "contactId": contact["id"], "description": mark})
    showing = {"name": f"Nora {mark}", "email": client.email, "message": mark}
    assert server.by_key(tenant, "POST", "/api/showings", showing).status == 201
    other_brokerage = operator.brokerage()
    theirs = server.by_key(
        other_brokerage, "POST", "/api/contacts", {"firstName": mark, "lastName": mark, "email": client.email}
    ).json
    new = {"firstName": mark, "lastName": mark, "email": "someone@else.example.net", "phone": mark}
    other = server.by_key(tenant, "POST", "/api/contacts", new).json
    for key, one in ((tenant, other), (other_brokerage, theirs)):
        home = a_property(server, key, mark)
        server.by_key(key, "PATCH", f"/api/properties/{home}", {"status": "PENDING"})
        assert server.by_key(key, "POST", of(one, "listings"), {"propertyId": home, "note": mark}).status == 201
        assert server.by_key(key, "POST", of(one, "messages"), {"text": mark}).status == 201
        assert server.by_key(key, "PUT", of(one, "key-dates"), {"dates": [DATE | {"note": mark}]}).status == 200
        say(operator, key, one["id"], mark)
        showing = {"name": mark, "email": one["email"], "message": mark}
        assert server.by_key(key, "POST", "/api/showings", showing).status == (201)
    villa = a_property(server, tenant, "Villa")
    server.by_key(tenant, "POST", of(contact, "listings"), {"propertyId": villa, "note": "For you"})
    server.by_key(tenant, "PUT", of(contact, "key-dates"), {"dates": [COMING]})
    (foreign,) = [one for one in server.by_key(tenant, "GET", "/api/showings").json if one["email"] == other["email"]]

    for path in ("/portal", *SHOWN):
        answer = client.get(path)
        assert answer.status == 200, path
        assert mark.encode() not in answer.body, path
        # Digits in the middle of a token or an id are none.
        assert not re.search(rb"(?<![0-9A-Za-z_-])77(?![0-9A-Za-z_-])", answer.body), f"{path} shows the score"
    assert "For you" in text(client.get("/portal/listings")) and "Closing day" in text(client.get("/portal/dates"))
    listing = server.by_key(tenant, "GET", of(other, "listings")).json[0]["propertyId"]
    for path, fields in (
        (f"/portal/tours/{foreign['id']}/cancel", {}),
        (f"/portal/tours/{foreign['id']}/move", {"date": "2199-01-01"}),
        (f"/portal/listings/{listing}/reaction", {"reaction": "love"}),
        ("/portal/listings", {"listing": listing}),
    ):
        assert client.send(path, fields).status == 404, path
    assert client.get(f"/portal/tours/{foreign['id']}.ics").status == 404
    assert client.send("/portal/tours", {"listing": listing}).status == 422
    before = server.by_key(tenant, "GET", of(other, "messages")).json
    client.send("/portal/messages", {"text": "to my agent"})
    assert server.by_key(tenant, "GET", of(other, "messages")).json == before
    assert owner


def test_a_client_sends_sixty_forms_a_minute(client: Client, operator: Operator, tenant: Tenant) -> None:
    assert client.send("/portal/listings", {"listing": "x"}).status == 404
    full = "UPDATE rate_limits SET allowed = 60, used = 60, window_start = clock_timestamp() WHERE tenant_id = %(t)s"
    operator.rows(full + " AND bucket LIKE 'portal forms %%'::bytea RETURNING 1", t=tenant.id)
    refused = client.send("/portal/listings", {"listing": "x"})
    assert (refused.status, refused.code) == (429, "rate_limited") and int(refused.headers["retry-after"]) <= 60
    assert client.get("/portal/listings").status == 200
    assert client.send("/portal/sign-out").status == 303 and not client.is_in


def test_public_forms_neither_hide_nor_change_who_a_client_is(
    uncounted: None, server: Server, operator: Operator, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "MOST_LEADS", 1)
    server.lead(tenant, name="Lea Lead", email="lea@example.net", phone="208-555-0142")
    server.form(tenant, email="Lea@example.net", firstName="Mallory", lastName="Mock", phone="208-555-0199")
    lea = client_at(server, operator, tenant, "lea@example.net").signs_in()
    shown = text(lea.get("/portal/data"))
    assert "Lea Lead" in shown and "0142" in shown and "Mallory" not in shown and "0199" not in shown
    assert lea.send("/portal/tours", {"date": "2199-01-01"}).status == 303
    (tour,) = server.by_key(tenant, "GET", "/api/showings").json
    assert tour["name"] == "Lea Lead" and tour["phone"].endswith("0142")


def test_a_client_without_a_contact(uncounted: None, server: Server, operator: Operator, tenant: Tenant) -> None:
    server.lead(tenant, name="Lea Lead", email="lea@example.net", subject="A house")
    lea = client_at(server, operator, tenant, "lea@example.net").signs_in()
    for path in ("/portal", *SHOWN):
        assert lea.get(path).status == 200, path
    assert lea.send("/portal/messages", {"text": "Hello"}).status == 404
    assert lea.send("/portal/tours", {"date": "2199-01-01"}).status == 303
    (tour,) = server.by_key(tenant, "GET", "/api/showings").json
    assert (tour["name"], tour["email"]) == ("Lea Lead", "lea@example.net")
    assert lea.send(f"/portal/tours/{tour['id']}/cancel").status == 303
    (task,) = server.by_key(tenant, "GET", "/api/tasks").json
    assert task["title"] == "A client has cancelled a tour"
    found = from_wire(tour["id"])
    assert found is not None
    command = ChangeTour(tenant_id=tenant.id, country="US", tour_id=found, details={"email": "other@example.net"})
    operator.run(lambda store: change_tour(store, command, ORIGIN))
    assert lea.get(f"/portal/tours/{tour['id']}.ics").status == 404, "it is no longer this client's"


@pytest.mark.parametrize("path", SHOWN)
def test_every_page_is_there_in_spanish(client: Client, path: str) -> None:
    answer = client.ask("GET", path, None, {"Accept-Language": "es"})
    assert answer.status == 200
    if answer.headers["content-type"].startswith("text/html"):
        assert answer.headers["content-language"] == "es"
