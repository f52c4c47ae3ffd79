"""Requests that are recognized keep their place on a connection, whatever happens to it or to the gate meanwhile."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise

import psycopg
import pytest

from aureum.http.server.revalidating_protocol import RevalidatingProtocol
from tests.http.in_process import PATIENCE, Client, RunningApp, conditional, get, in_app
from tests.http.operator import Operator, Tenant
from tests.stores import capture

TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND query LIKE '%%FROM gate%%' AND pid <> pg_backend_pid()
"""

MUCH = 2**24
"""Bytes that no read from a socket brings."""


@pytest.fixture(scope="module")
def tenant(module_database_url: str) -> Iterator[Tenant]:
    with Operator.opened(module_database_url) as operator:
        yield operator.brokerage()


@pytest.fixture(scope="module")
def url(module_database_url: str) -> str:
    return module_database_url


@asynccontextmanager
async def gate_held(app: RunningApp) -> AsyncIterator[None]:
    """A caller that the gate would count waits."""
    async with await psycopg.AsyncConnection.connect(app.edge.aureum.database.url) as other:
        await other.execute("LOCK TABLE rate_limits IN ACCESS EXCLUSIVE MODE")
        yield


async def until_asking(app: RunningApp) -> RevalidatingProtocol:
    """The connection of which a request is being answered that was recognized."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for connection in app.state.connections:
                assert isinstance(connection, RevalidatingProtocol)
                if connection.asking:
                    return connection
            await asyncio.sleep(0.001)


def test_answers_come_in_the_order_of_the_requests(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        other, nowhere = get("/api/contacts?limit=1", tenant), get("/nowhere")
        before, asked = app.hits, 0
        for _ in range(10):
            expected = []
            for turn in range(10):
                for request, status in ((known, 304), (other, 200), (known, 304), (nowhere, 404), (known, 304)):
                    client.send(request)
                    expected.append(status)
                    if turn % 4:
                        # Each in a packet of its own, at another moment of what goes on before it.
                        await asyncio.sleep(0 if turn % 4 == 1 else 0.0005 * (turn % 4))
            assert [(await client.answer()).status for _ in expected] == expected
            assert (await client.ask(known)).status == 304
            asked += expected.count(304) + 1
        assert 10 <= app.hits - before < asked, "some had to wait for others, some had not"

    in_app(url, check)


def test_what_comes_while_the_gate_is_asked_waits(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        async with gate_held(app):
            client.send(known)
            await until_asking(app)
            for part in (get("/nowhere")[:10], get("/nowhere")[10:], known, known):
                client.send(part)
                await asyncio.sleep(0.01)
        assert [(await client.answer()).status for _ in range(4)] == [304, 404, 304, 304]
        assert [(await client.ask(known)).status for _ in range(3)] == [304, 304, 304], "nothing was taken twice"

    in_app(url, check)


def test_pieces_and_pairs_and_last_requests_are_parsed(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        etag = known.partition(b"If-None-Match: ")[2].strip().decode()
        before = app.hits
        client.send(known[:20])
        await asyncio.sleep(0.05)
        assert (await client.ask(known[20:])).status == 304
        for _ in range(3):
            client.send(known + known)
            assert [(await client.answer()).status for _ in range(2)] == [304, 304]
        closing = conditional(get("/api/leads", tenant, "Connection: close"), etag)
        for last in (closing, known.replace(b"HTTP/1.1", b"HTTP/1.0")):
            for _ in range(3):
                other = await app.client()
                assert (await other.ask(last)).header("connection") == "close"
                assert await other.reader.read() == b""
        assert app.hits == before

    in_app(url, check)


def test_a_body_is_no_request(url: str, tenant: Tenant) -> None:
    """Though the answer did not wait for it."""

    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        before = app.hits
        length = f"Content-Length: {len(known)}"
        assert (await client.ask(get("/api/leads", None, length, method="POST"))).status == 401
        client.send(known)
        await asyncio.sleep(0.05)
        assert (await client.ask(get("/nowhere"))).status == 404
        assert app.hits == before

    in_app(url, check)


def test_the_rest_of_a_header_is_no_request(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        client.send(b"GET /nowhere HTTP/1.1\r\nX-Note: ")
        await asyncio.sleep(0.05)
        assert (await client.ask(known)).status == 404
        assert (await client.ask(known)).status == 304

    in_app(url, check)


def test_no_more_is_read_while_the_gate_is_asked(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        async with gate_held(app):
            client.send(known)
            connection = await until_asking(app)
            client.send(get("/nowhere", None, f"Content-Length: {MUCH}", method="POST"), b"x" * MUCH)
            await asyncio.sleep(0.2)
            assert 0 < len(connection.held) < MUCH / 16
        assert [(await client.answer()).status for _ in range(2)] == [304, 404]

    in_app(url, check)


def test_who_does_not_read_is_not_written_to(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        before = app.hits
        app.connection.pause_writing()
        client.send(known)
        await asyncio.sleep(0.05)
        app.connection.resume_writing()
        assert ((await client.answer()).status, app.hits) == (304, before)

    in_app(url, check)


def test_who_waits_for_the_gate_is_not_idle(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        app.connection.timeout_keep_alive = 1
        assert (await client.ask(known)).status == 304
        async with gate_held(app):
            client.send(known)
            await asyncio.sleep(1.2)
        assert (await client.answer()).status == 304
        assert await client.reader.read() == b"", "a second later"

    in_app(url, check)


def test_a_gate_that_is_closing_is_not_asked(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        app.edge.aureum.gate.closing = True
        assert [(await client.ask(known)).status for _ in range(2)] == [503, 503]

    in_app(url, check)


def test_who_is_being_answered_when_the_server_stops_still_is(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        async with gate_held(app):
            client.send(known)
            (await until_asking(app)).shutdown()
            await asyncio.sleep(0.01)
        answer = await client.answer()
        assert (answer.status, answer.header("connection")) == (304, "close")
        assert await client.reader.read() == b""
        idle = await app.client()
        assert (await idle.ask(known)).status == 304
        for connection in list(app.state.connections):
            connection.shutdown()
        assert await idle.reader.read() == b""

    in_app(url, check)


@pytest.mark.parametrize("changed", [False, True])
def test_waiting_for_the_gate_is_part_of_the_time_to_answer(url: str, tenant: Tenant, changed: bool) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        if changed:
            await capture(app.edge.aureum.store, tenant.id)
        before = seconds(app)
        async with gate_held(app):
            client.send(known)
            await until_asking(app)
            await asyncio.sleep(0.5)
        assert (await client.answer()).status == (200 if changed else 304)
        assert (await client.ask(get("/nowhere"))).status == 404, "by then that was measured"
        assert 0.5 <= seconds(app) - before < PATIENCE

    in_app(url, check)


def seconds(app: RunningApp) -> float:
    """What all answers of the list of leads have taken."""
    told = {"route": "/api/leads"}
    found = app.edge.aureum.metrics.registry.get_sample_value("aureum_http_request_seconds_sum", told)
    assert found is not None
    return found


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("reset", [False, True])
def test_a_caller_that_goes_away_takes_no_other_along(url: str, tenant: Tenant, reset: bool, changed: bool) -> None:
    async def check(app: RunningApp) -> None:
        clients = [await app.client() for _ in range(3)]
        known = await app.known(clients[0], get("/api/leads", tenant))
        before, status = app.hits, 304
        if changed:
            await capture(app.edge.aureum.store, tenant.id)
            status = 200
        async with gate_held(app):
            for client in clients:
                client.send(known)
            await until_asking(app)
            await asyncio.sleep(0.05)
            leave(clients[0], reset)
            await asyncio.sleep(0.05)
        assert [(await client.answer()).status for client in clients[1:]] == [status, status]
        assert (await clients[1].ask(known)).status == status
        assert app.hits - before == (0 if changed else 3)

    in_app(url, check)


@pytest.mark.parametrize("reset", [False, True])
def test_who_goes_away_with_more_under_way_is_no_error(url: str, tenant: Tenant, reset: bool) -> None:
    """Of three in one packet the second is being answered: uvicorn tells only the last that its client has gone."""

    async def check(app: RunningApp) -> None:
        client = await app.client()
        async with gate_held(app):
            client.send(get("/nowhere"), get("/api/leads", tenant), get("/nowhere"))
            assert (await client.answer()).status == 404
            leave(client, reset)
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
        assert not app.state.tasks

    in_app(url, check)


def leave(client: Client, reset: bool) -> None:
    """Close the connection, or have the other side learn of it by an error only."""
    if reset:
        own: socket.socket = client.writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.writer.transport.abort()


def test_a_gate_that_lost_its_connection_is_asked_again(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        known = await app.known(client, get("/api/leads", tenant))
        before = app.hits
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as other:
            for _ in range(3):
                cursor = await other.execute(TERMINATE)
                assert (await cursor.fetchall())[0][0] >= 1
                answers = [await client.ask(known) for _ in range(3)]
                assert [answer.status for answer in answers] == [304] * 3
                left = [int(answer.header("x-ratelimit-remaining")) for answer in answers]
                assert all(one - next == 1 for one, next in pairwise(left)), "each counts once"
        assert app.hits - before == 9, "the gate itself asked again: none had to go the ordinary way"

    in_app(url, check)


def test_an_idle_connection_is_ended_as_any_other(url: str, tenant: Tenant) -> None:
    async def check(app: RunningApp) -> None:
        client = await app.client()
        await app.known(client, get("/api/leads", tenant))
        assert app.connection.timeout_keep_alive_task is not None
        app.connection.timeout_keep_alive_handler()
        assert await client.reader.read() == b""

    in_app(url, check)
