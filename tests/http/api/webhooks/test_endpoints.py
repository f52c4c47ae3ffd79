"""Webhooks over the Aureum API: made and shown once, changed, rotated, disabled and enabled, removed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aureum.domain.ids import PLATFORM, from_wire, to_wire
from tests.http.api.webhooks.hooks import FAILING, NEW, PATH, SECRET, aggregate, changed, made
from tests.http.operator import Operator, Tenant
from tests.http.serving import BASE_DOMAIN, Server, served

REPLAYS = "SELECT endpoint_id, since, until, which, cause, state FROM webhook_replays WHERE tenant_id = %(tenant)s"
DISABLED_AT = """
SELECT position FROM events WHERE tenant_id = %(tenant)s AND type = 'webhook_endpoint.disabled' ORDER BY position DESC
"""
CHECKPOINT = "INSERT INTO checkpoints VALUES (%(tenant)s, 'webhooks', %(position)s)"


def test_made_and_shown_without_its_secret(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    webhook = made(server, tenant, mode="keyed", rateLimit=5, description="Marketing")

    secret = webhook.pop("secret")
    assert SECRET.fullmatch(secret) and secret == aggregate(operator, tenant, webhook).secret
    nothing = dict.fromkeys(("disabledReason", "disabledAt", "failingSince", "secretOverlapUntil"))
    settings = {"mode": "keyed", "rateLimit": 5, "description": "Marketing", "status": "enabled"}
    times = {name: webhook[name] for name in ("createdAt", "updatedAt")}
    assert webhook == NEW | settings | nothing | times | {"id": webhook["id"]}
    got = proxied.by_key(tenant, "GET", f"{PATH}/{webhook['id']}")
    listed = proxied.by_key(tenant, "GET", PATH)
    assert (got.json, listed.json) == (webhook, [webhook])
    assert secret.encode() not in got.body + listed.body


def test_the_same_request_again_shows_the_same_secret(server: Server, proxied: Server, tenant: Tenant) -> None:
    key = {"Idempotency-Key": "once"}
    first = server.by_key(tenant, "POST", PATH, NEW, key)
    again = proxied.by_key(tenant, "POST", PATH, NEW, key)

    assert first.status == 201 and again.body == first.body and SECRET.fullmatch(again.json["secret"])
    rotated = [
        process.by_key(tenant, "POST", f"{PATH}/{first.json['id']}/rotate-secret", None, {"Idempotency-Key": "r"})
        for process in (server, proxied)
    ]
    assert rotated[0].status == 200 and rotated[0].body == rotated[1].body
    assert rotated[1].headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("url", "ftp://example.com", "url must begin with https:// or http://."),
        ("url", "https://u:p@example.com", "url must not contain a user name or password."),
        ("url", "https://10.0.0.1/", "url must name a public host."),
        ("url", "http://localhost:8000/", "url must name a public host."),
        ("url", f"https://{BASE_DOMAIN}/api/leads", "url must not lead back to Aureum itself"),
        ("url", f"https://Demo.{BASE_DOMAIN.upper()}:8443/", "url must not lead back to Aureum itself"),
        ("url", f"https://a.b.{BASE_DOMAIN}./", "url must not lead back to Aureum itself"),
        ("events", [], "events must have at least 1"),
        ("events", ["lead.lost"], "events[0] must be one of: lead.created,"),
        ("mode", "random", "mode must be one of: parallel, keyed, fifo"),
        ("rateLimit", 0, "rateLimit must be 1 or more"),
        ("rateLimit", 1001, "rateLimit must be 1000 or less"),
    ],
)
def test_what_cannot_be(
    server: Server, operator: Operator, tenant: Tenant, field: str, value: object, says: str
) -> None:
    webhook = made(server, tenant)
    before = operator.head(tenant)

    for answer in (
        server.by_key(tenant, "POST", PATH, NEW | {field: value}),
        changed(server, tenant, webhook, **{field: value}),
    ):
        assert answer.status == 400 and answer.error.startswith(says), answer.body

    assert operator.head(tenant) == before


def test_a_host_that_only_ends_alike_is_another(server: Server, tenant: Tenant) -> None:
    made(server, tenant, url=f"https://not{BASE_DOMAIN}/")


@pytest.fixture(scope="module")
def private(served_url: str) -> Iterator[Server]:
    """A process of an installation that also calls its own network."""
    with served(served_url, webhook_allow_networks="10.0.0.0/8") as running:
        yield running


def test_networks_that_the_operator_allows(private: Server, tenant: Tenant) -> None:
    webhook = made(private, tenant, url="http://10.1.2.3:8080/hooks")
    assert changed(private, tenant, webhook, url="http://10.1.2.4:8080/hooks").status == 200


def test_changed(server: Server, operator: Operator, tenant: Tenant) -> None:
    webhook = made(server, tenant, rateLimit=5, description="Marketing")

    answer = changed(
        server, tenant, webhook, url="HTTPS://Example.COM:443/other", rateLimit=None, description=None, mode="fifo"
    )

    wanted = {"url": "HTTPS://Example.COM:443/other", "rateLimit": None, "description": None, "mode": "fifo"}
    assert answer.status == 200 and answer.json | wanted == answer.json
    assert answer.json["updatedAt"] >= webhook["updatedAt"] and answer.json["createdAt"] == webhook["createdAt"]
    before = operator.head(tenant)
    same = changed(server, tenant, webhook, mode="fifo", events=[*NEW["events"], "lead.created"], disabled=False)
    assert (same.body, same.etag, operator.head(tenant)) == (answer.body, answer.etag, before)


def test_rotated(server: Server, operator: Operator, tenant: Tenant) -> None:
    webhook = made(server, tenant)
    path = f"{PATH}/{webhook['id']}/rotate-secret"
    plain = server.by_key(tenant, "GET", f"{PATH}/{webhook['id']}").etag

    first = server.by_key(tenant, "POST", path)

    assert first.status == 200 and SECRET.fullmatch(first.json["secret"]) and first.json["secret"] != webhook["secret"]
    endpoint = aggregate(operator, tenant, webhook)
    assert (endpoint.previous_secret, endpoint.secret) == (webhook["secret"], first.json["secret"])
    shown = server.by_key(tenant, "GET", f"{PATH}/{webhook['id']}")
    assert shown.json["secretOverlapUntil"] == first.json["secretOverlapUntil"] > shown.json["updatedAt"]
    assert shown.etag != plain
    tagged = {"If-Match": shown.etag}
    assert server.by_key(tenant, "PATCH", f"{PATH}/{webhook['id']}", {"mode": "fifo"}, tagged).status == 200
    refused = server.by_key(tenant, "POST", path, {"overlap_hours": 24})
    assert refused.status == 409 and "overlap" in refused.error
    at_once = server.by_key(tenant, "POST", path, {"overlap_hours": 0})
    assert at_once.status == 200 and at_once.json["secretOverlapUntil"] is None
    assert aggregate(operator, tenant, webhook).previous_secret is None
    assert server.by_key(tenant, "GET", f"{PATH}/{webhook['id']}").json["secretOverlapUntil"] is None
    for hours in (-1, 169, "1", 1.5):
        assert server.by_key(tenant, "POST", path, {"overlap_hours": hours}).status == 400


@pytest.mark.parametrize("behind", [True, False], ids=["projector behind", "projector done"])
def test_enabling_asks_for_what_was_missed(server: Server, operator: Operator, tenant: Tenant, behind: bool) -> None:
    webhook = made(server, tenant)
    before = operator.head(tenant)
    server.lead(tenant)

    disabled = changed(server, tenant, webhook, disabled=True)

    shown = {name: disabled.json[name] for name in ("status", "disabledReason")}
    assert shown == {"status": "disabled", "disabledReason": "staff"} and disabled.json["disabledAt"]
    ((disabled_at,),) = operator.rows(DISABLED_AT, tenant=tenant.id)
    operator.rows(CHECKPOINT, tenant=tenant.id, position=before if behind else disabled_at)
    server.lead(tenant)
    assert operator.rows(REPLAYS, tenant=tenant.id) == []

    enabled = changed(server, tenant, webhook, disabled=False)

    assert (enabled.json["status"], enabled.json["disabledReason"], enabled.json["disabledAt"]) == (
        "enabled",
        None,
        None,
    )
    since = before + 1 if behind else disabled_at
    ((endpoint_id, *replay),) = operator.rows(REPLAYS, tenant=tenant.id)
    assert to_wire(endpoint_id) == webhook["id"]
    # All of it up to the request itself, whatever came in between.
    assert replay == [since, operator.head(tenant), "missing", "enabled", "running"]
    again = changed(server, tenant, webhook, disabled=False)
    assert again.body == enabled.body and len(operator.rows(REPLAYS, tenant=tenant.id)) == 1


def test_what_is_changed_and_enabled_together(server: Server, operator: Operator, tenant: Tenant) -> None:
    webhook = made(server, tenant)
    for disabled in (True, False, True, False):
        answer = changed(server, tenant, webhook, disabled=disabled, rateLimit=1 + disabled)
        assert answer.json["rateLimit"] == 1 + disabled
    positions = [position for (position,) in operator.rows(DISABLED_AT, tenant=tenant.id)]
    assert sorted(row[1] for row in operator.rows(REPLAYS, tenant=tenant.id)) == sorted(positions)


def test_how_it_fares_changes_the_etag(server: Server, operator: Operator, tenant: Tenant) -> None:
    webhook = made(server, tenant)
    path = f"{PATH}/{webhook['id']}"
    known, listed = server.by_key(tenant, "GET", path), server.by_key(tenant, "GET", PATH)

    operator.rows(FAILING, tenant=tenant.id, endpoint=from_wire(webhook["id"]))

    answer = server.by_key(tenant, "GET", path, headers={"If-None-Match": known.etag})
    assert (answer.status, answer.json["failingSince"]) == (200, "2026-01-02T03:04:00.000Z")
    again = server.by_key(tenant, "GET", PATH, headers={"If-None-Match": listed.etag})
    assert (again.status, again.json) == (200, [answer.json])
    was = server.by_key(tenant, "GET", f"{path}?asOf={webhook['createdAt']}")
    assert was.json["failingSince"] == "2026-01-02T03:04:00.000Z", "it failed then already"


def test_as_it_was(server: Server, tenant: Tenant) -> None:
    webhook = made(server, tenant)
    disabled = changed(server, tenant, webhook, disabled=True, mode="fifo").json
    changed(server, tenant, webhook, disabled=False, mode="keyed")

    was = server.by_key(tenant, "GET", f"{PATH}/{webhook['id']}?asOf={disabled['updatedAt']}").json

    assert was["mode"] in ("fifo", "keyed")
    if was["mode"] == "fifo":  # else both changes had the same millisecond
        assert was == disabled


def test_removed(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    webhook = made(server, tenant)
    path = f"{PATH}/{webhook['id']}"
    replay = server.by_key(tenant, "POST", f"{path}/replay", {"since": 0}).json

    gone = server.by_key(tenant, "DELETE", path)

    assert (gone.status, gone.body) == (204, b"") and "x-ratelimit-limit" in gone.headers
    before = operator.head(tenant)
    asking: list[tuple[str, str, Any]] = [
        ("GET", path, None),
        ("GET", f"{path}?asOf=2999-01-01", None),
        ("PATCH", path, {"mode": "fifo"}),
        ("DELETE", path, None),
        ("POST", f"{path}/rotate-secret", {}),
        ("POST", f"{path}/test", {}),
        ("POST", f"{path}/replay", {"since": 0}),
        ("GET", f"{path}/deliveries", None),
        ("GET", f"{path}/replays", None),
        ("GET", f"{PATH}/replays/{replay['id']}", None),
        ("POST", f"{PATH}/replays/{replay['id']}/cancel", None),
        ("POST", f"{PATH}/deliveries/{webhook['id']}_1/redeliver", None),
    ]
    for method, where, body in asking:
        assert proxied.by_key(tenant, method, where, body).status == 404, (method, where)
    assert proxied.by_key(tenant, "GET", PATH).json == []
    assert operator.head(tenant) == before


def test_who_may(server: Server, operator: Operator, tenant: Tenant) -> None:
    for role, status in (("brokerage_owner", 200), ("broker", 403), ("agent", 403)):
        who = operator.staff(tenant.id, role)
        for path in (PATH, "/api/events"):
            assert server.ask("GET", path, headers=who.bearer).status == status, (role, path)
    admin = operator.staff(PLATFORM, "platform_admin")
    assert server.ask("GET", PATH, headers=admin.bearer, host=tenant.domain).status == 200
    grow = operator.brokerage("Grow")
    for path in (PATH, "/api/events"):
        refused = server.by_key(grow, "GET", path)
        assert (refused.status, refused.json["requiredPlan"]) == (403, "Elite")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/?",
        "HTTPS://Hooks.Example.COM:443//a/../b/%7e%2F?to=a%2Fb+c&d=%zz&&e#part",
        "https://bücher.example/ü?ß",
    ],
)
def test_a_url_is_kept_and_shown_as_it_was_given(server: Server, operator: Operator, tenant: Tenant, url: str) -> None:
    webhook = made(server, tenant, url=url)
    assert webhook["url"] == aggregate(operator, tenant, webhook).url == url
    assert server.by_key(tenant, "GET", f"{PATH}/{webhook['id']}").json["url"] == url
    assert changed(server, tenant, made(server, tenant), url=url).json["url"] == url


@pytest.fixture(scope="module")
def limited(served_url: str) -> Iterator[Server]:
    with served(served_url, webhook_limit="3") as running:
        yield running


@pytest.fixture(scope="module")
def also_limited(served_url: str) -> Iterator[Server]:
    """Another process of the same installation."""
    with served(served_url, webhook_limit="3") as running:
        yield running


def test_a_brokerage_has_no_more_webhooks_than_the_limit(limited: Server, operator: Operator, tenant: Tenant) -> None:
    key = {"Idempotency-Key": "third"}
    first, *_ = [made(limited, tenant) for _ in range(2)]
    third = limited.by_key(tenant, "POST", PATH, NEW, key)
    changed(limited, tenant, first, disabled=True)

    before = operator.head(tenant)
    refused = limited.by_key(tenant, "POST", PATH, NEW)
    assert refused.status == 409 and "has 3 webhooks" in refused.error and "the limit is 3" in refused.error
    assert "AUREUM_WEBHOOK_LIMIT" in refused.error and operator.head(tenant) == before
    again = limited.by_key(tenant, "POST", PATH, NEW, key)
    assert (third.status, again.status, again.body) == (201, 201, third.body), "the first answer, not a refusal"
    assert limited.by_key(tenant, "POST", PATH, NEW | {"url": "ftp://x"}).status == 400
    # Those that there are can be changed, and another brokerage has its own.
    assert changed(limited, tenant, first, disabled=False).status == 200
    assert made(limited, operator.brokerage())
    assert limited.by_key(tenant, "DELETE", f"{PATH}/{first['id']}").status == 204
    assert made(limited, tenant)


def test_the_limit_holds_over_processes(
    limited: Server, also_limited: Server, operator: Operator, tenant: Tenant
) -> None:
    made(limited, tenant)
    with ThreadPoolExecutor(12) as clients:
        asked = [
            clients.submit(server.by_key, tenant, "POST", PATH, NEW)
            for _ in range(12)
            for server in (limited, also_limited)
        ]
        statuses = sorted(one.result().status for one in asked)
    assert statuses == [201] * 2 + [409] * 22
    assert len(limited.by_key(tenant, "GET", PATH).json) == 3


def test_no_limit(served_url: str, tenant: Tenant) -> None:
    with served(served_url, webhook_limit="0") as running:
        for _ in range(51):
            made(running, tenant)


def test_the_limit_is_50_by_itself(server: Server, tenant: Tenant) -> None:
    for _ in range(50):
        made(server, tenant)
    refused = server.by_key(tenant, "POST", PATH, NEW)
    assert refused.status == 409 and "limit is 50" in refused.error
