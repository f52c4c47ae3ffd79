"""``/api/v1/admin/routing``: the settings are kept whole, and name no agent who cannot take a lead."""

from typing import Any

import pytest

from aureum.domain.ids import PLATFORM
from tests.http.api.staff.test_users import disable
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Answer, Server

PATH = "/api/v1/admin/routing"

EVERYONE = {"group": "everyone"}

DEFAULTS: dict[str, Any] = {
    "mode": "semantic",
    "semantic_filter": False,
    "least_busy": True,
    "fallback": "round_robin",
    "rules": [{"when": None, "to": EVERYONE, "claim_minutes": None}],
    "groups": {},
    "answer_within_minutes": None,
    "learn_from_reassignments": False,
    "masked_words": [],
}
NOTHING: dict[str, Any] = {
    "subject_has": [],
    "page_has": [],
    "source": [],
    "area": [],
    "price_from": None,
    "price_to": None,
    "listing_id": [],
}


@pytest.fixture
def owner(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "brokerage_owner", "Olivia")


@pytest.fixture
def ana(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "agent", "Ana")


def put(server: Server, who: Staff, body: dict[str, Any], **headers: str) -> Answer:
    return server.ask("PUT", PATH, body, who.bearer | headers)


def test_settings_are_replaced_whole(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff, ana: Staff
) -> None:
    ben = operator.staff(tenant.id, "broker", "Ben")
    before = server.ask("GET", PATH, headers=owner.bearer)
    assert (before.status, before.json) == (200, DEFAULTS)
    sent = {
        "mode": "subject_based",
        "semantic_filter": True,
        "least_busy": False,
        "fallback": "pond",
        "rules": [
            {"when": {"subject_has": ["sell", "valuation"], "price_from": 1_000_000.5}, "to": {"agent": ana.number}},
            {"when": {"area": ["Boise"], "listing_id": ["202412345"]}, "to": {"group": "north"}, "claim_minutes": 15},
            {"to": EVERYONE},
        ],
        "groups": {"north": [ben.number, ana.number]},
        "answer_within_minutes": 30,
        "learn_from_reassignments": True,
        "masked_words": ["Bronco", "Micron Technology"],
    }

    changed = put(server, owner, sent, **{"If-Match": before.etag})

    rules: list[dict[str, Any]] = [
        {
            "when": NOTHING | {"subject_has": ["sell", "valuation"], "price_from": 1000000.5},
            "to": {"agent": ana.number},
            "claim_minutes": None,
        },
        {
            "when": NOTHING | {"area": ["Boise"], "listing_id": ["202412345"]},
            "to": {"group": "north"},
            "claim_minutes": 15,
        },
        DEFAULTS["rules"][0],
    ]
    assert (changed.status, changed.json) == (200, sent | {"rules": rules})
    read = proxied.ask("GET", PATH, headers=owner.bearer)
    assert (read.json, read.etag) == (changed.json, changed.etag)
    assert proxied.ask("GET", PATH, headers=owner.bearer | {"If-None-Match": read.etag}).status == 304
    assert put(server, owner, sent, **{"If-Match": before.etag}).status == 412
    # What is shown can be sent; what already holds is no event.
    assert put(server, owner, changed.json).etag == changed.etag
    assert put(server, owner, {}).json == DEFAULTS
    assert put(server, owner, dict.fromkeys(DEFAULTS)).json == DEFAULTS


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"mode": "fastest"}, "'mode']unexpected value; permitted: 'primary_only'"),
        ({"fallback": "nobody"}, "'fallback']unexpected value; permitted: 'primary'"),
        ({"rules": []}, "The last of rules must have no when"),
        ({"rules": [{"when": {"area": ["x"]}, "to": EVERYONE}]}, "The last of rules must have no when"),
        ({"rules": [{"to": EVERYONE}] * 2}, "rules[0] must have a when"),
        ({"rules": [{"when": {}, "to": EVERYONE}, {"to": EVERYONE}]}, "rules[0] must have"),
        ({"rules": [{"to": {}}]}, "rules[0].to must be"),
        ({"rules": [{"to": {"agent": 1, "group": "everyone"}}]}, "rules[0].to"),
        ({"rules": [{"to": {"group": "north"}}]}, "names the group 'north', which groups does not have"),
        ({"rules": [{"to": {"agent": 999_999_999}}]}, "rules[0].to names agent 999999999, who is not a user of this"),
        ({"rules": [{"to": EVERYONE, "claim_minutes": 0}]}, "claim_minutes"),
        ({"rules": [{"to": EVERYONE, "claim_minutes": 31}]}, "claim_minutes"),
        ({"rules": [{"when": {"price_from": 2, "price_to": 1}, "to": EVERYONE}, {"to": EVERYONE}]}, "price_from"),
        ({"rules": {"to": EVERYONE}}, "rules must be a list"),
        ({"groups": {"north": []}}, "groups.north must have at least one member"),
        ({"groups": {"everyone": []}}, "The name of a group"),
        ({"groups": {" ": [1]}}, "group"),
        ({"groups": {"north": [999_999_999]}}, "groups.north names agent 999999999, who is not a user"),
        ({"groups": {"north": ["Ana"]}}, "groups"),
        ({"answer_within_minutes": 0}, "answer_within_minutes"),
        ({"semantic_filter": "yes"}, "semantic_filter"),
        ({"masked_words": ["x" * 101]}, "masked_words"),
        ({"masked_words": ["--"]}, "masked_words: '--' has no letter or digit"),
        ({"masked_words": [f"word {n}" for n in range(501)]}, "masked_words"),
    ],
)  # fmt: skip
def test_what_is_refused(server: Server, owner: Staff, sent: dict[str, Any], says: str) -> None:
    refused = put(server, owner, sent)
    told = " ".join(str(one["loc"]) + one["msg"] for one in refused.detail)
    assert refused.status == 422 and says in told.replace("value is not a valid list", "rules must be a list"), told
    assert server.ask("GET", PATH, headers=owner.bearer).json == DEFAULTS


def test_who_is_disabled_or_of_another_brokerage_is_refused(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, ana: Staff
) -> None:
    stranger = operator.staff(operator.brokerage().id, "agent", "Stranger")
    everyone = {"to": EVERYONE}
    to_ana = {"rules": [{"when": {"area": ["Boise"]}, "to": {"agent": ana.number}}, everyone]}
    assert put(server, owner, to_ana).status == 200
    disable(operator, tenant, ana)
    for sent in (to_ana, {"groups": {"north": [ana.number]}}):
        refused = put(server, owner, sent)
        assert refused.status == 422 and f"names agent {ana.number}, who is disabled" in str(refused.detail)
    assert put(server, owner, {"groups": {"north": [stranger.number]}}).status == 422
    # A rule that names a user who has left since is still shown.
    assert server.ask("GET", PATH, headers=owner.bearer).json["rules"][0]["to"] == {"agent": ana.number}


def test_who_may(server: Server, operator: Operator, tenant: Tenant, owner: Staff, ana: Staff) -> None:
    broker, admin = operator.staff(tenant.id, "broker"), operator.staff(PLATFORM, "platform_admin")
    assert server.ask("GET", PATH).status == 401 and server.by_key(tenant, "GET", PATH).status == 401
    assert server.ask("GET", PATH, headers=ana.bearer).status == 403 and put(server, ana, {}).status == 403
    assert server.ask("GET", PATH, headers=broker.bearer).status == 200 and put(server, broker, {}).status == 403
    assert server.ask("GET", PATH, headers=admin.bearer).status == 400
    ((number,),) = operator.rows("SELECT number FROM brokerages WHERE tenant_id = %(t)s", t=tenant.id)
    there = f"{PATH}?brokerage_id={number}"
    assert server.ask("PUT", there, {"mode": "random"}, admin.bearer).json["mode"] == "random"
    assert server.ask("GET", there, headers=admin.bearer).json["mode"] == "random"
    # Of others, what they name is ignored.
    other = operator.staff(operator.brokerage().id, "brokerage_owner")
    assert server.ask("PUT", there, {"mode": "primary_only"}, other.bearer).status == 200
    assert server.ask("GET", PATH, headers=owner.bearer).json["mode"] == "random"
