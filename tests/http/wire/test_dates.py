"""A date without a time is its midnight on the brokerage's clock, wherever a moment can be named."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aureum.domain import ids
from aureum.domain.ids import aureum_time
from tests.http.api.staff.test_leads import number_of
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

KIRITIMATI, PAGO_PAGO = "Pacific/Kiritimati", "Pacific/Pago_Pago"
"""Fourteen hours ahead of UTC, and eleven behind: at any moment one of them has another date than UTC."""


@pytest.fixture(scope="module")
def places(operator: Operator) -> dict[str, Tenant]:
    zones = ("America/Boise", KIRITIMATI, PAGO_PAGO, "America/Sao_Paulo", "UTC")
    return {zone: operator.brokerage(time_zone=zone) for zone in zones}


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("America/Boise", "2026-12-01", "2026-12-01T07:00:00.000Z"),
        (KIRITIMATI, "2026-12-01", "2026-11-30T10:00:00.000Z"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z"),
        ("UTC", "2026-12-01", "2026-12-01T00:00:00.000Z"),
    ],
)
def test_what_is_stored(server: Server, places: dict[str, Tenant], zone: str, day: str, begins: str) -> None:
    tenant = places[zone]
    task = server.by_key(tenant, "POST", "/api/tasks", {"title": "Call", "dueDate": day}).json
    assert task["dueDate"] == begins
    moved = server.by_key(tenant, "PATCH", f"/api/tasks/{task['id']}", {"dueDate": "2025-01-01T00:00:00Z"}).json
    assert moved["dueDate"] == "2025-01-01T00:00:00.000Z"
    assert server.by_key(tenant, "PATCH", f"/api/tasks/{task['id']}", {"dueDate": day}).json["dueDate"] == begins

    showing: dict[str, Any] = {"listingId": "1", "name": "Jane", "phone": "1", "startsAt": day}
    shown = server.by_key(tenant, "POST", "/api/showings", showing).json
    assert (shown["startsAt"], shown["timeZone"]) == (begins, zone)
    (number,) = [tour["id"] for tour in server.by_key(tenant, "GET", "/api/tours").json if tour["starts_at"]][:1]
    patched = server.by_key(tenant, "PATCH", f"/api/tours/{number}", {"starts_at": day})
    assert (patched.status, patched.json["starts_at"]) == (200, begins.replace(".000", ""))


def of_today(zone: str) -> tuple[str, str]:
    """The dates on which a clock there stands, and the day after."""
    now = datetime.now(UTC).astimezone(ZoneInfo(zone))
    return f"{now:%Y-%m-%d}", f"{now + timedelta(days=1):%Y-%m-%d}"


@pytest.mark.parametrize("zone", [PAGO_PAGO, KIRITIMATI])
def test_what_is_asked_for(server: Server, operator: Operator, places: dict[str, Tenant], zone: str) -> None:
    tenant = places[zone]
    lead = server.lead(tenant)
    today, tomorrow = of_today(zone)

    for path in ("/api/leads", "/api/leads?limit=5"):
        sign = "&" if "?" in path else "?"
        assert lead["id"] in server.by_key(tenant, "GET", f"{path}{sign}updatedSince={today}").ids
        assert server.by_key(tenant, "GET", f"{path}{sign}updatedSince={tomorrow}").ids == []
    assert server.by_key(tenant, "GET", f"/api/leads/{lead['id']}?asOf={today}").status == 404
    assert server.by_key(tenant, "GET", f"/api/leads/{lead['id']}?asOf={tomorrow}").status == 200

    ((number,),) = operator.rows(
        "SELECT number FROM lead_list WHERE lead_id = %(lead)s", lead=ids.from_wire(lead["id"])
    )
    admins = (operator.staff(ids.PLATFORM, "platform_admin"), operator.staff(places["UTC"].id, "platform_admin"))
    for who in (operator.staff(tenant.id, "brokerage_owner"), *admins):
        path = f"/api/v1/admin/leads/{number}"
        assert server.ask("GET", f"{path}?asOf={today}", headers=who.bearer).status == 404
        assert server.ask("GET", f"{path}?asOf={tomorrow}", headers=who.bearer).status == 200
    brokerage = f"/api/v1/admin/brokerages/{number_of(operator, tenant)}"
    assert server.ask("GET", f"{brokerage}?asOf={today}", headers=admins[0].bearer).status == 404
    assert server.ask("GET", f"{brokerage}?asOf={tomorrow}", headers=admins[0].bearer).status == 200


def test_a_replay_begins_at_midnight(server: Server, operator: Operator, places: dict[str, Tenant]) -> None:
    tenant = places[KIRITIMATI]
    body = {"url": "https://example.com/hooks", "events": ["lead.*"]}
    webhook = server.by_key(tenant, "POST", "/api/webhooks", body).json["id"]
    server.lead(tenant)
    today, tomorrow = of_today(KIRITIMATI)
    path = f"/api/webhooks/{webhook}/replay"
    since = server.by_key(tenant, "POST", path, {"since": today}).json
    assert (since["since"], since["until"]) == (1, operator.head(tenant) - 1)
    none = server.by_key(tenant, "POST", path, {"since": tomorrow}).json
    assert none["since"] > none["until"]


def test_midnight_is_not_that_of_utc(places: dict[str, Tenant]) -> None:
    """What the tests above rest on."""
    assert {of_today(KIRITIMATI), of_today(PAGO_PAGO)} != {of_today("UTC")}
    assert aureum_time(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"
