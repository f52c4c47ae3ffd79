"""A browser sends the cookie for any page that makes it ask: what changes anything must come from the same host."""

import pytest

from aureum.http.access.session_cookie import ELSEWHERE
from aureum.http.panel.page import Page
from aureum.http.panel.pages import PAGES
from tests.http.api.staff.logins import PASSWORD, joined, opens
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import MEDIA, Reader, as_staff, led_to, refused
from tests.http.serving import JANE, Server

HOST = "127.0.0.1"
FOREIGN = [
    {"Origin": "https://evil.example.com"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://127.0.0.1.example.com"},
    {"Origin": "http://example.com@evil.example.com"},
    {"Origin": "127.0.0.1"},
    {"Origin": "http://[::1"},
    {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-site"},
    {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": ""},
]
SAME = [
    {"Origin": "http://127.0.0.1"},
    {"Origin": "https://127.0.0.1:8443"},
    {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "none"},
    {},
]
ACTING = [page for page in PAGES if page.act is not None]


@pytest.fixture(scope="module")
def owner(server: Server, operator: Operator) -> Reader:
    return as_staff(server, operator.staff(operator.shared.id, "brokerage_owner"))


@pytest.mark.parametrize("page", ACTING, ids=lambda page: page.path)
def test_no_form_of_another_site_is_taken(owner: Reader, operator: Operator, page: Page) -> None:
    """Logged in or not: else another site could log its visitors in as another user, or out."""
    path = page.path.replace("{id}", operator.shared_lead).replace("{path:path}", "nothing")
    cookies, before = dict(owner.cookies), operator.head(operator.shared)

    for headers in FOREIGN:
        for reader in (owner, Reader(owner.server)) if page.anyone else (owner,):
            answer = reader.ask("POST", path, b"name=K&rate_limit=7&sure=yes", {"Content-Type": MEDIA} | headers)
            assert refused(answer, 403) == ELSEWHERE, headers
            assert "set-cookie" not in answer.headers

    assert owner.cookies == cookies and opens(owner.server, {"Cookie": f"aureum={cookies['aureum']}"})
    assert operator.head(operator.shared) == before


@pytest.mark.parametrize("headers", FOREIGN)
def test_the_api_changes_nothing_for_the_cookie_alone(
    owner: Reader, operator: Operator, headers: dict[str, str]
) -> None:
    lead, token = operator.shared_lead, owner.cookies["aureum"]
    before = operator.head(operator.shared)

    for method, path, body in (
        ("POST", "/api/leads", JANE),
        ("PATCH", f"/api/leads/{lead}", {"status": "contacted"}),
        ("DELETE", f"/api/webhooks/{lead}", None),
        ("POST", "/api/v1/admin/api-keys", {"name": "K"}),
        ("POST", "/api/v1/auth/logout", None),
    ):
        answer = owner.ask(method, path, body, headers)
        assert answer.status == 403 and ELSEWHERE.encode() in answer.body, (method, path)
        # An answer that another page may not read gives nothing away.
        assert owner.ask("GET", "/api/leads", headers=headers).status == 200
        assert "access-control-allow-origin" not in answer.headers

    assert operator.head(operator.shared) == before
    # A page of another site cannot know what stands in Authorization.
    answer = owner.server.ask("POST", "/api/leads", JANE, headers | {"Authorization": f"Bearer {token}"})
    assert answer.status == 201


@pytest.mark.parametrize("headers", SAME)
def test_what_comes_from_here_or_from_no_browser(owner: Reader, operator: Operator, headers: dict[str, str]) -> None:
    before = operator.head(operator.shared)
    assert owner.ask("POST", "/api/leads", JANE, headers).status == 201
    answer = owner.ask("POST", "/admin/settings/api-keys", b"name=K&rate_limit=7", {"Content-Type": MEDIA} | headers)
    assert answer.status == 201
    assert operator.head(operator.shared) == before + 2


def test_an_authorization_counts_alone(owner: Reader, operator: Operator, tenant: Tenant) -> None:
    """A request with both is the caller that Authorization names, or none."""
    assert owner.ask("GET", "/api/me", headers=tenant.bearer).json["type"] == "key"
    for wrong in ("Bearer", "Bearer x", "Basic eDp5", f"Bearer {tenant.key[:-1]}"):
        assert owner.ask("GET", "/api/me", headers={"Authorization": wrong}).status == 401
    assert owner.ask("GET", "/api/me").json["role"] == "brokerage_owner"


def test_without_a_host_no_origin_is_the_same(owner: Reader, operator: Operator) -> None:
    before = operator.head(operator.shared)
    cookie = f"Cookie: aureum={owner.cookies['aureum']}\r\n"
    form = f"Content-Type: {MEDIA}\r\nContent-Length: 19\r\n\r\nname=K&rate_limit=7"
    for origin in ("null", "", "http://", "x"):
        head = f"POST /admin/settings/api-keys HTTP/1.0\r\nOrigin: {origin}\r\n"
        answer = owner.server.raw((head + cookie + form).encode())
        assert b" 403 " in answer.partition(b"\r\n")[0], answer
    assert operator.head(operator.shared) == before


def test_behind_a_proxy_the_forwarded_host_counts(
    proxied: Server, server: Server, operator: Operator, tenant: Tenant
) -> None:
    user = joined(operator, tenant.id, "brokerage_owner")
    credentials = {"email": user.email, "password": PASSWORD}
    forwarded = {"X-Forwarded-Host": tenant.domain}
    there, here = {"Origin": f"https://{tenant.domain}"}, {"Origin": "http://internal"}
    reader = Reader(proxied, host="internal")

    for headers in (forwarded | here, there):
        assert refused(reader.send("/admin/login", credentials, headers), 403) == ELSEWHERE
    answer = reader.send("/admin/login", credentials, forwarded | there)

    assert led_to(answer) == "/admin" and answer.headers["set-cookie"].startswith("__Host-aureum=")
    assert "Secure" in answer.headers["set-cookie"]
    key = {"name": "K", "rate_limit": "7"}
    before = operator.head(tenant)
    assert refused(reader.send("/admin/settings/api-keys", key, forwarded | here), 403) == ELSEWHERE
    assert reader.ask("POST", "/api/leads", JANE, forwarded | here).status == 403
    assert operator.head(tenant) == before
    assert reader.send("/admin/settings/api-keys", key, forwarded | there).status == 201
    assert reader.ask("POST", "/api/leads", JANE, forwarded | there).status == 201
    # Anybody can send the header: without a proxy it counts for nothing.
    direct = Reader(server, reader.cookies, "internal")
    assert refused(direct.send("/admin/settings/api-keys", key, forwarded | there), 403) == ELSEWHERE
    assert refused(reader.send("/admin/settings/api-keys", key, {"X-Forwarded-Host": "a, b"} | there), 400)
