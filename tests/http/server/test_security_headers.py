"""What every answer says to browsers and caches."""

from aureum.http.server.edge import DEFAULTS
from tests.http.operator import Tenant
from tests.http.serving import FORM, Answer, Server

EXPECTED = {name.decode(): value.decode() for name, value in DEFAULTS}


def test_every_answer_has_them(server: Server, tenant: Tenant) -> None:
    lead = server.lead(tenant)
    etag = server.by_key(tenant, "GET", f"/api/leads/{lead['id']}").etag
    answers = [
        server.by_key(tenant, "GET", "/api/leads"),
        server.by_key(tenant, "HEAD", "/api/leads?limit=1"),
        server.by_key(tenant, "GET", f"/api/leads/{lead['id']}", headers={"If-None-Match": etag}),
        server.by_key(tenant, "POST", "/api/leads", {}),
        server.form(tenant),
        server.ask("GET", "/api/leads/count", host=tenant.domain),
        server.ask("GET", "/api/leads"),
        server.ask("GET", "/nothing"),
        server.ask("PUT", "/api/leads"),
        server.ask("OPTIONS", "/api/leads"),
        server.ask("GET", "/healthz"),
        server.ask("GET", "/openapi.json"),
    ]

    assert [answer.status for answer in answers] == [200, 200, 304, 400, 200, 200, 401, 404, 405, 204, 200, 200]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED
        assert "server" not in answer.headers
        assert "strict-transport-security" not in answer.headers, "the proxy that ends TLS says that"


def test_they_are_these() -> None:
    assert EXPECTED == {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "cache-control": "private, no-cache",
        "vary": "Accept-Encoding",
    }


def test_each_is_there_once_and_pages_keep_theirs(server: Server, tenant: Tenant) -> None:
    page = server.ask("GET", "/docs", headers={"Accept-Encoding": "gzip"})
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    origin = f"https://{tenant.domain}"
    head = f"GET /api/leads/count HTTP/1.1\r\nHost: {tenant.domain}\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n"

    lines = server.raw(head.encode()).partition(b"\r\n\r\n")[0].lower().split(b"\r\n")[1:]

    names = [line.partition(b":")[0].decode() for line in lines]
    assert {name for name in names if names.count(name) > 1} == {"vary"}
    assert {b"vary: accept-encoding", b"vary: origin"} <= set(lines)
    assert f"access-control-allow-origin: {origin}".encode() in lines


def test_a_form_that_a_page_sends_keeps_them(server: Server, tenant: Tenant) -> None:
    answer: Answer = server.ask("POST", "/api/contact", FORM, {"Origin": "null"}, host=tenant.domain)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "access-control-allow-origin" not in answer.headers
