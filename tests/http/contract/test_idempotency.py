"""Idempotency-Key: the first answer again, and nothing happens twice."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.http.operator import Operator, Tenant
from tests.http.serving import FORM, JANE, Answer, Server

A_DAY_LATER = """
UPDATE idempotency_keys SET recorded_at = recorded_at - interval '24 hours' WHERE tenant_id = %(tenant)s
"""


def post(server: Server, tenant: Tenant, key: str, **fields: Any) -> Answer:
    """A new lead under an idempotency key."""
    return server.by_key(tenant, "POST", "/api/leads", JANE | fields, {"Idempotency-Key": key})


def replayed(answer: Answer) -> bool:
    return answer.headers.get("idempotent-replayed") == "true"


def leads_of(server: Server, tenant: Tenant) -> int:
    return len(server.by_key(tenant, "GET", "/api/leads").json)


def test_the_same_key_and_body_get_the_first_answer_again(server: Server, proxied: Server, tenant: Tenant) -> None:
    first = post(server, tenant, "a key")
    path = f"/api/leads/{first.json['id']}"
    server.by_key(tenant, "PATCH", path, {"status": "lost"})

    for process in (server, proxied):
        again = post(process, tenant, "a key")
        assert (again.status, again.body, again.etag, replayed(again)) == (201, first.body, first.etag, True)

    assert not replayed(first)
    assert leads_of(server, tenant) == 1


def test_the_same_key_with_another_body_is_refused(server: Server, operator: Operator, tenant: Tenant) -> None:
    post(server, tenant, "key")
    before = operator.head(tenant)

    other = post(server, tenant, "key", subject="another")

    assert other.status == 409
    assert other.error == "This Idempotency-Key was used for another request. Send a new key with a new request."
    assert operator.head(tenant) == before


def test_a_key_is_its_callers_own(server: Server, operator: Operator, tenant: Tenant) -> None:
    callers = [tenant, operator.key(tenant, 100), operator.brokerage()]

    answers = [post(server, caller, "key", subject=f"{number}") for number, caller in enumerate(callers)]

    assert [(answer.status, replayed(answer)) for answer in answers] == [(201, False)] * 3


def test_a_refusal_is_not_kept(server: Server, tenant: Tenant) -> None:
    assert post(server, tenant, "key", email="nonsense").status == 400

    assert (post(server, tenant, "key").status, leads_of(server, tenant)) == (201, 1)


def test_a_key_is_kept_for_a_day(server: Server, operator: Operator, tenant: Tenant) -> None:
    first = post(server, tenant, "key")
    operator.rows(A_DAY_LATER, tenant=tenant.id)

    second = post(server, tenant, "key", subject="another")

    assert (second.status, replayed(second)) == (201, False)
    assert second.json["id"] != first.json["id"]
    assert replayed(post(server, tenant, "key", subject="another"))


def test_what_is_kept_cannot_be_read_in_the_database(server: Server, operator: Operator, tenant: Tenant) -> None:
    post(server, tenant, "a key that tells something", name="Conspicuous Name")

    ((key, request, answer),) = operator.rows(
        "SELECT key, request_hash, answer FROM idempotency_keys WHERE tenant_id = %(tenant)s", tenant=tenant.id
    )

    assert b"Conspicuous" not in key + request + answer
    assert b"tells" not in key + request + answer


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tinside", "ü", "ключ".encode().decode("latin-1")])
def test_a_bad_key_is_refused(server: Server, operator: Operator, tenant: Tenant, key: str) -> None:
    before = operator.head(tenant)
    text = "Idempotency-Key must have 1 to 255 printable ASCII characters."

    api, form = post(server, tenant, key), server.form(tenant, {"Idempotency-Key": key})

    assert (api.status, api.error) == (400, text)
    assert (form.status, form.detail) == (400, text)
    assert operator.head(tenant) == before


def test_the_longest_key(server: Server, tenant: Tenant) -> None:
    key = "".join(chr(33 + number % 94) for number in range(255))

    assert (post(server, tenant, key).status, replayed(post(server, tenant, key))) == (201, True)


@pytest.mark.parametrize("form", [False, True])
def test_twins_in_two_processes_happen_once(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, form: bool
) -> None:
    def ask(number: int) -> Answer:
        process, key = (server, proxied)[number % 2], {"Idempotency-Key": f"race {number // 8}"}
        return process.form(tenant, key) if form else process.by_key(tenant, "POST", "/api/leads", JANE, key)

    before = operator.head(tenant)
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(ask, range(24)))

    for race in (answers[:8], answers[8:16], answers[16:]):
        assert {answer.status for answer in race} == {200 if form else 201}
        assert len({answer.body for answer in race}) == 1
        assert [replayed(answer) for answer in race].count(False) == 1
    assert operator.head(tenant) == before + 3


def test_a_form_under_the_same_key(server: Server, proxied: Server, tenant: Tenant) -> None:
    key = {"Idempotency-Key": "form"}
    first = server.form(tenant, key)
    again = server.form(tenant, key)
    assert (again.body, replayed(again)) == (first.body, True)

    # A page that always sends the same key still sends every enquiry; a phone that changes its network still sends one.
    other = server.form(tenant, key, message="Something else")
    elsewhere = proxied.form(tenant, key | {"X-Forwarded-For": "203.0.113.9"})

    assert (other.status, replayed(other), replayed(elsewhere)) == (200, False, True)
    assert elsewhere.body == first.body != other.body
    assert leads_of(server, tenant) == 2


def test_a_form_on_another_host_of_the_brokerage_is_the_same_request(server: Server, operator: Operator) -> None:
    tenant = operator.brokerage(domains=("one.twice.example.com", "two.twice.example.com"))

    answers = [
        server.ask("POST", "/api/contact", FORM, {"Idempotency-Key": "k"}, host=host)
        for host in ("one.twice.example.com", "two.twice.example.com")
    ]

    assert [replayed(answer) for answer in answers] == [False, True]
    assert leads_of(server, tenant) == 1


def test_a_patch_takes_no_notice_of_the_key(server: Server, tenant: Tenant) -> None:
    path = f"/api/leads/{post(server, tenant, 'key').json['id']}"

    for key in ("key", "", "ü"):
        for status in ("lost", "new"):
            changed = server.by_key(tenant, "PATCH", path, {"status": status}, {"Idempotency-Key": key})
            assert (changed.status, changed.json["status"], replayed(changed)) == (200, status, False)
