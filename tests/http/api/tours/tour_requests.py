"""What the tests of tours share: the document's form, and how it is sent and read again."""

from typing import Any

from tests.http.operator import Tenant
from tests.http.serving import NUMBERS, Answer, Server

TOUR = {
    "listing_id": "202412345",
    "name": "Jane Doe",
    "email": "jane@example.com",
    "phone": "208-555-0456",
    "preferred_date": "2024-12-30",
    "preferred_time": "10:00 AM",
    "message": "I'm interested in seeing this property. Is it available Saturday morning?",
}
"""The example of the Leads API document."""

HOUSE = {"title": "A house", "address": "123 Palm Dr", "city": "Beverly Hills", "state": "CA"}
"""The least that a property needs."""


def form(server: Server, tenant: Tenant, headers: dict[str, str] | None = None, /, **fields: Any) -> Answer:
    """The document's form, with other *fields*, on the brokerage's domain: another one each time, but with an
    Idempotency-Key."""
    other = {} if "Idempotency-Key" in (headers or {}) else {"message": f"{TOUR['message']} {next(NUMBERS)}"}
    return server.ask("POST", "/api/tours", TOUR | other | fields, headers, host=tenant.domain)


def requested(server: Server, tenant: Tenant, **fields: Any) -> int:
    """A new tour's number."""
    answer = form(server, tenant, **fields)
    assert answer.status == 200, answer.body
    number: int = answer.json["id"]
    return number


def tour_of(server: Server, tenant: Tenant, number: int, query: str = "") -> dict[str, Any]:
    """A tour in the Leads API."""
    answer = server.by_key(tenant, "GET", f"/api/tours/{number}{query}")
    assert answer.status == 200, answer.body
    tour: dict[str, Any] = answer.json
    return tour


def as_listed(tour: dict[str, Any]) -> dict[str, Any]:
    """A tour or a showing without how it was routed, which lists do not say."""
    return {name: value for name, value in tour.items() if name != "routing"}


def changed(server: Server, tenant: Tenant, number: int, **fields: Any) -> dict[str, Any]:
    """A tour after a change."""
    answer = server.by_key(tenant, "PATCH", f"/api/tours/{number}", fields)
    assert answer.status == 200, answer.body
    tour: dict[str, Any] = answer.json
    return tour


def listed_property(server: Server, tenant: Tenant, **fields: Any) -> str:
    """A new property's id."""
    answer = server.by_key(tenant, "POST", "/api/properties", HOUSE | fields)
    assert answer.status == 201, answer.body
    property_id: str = answer.json["id"]
    return property_id


def showing_of(server: Server, tenant: Tenant) -> dict[str, Any]:
    """The brokerage's only tour, in the Aureum API."""
    (showing,) = server.by_key(tenant, "GET", "/api/showings").json
    found: dict[str, Any] = showing
    return found
