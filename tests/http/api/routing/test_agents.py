"""``/api/v1/admin/agents``: profiles, who may change what of them, and that a brokerage has one primary agent."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aureum.domain.ids import PLATFORM
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Answer, Server

PATH = "/api/v1/admin/agents"

PROFILE: dict[str, Any] = {
    "bio": "Ana has sold homes on the river since 2004.\nAsk her about docks.",
    "specialties": ["downtown", "condos"],
    "areas": ["Boise", "Garden City"],
    "languages": ["en", "pt-BR"],
    "price_min": 250000,
    "price_max": 900000.5,
    "daily_cap": 10,
    "hours": {"mon": ["09:00", "17:00"], "sat": ["10:00", "24:00"]},
    "away_from": "2026-12-24T12:00:00Z",
    "away_to": "2027-01-02T07:00:00Z",
    "takes_leads": False,
    "primary": True,
}


@pytest.fixture
def broker(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "broker", "Bea")


@pytest.fixture
def ana(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "agent", "Ana")


def change(server: Server, who: Staff, number: int, body: dict[str, Any], **headers: str) -> Answer:
    return server.ask("PATCH", f"{PATH}/{number}", body, who.bearer | headers)


def primaries(server: Server, who: Staff) -> list[int]:
    listed = server.ask("GET", f"{PATH}?page_size=100", headers=who.bearer).json
    return [agent["id"] for agent in listed["items"] if agent["primary"]]


def test_a_profile_is_kept_whole(server: Server, proxied: Server, broker: Staff, ana: Staff) -> None:
    empty = server.ask("GET", f"{PATH}/{ana.number}", headers=broker.bearer)
    assert empty.json == {
        "id": ana.number,
        "name": "Ana",
        "email": ana.email,
        "role": "agent",
        "disabled": False,
        "bio": None,
        "specialties": [],
        "areas": [],
        "languages": [],
        "price_min": None,
        "price_max": None,
        "takes_leads": True,
        "daily_cap": None,
        "hours": None,
        "away_from": None,
        "away_to": None,
        "primary": False,
    }

    changed = change(server, broker, ana.number, PROFILE)

    assert (changed.status, changed.json) == (200, empty.json | PROFILE)
    read = proxied.ask("GET", f"{PATH}/{ana.number}", headers=broker.bearer)
    assert (read.json, read.etag) == (changed.json, changed.etag)
    listed = proxied.ask("GET", PATH, headers=broker.bearer).json
    assert listed["items"] == [changed.json, *[one for one in listed["items"] if one["id"] != ana.number]]
    # The same again is no event.
    assert change(server, broker, ana.number, PROFILE).etag == changed.etag
    assert change(server, broker, ana.number, {"bio": "x"}, **{"If-Match": empty.etag}).status == 412
    # Nothing else of the user has changed, and what was known before is where it was.
    owner_sees = {"specialties": ["downtown", "condos"], "takes_leads": False}
    was = proxied.ask("GET", f"{PATH}/{ana.number}?asOf=2000-01-01", headers=broker.bearer)
    assert was.status == 404 and owner_sees.items() <= changed.json.items()


def test_what_is_cleared(server: Server, broker: Staff, ana: Staff) -> None:
    change(server, broker, ana.number, PROFILE)
    cleared: dict[str, Any] = {
        "bio": None, "specialties": [], "areas": [], "languages": [], "price_min": "", "price_max": None,
        "daily_cap": "", "hours": {}, "away_from": "", "away_to": None, "primary": False,
    }  # fmt: skip
    body = change(server, broker, ana.number, cleared).json
    assert {name: body[name] for name in cleared} == {
        name: value if name in ("specialties", "areas", "languages", "primary") else None
        for name, value in cleared.items()
    }
    for name in ("specialties", "areas", "languages", "takes_leads", "primary"):
        assert change(server, broker, ana.number, {name: None}).status == 422


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"languages": ["EN-us", "zh-hant", " es ", "es"]}, {"languages": ["en-US", "zh-Hant", "es"]}),
        ({"areas": ["Boise", "Boise", "Kuna\n"]}, {"areas": ["Boise", "Kuna"]}),
        ({"hours": {"tue": ["08:00", "12:00"]}}, {"hours": {"tue": ["08:00", "12:00"]}}),
        ({"away_to": "2026-12-24"}, {"away_to": "2026-12-24T07:00:00Z"}),
        ({"daily_cap": 0}, {"daily_cap": 0}),
        ({"price_max": 0.1}, {"price_max": 0.1}),
    ],
)
def test_how_it_is_kept(server: Server, broker: Staff, ana: Staff, sent: dict[str, Any], kept: dict[str, Any]) -> None:
    body = change(server, broker, ana.number, sent).json
    assert {name: body[name] for name in kept} == kept


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"languages": ["Spanish"]}, "languages"),
        ({"languages": ["x-klingon"]}, "languages"),
        ({"languages": "en"}, "languages"),
        ({"hours": {"monday": ["09:00", "17:00"]}}, "hours"),
        ({"hours": {"mon": ["17:00", "09:00"]}}, "hours"),
        ({"hours": {"mon": ["9", "17"]}}, "hours"),
        ({"hours": {"mon": ["09:00"]}}, "hours"),
        ({"hours": ["09:00"]}, "hours"),
        ({"price_min": 5, "price_max": 4}, "price_min"),
        ({"price_min": -1}, "price_min"),
        ({"price_min": "cheap"}, "price_min"),
        ({"daily_cap": -1}, "daily_cap"),
        ({"daily_cap": 2.5}, "daily_cap"),
        ({"away_from": "2026-12-24", "away_to": "2026-12-24"}, "away_to"),
        ({"away_from": "soon"}, "away_from"),
        ({"bio": "x" * 5_001}, "bio"),
        ({"areas": ["x"] * 51}, "areas"),
        ({"areas": ["x" * 101]}, "areas"),
        ({"primary": "yes"}, "primary"),
    ],
)
def test_what_is_refused(server: Server, broker: Staff, ana: Staff, sent: dict[str, Any], field: str) -> None:
    refused = change(server, broker, ana.number, sent)
    assert refused.status == 422 and refused.detail[0]["loc"][:2] == ["body", field], refused.body
    assert server.ask("GET", f"{PATH}/{ana.number}", headers=broker.bearer).etag == '"v1"'


def test_an_agent_changes_the_own_bio_languages_and_absence(
    server: Server, operator: Operator, tenant: Tenant, broker: Staff, ana: Staff
) -> None:
    ben = operator.staff(tenant.id, "agent", "Ben")
    own = {name: PROFILE[name] for name in ("bio", "languages", "away_from", "away_to")}
    assert own.items() <= change(server, ana, ana.number, own).json.items()
    for name in PROFILE.keys() - own.keys():
        assert change(server, ana, ana.number, {name: PROFILE[name]}).status == 403
    # Another agent's profile is not there.
    assert change(server, ana, ben.number, own).status == 404
    assert server.ask("GET", f"{PATH}/{ben.number}", headers=ana.bearer).status == 404
    listed = server.ask("GET", PATH, headers=ana.bearer).json
    assert [one["id"] for one in listed["items"]] == [ana.number] and listed["total"] == 1
    assert server.ask("GET", PATH, headers=broker.bearer).json["total"] == 3


def test_other_brokerages_agents_are_unknown(server: Server, operator: Operator, tenant: Tenant, ana: Staff) -> None:
    other = operator.brokerage()
    for role in ("agent", "broker", "brokerage_owner"):
        stranger = operator.staff(other.id, role)
        assert server.ask("GET", f"{PATH}/{ana.number}", headers=stranger.bearer).status == 404
        assert change(server, stranger, ana.number, {"bio": "x"}).status == 404
    admin = operator.staff(PLATFORM, "platform_admin")
    assert change(server, admin, ana.number, {"areas": ["Boise"]}).json["areas"] == ["Boise"]
    assert server.ask("GET", PATH, headers=admin.bearer).status == 400
    ((number,),) = operator.rows("SELECT number FROM brokerages WHERE tenant_id = %(t)s", t=tenant.id)
    listed = server.ask("GET", f"{PATH}?brokerage_id={number}", headers=admin.bearer).json
    assert [one["id"] for one in listed["items"]] == [ana.number]
    assert server.ask("GET", PATH).status == 401 and server.by_key(tenant, "GET", PATH).status == 401


def test_there_is_one_primary_agent(
    server: Server, operator: Operator, tenant: Tenant, broker: Staff, ana: Staff
) -> None:
    ben = operator.staff(tenant.id, "agent", "Ben")
    assert primaries(server, broker) == []
    before = change(server, broker, ana.number, {"primary": True})
    assert primaries(server, broker) == [ana.number]
    after = change(server, broker, ben.number, {"primary": True, "bio": "Ben."})
    assert (after.json["primary"], after.json["bio"]) == (True, "Ben.")
    assert primaries(server, broker) == [ben.number]
    # The former primary agent has an event that says so.
    assert server.ask("GET", f"{PATH}/{ana.number}", headers=broker.bearer).etag != before.etag
    assert change(server, broker, ben.number, {"primary": False}).json["primary"] is False
    assert primaries(server, broker) == []


def test_there_is_one_primary_agent_however_many_are_made_one_at_once(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, broker: Staff
) -> None:
    agents = [operator.staff(tenant.id, "agent", f"Agent {number}").number for number in range(8)]

    def make(place: int) -> int:
        return change((server, proxied)[place % 2], broker, agents[place % 8], {"primary": True}).status

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(make, range(24)))

    assert set(statuses) <= {200, 409} and 200 in statuses
    assert len(primaries(server, broker)) == 1
