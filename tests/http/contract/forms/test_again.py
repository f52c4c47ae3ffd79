"""The same form again from the same visitor is the same one: double click, back button, a refresh, two processes."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.http.api.tours.tour_requests import TOUR
from tests.http.contract.forms.corpus import MULTIPART, URLENCODED, multipart
from tests.http.contract.forms.test_encodings import BROWSER
from tests.http.operator import Operator, Tenant
from tests.http.serving import FORM, Answer, Server

PATHS = {"/api/contact": FORM, "/api/tours": TOUR}
LATER = "UPDATE recent_streams SET expires_at = expires_at - interval '10 minutes' WHERE tenant_id = %(tenant)s"
ERASE = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s"
EVERY_FORM = pytest.mark.parametrize("path", PATHS)


def send(server: Server, tenant: Tenant, path: str, headers: Any = None, /, **fields: Any) -> Answer:
    answer = server.ask("POST", path, PATHS[path] | fields, headers, host=tenant.domain)
    assert answer.status == 200, answer
    return answer


@EVERY_FORM
def test_the_first_answer_and_no_second_event(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, path: str
) -> None:
    first = send(server, tenant, path)
    before = operator.head(tenant)

    for process in (server, proxied, server):
        assert send(process, tenant, path).body == first.body

    assert operator.head(tenant) == before


@EVERY_FORM
def test_many_at_the_same_moment_over_two_processes(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, path: str
) -> None:
    send(server, tenant, path, message="Another, so that both know the brokerage.")
    before = operator.head(tenant)

    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda number: send((server, proxied)[number % 2], tenant, path), range(32)))

    assert len({answer.body for answer in answers}) == 1
    assert operator.head(tenant) == before + 1


def test_however_it_is_sent(server: Server, operator: Operator, tenant: Tenant) -> None:
    bodies = [
        ("application/json", json.dumps(FORM).encode()),
        ("text/plain", json.dumps(FORM | {"unknown": 1}).encode()),
        (URLENCODED, urlencode(FORM).encode()),
        (MULTIPART, multipart(FORM)),
    ]
    for kind, body in bodies:
        answer = server.ask("POST", "/api/contact", body, {"Content-Type": kind}, host=tenant.domain)
        assert answer.status == 200
    page = server.ask(
        "POST", "/api/contact", urlencode(FORM).encode(), BROWSER | {"Content-Type": URLENCODED}, host=tenant.domain
    )
    assert b"Thank you" in page.body
    assert len(server.leads(tenant)) == 1


@EVERY_FORM
def test_any_other_field_is_another_form(server: Server, operator: Operator, tenant: Tenant, path: str) -> None:
    numbers = {send(server, tenant, path).body}
    others = {name: f"{value}1" for name, value in PATHS[path].items() if name not in ("email", "preferred_date")}
    others |= {"email": "another@example.com"} | ({"preferred_date": "2024-12-31"} if path == "/api/tours" else {})

    for name, value in others.items():
        numbers.add(send(server, tenant, path, None, **{name: value}).body)

    assert len(numbers) == 1 + len(others) == 1 + len(PATHS[path])


def test_a_form_is_not_the_same_at_another_address(server: Server, proxied: Server, tenant: Tenant) -> None:
    first = {"X-Forwarded-For": "2001:db8:1:1::1"}
    answers = [
        send(proxied, tenant, "/api/contact", {"X-Forwarded-For": address})
        for address in ("2001:db8:1:1::1", "2001:db8:1:1:ffff::2", "2001:db8:1:2::1", "203.0.113.5")
    ]

    assert [answer.json["lead_id"] == answers[0].json["lead_id"] for answer in answers] == [True, True, False, False]
    assert send(proxied, tenant, "/api/contact", first).body == answers[0].body
    assert len(server.leads(tenant)) == 3


def test_with_keys_the_key_decides(server: Server, proxied: Server, tenant: Tenant) -> None:
    def keyed(key: str, address: str) -> Answer:
        return send(proxied, tenant, "/api/contact", {"Idempotency-Key": key, "X-Forwarded-For": address})

    one, other = keyed("one", "203.0.113.5"), keyed("other", "203.0.113.5")

    assert one.body != other.body
    # A telephone that leaves its wireless network sends the same from another address.
    assert keyed("one", "198.51.100.7").body == one.body
    assert keyed("one", "2001:db8::1").headers["idempotent-replayed"] == "true"
    assert len(server.leads(tenant)) == 2


def test_what_staff_have_touched_is_no_longer_the_same(server: Server, tenant: Tenant) -> None:
    send(server, tenant, "/api/contact")
    (lead,) = server.leads(tenant)
    assert server.by_key(tenant, "PATCH", f"/api/leads/{lead['id']}", {"status": "lost"}).status == 200

    again = send(server, tenant, "/api/contact")

    assert len(server.leads(tenant)) == 2
    assert send(server, tenant, "/api/contact").body == again.body


@EVERY_FORM
@pytest.mark.parametrize("change", [LATER, ERASE], ids=["ten minutes later", "after the person was erased"])
def test_it_is_a_new_form(server: Server, operator: Operator, tenant: Tenant, path: str, change: str) -> None:
    first = send(server, tenant, path)
    operator.rows(change + " RETURNING 1", tenant=tenant.id)

    again = send(server, tenant, path)

    assert again.body != first.body
    assert send(server, tenant, path).body == again.body


def test_a_refused_form_is_sent_again(server: Server, tenant: Tenant) -> None:
    body = FORM | {"email": "nobody"}
    assert server.ask("POST", "/api/contact", body, host=tenant.domain).status == 422
    assert send(server, tenant, "/api/contact").status == 200
    assert len(server.leads(tenant)) == 1


def test_a_brokerages_forms_are_its_own(server: Server, operator: Operator, tenant: Tenant) -> None:
    other = operator.brokerage()

    assert send(server, tenant, "/api/contact").body != send(server, other, "/api/contact").body
