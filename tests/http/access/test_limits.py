"""How often a key, or a visitor, may ask: exactly so often, over all processes together."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.http.operator import Operator, Tenant
from tests.http.serving import FORM, Answer, Server

END_WINDOWS = """
UPDATE rate_limits SET window_start = window_start - %(seconds)s * interval '1 second' WHERE tenant_id = %(tenant)s
"""
COUNTS = "/api/leads/count"


def all_at_once(times: int, ask: Callable[[int], Answer]) -> Counter[int]:
    """The statuses of *times* requests, several of them at the same moment."""
    with ThreadPoolExecutor(8) as clients:
        return Counter(answer.status for answer in clients.map(ask, range(times)))


def test_answers_to_a_valid_key_carry_the_limit(server: Server, operator: Operator, tenant: Tenant) -> None:
    key = operator.key(tenant, 100)
    body = {"name": "Jane Doe", "email": "jane@example.com"}
    lead = server.by_key(key, "POST", "/api/leads", body)
    path = f"/api/leads/{lead.json['id']}"
    answers = [
        lead,
        server.by_key(key, "GET", "/api/leads"),
        server.by_key(key, "GET", "/api/leads?limit=1"),
        server.by_key(key, "GET", path),
        server.by_key(key, "GET", path, headers={"If-None-Match": lead.etag}),
        server.by_key(key, "HEAD", path),
        server.by_key(key, "GET", f"{path}/history"),
        server.by_key(key, "GET", COUNTS),
        server.by_key(key, "PATCH", path, {"status": "lost"}),
        server.by_key(key, "PATCH", path, {"status": "lost"}, {"If-Match": '"v1"'}),
        server.by_key(key, "PATCH", path, {"status": "sold"}),
        server.by_key(key, "POST", "/api/leads", b"{"),
        server.by_key(key, "POST", "/api/leads", b"x" * 1_100_000),
        server.by_key(key, "POST", "/api/leads", {}, {"Content-Type": "text/plain"}),
        server.by_key(key, "GET", "/api/leads/nothing"),
        server.by_key(key, "GET", "/api/leads?limit=x"),
    ]

    assert [answer.status for answer in answers] == [
        201, 200, 200, 200, 304, 200, 200, 200, 200, 412, 400, 400, 413, 415, 404, 400,
    ]  # fmt: skip
    assert [int(answer.headers["x-ratelimit-remaining"]) for answer in answers] == list(range(99, 83, -1))
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"100"}
    (reset,) = {int(answer.headers["x-ratelimit-reset"]) for answer in answers}
    assert 50 < reset - time.time() <= 61


def test_the_101st_request_of_a_minute_is_refused(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    key, other = operator.key(tenant, 100), operator.key(tenant, 100)

    statuses = all_at_once(130, lambda number: (server, proxied)[number % 2].by_key(key, "GET", "/api/leads?limit=1"))

    assert statuses == {200: 100, 429: 30}
    refused = server.by_key(key, "GET", "/api/leads")
    wait = int(refused.headers["retry-after"])
    assert 1 <= wait <= 61
    assert refused.error == f"Too many requests. The limit is 100 per minute. Try again in {wait} seconds."
    assert (refused.headers["x-ratelimit-limit"], refused.headers["x-ratelimit-remaining"]) == ("100", "0")
    assert abs(int(refused.headers["x-ratelimit-reset"]) - time.time() - wait) <= 2
    on_a_leads_path = server.by_key(key, "GET", COUNTS)
    assert (on_a_leads_path.status, list(on_a_leads_path.json)) == (429, ["detail"])
    # It is this key's limit alone.
    assert server.by_key(other, "GET", "/api/leads").status == 200
    assert server.form(tenant).status == 200


def test_the_window_lasts_a_minute_from_its_first_request(server: Server, operator: Operator, tenant: Tenant) -> None:
    key = operator.key(tenant, 3)

    def statuses(times: int) -> list[int]:
        return [server.by_key(key, "GET", "/api/leads").status for _ in range(times)]

    assert statuses(5) == [200, 200, 200, 429, 429]
    operator.rows(END_WINDOWS, tenant=tenant.id, seconds=50)
    assert statuses(1) == [429]
    # What was refused has not counted, nor lengthened the window.
    operator.rows(END_WINDOWS, tenant=tenant.id, seconds=10)
    assert statuses(5) == [200, 200, 200, 429, 429]


def test_who_waits_as_long_as_told_is_let_in(server: Server, operator: Operator, tenant: Tenant) -> None:
    key = operator.key(tenant, 1)
    assert server.by_key(key, "GET", "/api/leads").status == 200
    operator.rows(END_WINDOWS, tenant=tenant.id, seconds=58)

    wait = int(server.by_key(key, "GET", "/api/leads").headers["retry-after"])

    assert 1 <= wait <= 3
    time.sleep(wait)
    assert server.by_key(key, "GET", "/api/leads").status == 200


def test_requests_that_are_refused_for_the_key_do_not_count(server: Server, operator: Operator, tenant: Tenant) -> None:
    key, other = operator.key(tenant, 5), operator.brokerage()
    for _ in range(10):
        assert server.ask("GET", "/api/leads", headers=key.bearer, host=other.domain).status == 401
        assert server.ask("GET", "/api/nothing", headers=key.bearer).status == 404

    assert server.by_key(key, "GET", "/api/leads").headers["x-ratelimit-remaining"] == "4"


def test_a_visitor_may_send_thirty_forms_a_minute_and_read_the_count_as_often(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    # Both processes are reached from 127.0.0.1.
    def ask(number: int) -> Answer:
        process = (server, proxied)[number % 2]
        return process.ask("GET", COUNTS, host=tenant.domain) if number % 3 == 0 else process.form(tenant)

    assert all_at_once(90, ask) == {200: 60, 429: 30}

    for refused in (server.form(tenant), server.ask("GET", COUNTS, host=tenant.domain)):
        wait = int(refused.headers["retry-after"])
        assert refused.status == 429
        assert refused.detail == f"Too many requests. The limit is 30 per minute. Try again in {wait} seconds."
    # Another brokerage, another address, and a program with a key have limits of their own.
    assert server.form(operator.brokerage()).status == 200
    assert proxied.form(tenant, {"X-Forwarded-For": "203.0.113.9"}).status == 200
    assert server.by_key(tenant, "GET", COUNTS).status == 200
    before = operator.head(tenant)
    operator.rows(END_WINDOWS, tenant=tenant.id, seconds=60)
    assert all_at_once(31, lambda _: server.form(tenant)) == {200: 30, 429: 1}
    assert operator.head(tenant) == before + 30


def test_behind_a_proxy_the_address_it_vouches_for_counts(proxied: Server, operator: Operator, tenant: Tenant) -> None:
    def used_up(forwarded: str) -> bool:
        return proxied.ask("GET", COUNTS, headers={"X-Forwarded-For": forwarded}, host=tenant.domain).status == 429

    assert not any(used_up("203.0.113.1") for _ in range(30))
    assert used_up("203.0.113.1")
    # Whatever the client itself has written stands left of it.
    assert used_up("198.51.100.7, 203.0.113.1")
    assert used_up("203.0.113.1, 127.0.0.5")
    assert used_up("::ffff:203.0.113.1")
    assert not used_up("203.0.113.1, 203.0.113.2")
    # IPv6 counts by /64.
    assert not any(used_up(f"2001:db8:1:2::{number:x}") for number in range(30))
    assert used_up("2001:db8:1:2:ffff:ffff:ffff:ffff")
    assert used_up("[2001:DB8:1:2::1]:4711")
    assert not used_up("2001:db8:1:3::1")


def test_a_stranger_cannot_choose_the_address_that_counts(server: Server, tenant: Tenant) -> None:
    statuses = [server.form(tenant, {"X-Forwarded-For": f"203.0.113.{number}"}).status for number in range(31)]

    assert statuses == [200] * 30 + [429]


def test_what_a_limit_refuses_leaves_nothing_behind(server: Server, operator: Operator, tenant: Tenant) -> None:
    key = operator.key(tenant, 1)
    body = {"name": "Jane Doe", "email": "jane@example.com"}
    assert server.by_key(key, "POST", "/api/leads", body).status == 201
    for _ in range(30):
        assert server.form(tenant).status == 200
    before = operator.head(tenant)

    assert server.by_key(key, "POST", "/api/leads", body).status == 429
    assert server.ask("POST", "/api/contact", FORM, {"Idempotency-Key": "one"}, host=tenant.domain).status == 429

    assert operator.head(tenant) == before
    operator.rows(END_WINDOWS, tenant=tenant.id, seconds=60)
    answer = server.ask("POST", "/api/contact", FORM, {"Idempotency-Key": "one"}, host=tenant.domain)
    assert (answer.status, "idempotent-replayed" in answer.headers) == (200, False)


def test_only_forms_that_are_stored_count(server: Server, proxied: Server, tenant: Tenant) -> None:
    key = {"Idempotency-Key": "one"}
    for _ in range(20):
        assert server.form(tenant, email="nobody").status == 422
        assert proxied.ask("POST", "/api/contact", FORM, host=tenant.domain).status == 200
        assert server.ask("POST", "/api/contact", FORM | {"subject": "Keyed"}, key, host=tenant.domain).status == 200

    assert all_at_once(40, lambda _: server.form(tenant)) == {200: 28, 429: 12}
    # What was sent before gets its answer all the same.
    assert server.ask("POST", "/api/contact", FORM, host=tenant.domain).status == 200
    assert server.ask("POST", "/api/contact", FORM | {"subject": "Keyed"}, key, host=tenant.domain).status == 200
