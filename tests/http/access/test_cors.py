"""Which pages a browser lets call the public side: those of the brokerage that Host names, over https, no other."""

import pytest

from tests.http.operator import Operator, Tenant
from tests.http.serving import BASE_DOMAIN, FORM, Answer, Server

COUNTS = "/api/leads/count"


@pytest.fixture(scope="module")
def site(operator: Operator) -> Tenant:
    """A brokerage with two domains."""
    return operator.brokerage(domains=("www.cors.example.com", "forms.cors.example.com"))


def allowed(answer: Answer) -> str | None:
    """The origin whose page may read the answer. No credentials, whatever it is."""
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["vary"] == "Origin"
    return answer.headers.get("access-control-allow-origin")


def preflight(server: Server, path: str, origin: str, host: str) -> Answer:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    return server.ask("OPTIONS", path, headers=headers, host=host)


def test_the_brokerages_own_pages_may_call(server: Server, site: Tenant) -> None:
    hosts = ("www.cors.example.com", "forms.cors.example.com", f"{site.slug}.{BASE_DOMAIN}")
    for host in hosts:
        for page in hosts:
            origin = f"https://{page}"
            asked = preflight(server, "/api/contact", origin, host)
            assert (asked.status, asked.body, allowed(asked)) == (204, b"", origin)
            assert asked.headers["access-control-allow-methods"] == "POST"
            assert "Content-Type" in asked.headers["access-control-allow-headers"]
            assert asked.headers["access-control-max-age"] == "600"
            counts = server.ask("GET", COUNTS, headers={"Origin": origin}, host=host)
            assert (counts.status, allowed(counts)) == (200, origin)
    origin = f"https://{hosts[0]}"
    form = server.ask("POST", "/api/contact", FORM, {"Origin": origin}, host=hosts[1])
    assert (form.status, allowed(form)) == (200, origin)
    assert "Retry-After" in form.headers["access-control-expose-headers"]
    asked = preflight(server, COUNTS, origin, hosts[1])
    assert (allowed(asked), asked.headers["access-control-allow-methods"]) == (origin, "GET")


def test_a_page_may_read_refusals_too(server: Server, operator: Operator) -> None:
    tenant = operator.brokerage(public_lead_count=False)
    own = {"Origin": f"https://{tenant.domain}"}

    wrong = server.ask("POST", "/api/contact", {}, own, host=tenant.domain)
    private = server.ask("GET", COUNTS, headers=own, host=tenant.domain)
    for _ in range(30):
        server.ask("GET", COUNTS, host=tenant.domain)
        server.form(tenant)
    late = [server.ask("POST", "/api/contact", FORM, own, host=tenant.domain),
            server.ask("GET", COUNTS, headers=own, host=tenant.domain)]  # fmt: skip

    assert [answer.status for answer in (wrong, private, *late)] == [422, 401, 429, 429]
    assert {allowed(answer) for answer in (wrong, private, *late)} == {own["Origin"]}


@pytest.mark.parametrize(
    "origin",
    [
        "http://www.cors.example.com",
        "https://cors.example.com",
        "https://www.cors.example.com:8443",
        "https://www.cors.example.com.",
        "https://www.cors.example.com/",
        "https://WWW.cors.example.com",
        "https://evil.example.com",
        "https://www.cors.example.com.evil.example.com",
        f"https://{BASE_DOMAIN}",
        "www.cors.example.com",
        "null",
        "*",
        "",
        "\xff",
        "https://",
    ],
)
def test_no_other_page_may_read(server: Server, site: Tenant, origin: str) -> None:
    asked = preflight(server, "/api/contact", origin, "www.cors.example.com")
    counts = server.ask("GET", COUNTS, headers={"Origin": origin}, host="www.cors.example.com")

    assert (asked.status, allowed(asked)) == (204, None)
    assert "access-control-allow-methods" not in asked.headers
    assert allowed(counts) is None


def test_nor_a_page_of_another_brokerage(server: Server, site: Tenant, tenant: Tenant) -> None:
    assert allowed(preflight(server, "/api/contact", f"https://{tenant.domain}", site.domain)) is None
    assert allowed(preflight(server, "/api/contact", f"https://{site.domain}", tenant.domain)) is None


def test_the_aureum_api_is_for_no_page(server: Server, tenant: Tenant) -> None:
    own = {"Origin": f"https://{tenant.domain}"}

    for answer in (
        server.ask("OPTIONS", "/api/leads", headers=own, host=tenant.domain),
        server.ask("GET", "/api/leads", headers=own | tenant.bearer, host=tenant.domain),
    ):
        assert answer.status in (200, 204)
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_asking_before_sending_is_not_counted(server: Server, tenant: Tenant) -> None:
    for _ in range(40):
        assert preflight(server, "/api/contact", f"https://{tenant.domain}", tenant.domain).status == 204

    assert server.form(tenant).status == 200


def test_asking_on_an_unknown_host(server: Server) -> None:
    for host, status in (("nobody.example.com", 404), ("a b", 400), (None, 400)):
        headers = {"Origin": "https://nobody.example.com"}
        answer = server.ask("OPTIONS", "/api/contact", headers=headers, host=host)
        assert (answer.status, list(answer.json)) == (status, ["detail"])


def test_a_site_that_changes_is_looked_up_again(server: Server, operator: Operator, tenant: Tenant) -> None:
    host, new = f"{tenant.slug}.{BASE_DOMAIN}", f"new-{tenant.domain}"

    def may_read(page: str) -> bool:
        origin = f"https://{page}"
        return allowed(server.ask("GET", COUNTS, headers={"Origin": origin}, host=host)) == origin

    assert (may_read(tenant.domain), may_read(new)) == (True, False)
    # No command changes domains yet; any change of the brokerage or its staff makes what is remembered stale.
    operator.rows("UPDATE domains SET domain = %(new)s WHERE domain = %(old)s", old=tenant.domain, new=new)
    operator.agent(tenant, "Rita")

    # The process learns of it while it answers the next request.
    may_read(new)
    assert (may_read(tenant.domain), may_read(new)) == (False, True)
