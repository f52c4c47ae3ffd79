"""Requests that are recognized by their bytes are answered as the ordinary way would, or go that way."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.commands.api_keys import revoke_api_key
from aureum.commands.brokerages import change_plan, disable_brokerage
from aureum.domain.ids import PLATFORM, to_wire
from aureum.http.server.revalidation import LONGEST
from aureum.store.event_store import EventStore
from tests.http.in_process import RunningApp, conditional, get, in_app, in_loop, open_app
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.stores import capture

LISTS = ("/api/leads", "/api/leads?limit=2", "/api/contacts", "/api/tasks", "/api/properties", "/api/showings")
COUNT = "/api/leads/count"


@pytest.fixture(scope="module")
def operator(module_database_url: str) -> Iterator[Operator]:
    with Operator.opened(module_database_url) as opened:
        yield opened


@pytest.fixture
def tenant(operator: Operator) -> Tenant:
    return operator.brokerage()


@pytest.fixture(scope="module")
def url(module_database_url: str) -> str:
    return module_database_url


@pytest.mark.parametrize("path", [*LISTS, COUNT])
def test_what_is_recognized_is_answered_as_before_and_counted(url: str, tenant: Tenant, path: str) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        request = get(path, tenant)
        etag = (await client.ask(request)).header("etag")

        answers = [await client.ask(conditional(request, etag)) for _ in range(4)]

        assert app.hits == 3
        assert {(answer.status, answer.body, answer.header("etag")) for answer in answers} == {(304, b"", etag)}
        ordinary, *others = answers
        assert all(answer.lasting == ordinary.lasting for answer in others)
        assert len({answer.header("x-request-id") for answer in answers}) == 4
        remaining = [int(answer.header("x-ratelimit-remaining")) for answer in answers]
        assert remaining == list(range(remaining[0], remaining[0] - 4, -1))
        counted = app.edge.aureum.metrics.registry.get_sample_value(
            "aureum_http_requests_total", {"method": "GET", "route": path.partition("?")[0], "status": "304"}
        )
        assert counted == 4

    in_app(url, check)


@pytest.mark.parametrize("path", ["/api/leads?limit=2", "/api/contacts?limit=2", COUNT])
def test_what_is_kept_is_sent_again_and_counted(url: str, tenant: Tenant, path: str) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        request = get(path, tenant)

        answers = [await client.ask(request) for _ in range(5)]

        assert app.hits == 3, "read, kept, recognized three times"
        assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
        first, *others = answers
        assert all(answer.lasting == first.lasting for answer in others)
        assert len({answer.header("x-request-id") for answer in answers}) == 5
        remaining = [int(answer.header("x-ratelimit-remaining")) for answer in answers]
        assert remaining == list(range(remaining[0], remaining[0] - 5, -1))
        await capture(app.edge.aureum.store, tenant.id)
        changed = [await client.ask(request) for _ in range(3)]
        assert len({answer.header("etag") for answer in [first, *changed]}) == 2
        assert len({answer.body for answer in changed}) == 1
        if "leads" in path:
            assert first.body != changed[0].body

    in_app(url, check)


def test_what_is_kept_no_more_is_read_again(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        request = get("/api/leads?limit=2", tenant)
        first, *_ = [await client.ask(request) for _ in range(3)]
        assert app.hits == 1
        app.edge.aureum.answers.limit = 0
        for key in list(app.edge.aureum.answers):
            app.edge.aureum.answers.forget(key)
        again = [await client.ask(request) for _ in range(2)]
        assert [(answer.status, answer.body) for answer in again] == [(200, first.body)] * 2
        assert app.hits == 1

    in_app(url, check)


def test_what_is_compressed_goes_the_ordinary_way(url: str, operator: Operator, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        for _ in range(4):
            await capture(app.edge.aureum.store, tenant.id)
        client = await app.client()
        zipped = get("/api/leads?limit=4", tenant, "Accept-Encoding: gzip")
        short = get(COUNT, tenant, "Accept-Encoding: gzip")
        assert {(await client.ask(zipped)).header("content-encoding") for _ in range(4)} == {"gzip"}
        assert app.hits == 0
        assert len({(await client.ask(short)).body for _ in range(4)}) == 1
        assert app.hits == 2, "what is too short to be compressed is the same for all"

    in_app(url, check)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda store, tenant: capture(store, tenant.id), 200),
        (lambda store, tenant: revoke_api_key(store, tenant.id, tenant.key_id, ORIGIN), 401),
        (lambda store, tenant: change_plan(store, tenant.id, "Starter", ORIGIN), 403),
        (lambda store, tenant: disable_brokerage(store, tenant.id, ORIGIN), 401),
    ],
    ids=["something has happened", "the key is revoked", "the plan has no API", "the brokerage is shut out"],
)
def test_what_has_changed_is_answered_the_ordinary_way(
    url: str, tenant: Tenant, change: Callable[[EventStore, Tenant], Awaitable[Any]], status: int
) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        await change(app.edge.aureum.store, tenant)

        assert [(await client.ask(known)).status for _ in range(2)] == [status] * 2
        assert app.hits == 1

    in_app(url, check)


def test_what_goes_the_ordinary_way_after_all_is_counted_once(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        before = await client.ask(known)
        await capture(app.edge.aureum.store, tenant.id)
        after = await client.ask(known)

        assert (before.status, after.status) == (304, 200)
        left = [int(answer.header("x-ratelimit-remaining")) for answer in (before, after)]
        assert left[0] - left[1] == 1

    in_app(url, check)


def test_the_date_is_that_of_the_answer(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        hits = app.hits
        for date in ("Thu, 26 Nov 2026 04:00:01 GMT", "Thu, 26 Nov 2026 04:00:02 GMT"):
            app.state.default_headers = [(b"date", date.encode())]
            assert (await client.ask(known)).header("date") == date
        assert app.hits - hits == 2

    in_app(url, check)


def test_the_same_bytes_from_another_address_are_another_request(url: str, operator: Operator, tenant: Tenant) -> None:
    """A proxy that is trusted says which host was asked; from anybody else that header does not count."""

    async def check(app: RunningApp) -> None:
        anybody, proxy = await app.client("127.0.0.2"), await app.client("127.0.0.1")
        known = await app.known(anybody, get("/api/leads", tenant, f"X-Forwarded-Host: {other.domain}"))
        assert [(await proxy.ask(known)).status for _ in range(2)] == [401, 401]
        assert (await anybody.ask(known)).status == 304

    other = operator.brokerage()
    in_app(url, check)


def test_staff_who_were_counted_as_visitors_first_are_each_time(url: str, operator: Operator) -> None:
    """A brokerage that keeps its count to itself shows it to the session of its staff: the gate is asked twice."""

    async def check(app: RunningApp) -> None:
        client = await app.client()
        request = get(COUNT, None, f"Cookie: aureum={owner.token}", host=tenant.domain)
        known = conditional(request, (await client.ask(request)).header("etag"))
        assert [(await client.ask(known)).status for _ in range(3)] == [304, 304, 429], "three a minute"
        assert app.hits == 0

    tenant = operator.brokerage(public_lead_count=False)
    owner = operator.staff(tenant.id, "brokerage_owner")
    in_app(url, check)


def test_a_key_that_asks_too_often_is_told_so(url: str, operator: Operator, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", key))
        answers = [await client.ask(known) for _ in range(7)]

        assert [answer.status for answer in answers] == [304] * 4 + [429] * 3, "three had been asked before"
        assert [answer.header("x-ratelimit-remaining") for answer in answers] == ["3", "2", "1", "0", "0", "0", "0"]

    key = operator.key(tenant, 7)
    in_app(url, check)


def test_a_visitor_is_recognized_and_counted_too(url: str, operator: Operator) -> None:
    tenant = operator.brokerage(public_lead_count=True)

    async def check(app: RunningApp) -> None:
        client = await app.client()
        request = get(COUNT, host=tenant.domain)
        known = conditional(request, (await client.ask(request)).header("etag"))
        ordinary, recognized = [await client.ask(known) for _ in range(2)]
        assert (recognized.status, recognized.lasting) == (304, ordinary.lasting)
        assert ((await client.ask(known)).status, app.hits) == (429, 1), "three a minute"

    in_app(url, check)


def test_what_goes_the_ordinary_way_each_time(url: str, operator: Operator) -> None:
    async def captured(store: EventStore) -> str:
        return to_wire((await capture(store, tenant.id)).id)

    async def check(app: RunningApp) -> None:
        client = await app.client()
        etag = (await client.ask(get("/api/leads", tenant))).header("etag")
        count_tag = (await client.ask(get(COUNT, tenant))).header("etag")
        lead_tag = (await client.ask(get(lead, tenant))).header("etag")
        known, page = f"If-None-Match: {etag}", f"Origin: https://{tenant.domain}"
        requests = {
            "it has an id of its own": get("/api/leads", tenant, "X-Request-Id: mine", known),
            "it is no GET": get("/api/leads", tenant, known, method="HEAD"),
            "the client does not say what it knows": get("/api/leads", tenant, "If-None-Match: *"),
            "one resource has a version of its own": get(lead, tenant, f"If-None-Match: {lead_tag}"),
            "the gate is asked twice": get("/api/leads", admin, known, host=tenant.domain),
            "a page of the site asks": get(COUNT, None, page, f"If-None-Match: {count_tag}", host=tenant.domain),
            "it is too long": get("/api/leads", tenant, f"X-Much: {'x' * LONGEST}", known),
        }
        for why, request in requests.items():
            answers = [await client.ask(request) for _ in range(2)]
            assert [answer.status for answer in answers] == [304, 304], why
        assert (await client.ask(requests["it has an id of its own"])).header("x-request-id") == "mine"
        assert app.hits == 0

    tenant = operator.brokerage(public_lead_count=True)
    lead = f"/api/leads/{operator.run(captured)}"
    admin = operator.staff(PLATFORM, "platform_admin")
    in_app(url, check)


def test_an_agent_never_gets_what_a_broker_knows(url: str, operator: Operator, tenant: Tenant) -> None:
    """The same path and tag from two people are two requests."""

    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", owner))
        etag = known.partition(b"If-None-Match: ")[2].strip().decode()
        for _ in range(2):
            assert (await client.ask(conditional(get("/api/leads", agent), etag))).status == 200
        await app.known(client, get("/api/leads", agent))

    owner, agent = (operator.staff(tenant.id, role) for role in ("brokerage_owner", "agent"))
    in_app(url, check)


STEPS = st.lists(st.sampled_from(["poll", "poll", "poll", "lead", "other lead", "starter", "elite"]), max_size=25)


@given(steps=STEPS, paths=st.lists(st.sampled_from([*LISTS, COUNT]), min_size=1, max_size=3, unique=True))
@settings(max_examples=15, deadline=None)
def test_whatever_happens_the_answers_are_those_of_a_process_that_recognizes_nothing(
    url: str, operator: Operator, steps: list[str], paths: list[str]
) -> None:
    """Clients that remember their last ETag, of two processes on one database."""

    async def run() -> None:
        async with open_app(url) as app, open_app(url, kept=0) as plain:
            clients = [await app.client(), await plain.client()]
            tags = [dict.fromkeys(paths, "none"), dict.fromkeys(paths, "none")]
            for step in [*steps, "poll", "poll", "poll"]:
                match step:
                    case "lead":
                        await capture(app.edge.aureum.store, tenant.id)
                    case "other lead":
                        await capture(plain.edge.aureum.store, other.id)
                    case "starter" | "elite":
                        await change_plan(plain.edge.aureum.store, tenant.id, step.title(), ORIGIN)
                    case _:
                        for path in paths:
                            got = []
                            for client, known in zip(clients, tags, strict=True):
                                answer = await client.ask(conditional(get(path, tenant), known[path]))
                                if answer.status == 200:
                                    known[path] = answer.header("etag")
                                got.append((answer.status, answer.body, answer.lasting))
                            assert got[0] == got[1]
            assert plain.hits == 0

    tenant, other = operator.brokerage(), operator.brokerage()
    in_loop(run())
