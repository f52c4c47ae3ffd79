"""What holds for every request: dialects, methods, request ids, bytes that are no HTTP; and the operator's pages."""

import json
import re
import socket

import pytest

from aureum.http.wire.error_codes import CODES
from tests.http.operator import Operator, Tenant
from tests.http.serving import FORM, PATIENCE, Server, served, until

LEAD = "/api/leads/c" + "0" * 25


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/", "/api/leads/", "/api/lead", "/api/leads/a/b", f"{LEAD}/histories", "/api/portal",
     "/api/portal/1", "/api/leads/count/", "/api/contactx", "/api/contact/1",
     "//api/leads", "/%00", "/%FF", "/api/v2/leads",
     "/x" * 5_000],
)  # fmt: skip
def test_an_unknown_path_answers_in_the_dialect_of_the_aureum_api(server: Server, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = server.ask(method, path)
        assert (answer.status, answer.error) == (404, "This path does not exist.")


@pytest.mark.parametrize(
    ("path", "allow", "dialect"),
    [
        ("/api/contact", "OPTIONS, POST", "detail"),
        ("/api/leads/count", "GET, HEAD, OPTIONS", "detail"),
        ("/api/leads", "GET, HEAD, OPTIONS, POST", "error"),
        (LEAD, "GET, HEAD, OPTIONS, PATCH", "error"),
        (f"{LEAD}/history", "GET, HEAD, OPTIONS", "error"),
        ("/healthz", "GET, HEAD, OPTIONS", "error"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(server: Server, path: str, allow: str, dialect: str) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        if method in allow.split(", ") or (path, method) == ("/api/leads/count", "PATCH"):
            continue
        answer = server.ask(method, path)
        assert (answer.status, answer.headers["allow"], answer.code) == (405, allow, "method_not_allowed")
        assert next(iter(answer.json)) == dialect


def test_what_an_address_takes(server: Server) -> None:
    for path, allow in (("/api/leads", "GET, HEAD, OPTIONS, POST"), ("/healthz", "GET, HEAD, OPTIONS")):
        answer = server.ask("OPTIONS", path)
        assert (answer.status, answer.headers["allow"], answer.body) == (204, allow, b"")
    assert server.ask("OPTIONS", "/nowhere").status == 404


def test_a_head_is_a_get_without_a_body(server: Server, tenant: Tenant) -> None:
    assert server.form(tenant).status == 200
    (lead,) = server.by_key(tenant, "GET", "/api/leads").json

    for path in ("/api/leads?limit=1", f"/api/leads/{lead['id']}", f"/api/leads/{lead['id']}/history"):
        get, head = server.by_key(tenant, "GET", path), server.by_key(tenant, "HEAD", path)
        assert (head.status, head.body) == (200, b"")
        assert (head.headers["content-length"], head.etag) == (get.headers["content-length"], get.etag)
    assert server.by_key(tenant, "HEAD", "/api/leads").body == b""
    assert server.ask("HEAD", "/api/leads/count", host=tenant.domain).status == 200


def test_a_sane_request_id_comes_back(server: Server, operator: Operator) -> None:
    made = re.compile("[0-9a-f]{32}")
    for path in ("/api/leads", "/api/nothing", "/healthz", "/api/leads/count"):
        for given in ("r-1", "a" * 128, "00-abc.DEF:7_"):
            assert server.ask("GET", path, headers={"X-Request-Id": given}).headers["x-request-id"] == given
        for given in ("", "a" * 129, "a b", "é", "a/b", '"'):
            assert made.fullmatch(server.ask("GET", path, headers={"X-Request-Id": given}).headers["x-request-id"])
        first, second = server.ask("GET", path), server.ask("GET", path)
        assert first.headers["x-request-id"] != second.headers["x-request-id"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /api/leads HTTP/9.9\r\n\r\n",
        b"JUNK /api/leads HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/leads HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
        b"GET /api/leads HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /api/contact HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/contact HTTP/1.1\r\nHost: a\r\nContent-Length: 1e3\r\n\r\n",
        b"POST /api/contact HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /api/contact HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
        b"POST /api/contact HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_bytes_that_are_no_http_are_refused_and_do_no_harm(server: Server, request_bytes: bytes) -> None:
    head, _, body = server.raw(request_bytes).partition(b"\r\n\r\n")

    assert head.split()[1:2] in ([b"400"], [b"404"]), head
    code = re.search(rb"x-error-code: (\w+)", head)
    assert code is not None and code[1].decode() in CODES
    assert list(json.loads(body)) in (["error", "code"], ["detail"])
    names = {line.partition(b":")[0] for line in head.split(b"\r\n")[1:]}
    assert {b"x-request-id", b"content-type", b"x-content-type-options", b"date"} <= names
    assert server.ask("GET", "/healthz").status == 200


def test_many_and_odd_headers_do_no_harm(server: Server, tenant: Tenant) -> None:
    many = "".join(f"X-{number}: {number}\r\n" for number in range(2_000))
    request = (
        f"GET /api/leads HTTP/1.1\r\nHost: {tenant.domain}\r\nConnection: close\r\n{many}X: {'x' * 60_000}\r\n\r\n"
    )

    assert server.raw(request.encode()).startswith(b"HTTP/1.1 401")
    odd = {
        "Content-Type": "\xff",
        "Accept": "\xff;q=x",
        "If-None-Match": "\xff,,,",
        "Cookie": "=;=",
        "Range": "bytes=a",
    }
    assert server.by_key(tenant, "GET", "/api/leads", headers=odd).status == 200
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13"}
    assert server.by_key(tenant, "GET", "/api/leads", headers=upgrade).status == 200


CHUNKED = b"POST /api/contact HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "again"),
    [
        (b"GET /", b"a" * 10_000),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: %s\r\n" % (b"x" * 10_000)),
        (b"GET / HTTP/1.1\r\nX: ", b"x" * 10_000),
        (CHUNKED % b"a", b"1\r\n \r\n" * 1_000),
        (CHUNKED % b"a" + b"0\r\n", b"X: %s\r\n" % (b"x" * 10_000)),
    ],
    ids=["path", "headers", "header", "chunks", "trailers"],
)
def test_what_never_ends_is_cut_off(server: Server, begin: bytes, again: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(begin)
        sent = 0
        # Sockets on the way take up some megabytes that the server never reads.
        with pytest.raises(ConnectionError):
            while sent < 100_000_000:
                connection.sendall(again)
                sent += len(again)

    assert server.ask("GET", "/healthz").status == 200


def test_a_body_in_many_chunks_is_taken(server: Server, tenant: Tenant) -> None:
    content = json.dumps(FORM).encode().ljust(900_000)
    chunks = b"".join(b"fa0\r\n%s\r\n" % content[place : place + 4_000] for place in range(0, 900_000, 4_000))

    answers = server.raw(CHUNKED % tenant.domain.encode() + chunks + b"0\r\nX-Trailer: 1\r\n\r\n")

    assert answers.startswith(b"HTTP/1.1 200 OK")


def test_a_visitor_who_goes_away_is_no_error(server: Server, tenant: Tenant) -> None:
    head = f"POST /api/contact HTTP/1.1\r\nHost: {tenant.domain}\r\nX-Request-Id: gone-1\r\nContent-Length: 500\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(f"{head}\r\n{{".encode())

    until(lambda: '"gone-1"' in server.logged())
    assert '"status":400' in next(line for line in server.logged().splitlines() if '"gone-1"' in line)
    assert server.by_key(tenant, "GET", "/api/leads").json == []


def test_one_connection_serves_many_requests(server: Server, tenant: Tenant) -> None:
    request = f"GET /api/leads/count HTTP/1.1\r\nHost: {tenant.domain}\r\n"

    answers = server.raw(f"{request}\r\n{request}\r\n{request}Connection: close\r\n\r\n".encode())

    assert answers.count(b"HTTP/1.1 200 OK") == answers.count(b'"total":0}') == 3


def test_head_and_body_of_an_answer_come_in_one_piece(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        for _ in range(50):
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            head, end, body = connection.recv(65_536).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ") and end and body


def test_answers_without_a_body_and_after_100_continue_come_too(server: Server, tenant: Tenant) -> None:
    key = f"Host: x\r\nAuthorization: Bearer {tenant.key}\r\n"
    etag = server.by_key(tenant, "GET", "/api/tasks?limit=1").etag
    asked = [
        f"HEAD /api/tasks?limit=1 HTTP/1.1\r\n{key}\r\n",
        f"GET /api/tasks?limit=1 HTTP/1.1\r\n{key}If-None-Match: {etag}\r\n\r\n",
        f"OPTIONS /api/tasks HTTP/1.1\r\n{key}\r\n",
        f"POST /api/tasks HTTP/1.1\r\n{key}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    ]
    found = []
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        for request in (*asked, "{}"):
            connection.sendall(request.encode())
            found.append(connection.recv(65_536)[:13])
    assert found == [b"HTTP/1.1 " + status for status in (b"200 ", b"304 ", b"204 ", b"100 ", b"400 ")]


def test_the_process_says_that_it_lives_and_is_ready_whatever_the_host(server: Server) -> None:
    for host in ("127.0.0.1", "nobody.example.com", None, "a b"):
        assert server.ask("GET", "/healthz", host=host).json == {"status": "ok"}
        assert server.ask("GET", "/readyz", host=host).json == {"status": "ready"}


def test_metrics_count_requests_by_route(server: Server, tenant: Tenant) -> None:
    def count(line: str) -> float:
        text = server.ask("GET", "/metrics").body.decode()
        found = re.search(rf"^{re.escape(line)} ([0-9.e+]+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    line = 'aureum_http_requests_total{method="GET",route="/api/leads/{id}",status="404"}'
    before = count(line)

    server.by_key(tenant, "GET", LEAD)
    server.by_key(tenant, "GET", "/api/leads/jane.doe@example.com")

    assert count(line) == before + 2
    text = server.ask("GET", "/metrics").body.decode()
    assert "jane.doe" not in text
    assert tenant.slug not in text


def test_what_is_under_way_is_finished_before_the_process_ends(
    served_url: str, operator: Operator, tenant: Tenant
) -> None:
    content = json.dumps(FORM).encode()
    head = f"POST /api/contact HTTP/1.1\r\nHost: {tenant.domain}\r\nContent-Length: {len(content)}\r\n\r\n"
    before = operator.head(tenant)
    with (
        served(served_url) as ending,
        socket.create_connection(("127.0.0.1", ending.port), timeout=PATIENCE) as connection,
    ):
        connection.sendall(head.encode() + content[:10])
        assert ending.form(tenant).status == 200

        ending.process.terminate()
        until(lambda: refused(ending))
        connection.sendall(content[10:])

        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK")
        assert ending.process.wait(PATIENCE) == 0
        assert ending.logged().count('"route":"/api/contact","status":200') == 2
    assert operator.head(tenant) == before + 2


def refused(server: Server) -> bool:
    """Whether connections are not accepted any more."""
    try:
        server.ask("GET", "/healthz")
    except OSError:
        return True
    return False
