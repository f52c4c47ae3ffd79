"""What belongs to a contact or a property in other lists, as far as the caller may see it."""

from typing import Any

from tests.http.api.properties.test_slugs import VILLA
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

ANN = {"firstName": "Ann", "lastName": "Lee", "email": "ann@example.com"}


def post(server: Server, tenant: Tenant, path: str, **body: Any) -> dict[str, Any]:
    answer = server.by_key(tenant, "POST", path, body)
    assert answer.status in (200, 201), answer.body
    made: dict[str, Any] = answer.json
    return made


def ids(found: Any) -> dict[str, list[str]]:
    return {kind: [one["id"] for one in of] for kind, of in found.items()}


def test_what_belongs_to_a_contact(server: Server, operator: Operator, tenant: Tenant) -> None:
    ana, bob = (operator.staff(tenant.id, "agent", name) for name in ("Ana", "Bob"))
    contact = post(server, tenant, "/api/contacts", **ANN, phone="(208) 555-0123")["id"]
    other = post(server, tenant, "/api/contacts", firstName="Ann", lastName="Lee-Smith", email="lee@example.com")["id"]
    own, given = (post(server, tenant, "/api/leads", **ANN, assignedToId=who.id) for who in (ana, bob))
    for lead in (own, given):
        post(server, tenant, f"/api/leads/{lead['id']}/convert")
    of_contact = [one for one in server.by_key(tenant, "GET", "/api/contacts").json if one["leadId"]]
    # Each conversion makes a contact of its own, or finds the one that there is: merged, all of it belongs to one.
    for made in of_contact:
        if made["id"] != contact:
            post(server, tenant, f"/api/contacts/{contact}/merge", **{"with": made["id"]})
    task = post(server, tenant, "/api/tasks", title="Call", contactId=contact, assignedToId=ana.id)
    post(server, tenant, "/api/tasks", title="Call", contactId=other)
    by_mail = post(server, tenant, "/api/showings", name="A. Lee", email="ANN@Example.com", listingId="1")
    by_phone = post(server, tenant, "/api/showings", name="Ann", phone="+1 208 555 0123", assignedToId=ana.id)
    post(server, tenant, "/api/showings", name="Ann", email="hann@example.com", listingId="1")

    path = f"/api/contacts/{contact}/related"
    found = server.by_key(tenant, "GET", path)

    assert ids(found.json) == {
        "leads": [given["id"], own["id"]],
        "tasks": [task["id"]],
        "showings": [by_phone["id"], by_mail["id"]],
    }
    assert server.by_key(tenant, "GET", path, headers={"If-None-Match": found.etag}).status == 304
    seen = server.ask("GET", path, None, ana.bearer)
    assert ids(seen.json) == {"leads": [own["id"]], "tasks": [task["id"]], "showings": [by_phone["id"]]}
    assert server.by_key(operator.brokerage(), "GET", path).status == 404

    serving = f"/api/contacts/serving?ids={contact},{other},x,c{'0' * 24}1"
    whole = server.by_key(tenant, "GET", serving).json["contacts"]
    assert [(one["id"], one["assignedToId"]) for one in whole] == [(contact, bob.id), (other, None)]
    assert whole[0]["leadUpdatedAt"] is not None and whole[1]["leadUpdatedAt"] is None
    (mine, _) = server.ask("GET", serving, None, ana.bearer).json["contacts"]
    assert mine["assignedToId"] == ana.id
    assert server.by_key(operator.brokerage(), "GET", serving).json == {"contacts": []}
    assert server.by_key(tenant, "GET", "/api/contacts/serving").json == {"contacts": []}


def test_who_is_interested_in_a_property(server: Server, operator: Operator, tenant: Tenant) -> None:
    villa = post(server, tenant, "/api/properties", **VILLA | {"title": "Villa", "mlsId": "20.24+1"})
    another = post(server, tenant, "/api/properties", **VILLA | {"title": "Villa"})
    assert (villa["slug"], another["slug"]) == ("villa", "villa-2")
    asked: dict[str, str] = {}
    for page in (
        "/property/villa",
        "https://www.example.com/p/villa/?utm=1",
        "/l?id=20.24+1",
        "/property/villa-2",
        "/villas",
        "/x",
    ):
        assert server.form(tenant, email=f"a{len(asked)}@example.com", source_page=page).status == 200
        asked[page] = server.leads(tenant)[0]["id"]
    ana = operator.staff(tenant.id, "agent", "Ana")
    by_listing = post(server, tenant, "/api/showings", name="A", phone="208-555-0101", listingId="20.24+1")
    named = post(
        server, tenant, "/api/showings", name="B", phone="208-555-0102", propertyId=villa["id"], assignedToId=ana.id
    )
    post(server, tenant, "/api/showings", name="C", phone="208-555-0103", listingId="7")

    path = f"/api/properties/{villa['id']}/related"
    found = ids(server.by_key(tenant, "GET", path).json)

    assert found["leads"] == [asked[page] for page in list(asked)[2::-1]]
    assert found["showings"] == [named["id"], by_listing["id"]]
    assert ids(server.ask("GET", path, None, ana.bearer).json) == {"leads": [], "showings": [named["id"]]}
    assert ids(server.by_key(tenant, "GET", f"/api/properties/{another['id']}/related").json) == {
        "leads": [asked["/property/villa-2"]],
        "showings": [],
    }
    # Its slug is a plain word, which in the addresses of other listings is their folder.
    plain = post(server, tenant, "/api/properties", **VILLA | {"title": "🏡"})
    assert plain["slug"] == "property"
    assert server.form(tenant, email="plain@example.com", source_page="/homes/property/").status == 200
    assert ids(server.by_key(tenant, "GET", f"/api/properties/{plain['id']}/related").json) == {
        "leads": [server.leads(tenant)[0]["id"]],
        "showings": [],
    }
    assert server.by_key(operator.brokerage(), "GET", path).status == 404
