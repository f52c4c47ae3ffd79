"""One attempt against real servers on loopback, from the friendly to the hostile."""

import asyncio
import errno
import gzip
import resource
import socket
import struct
from ipaddress import IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.webhooks.sending.addresses import Network
from aureum.webhooks.sending.results import Failure, SendResult
from aureum.webhooks.sending.sender import MAX_EXCERPT, Sender
from tests.examples import examples
from tests.webhooks.conftest import Run
from tests.webhooks.receiver import Answer, raw, receiving, text

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"),)
BODY = b'{"event":"lead.created"}'
HEADERS = {"Content-Type": "application/json", "X-Aureum-Event": "lead.created"}


async def answered(answer: Answer, *, limit: float = 5, body: bytes = BODY, read_body: bool = True) -> SendResult:
    """What `send` makes of *answer*, within *limit* seconds."""
    async with receiving(answer, read_body=read_body) as receiver, Sender(LOOPBACK, timeout=limit) as sender:
        return await sender.send(receiver.url, HEADERS, body)


async def reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection with a TCP reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def hang(writer: asyncio.StreamWriter) -> None:
    """Answers nothing, until the test is over."""
    await asyncio.Event().wait()


def drip(head: bytes, piece: bytes) -> Answer:
    """Answers *head*, then *piece* again and again, slowly enough that no read times out."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)  # the pace is what is tested

    return answer


def test_success(run: Run) -> None:
    async def scenario() -> None:
        async with receiving(text("200 OK", "thanks")) as receiver, Sender(LOOPBACK) as sender:
            result = await sender.send(receiver.url + "?a=b", HEADERS, BODY)
            assert result == SendResult(200, None, result.duration_ms, b"thanks", None)
            assert 0 <= result.duration_ms < 5000
            (request,) = receiver.requests
            assert request.line == "POST /hooks?a=b HTTP/1.1"
            assert request.body == BODY
            assert (
                request.headers.items()
                >= {
                    "content-type": "application/json",
                    "x-aureum-event": "lead.created",
                    "host": f"127.0.0.1:{receiver.port}",
                    "accept-encoding": "identity",
                }.items()
            )

    run(scenario())


@pytest.mark.parametrize(
    ("head", "status", "error"),
    [
        ("204 No Content", 204, None),
        ("202 Accepted", 202, None),
        ("299 Fine", 299, None),
        ("304 Not Modified", 304, Failure.HTTP_3XX),
        ("400 Bad Request", 400, Failure.HTTP_4XX),
        ("410 Gone", 410, Failure.HTTP_4XX),
        ("500 Internal Server Error", 500, Failure.HTTP_5XX),
        ("599 Whatever", 599, Failure.HTTP_5XX),
        ("600 Whatever", 600, Failure.PROTOCOL),
        ("101 Switching Protocols\nUpgrade: websocket\nConnection: upgrade", 101, Failure.PROTOCOL),
    ],
)
def test_only_2xx_is_success(run: Run, head: str, status: int, error: Failure | None) -> None:
    async def scenario() -> None:
        result = await answered(text(head))
        assert (result.status, result.error) == (status, error)

    run(scenario())


def test_retry_after_is_handed_on(run: Run) -> None:
    async def scenario() -> None:
        result = await answered(text("429 Too Many Requests\nRetry-After: 3600", "slow down"))
        assert result == SendResult(429, Failure.HTTP_4XX, result.duration_ms, b"slow down", "3600")

    run(scenario())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(run: Run, status: int) -> None:
    async def scenario() -> None:
        async with (
            receiving(text("200 OK")) as target,
            receiving(text(f"{status} Elsewhere\nLocation: {target.url}")) as receiver,
            Sender(LOOPBACK) as sender,
        ):
            result = await sender.send(receiver.url, HEADERS, BODY)
            assert (result.status, result.error) == (status, Failure.HTTP_3XX)
            assert (target.connections, len(receiver.requests)) == (0, 1)

    run(scenario())


def test_early_hints_are_no_answer_yet(run: Run) -> None:
    async def scenario() -> None:
        result = await answered(raw(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
        assert (result.status, result.error, result.response_excerpt) == (200, None, b"ok")

    run(scenario())


@pytest.mark.parametrize(
    "answer",
    [
        hang,
        drip(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
        drip(b"HTTP/1.1 200 O", b"K"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["hang", "header drip", "status drip", "endless 100 Continue"],
)
def test_no_answer_in_time(run: Run, answer: Answer) -> None:
    async def scenario() -> None:
        result = await answered(answer, limit=0.3)
        assert (result.status, result.error) == (None, Failure.TIMEOUT)
        assert 290 <= result.duration_ms < 2000

    run(scenario())


def test_a_body_that_drips_ends_with_the_time(run: Run) -> None:
    async def scenario() -> None:
        for status, error in ((200, None), (500, Failure.HTTP_5XX)):
            head = f"HTTP/1.1 {status} X\r\nContent-Length: 100000\r\n\r\n".encode()
            result = await answered(drip(head, b"a"), limit=0.3)
            assert (result.status, result.error) == (status, error), "the head has decided"
            assert 290 <= result.duration_ms < 2000
            assert 1 <= len(result.response_excerpt) < 100 and set(result.response_excerpt) == {ord("a")}

    run(scenario())


@pytest.mark.parametrize("head", [b"Transfer-Encoding: chunked", b"Content-Length: 999999999999", b"Connection: close"])
def test_an_endless_body_is_cut_off(run: Run, head: bytes) -> None:
    piece = b"a" * 8192
    if b"chunked" in head:
        piece = b"2000\r\n" + piece + b"\r\n"
    written = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
        while True:
            writer.write(piece)
            await writer.drain()
            written += len(piece)

    async def scenario() -> None:
        async with receiving(answer) as receiver, Sender(LOOPBACK) as sender:
            result = await sender.send(receiver.url, HEADERS, BODY)
            assert (result.status, result.error, result.response_excerpt) == (200, None, b"a" * MAX_EXCERPT)
            assert result.duration_ms < 2000
            await receiver.until_ended(1)  # closed by the sender, not drained
            assert written < 20_000_000

    run(scenario())


def test_a_gzip_bomb_is_not_inflated(run: Run) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()

    async def scenario() -> None:
        result = await answered(raw(head + bomb))
        assert (result.status, result.error, result.response_excerpt) == (200, None, bomb[:MAX_EXCERPT])

    run(scenario())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (raw(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 65536 + b"\r\n\r\n"), Failure.TOO_LARGE),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"X-More: 1\r\n" * 100_000 + b"\r\n"), Failure.TOO_LARGE),
        (raw(b"HTTP/1.1 200 " + b"a" * 65536 + b"\r\n\r\n"), Failure.TOO_LARGE),
        (raw(b"SSH-2.0-OpenSSH_9.9\r\n"), Failure.PROTOCOL),
        (raw(b"HTTP/1.1 99 Low\r\n\r\n", close=True), Failure.PROTOCOL),
        (raw(b"", close=True), Failure.RESET),
        (raw(b"HTTP/1.1 200 OK\r\nX: ", close=True), Failure.RESET),
        (reset, Failure.RESET),
    ],
    ids=[
        "long header",
        "many headers",
        "long status",
        "ssh",
        "99",
        "closed",
        "half a head",
        "reset",
    ],
)
def test_what_is_no_answer(run: Run, answer: Answer, error: Failure) -> None:
    async def scenario() -> None:
        result = await answered(answer)
        assert result == SendResult(None, error, result.duration_ms, b"", None)
        assert result.duration_ms < 2000

    run(scenario())


async def _ok_then_reset(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    await writer.drain()
    await reset(writer)


@pytest.mark.parametrize(
    "answer",
    [
        _ok_then_reset,
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", close=True),
        raw(b"HTTP/1.1 200 OK\r\n\r\nabc\xff\x00", close=True),
    ],
    ids=["reset", "short", "bytes until close"],
)
def test_after_the_head_nothing_turns_success_into_failure(run: Run, answer: Answer) -> None:
    async def scenario() -> None:
        result = await answered(answer)
        assert (result.status, result.error) == (200, None)
        assert result.response_excerpt in (b"abc", b"", b"abc\xff\x00")

    run(scenario())


def test_a_large_body_arrives_whole(run: Run) -> None:
    async def scenario() -> None:
        large = bytes(range(256)) * 12_000
        async with receiving(text("200 OK")) as receiver, Sender(LOOPBACK) as sender:
            assert (await sender.send(receiver.url, HEADERS, large)).error is None
            (request,) = receiver.requests
            assert request.body == large and request.headers["content-length"] == str(len(large))

    run(scenario())


def test_an_answer_before_the_body_was_read_counts(run: Run) -> None:
    async def scenario() -> None:
        result = await answered(text("200 OK", "quick"), body=b"x" * 500_000, read_body=False)
        assert (result.status, result.error, result.response_excerpt) == (200, None, b"quick")

    run(scenario())


def test_refused(run: Run) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        async with Sender(LOOPBACK) as sender:
            result = await sender.send(f"http://127.0.0.1:{port}/", HEADERS, BODY)
            assert (result.status, result.error) == (None, Failure.REFUSED)

    run(scenario())


def test_connections_are_kept_for_the_next_attempt(run: Run) -> None:
    async def scenario() -> None:
        async with receiving(text("200 OK", "a" * 10_000)) as receiver, Sender(LOOPBACK) as sender:
            for _ in range(5):
                assert (await sender.send(receiver.url, HEADERS, BODY)).error is None
            assert (receiver.connections, len(receiver.requests)) == (1, 5)

    run(scenario())


def test_connections_are_kept_to_so_many_hosts(run: Run) -> None:
    async def scenario() -> None:
        async with (
            receiving(text("200 OK")) as one,
            receiving(text("200 OK")) as two,
            receiving(text("200 OK")) as three,
            Sender(LOOPBACK, kept_hosts=2) as sender,
        ):
            for receiver in (one, two, three, one, two, three):
                assert (await sender.send(receiver.url, HEADERS, BODY)).error is None
            assert [receiver.connections for receiver in (one, two, three)] == [1, 1, 2]
            await three.until_ended(2)

    run(scenario())


def test_a_cancelled_attempt_closes_its_connection(run: Run) -> None:
    async def scenario() -> None:
        asked = asyncio.Event()

        async def answer(writer: asyncio.StreamWriter) -> None:
            asked.set()  # and no more: the server now waits for the connection's end

        async with receiving(answer) as receiver, Sender(LOOPBACK) as sender:
            attempt = asyncio.create_task(sender.send(receiver.url, HEADERS, BODY))
            await asked.wait()
            attempt.cancel()
            await asyncio.wait([attempt])
            assert attempt.cancelled()
            await receiver.until_ended(1)

    run(scenario())


def test_a_fault_of_this_machine_is_not_the_endpoints(run: Run) -> None:
    async def scenario() -> None:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        async with receiving(text("200 OK")) as receiver, Sender(LOOPBACK) as sender:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
            try:
                with pytest.raises(OSError, match="cannot be sent") as raised:
                    await sender.send(receiver.url, HEADERS, BODY)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            assert raised.value.errno == errno.EMFILE
            assert (await sender.send(receiver.url, HEADERS, BODY)).error is None

    run(scenario())


@settings(max_examples=examples(60), deadline=None)
@given(
    st.binary(max_size=200)
    | st.builds(b"HTTP/1.1 %d X\r\n%b\r\n\r\n%b".__mod__, st.tuples(st.integers(0, 1000), st.binary(), st.binary()))
)
def test_any_bytes_are_a_result(data: bytes) -> None:
    async def scenario() -> None:
        result = await answered(raw(data, close=True), limit=2)
        assert result.error != Failure.TIMEOUT
        assert (result.error is None) == (result.status is not None and 200 <= result.status <= 299)

    asyncio.run(scenario())
