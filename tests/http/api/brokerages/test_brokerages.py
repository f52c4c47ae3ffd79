"""``/api/v1/admin/brokerages``: opened, listed, read and changed by platform admins."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aureum.domain.ids import PLATFORM
from tests.http.operator import NUMBERS, Operator, Staff, Tenant
from tests.http.serving import BASE_DOMAIN, Answer, Server

PATH = "/api/v1/admin/brokerages"


@pytest.fixture(scope="module")
def admin(operator: Operator) -> Staff:
    return operator.staff(PLATFORM, "platform_admin")


def new(**fields: Any) -> dict[str, Any]:
    """A brokerage that is not there yet."""
    slug = f"admin-{next(NUMBERS)}"
    return {"name": "Payette Homes", "slug": slug, "domains": [f"{slug}.example.com"], "plan": "Grow"} | fields


def opened(server: Server, admin: Staff, **fields: Any) -> dict[str, Any]:
    answer = server.ask("POST", PATH, new(**fields), admin.bearer)
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.json
    return made


def change(server: Server, admin: Staff, number: int, body: dict[str, Any], **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.ask("PATCH", f"{PATH}/{number}", body, admin.bearer | named)


def position(operator: Operator) -> int:
    """How far the platform's log goes."""
    ((found,),) = operator.rows("SELECT position FROM heads WHERE tenant_id = %(t)s", t=PLATFORM)
    return int(found)


def test_opened_whole_and_found_again(server: Server, proxied: Server, admin: Staff) -> None:
    older = opened(server, admin)
    sent = new(domains=["Www.Admin.Example.com:8000", "www.admin.example.com", "münchen.example.com"])

    answer = server.ask("POST", PATH, sent, admin.bearer)

    assert (answer.status, answer.etag) == (201, '"v1"')
    made = answer.json
    assert isinstance(made["id"], int)
    assert made == sent | {
        "id": made["id"],
        "domains": ["www.admin.example.com", "xn--mnchen-3ya.example.com"],
        "time_zone": "America/Boise",
        "country": "US",
        "public_lead_count": True,
        "confirmations": True,
        "reply_to": None,
        "color": None,
        "logo": None,
        "erase_lost_after_months": None,
        "disabled": False,
        "created_at": made["created_at"],
    }
    found = proxied.ask("GET", f"{PATH}/{made['id']}", headers=admin.bearer)
    assert (found.status, found.json, found.etag) == (200, made, '"v1"')
    # Newest first.
    page = proxied.ask("GET", f"{PATH}?page_size=1", headers=admin.bearer).json
    assert page["items"] == [made]
    assert (page["page"], page["page_size"], page["total"]) == (1, 1, page["total_pages"])
    second = proxied.ask("GET", f"{PATH}?page_size=1&page=2", headers=admin.bearer).json
    assert second["items"] == [older]
    assert proxied.ask("GET", f"{PATH}?page={page['total'] + 1}", headers=admin.bearer).json["items"] == []


def test_the_list_is_sent_again_when_a_brokerage_changes(server: Server, admin: Staff, operator: Operator) -> None:
    made = opened(server, admin)
    at_home = operator.staff(operator.shared.id, "platform_admin")
    etags = [server.ask("GET", PATH, headers=who.bearer).etag for who in (admin, at_home)]
    for who, etag in zip((admin, at_home), etags, strict=True):
        assert server.ask("GET", PATH, headers=who.bearer | {"If-None-Match": etag}).status == 304
    assert change(server, admin, made["id"], {"name": "Other"}).status == 200
    for who, etag in zip((admin, at_home), etags, strict=True):
        assert server.ask("GET", PATH, headers=who.bearer | {"If-None-Match": etag}).status == 200


def test_everything_that_can_be_changed(server: Server, proxied: Server, admin: Staff) -> None:
    made = opened(server, admin)
    between = datetime.now(UTC).isoformat()
    changes = {
        "name": "Payette & Sons",
        "domains": ["b.payette.example.com", "a.payette.example.com"],
        "plan": "Elite",
        "time_zone": "America/New_York",
        "country": "CA",
        "public_lead_count": False,
        "confirmations": False,
        "reply_to": "office@payette.example.com",
        "disabled": True,
    }

    answer = change(server, admin, made["id"], changes, If_Match='"v1"')

    assert (answer.status, answer.json) == (200, made | changes)
    found = proxied.ask("GET", f"{PATH}/{made['id']}", headers=admin.bearer)
    assert (found.json, found.etag) == (answer.json, answer.etag)
    # What already holds records nothing.
    again = change(server, admin, made["id"], changes, If_Match=answer.etag)
    assert (again.json, again.etag) == (answer.json, answer.etag)
    assert change(server, admin, made["id"], {"plan": "Grow"}, If_Match='"v1"').status == 412
    before = proxied.ask("GET", f"{PATH}/{made['id']}?asOf={between.replace('+', '%2B')}", headers=admin.bearer)
    assert (before.json, before.etag) == (made, '"v1"')
    assert proxied.ask("GET", f"{PATH}/{made['id']}?asOf=2020-01-01", headers=admin.bearer).status == 404


def test_a_domain_goes_with_the_next_request(server: Server, operator: Operator, admin: Staff, tenant: Tenant) -> None:
    ((number,),) = operator.rows("SELECT number FROM brokerages WHERE tenant_id = %(t)s", t=tenant.id)
    assert server.form(tenant).status == 200
    moved = f"moved-{tenant.slug}.example.com"

    assert change(server, admin, number, {"domains": [moved]}).status == 200

    assert server.form(tenant).status == 404
    count = server.ask("GET", "/api/leads/count", host=moved)
    assert (count.status, count.json["total"]) == (200, 1)
    # It is free for others now.
    opened(server, admin, domains=[tenant.domain])
    assert change(server, admin, number, {"domains": [tenant.domain]}).status == 409
    assert server.ask("GET", f"{PATH}/{number}", headers=admin.bearer).json["domains"] == [moved]


def test_what_a_brokerage_has_already_is_not_judged_again(server: Server, operator: Operator, admin: Staff) -> None:
    """As the demo's ``localhost``, which only the command line adds."""
    odd = operator.brokerage(domains=("odd-localhost",))
    ((number,),) = operator.rows("SELECT number FROM brokerages WHERE tenant_id = %(t)s", t=odd.id)
    answer = change(server, admin, number, {"domains": ["odd-localhost", "odd.example.com"]})
    assert (answer.status, answer.json["domains"]) == (200, ["odd-localhost", "odd.example.com"])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"slug": "www"}, "slug"),
        ({"slug": "Snake"}, "slug"),
        ({"slug": "s" * 64}, "slug"),
        ({"plan": "grow"}, "plan"),
        ({"plan": None}, "plan"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"country": "us"}, "country"),
        ({"country": "ZZ"}, "country"),
        ({"public_lead_count": "yes"}, "public_lead_count"),
        ({"domains": "x.example.com"}, "domains"),
        *(
            ({"domains": [domain]}, "domains")
            for domain in (BASE_DOMAIN, f"x.{BASE_DOMAIN}", "192.0.2.1", "[::1]", "localhost", "a b.example.com", "*")
        ),
        ({"domains": [7]}, "domains"),
    ],
)
def test_a_refusal_names_the_field(
    server: Server, operator: Operator, admin: Staff, fields: dict[str, Any], field: str
) -> None:
    made = opened(server, admin)
    before = position(operator)
    answers = [server.ask("POST", PATH, new(**fields), admin.bearer)]
    if field != "slug":
        answers.append(change(server, admin, made["id"], fields))
    for answer in answers:
        assert answer.status == 422, answer.body
        assert answer.detail[0]["loc"][:2] == ["body", field]
    assert position(operator) == before


@pytest.mark.parametrize("query", ["page=0", "page=x", "page_size=101", "page_size=0", "page=1.5"])
def test_pages_that_there_are_not(server: Server, admin: Staff, query: str) -> None:
    answer = server.ask("GET", f"{PATH}?{query}", headers=admin.bearer)
    assert answer.status == 422
    assert answer.detail[0]["loc"] == ["query", query.partition("=")[0]]


def test_names_that_are_taken(server: Server, operator: Operator, admin: Staff) -> None:
    made = opened(server, admin)
    for fields in ({"slug": made["slug"]}, {"domains": made["domains"]}):
        assert server.ask("POST", PATH, new(**fields), admin.bearer).status == 409


def test_the_same_request_again_opens_one(server: Server, proxied: Server, admin: Staff) -> None:
    body, headers = new(), admin.bearer | {"Idempotency-Key": f"once-{next(NUMBERS)}"}
    first = server.ask("POST", PATH, body, headers)
    again = proxied.ask("POST", PATH, body, headers)
    assert (again.status, again.body, again.etag) == (201, first.body, first.etag)
    assert again.headers["idempotent-replayed"] == "true"
    assert proxied.ask("POST", PATH, body | {"name": "Other"}, headers).status == 409


@pytest.mark.parametrize("role", ["brokerage_owner", "broker", "agent"])
def test_no_other_role(server: Server, operator: Operator, admin: Staff, tenant: Tenant, role: str) -> None:
    made = opened(server, admin)
    before = position(operator)
    for tenant_id in (tenant.id, PLATFORM):
        who = operator.staff(tenant_id, role)
        before = position(operator)
        for method, path, body in (("GET", PATH, None), ("POST", PATH, new())):
            answer = server.ask(method, path, body, who.bearer)
            assert (answer.status, answer.detail) == (403, "Only a platform admin may do this.")
        # Another tenant's brokerage answers like one that never was, and so does the number of none.
        for number in (made["id"], 0, 2**40):
            asking: list[tuple[str, str, Any]] = [("GET", "", None), ("GET", "?asOf=2026-01-01", None)]
            asking += [("PATCH", "", change) for change in ({"name": "Mine"}, {"plan": "Elite"}, {})]
            for method, query, sent in asking:
                answer = server.ask(method, f"{PATH}/{number}{query}", sent, who.bearer)
                assert (answer.status, answer.detail) == (404, "Brokerage not found")
        assert position(operator) == before
    assert server.ask("GET", PATH).status == server.by_key(tenant, "GET", PATH).status == 401


def test_its_owner_sees_and_sets_what_is_the_owners(server: Server, operator: Operator, admin: Staff) -> None:
    tenant = operator.brokerage("Starter")
    owner = operator.staff(tenant.id, "brokerage_owner")
    number = server.ask("GET", "/api/me", headers=owner.bearer).json["brokerage"]["id"]
    own = f"{PATH}/{number}"
    settings: dict[str, Any] = {
        "name": "New Name",
        "time_zone": "Europe/Berlin",
        "country": "DE",
        "public_lead_count": False,
        "confirmations": False,
        "reply_to": "office@example.com",
    }

    shown = server.ask("GET", own, headers=owner.bearer)
    changed = server.ask("PATCH", own, settings, owner.bearer | {"If-Match": shown.etag})

    assert (shown.status, shown.json["id"]) == (200, number)
    assert (changed.status, changed.json) == (200, shown.json | settings)
    for none in ("", None):
        assert server.ask("PATCH", own, {"reply_to": none}, owner.bearer).json["reply_to"] is None
        assert server.ask("PATCH", own, {"reply_to": "office@example.com"}, owner.bearer).json == changed.json
    bad: list[dict[str, Any]] = [{"reply_to": "office"}, {"confirmations": None}, {"confirmations": "no"}]
    for one in bad:
        assert server.ask("PATCH", own, one, owner.bearer).status == 422
    stale = server.ask("PATCH", own, {"name": "Newer"}, owner.bearer | {"If-Match": shown.etag})
    assert stale.status == 412
    before = position(operator)
    refused: list[dict[str, Any]] = [{"plan": "Elite"}, {"domains": []}, {"disabled": True}]
    for platforms in (*refused, {"name": "Newer", "plan": "Starter"}):
        answer = server.ask("PATCH", own, platforms, owner.bearer)
        assert (answer.status, answer.detail) == (403, "Only a platform admin may do this.")
    for role in ("broker", "agent"):
        who = operator.staff(tenant.id, role)
        assert server.ask("GET", own, headers=who.bearer).status == 403
        assert server.ask("PATCH", own, {"name": "Mine"}, who.bearer).status == 403
    assert position(operator) == before
    assert server.ask("GET", own, headers=admin.bearer).json == changed.json


def test_unknown_numbers(server: Server, admin: Staff) -> None:
    for number, status in ((2**31 - 1, 404), (0, 404), ("x", 422), (2**63, 404)):
        assert server.ask("GET", f"{PATH}/{number}", headers=admin.bearer).status == status
