"""Clients that do nothing, or nearly so: their connections end, and others are served meanwhile."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from aureum.http.server.connections import OWN_FILES, SPARE, Progress, connection_limit
from tests.http.operator import Operator, Tenant
from tests.http.serving import FORM, MUCH, PATIENCE, Server, served, until

SECONDS = 1.5
"""All patience of the server here."""

ENDED = SECONDS + 15.0
"""By then a connection is ended, also on a busy machine."""


@pytest.fixture(scope="module")
def impatient(served_url: str) -> Iterator[Server]:
    settings = {f"{what}_timeout": str(SECONDS) for what in ("head", "body", "answer", "idle")}
    settings |= {"body_memory": "4", "body_memory_of_client": "2"}
    with served(served_url, None, **settings) as running:
        yield running


@contextmanager
def connected(server: Server, address: str = "127.0.0.1", buffer: int | None = None) -> Iterator[socket.socket]:
    """A connection from an address of this machine's own."""
    with socket.socket() as connection:
        connection.settimeout(PATIENCE)
        if buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.bind((address, 0))
        connection.connect(("127.0.0.1", server.port))
        yield connection


def rest(connection: socket.socket) -> bytes:
    """What comes until the server ends the connection."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def head(tenant: Tenant, length: int, path: str = "/api/contact", *more: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {tenant.domain}", "Content-Type: application/json", *more]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


def measured(server: Server, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", server.ask("GET", "/metrics").body.decode(), re.MULTILINE)
    return 0.0 if found is None else float(found[1])


def logged(server: Server, event: str) -> list[dict[str, object]]:
    return [line for line in map(json.loads, server.logged().splitlines()) if line["event"] == event]


def test_silence_and_half_heads(impatient: Server, tenant: Tenant) -> None:
    begun = [b"", b"\r\n", b"P", b"POST /api/contact HTTP/1.1\r\nHost: a\r\n", head(tenant, 5)[:-2]]
    started = time.monotonic()
    with ExitStack() as stack:
        connections = [stack.enter_context(connected(impatient)) for _ in begun]
        for connection, sent in zip(connections, begun, strict=True):
            connection.sendall(sent)
        answers = [rest(connection) for connection in connections]
    assert SECONDS * 0.9 < time.monotonic() - started < ENDED
    assert answers[:2] == [b"", b""], "to nothing there is no answer"
    for answer in answers[2:]:
        top, _, body = answer.partition(b"\r\n\r\n")
        assert top.startswith(b"HTTP/1.1 408 Request Timeout\r\n") and b"connection: close" in top
        assert json.loads(body)["code"] == "request_timeout"
    assert measured(impatient, 'aureum_http_connections_ended_total{why="head_not_sent"}') >= 3
    until(lambda: any("head_not_sent" in line for line in logged(impatient, "connections_ended")))


def test_a_head_that_drips_has_no_more_time(impatient: Server, tenant: Tenant) -> None:
    with connected(impatient) as connection:
        started = time.monotonic()
        try:
            for byte in head(tenant, 5)[:-2]:
                connection.sendall(bytes([byte]))
                time.sleep(0.2)
                assert time.monotonic() - started < ENDED
        except OSError:
            pass
        assert time.monotonic() - started < ENDED


def test_half_bodies(impatient: Server, operator: Operator, tenant: Tenant) -> None:
    whole = json.dumps(FORM).encode()
    key = f"Authorization: Bearer {tenant.key}"
    before = operator.head(tenant)
    asked = [
        (head(tenant, len(whole)), b"detail"),
        (head(tenant, len(whole)) + whole[:-1], b"detail"),
        (head(tenant, 900_000) + whole, b"detail"),
        (head(tenant, 900, "/api/leads", key) + b"{", b"error"),
        (head(tenant, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"5\r\n{", b"detail"),
    ]
    started = time.monotonic()
    with ExitStack() as stack:
        connections = [stack.enter_context(connected(impatient)) for _ in asked]
        for connection, (sent, _) in zip(connections, asked, strict=True):
            connection.sendall(sent)
        answers = [rest(connection) for connection in connections]
    assert SECONDS * 0.9 < time.monotonic() - started < ENDED
    for answer, (_, dialect) in zip(answers, asked, strict=True):
        top, _, body = answer.partition(b"\r\n\r\n")
        assert top.startswith(b"HTTP/1.1 408 ") and b"x-request-id" in top and b"connection: close" in top, answer
        assert dialect.decode() in json.loads(body) and b"x-error-code: request_timeout" in top
    assert operator.head(tenant) == before
    until(lambda: measured(impatient, "aureum_http_unfinished_body_bytes") == 0)


def test_an_answer_that_came_before_the_body(impatient: Server) -> None:
    """Refused for want of a key: the body that never comes must not keep the connection."""
    with connected(impatient) as connection:
        connection.sendall(b"POST /api/leads HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{")
        started = time.monotonic()
        assert rest(connection).startswith(b"HTTP/1.1 401 ")
        assert time.monotonic() - started < ENDED


def test_a_slow_but_honest_body_gets_through(impatient: Server, tenant: Tenant) -> None:
    whole = json.dumps(FORM | {"message": "slowly " * 600}).encode()
    with connected(impatient) as connection:
        connection.sendall(head(tenant, len(whole), "/api/contact", "Connection: close"))
        for start in range(0, len(whole), 500):
            connection.sendall(whole[start : start + 500])
            time.sleep(SECONDS / 3)
        assert rest(connection).startswith(b"HTTP/1.1 200 ")


def test_idle_connections_end(impatient: Server) -> None:
    ask = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with connected(impatient) as kept, connected(impatient) as stray:
        for connection in (kept, stray):
            connection.sendall(ask)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        # In time it is asked again; blank lines are no request.
        time.sleep(SECONDS / 2)
        kept.sendall(ask)
        stray.sendall(b"\r\n")
        started = time.monotonic()
        assert kept.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert rest(stray) == rest(kept) == b""
        assert time.monotonic() - started < ENDED


def test_unfinished_bodies_hold_little_memory(impatient: Server, tenant: Tenant) -> None:
    part = head(tenant, 990_000) + b"x" * 900_000
    with ExitStack() as stack:
        flood = [stack.enter_context(connected(impatient)) for _ in range(12)]
        for connection in flood:
            try:
                connection.sendall(part)
            except ConnectionError:
                continue
        assert measured(impatient, "aureum_http_unfinished_body_bytes") <= 2_000_000
        # Another address has its own share.
        with connected(impatient, "127.0.0.2") as other:
            body = json.dumps(FORM).encode()
            other.sendall(head(tenant, len(body), "/api/contact", "Connection: close") + body[:9])
            time.sleep(0.1)
            other.sendall(body[9:])
            assert rest(other).startswith(b"HTTP/1.1 200 ")
        answers = [rest(connection) for connection in flood]
    refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 503 ")]
    assert len(refused) >= 5 and all(b"retry-after: 5" in answer for answer in refused), answers
    until(lambda: measured(impatient, "aureum_http_unfinished_body_bytes") == 0)


def test_of_all_bodies_the_largest_holder_gives_way(impatient: Server, tenant: Tenant) -> None:
    """Six addresses with less than each may hold; together it is more than there is."""
    with ExitStack() as stack:
        small = stack.enter_context(connected(impatient, "127.0.1.9"))
        body = json.dumps(FORM).encode()
        small.sendall(head(tenant, len(body), "/api/contact", "Connection: close") + body[:200])
        for place in range(6):
            connection = stack.enter_context(connected(impatient, f"127.0.1.{place + 1}"))
            connection.sendall(head(tenant, 990_000) + b"x" * 900_000)
        time.sleep(0.2)
        small.sendall(body[200:])
        assert rest(small).startswith(b"HTTP/1.1 200 ")
        assert measured(impatient, "aureum_http_unfinished_body_bytes") <= 4_000_000


def streamed(tenant: Tenant) -> bytes:
    request = f"GET /api/leads HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {tenant.key}\r\nConnection: close\r\n\r\n"
    return request.encode()


def test_who_never_reads_is_let_go_and_who_reads_slowly_is_not(
    impatient: Server, operator: Operator, tenant: Tenant
) -> None:
    operator.fill(tenant, 1_200, message=MUCH)
    with connected(impatient, buffer=4096) as never, connected(impatient, buffer=4096) as slow:
        for connection in (never, slow):
            connection.sendall(streamed(tenant))
        read, started, last = 0, time.monotonic(), b""
        while part := slow.recv(400_000):
            read, last = read + len(part), part
            if time.monotonic() - started < 3 * SECONDS:
                time.sleep(SECONDS / 5)
        assert read > 12_000 * 1_200 and last.endswith(b"0\r\n\r\n")
        assert time.monotonic() - started > 3 * SECONDS
        with pytest.raises(ConnectionResetError):
            while never.recv(65536):
                pass
    assert measured(impatient, 'aureum_http_connections_ended_total{why="answer_not_read"}') >= 1


def test_as_many_connections_as_there_are_files_for(served_url: str, tenant: Tenant) -> None:
    with served(served_url, 120) as server, ExitStack() as stack:
        (told,) = logged(server, "few_open_files")
        limit = connection_limit(120, 4, None)
        assert (told["open_files"], told["connections"]) == (120, limit)
        flood = [stack.enter_context(connected(server, "127.0.0.3")) for _ in range(10)]
        for connection in flood:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        honest = stack.enter_context(connected(server, "127.0.0.4"))
        honest.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert honest.recv(65536).startswith(b"HTTP/1.1 200 ")
        for number in range(300):
            flood.append(stack.enter_context(connected(server, "127.0.0.3")))
            if number % 30 == 0:
                assert server.form(tenant, {"Idempotency-Key": f"k{number}"}, message=f"{number}").status == 200
        assert server.ask("GET", "/readyz").status == 200
        # The address that holds most makes room, not the one that has been idle longest.
        honest.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert honest.recv(65536).startswith(b"HTTP/1.1 200 ")
        until(lambda: any("for_room" in line for line in logged(server, "connections_ended")))
        # Connections that are kept are answered while others wait to be accepted.
        until(lambda: measured(server, 'aureum_http_connections_ended_total{why="for_room"}') >= 200)
        assert measured(server, "aureum_http_connection_limit") == limit
        assert measured(server, "aureum_http_connections") <= limit + 1


def test_where_all_are_being_answered_a_new_one_is_told(served_url: str, operator: Operator, tenant: Tenant) -> None:
    operator.fill(tenant, 1_200, message=MUCH)
    with served(served_url, max_connections="2") as server, ExitStack() as stack:
        for _ in range(2):
            reading = stack.enter_context(connected(server, buffer=4096))
            reading.sendall(streamed(tenant))
            assert reading.recv(100)
        answer = server.ask("GET", "/healthz")
        assert (answer.status, answer.json["code"], answer.headers["retry-after"]) == (503, "busy", "5")
        until(lambda: any("no_room" in line for line in logged(server, "connections_ended")))


def test_how_many_there_may_be() -> None:
    assert connection_limit(65_536, 4, None) == 65_536 - OWN_FILES - 4 - SPARE
    assert connection_limit(65_536, 4, 2_000) == 2_000
    assert connection_limit(64, 4, 2_000) == 8


def test_progress() -> None:
    def stuck(progress: Progress, now: float, amount: int) -> bool:
        return progress.stuck(now, amount, 20, 500, 60)

    standing = Progress(0, 100)
    assert [stuck(standing, now, 100) for now in (10, 19.9, 20)] == [False, False, True]
    going = Progress(0, 0)
    assert not any(stuck(going, now, now * 600) for now in range(1, 500))
    dripping = Progress(0, 0)
    assert [stuck(dripping, now, now) for now in range(1, 61)].index(True) == 59
    stopping = Progress(0, 0)
    assert not stuck(stopping, 1, 990_000)
    assert stuck(stopping, 21, 990_000), "what came fast at first is no credit"
