"""Who is let in: keys, plans, hosts, the count with and without credentials."""

import json
from typing import Any

import pytest

from aureum.commands.api_keys import revoke_api_key
from aureum.commands.brokerages import change_plan, disable_brokerage, enable_brokerage
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.serving import BASE_DOMAIN, FORM, Answer, Server, until

COUNTS = "/api/leads/count"
WRONG_KEY = (
    "The API key is not valid here: it may be mistyped, revoked, or of another brokerage than the one that the Host of "
    "the request names."
)
AUREUM = [
    ("GET", "/api/leads"),
    ("POST", "/api/leads"),
    ("GET", "/api/leads/c" + "0" * 25),
    ("PATCH", "/api/leads/c" + "0" * 25),
    ("GET", "/api/leads/c" + "0" * 25 + "/history"),
]


def unauthorized(answer: Answer) -> str:
    """The text of a 401, in whichever dialect."""
    assert answer.status == 401, answer.body
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "x-ratelimit-limit" not in answer.headers
    text = answer.error if "error" in answer.json else answer.detail
    return str(text)


@pytest.mark.parametrize(("method", "path"), AUREUM)
def test_every_endpoint_of_the_aureum_api_wants_a_key(
    server: Server, operator: Operator, method: str, path: str
) -> None:
    tenant = operator.shared
    for headers in ({}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {tenant.key}"}):
        text = unauthorized(server.ask(method, path, {}, headers))
        assert text == "An API key is required. Send it as 'Authorization: Bearer YOUR_API_KEY'."
    for key in (
        tenant.key + "x",
        tenant.key[:-1],
        tenant.key.upper(),
        "aur_",
        "ÿþ",
        "x" * 9_000,
        tenant.key[4:],
    ):
        text = unauthorized(server.ask(method, path, {}, {"Authorization": f"Bearer {key}"}))
        assert text == WRONG_KEY


def test_a_key_may_be_written_in_the_ways_that_the_standard_allows(server: Server, operator: Operator) -> None:
    for value in (f"bearer {operator.shared.key}", f"BEARER   {operator.shared.key} "):
        assert server.ask("GET", "/api/leads", headers={"Authorization": value}).status == 200


def test_a_revoked_key_opens_nothing_from_the_next_request_on(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    other = operator.key(tenant, 100)
    assert server.by_key(tenant, "GET", "/api/leads").status == 200

    operator.run(lambda store: revoke_api_key(store, tenant.id, tenant.key_id, ORIGIN))

    for process in (server, proxied):
        unauthorized(process.by_key(tenant, "GET", "/api/leads"))
        assert process.by_key(other, "GET", "/api/leads").status == 200


def test_a_key_on_another_brokerages_host_is_a_wrong_key(server: Server, operator: Operator, tenant: Tenant) -> None:
    other = operator.brokerage()
    for host in (other.domain, f"{other.domain.upper()}.:8080", f"{other.slug}.{BASE_DOMAIN}"):
        wrong = server.ask("GET", "/api/leads", headers=tenant.bearer, host=host)
        assert unauthorized(wrong).startswith("The API key is not valid here")
        assert wrong.body == server.ask("GET", "/api/leads", headers={"Authorization": "Bearer aur_x"}, host=host).body
    # Its own host, one that names no brokerage, and none at all: the key alone decides.
    for own in (
        tenant.domain,
        f"{tenant.slug}.{BASE_DOMAIN}",
        "nobody.example.com",
        "not a host!",
        BASE_DOMAIN,
        "[::1]",
        "",
    ):
        assert server.ask("GET", "/api/leads", headers=tenant.bearer, host=own).status == 200, own
    assert b" 200 OK\r\n" in server.raw(
        f"GET /api/leads HTTP/1.0\r\nAuthorization: Bearer {tenant.key}\r\n\r\n".encode()
    )


def test_the_log_says_which_brokerage_the_host_names(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    other, user = operator.brokerage(), operator.staff(tenant.id, "broker")

    def told(process: Server, credentials: dict[str, str], host: str, **headers: str) -> dict[str, Any]:
        """What the log says of a request that is refused."""
        answer = process.ask("GET", "/api/leads", headers=credentials | headers, host=host)
        assert "the Host of the request names" in unauthorized(answer)
        found: list[dict[str, Any]] = []

        def logged() -> bool:
            lines = map(json.loads, process.logged().splitlines())
            found[:] = [line for line in lines if line.get("request") == answer.headers["x-request-id"]]
            return any(line["event"] == "request" for line in found)

        until(logged)
        (line,) = [line for line in found if line["event"] == "host_of_another_brokerage"] or [{}]
        return {name: line.get(name) for name in ("host", "names", "credentials_of", "level")}

    for credentials in (tenant.bearer, user.bearer):
        about = {"credentials_of": tenant.slug, "names": other.slug, "level": "warning"}
        assert told(server, credentials, f"{other.domain.upper()}:8080") == about | {"host": other.domain}
        below = f"{other.slug}.{BASE_DOMAIN}"
        assert told(server, credentials, below) == about | {"host": below}
        forwarded = {"X-Forwarded-Host": other.domain}
        assert told(proxied, credentials, tenant.domain, **forwarded) == about | {"host": other.domain}
    # Of unknown credentials, the host says nothing.
    assert set(told(server, {"Authorization": "Bearer aur_x"}, other.domain).values()) == {None}
    assert tenant.key not in server.logged() and user.token not in server.logged()


def test_a_disabled_brokerage_cannot_be_opened(server: Server, operator: Operator, tenant: Tenant) -> None:
    operator.run(lambda store: disable_brokerage(store, tenant.id, ORIGIN))

    unauthorized(server.by_key(tenant, "GET", "/api/leads"))
    assert server.ask("GET", COUNTS, host=tenant.domain).json == {"detail": "Brokerage not found"}
    assert unauthorized(server.ask("GET", COUNTS, headers=tenant.bearer, host=tenant.domain))

    operator.run(lambda store: enable_brokerage(store, tenant.id, ORIGIN))
    assert server.by_key(tenant, "GET", "/api/leads").status == 200


def test_the_starter_plan_has_no_api_and_says_which_has(server: Server, operator: Operator) -> None:
    tenant = operator.brokerage("Starter")
    body = {"name": "Jane Doe", "email": "jane@example.com"}
    refusal = {
        "error": "This requires the Grow plan or higher. Upgrade the plan to use it.",
        "upgrade": True,
        "requiredPlan": "Grow",
    }

    for method, path in AUREUM:
        answer = server.by_key(tenant, method, path, body)
        assert (answer.status, answer.json) == (403, refusal | {"code": "plan_required"})
        assert answer.headers["x-ratelimit-limit"] == "1000000"
    on_a_leads_path = server.by_key(tenant, "GET", COUNTS)
    assert (on_a_leads_path.status, on_a_leads_path.json) == (403, refusal | {"detail": refusal["error"]})
    assert on_a_leads_path.code == "plan_required"
    # The public side is there under any plan.
    assert server.form(tenant).status == 200
    assert server.ask("GET", COUNTS, host=tenant.domain).json["total"] == 1

    # The plan is judged at each request.
    operator.run(lambda store: change_plan(store, tenant.id, "Grow", ORIGIN))
    assert server.by_key(tenant, "POST", "/api/leads", body).status == 201


def test_the_count_has_the_documents_keys_and_the_other_statuses(server: Server, tenant: Tenant) -> None:
    made = {"new": 3, "contacted": 2, "qualified": 2, "converted": 1, "showing": 1, "offer": 2, "lost": 1}
    for status, leads in made.items():
        for _ in range(leads):
            body = {"name": "Jane Doe", "email": "jane@example.com", "status": status}
            assert server.by_key(tenant, "POST", "/api/leads", body).status == 201

    public = server.ask("GET", COUNTS, host=tenant.domain)

    assert (public.status, public.json) == (200, made | {"total": 12})
    assert list(public.json)[:4] == ["new", "contacted", "qualified", "converted"]
    assert server.by_key(tenant, "GET", COUNTS).json == public.json
    known = {"If-None-Match": public.etag}
    assert server.ask("GET", COUNTS, headers=known, host=tenant.domain).status == 304
    (lead, *_) = server.by_key(tenant, "GET", "/api/leads?status=lost").json
    server.by_key(tenant, "PATCH", f"/api/leads/{lead['id']}", {"status": "new"})
    changed = server.ask("GET", COUNTS, headers=known, host=tenant.domain)
    assert (changed.status, changed.json) == (200, made | {"new": 4, "lost": 0, "total": 12})


def test_a_private_count_wants_credentials(server: Server, operator: Operator, tenant: Tenant) -> None:
    private = operator.brokerage(public_lead_count=False)
    assert server.form(private).status == 200

    refused = server.ask("GET", COUNTS, host=private.domain)

    assert refused.status == 401
    assert refused.detail == "This brokerage's lead count is not public. Send an API key or a token."
    assert server.ask("GET", COUNTS, headers=private.bearer, host=private.domain).json["total"] == 1
    assert server.ask("GET", COUNTS, headers=tenant.bearer, host=private.domain).status == 401


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/contact"), ("GET", COUNTS)])
def test_the_host_names_the_brokerage(
    server: Server, operator: Operator, tenant: Tenant, method: str, path: str
) -> None:
    idn = operator.brokerage(domains=(f"xn--mnchen-3ya.{tenant.slug}.example.com", f"second-{tenant.slug}.example.com"))
    found = [
        tenant.domain,
        f"{tenant.domain}:8443",
        f"{tenant.domain}.",
        f"{tenant.domain.upper()}.:1",
        f"{tenant.slug}.{BASE_DOMAIN}",
        f"{tenant.slug.upper()}.{BASE_DOMAIN.upper()}.:443",
        idn.domain,
        f"MÜNCHEN.{tenant.slug}.Example.com".encode().decode("latin-1"),
        idn.domain.upper(),
        f"second-{tenant.slug}.example.com",
    ]
    unknown = [
        "nobody.example.com",
        f"www.{tenant.domain}",
        BASE_DOMAIN,
        f"nobody.{BASE_DOMAIN}",
        f"www.{tenant.slug}.{BASE_DOMAIN}",
        f"{tenant.slug}.{BASE_DOMAIN}.example.com",
        tenant.slug,
        "127.0.0.1",
        "[::1]:80",
    ]
    broken = ["a..b", "a b", "a/b", "a,b", "a@b", "x" * 64, "x" * 9_000, "[::1", "a:99999999", "ÿ", "-a"]

    for host in found:
        assert server.ask(method, path, FORM, host=host).status == 200, host
    for host in unknown:
        answer = server.ask(method, path, FORM, host=host)
        assert (answer.status, answer.json) == (404, {"detail": "Brokerage not found"}), host
    for host in broken:
        answer = server.ask(method, path, FORM, host=host)
        assert (answer.status, answer.json) == (400, {"detail": "Invalid Host header"}), host
    for none in (None, "", " "):
        answer = server.ask(method, path, FORM, host=none)
        assert (answer.status, answer.json) == (400, {"detail": "Missing Host header"}), none


def test_http_1_0_without_a_host(server: Server) -> None:
    for request in (
        b"GET /api/leads/count HTTP/1.0\r\n\r\n",
        b"POST /api/contact HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}",
    ):
        head, _, body = server.raw(request).partition(b"\r\n\r\n")
        assert head.splitlines()[0].split()[1] == b"400"
        assert body == b'{"detail":"Missing Host header"}'


def test_two_hosts_are_none(server: Server, tenant: Tenant) -> None:
    lines = (
        f"GET /api/leads/count HTTP/1.1\r\nHost: {tenant.domain}\r\nHost: {tenant.domain}\r\nConnection: close\r\n\r\n"
    )

    assert server.raw(lines.encode()).endswith(b'\r\n\r\n{"detail":"Invalid Host header"}')


def test_a_forwarded_host_counts_behind_a_trusted_proxy_only(server: Server, proxied: Server, tenant: Tenant) -> None:
    forwarded = {"X-Forwarded-Host": f"{tenant.domain.upper()}:443"}

    assert proxied.ask("GET", COUNTS, headers=forwarded, host="internal").status == 200
    assert server.ask("GET", COUNTS, headers=forwarded, host="internal").status == 404
    assert server.ask("GET", COUNTS, headers={"X-Forwarded-Host": "a,b"}, host=tenant.domain).status == 200
    assert (
        proxied.ask("GET", COUNTS, headers={"X-Forwarded-Host": "nobody.example.com"}, host=tenant.domain).status == 404
    )
    for value in (f"{tenant.domain}, {tenant.domain}", "a b", "", "[", "x" * 400):
        answer = proxied.ask("GET", COUNTS, headers={"X-Forwarded-Host": value}, host=tenant.domain)
        assert (answer.status, answer.json) == (400, {"detail": "Invalid X-Forwarded-Host header"}), value


def test_a_key_on_a_forwarded_host_of_another_brokerage(proxied: Server, operator: Operator, tenant: Tenant) -> None:
    other = {"X-Forwarded-Host": operator.brokerage().domain}

    unauthorized(proxied.by_key(tenant, "GET", "/api/leads", headers=other))


@pytest.mark.parametrize("value", ["a.example.com, b.example.com", "a b", ""])
def test_a_key_needs_no_forwarded_host_but_a_wrong_one_is_refused(
    server: Server, proxied: Server, tenant: Tenant, value: str
) -> None:
    forwarded = {"X-Forwarded-Host": value}

    answer = proxied.by_key(tenant, "GET", "/api/leads", headers=forwarded)
    assert (answer.status, answer.error) == (400, "Invalid X-Forwarded-Host header")
    assert answer.code == "forwarded_host_invalid"
    assert server.by_key(tenant, "GET", "/api/leads", headers=forwarded).status == 200
