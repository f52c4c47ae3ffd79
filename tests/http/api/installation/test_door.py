"""The address that ``aureum serve`` prints: a door for people and for programs, at any Host."""

import pytest

from tests.http.operator import Tenant
from tests.http.serving import Server

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "nobody.example.com", "own"])
def test_a_browser_is_led_to_the_panel(server: Server, tenant: Tenant, host: str) -> None:
    answer = server.ask("GET", "/", headers={"Accept": CHROMIUM}, host=tenant.domain if host == "own" else host)
    assert (answer.status, answer.headers["location"], answer.body) == (303, "/admin", b"")
    assert "accept" in [name.strip().lower() for name in answer.headers["vary"].split(",")]


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/html", "text/plain"])
def test_a_program_gets_links_that_lead_somewhere(server: Server, accept: str | None) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = server.ask("GET", "/", headers=headers)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    links = [value for value in answer.json.values() if value.startswith("/")]
    assert links == ["/admin", "/docs", "/openapi.json", "/healthz", "/readyz"]
    for link in links:
        assert server.ask("GET", link).status in (200, 303)


def test_head_and_other_methods(server: Server) -> None:
    head = server.ask("HEAD", "/")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(server.ask("GET", "/").body)))
    assert server.ask("HEAD", "/", headers={"Accept": CHROMIUM}).headers["location"] == "/admin"
    refused = server.ask("POST", "/", {})
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
