"""The pages of contacts and properties: who they are, how to reach them, and what belongs to them, as far as the reader
may see it."""

from tests.http.api.contacts.test_related import ANN, post
from tests.http.api.newsletter.newsletters import subscribe
from tests.http.api.tours.tour_requests import HOUSE
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, page
from tests.http.panel.resources import saved
from tests.http.serving import Server


def test_a_contact_is_a_person(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    ana, bob = (operator.staff(tenant.id, "agent", name) for name in ("Ana Agent", "Bob Broker"))
    lead = post(server, tenant, "/api/leads", **ANN, phone="(208) 555-0123", assignedToId=ana.id, subject="A yard")
    post(server, tenant, f"/api/leads/{lead['id']}/convert")
    (contact,) = server.by_key(tenant, "GET", "/api/contacts").json
    task = post(server, tenant, "/api/tasks", title="Call Ann", contactId=contact["id"], assignedToId=bob.id)
    post(server, tenant, "/api/showings", name="Ann Lee", email="ann@example.com", startsAt="2025-03-09T10:00:00")
    here = f"/admin/contacts/{contact['id']}"

    listed = owner.read("/admin/contacts")
    row = next(row for row in listed.said("tr") if "Ann Lee" in row)
    assert "ann@example.com (208) 555-0123" in row and "Ana Agent now" in row
    assert {"tel:(208)555-0123", "mailto:ann@example.com", here} <= set(listed.links)
    reading = owner.read(here)
    assert {"tel:(208)555-0123", "mailto:ann@example.com"} <= set(reading.links)
    assert {f"/admin/leads/{lead['id']}", f"/admin/tasks/{task['id']}"} <= set(reading.links)
    said = " ".join(reading.said("section"))
    assert "Not subscribed" in reading.said("dd")
    subscribe(server, tenant, "Ann@Example.com")
    assert "Subscribed Consents" in owner.read(here).said("dd")
    assert "A yard" in said and "Ana Agent" in said and "9 Mar 2025, 10:00 MDT" in said and "Call Ann" in said
    # An agent reads on it what the agent may see.
    for reader, own, others in ((ana, "A yard", "Call Ann"), (bob, "Call Ann", "A yard")):
        page = as_staff(server, reader).read(here)
        text = " ".join(page.said("li"))
        assert own in text and others not in text
    assert "Ana Agent" not in next(
        row for row in as_staff(server, bob).read("/admin/contacts").said("tr") if "Ann" in row
    )


def test_contacts_are_narrowed_by_chips_and_words(server: Server, tenant: Tenant, owner: Reader) -> None:
    for name, kind, tag in (("Ann", "BUYER", "vip"), ("Bob", "SELLER", "vip"), ("Cy", "SELLER", "late")):
        post(server, tenant, "/api/contacts", firstName=name, lastName="Lee", type=kind, tags=[tag])
    seller = next(link for link in owner.read("/admin/contacts?tag=vip").links if "type=SELLER" in link)
    found = owner.read(seller)
    assert [row.split()[0] for row in found.said("tr")[1:]] == ["Bob"] and found.form("/admin/contacts")["tag"] == "vip"
    assert found.said("a", **{"aria-current": "true"}) == ["Seller"]
    assert "Nothing found." in owner.read("/admin/contacts?search=zed").said("p")


def test_a_new_brokerage_is_told_what_is_missing(owner: Reader) -> None:
    for path, said in {
        "/admin": "No lead is waiting for an answer.",
        "/admin/leads": "No leads yet.",
        "/admin/leads?q=ann": "Nothing found.",
        "/admin/contacts": "No contacts yet.",
        "/admin/properties": "No properties yet.",
        "/admin/properties?search=villa": "Nothing found.",
    }.items():
        assert said in owner.read(path).said("p"), path
    assert "/admin/settings/form" in owner.read("/admin/leads").links


def test_who_changed_a_price(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    house = post(server, tenant, "/api/properties", **HOUSE, price=450000, mlsId="77")
    here = f"/admin/properties/{house['id']}"
    assert server.form(tenant, source_page=f"/property/{house['slug']}").status == 200
    post(server, tenant, "/api/showings", name="Ann Lee", phone="208-555-0101", propertyId=house["id"])

    # One click to the list, one to the property.
    listed = owner.read("/admin/properties")
    assert here in listed.links and "$450,000" in listed.said("td")
    saved(owner, here, price="440k")
    reading = owner.read(here)

    assert reading.form(here)["price"] == "$440,000"
    (entry,) = [one for one in reading.said("li") if "Changed price" in one]
    assert "Olivia Owner" in entry and "$450,000" in entry and "$440,000" in entry
    text = " ".join(reading.said("section"))
    assert "Ann Lee" in text and f"/admin/leads/{server.leads(tenant)[0]['id']}" in reading.links
    agent = as_staff(server, operator.staff(tenant.id, "agent", "Ida"))
    assert "Ann Lee" not in " ".join(agent.read(here).said("section"))
    assert "No recent lead of yours" in " ".join(agent.read(here).said("p"))


def test_photos_are_links_in_their_order(server: Server, tenant: Tenant, owner: Reader) -> None:
    house = post(server, tenant, "/api/properties", **HOUSE)
    here = f"/admin/properties/{house['id']}"
    typed = "https://cdn.example.com/1.jpg The front\r\n\r\n  https://cdn.example.com/2.jpg"
    reading = saved(owner, here, photos=typed)
    assert [link for link in reading.links if link.startswith("https:")] == [
        "https://cdn.example.com/1.jpg",
        "https://cdn.example.com/2.jpg",
    ]
    assert reading.form(here)["photos"] == "https://cdn.example.com/1.jpg The front\r\nhttps://cdn.example.com/2.jpg"
    assert any("The front, 2.jpg" in text for text in reading.said("ins"))
    csv = owner.get("/admin/properties.csv").body.decode()
    assert "Photos" in csv and '"https://cdn.example.com/1.jpg\nhttps://cdn.example.com/2.jpg"' in csv
    form = reading.form(here)
    refused = page(owner.send(here, form.filled(photos="http://example.com/1.jpg The yard")), 400)
    assert "must be a web address that begins with https://" in refused.problem
    assert refused.form(here)["photos"] == "http://example.com/1.jpg The yard"
    emptied = saved(owner, here, photos="")
    assert not [link for link in emptied.links if link.startswith("https:")]
