"""Every POST under an Idempotency-Key: it happens once, even if it is sent again or was refused before."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from aureum.http.contract.endpoint import Endpoint
from aureum.http.server.routes import ENDPOINTS
from tests.http.every.call import LOGOUT, Call
from tests.http.every.declared import allows, every, refusal
from tests.http.every.sample import Sample
from tests.http.serving import Answer, Server

KEYS = count(1)
NOT_ONCE = {"/api/v1/auth/login", "/api/v1/auth/forgotten", "/api/v1/auth/reset", LOGOUT}
BAD_KEYS = ("", "x" * 256, "tab\tinside", "ü", "ключ".encode().decode("latin-1"))

ONCE = every(lambda endpoint: endpoint.method == "POST" and endpoint.path not in NOT_ONCE)


def keyed(sample: Sample, endpoint: Endpoint) -> Call:
    """A request under a key that was not used before."""
    return sample.call(endpoint, fresh=True).but(headers={"Idempotency-Key": f"key {next(KEYS)}"})


def replayed(answer: Answer) -> bool:
    return answer.headers.get("idempotent-replayed") == "true"


def other_body(call: Call) -> Any:
    """Another body that is as good."""
    if isinstance(call.body, bytes):
        return call.body + b"Nina,nina@example.com\n"
    return (call.body or {}) | {"unknown": "x"}


def test_every_post_but_those_of_logins_and_passwords_takes_a_key() -> None:
    refusing = {one.path for one in ENDPOINTS if one.method == "POST" and not one.idempotent}

    assert refusing <= NOT_ONCE


@ONCE
def test_the_same_again_gets_the_first_answer(sample: Sample, proxied: Server, endpoint: Endpoint) -> None:
    call = keyed(sample, endpoint)
    first = sample.succeed(endpoint, call)
    before = sample.heads

    for process in (sample.server, proxied):
        again = call.send(process)
        assert (again.status, again.body, replayed(again)) == (first.status, first.body, True)
        assert again.headers.get("etag") == first.headers.get("etag")

    assert not replayed(first)
    assert sample.heads == before


@ONCE
def test_another_body_under_the_same_key(sample: Sample, endpoint: Endpoint) -> None:
    call = keyed(sample, endpoint)
    sample.succeed(endpoint, call)
    before = sample.heads

    other = call.but(body=other_body(call)).send(sample.server)

    if endpoint.access.schemes:
        assert (other.status, sample.heads) == (409, before)
        assert "Idempotency-Key" in refusal(endpoint, other)
    else:
        # The form of a page that always sends the same key.
        assert (other.status, replayed(other)) == (endpoint.status, False)


@ONCE
def test_twins_in_two_processes_happen_once(sample: Sample, proxied: Server, endpoint: Endpoint) -> None:
    alone, before = keyed(sample, endpoint), sample.heads
    sample.succeed(endpoint, alone)
    events = {tenant: head - before[tenant] for tenant, head in sample.heads.items()}
    call = keyed(sample, endpoint)
    before = sample.heads

    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda number: call.send((sample.server, proxied)[number % 2]), range(8)))

    done = [answer for answer in answers if answer.status == endpoint.status]
    # Of passwords that are tried for one account at once, some are told to wait.
    later = {409, 429, 503} if endpoint.path.startswith(("/api/me/password", "/api/me/totp")) else {409, 503}
    assert {answer.status for answer in answers} <= {endpoint.status} | later
    assert all(answer.headers.get("retry-after") for answer in answers if answer not in done)
    assert [replayed(answer) for answer in done].count(False) == 1
    assert len({answer.body for answer in done}) == 1
    assert {tenant: head - before[tenant] for tenant, head in sample.heads.items()} == events
    again = call.send(proxied)
    assert (again.body, replayed(again)) == (done[0].body, True)


@every(lambda endpoint: endpoint.method == "POST" and endpoint.path not in NOT_ONCE and endpoint.body is not None)
def test_a_refusal_is_not_kept(sample: Sample, endpoint: Endpoint) -> None:
    call = keyed(sample, endpoint)
    assert endpoint.body is not None
    values: tuple[Any, ...] = ([{}], [7])
    wrong = (call.body | {name: value} for name in call.body for value in values)
    bad = next(body for body in wrong if not allows(endpoint.body, body))
    before = sample.heads

    refused = call.but(body=bad).send(sample.server)
    assert refused.status in (400, 422) and refusal(endpoint, refused)
    assert sample.heads == before

    assert not replayed(sample.succeed(endpoint, call))


@ONCE
def test_a_bad_key_is_refused(sample: Sample, endpoint: Endpoint) -> None:
    call, before = keyed(sample, endpoint), sample.heads

    for key in BAD_KEYS:
        answer = call.but(headers={"Idempotency-Key": key}).send(sample.server)
        assert answer.status == 400, key
        assert "Idempotency-Key" in refusal(endpoint, answer)

    assert sample.heads == before
    longest = call.but(headers={"Idempotency-Key": f"{next(KEYS):x<255}"})
    assert not replayed(sample.succeed(endpoint, longest))
    assert replayed(sample.succeed(endpoint, longest))
