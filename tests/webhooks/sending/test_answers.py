"""What real receivers answer, framed as well or badly as they do: a whole 2xx status line and head is success.

Each answer comes in one packet, with the body in a second one, and byte by byte.
"""

import asyncio
import gzip
import re
import socket
import struct
from collections.abc import Sequence
from ipaddress import IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.webhooks.sending.addresses import Network
from aureum.webhooks.sending.answers import MAX_HEAD
from aureum.webhooks.sending.results import Failure, SendResult
from aureum.webhooks.sending.sender import Sender
from tests.examples import examples
from tests.webhooks.conftest import Run
from tests.webhooks.receiver import Answer, receiving

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"),)
BODY = b'{"event":"lead.created"}'
HEADERS = {"Content-Type": "application/json"}

OK = b"HTTP/1.1 200 OK\r\n"
GZIP = b"Content-Encoding: gzip\r\n"

DELIVERED = {
    # Content-Length
    "as it should be": OK + b"Content-Length: 2\r\n\r\nok",
    "nothing but the head": OK + b"Content-Length: 0\r\n\r\n",
    "longer than it says": OK + b"Connection: close\r\nContent-Length: 15\r\n\r\n" + b"a" * 17,
    "longer than it says, kept open": OK + b"Content-Length: 15\r\n\r\n" + b"a" * 17,
    "a line end too much": OK + b"Content-Length: 2\r\n\r\nok\r\n",
    "shorter than it says": OK + b"Connection: close\r\nContent-Length: 20\r\n\r\nok",
    "length 0 and a body": OK + b"Content-Length: 0\r\n\r\nok",
    "the same length twice": OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "a list of lengths": OK + b"Content-Length: 2, 2\r\n\r\nok",
    "a length that is no number": OK + b"Content-Length: two\r\n\r\nok",
    "an empty length": OK + b"Content-Length:\r\n\r\nok",
    "a negative length": OK + b"Content-Length: -1\r\n\r\nok",
    "a length beyond any": OK + b"Content-Length: 99999999999999999999999999\r\n\r\nok",
    "no length, closed": OK + b"\r\nok",
    # Transfer-Encoding
    "chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunked with a trailer": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
    "chunked with an extension": OK + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\n\r\n",
    "chunked, and a length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "a length, and chunked": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
    "chunked, but it is not": OK + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
    "a chunk of another size": OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nok\r\n0\r\n\r\n",
    "no last chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    "more after the last chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nmore",
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "an unknown encoding": OK + b"Transfer-Encoding: rot13\r\n\r\nbx",
    # no body allowed
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "204 with a length": b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
    "204 with a body": b"HTTP/1.1 204 No Content\r\n\r\nok",
    "204 chunked": b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "205 with a body": b"HTTP/1.1 205 Reset Content\r\n\r\nok",
    # status lines and heads
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nok",
    "HTTP/1.0, kept open": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
    "no reason, but its blank": b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok",
    "a reason of bytes": b"HTTP/1.1 200 \xff\xfe\r\nContent-Length: 2\r\n\r\nok",
    "two blanks": b"HTTP/1.1  200  OK\r\nContent-Length: 2\r\n\r\nok",
    "a version of the future": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "a version of one figure": b"HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "an empty line before": b"\r\n" + OK + b"Content-Length: 2\r\n\r\nok",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "mixed line ends": b"HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\nok",
    "names in lower case": b"HTTP/1.1 200 ok\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
    "no headers": OK + b"\r\n",
    "a header of bytes": OK + b"X-Name: \xc3\xa9\xff\r\nContent-Length: 2\r\n\r\nok",
    "a header with NUL": OK + b"X-Name: a\x00b\r\nContent-Length: 2\r\n\r\nok",
    "a header of several lines": OK + b"X-Name: a\r\n  b\r\nContent-Length: 2\r\n\r\nok",
    "a header without a colon": OK + b"no colon here\r\nContent-Length: 2\r\n\r\nok",
    "a blank before the colon": OK + b"Content-Length : 2\r\n\r\nok",
    "a header without a name": OK + b": 2\r\n\r\nok",
    "a long header": OK + b"Content-Security-Policy: " + b"a" * 20_000 + b"\r\nContent-Length: 2\r\n\r\nok",
    "many headers": OK + b"".join(b"Set-Cookie: a%d=1\r\n" % i for i in range(300)) + b"Content-Length: 2\r\n\r\nok",
    # before and after
    "100 before": b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok",
    "103 before": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok",
    "100 before, and too long": b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nok",
    "100 before, with two lengths": b"HTTP/1.1 100 Go\r\n\r\n"
    + OK
    + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nok",
    "another answer after": OK + b"Content-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
    "half an answer after": OK + b"Content-Length: 2\r\n\r\nokHTTP/1.1 5",
    "bytes after": OK + b"Content-Length: 2\r\n\r\nok\x00\xff\xfe",
    # encodings
    "gzip": OK + GZIP + b"Connection: close\r\n\r\n" + gzip.compress(b"ok"),
    "gzip that is none": OK + GZIP + b"Content-Length: 2\r\n\r\nok",
    "gzip that breaks off": OK + GZIP + b"Content-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
    "an upgrade that was not asked for": OK + b"Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\nok",
    "an event stream": OK + b"Content-Type: text/event-stream\r\n\r\ndata: ok\n\n",
}

NOT_DELIVERED = {
    "nothing": (b"", Failure.RESET),
    "no end of the status line": (b"HTTP/1.1 200 OK", Failure.RESET),
    "no end of the head": (OK + b"Content-Length: 2\r\n", Failure.RESET),
    "no end of the head, which is odd": (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n", Failure.RESET),
    "an interim answer alone": (b"HTTP/1.1 102 Processing\r\n\r\n", Failure.RESET),
    "an interim answer, half a head": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, Failure.RESET),
    "ssh": (b"SSH-2.0-OpenSSH_9.9\r\n", Failure.PROTOCOL),
    "a page without a head": (b"<html>200 OK</html>\r\n\r\n", Failure.PROTOCOL),
    "a status of four figures": (b"HTTP/1.1 2000 OK\r\n\r\n", Failure.PROTOCOL),
    "a status of words": (b"HTTP/1.1 OK 200\r\n\r\n", Failure.PROTOCOL),
    "TLS": (b"\x15\x03\x01\x00\x02\x02\x0a", Failure.PROTOCOL),
}
"""And closed. What kind of failure it is may depend on where the packets end."""

REFUSED = {
    "500 that is longer than it says": (b"HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\nno", 500, Failure.HTTP_5XX),
    "410 with two lengths": (
        b"HTTP/1.1 410 Gone\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        410,
        Failure.HTTP_4XX,
    ),
    "302 with a bad chunk": (
        b"HTTP/1.1 302 X\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        302,
        Failure.HTTP_3XX,
    ),
    "500 with 200 after it": (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" + OK + b"\r\n", 500, Failure.HTTP_5XX),
}


def in_packets(packets: Sequence[bytes], *, pause: float = 0.0, close: bool = True) -> Answer:
    """Answers each of *packets* in a packet of its own."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for packet in packets:
            writer.write(packet)
            await writer.drain()
            await asyncio.sleep(pause)  # the other side reads what has come so far
        if close:
            writer.close()

    return answer


async def answered(answer: Answer, limit: float = 10) -> SendResult:
    async with receiving(answer) as receiver, Sender(LOOPBACK, timeout=limit) as sender:
        return await sender.send(receiver.url, HEADERS, BODY)


def framings(data: bytes) -> list[Answer]:
    """In one packet; with what follows the head in a second one; byte by byte where that is not too slow."""
    head = data.find(b"\r\n\r\n") + 4
    pieces = [data[at : at + max(1, len(data) // 200)] for at in range(0, len(data), max(1, len(data) // 200))]
    return [in_packets([data]), in_packets([data[:head], data[head:]], pause=0.02), in_packets(pieces)]


@pytest.mark.parametrize("name", DELIVERED)
def test_a_whole_head_is_success(run: Run, name: str) -> None:
    status = re.search(rb"HTTP/\S+ +(2[0-9][0-9])", DELIVERED[name])
    assert status

    async def scenario() -> None:
        for answer in framings(DELIVERED[name]):
            result = await answered(answer)
            assert (result.status, result.error) == (int(status[1]), None)

    run(scenario())


@pytest.mark.parametrize("name", NOT_DELIVERED)
def test_what_is_no_whole_head_is_none(run: Run, name: str) -> None:
    data, error = NOT_DELIVERED[name]

    async def scenario() -> None:
        for answer in framings(data):
            result = await answered(answer)
            assert (result.status, result.error) == (None, error)

    run(scenario())


@pytest.mark.parametrize("name", REFUSED)
def test_a_whole_head_that_refuses(run: Run, name: str) -> None:
    data, status, error = REFUSED[name]

    async def scenario() -> None:
        for answer in framings(data):
            result = await answered(answer)
            assert (result.status, result.error) == (status, error)

    run(scenario())


@pytest.mark.parametrize(
    ("data", "excerpt"),
    [
        (OK + b"Connection: close\r\nContent-Length: 15\r\n\r\n" + b"a" * 17, b"a" * 17),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", b"nonsense\r\n"),
        (OK + b"Content-Length: 20\r\n\r\nok", b"ok"),
        (OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", b"ok"),
    ],
)
def test_what_came_with_the_head_is_shown(run: Run, data: bytes, excerpt: bytes) -> None:
    async def scenario() -> None:
        assert (await answered(in_packets([data]))).response_excerpt == excerpt

    run(scenario())


def test_retry_after_of_an_odd_answer_is_handed_on(run: Run) -> None:
    async def scenario() -> None:
        result = await answered(in_packets([b"HTTP/1.1 429 Slow\r\nretry-after: 60\r\nContent-Length: 0\r\n\r\nslow"]))
        assert (result.status, result.error, result.retry_after) == (429, Failure.HTTP_4XX, "60")

    run(scenario())


def test_a_reset_behind_the_head(run: Run) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"Content-Length: 10\r\n\r\nabc")
        await writer.drain()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def scenario() -> None:
        result = await answered(answer)
        assert (result.status, result.error) == (200, None)

    run(scenario())


def test_a_bad_body_does_not_hold_the_attempt_up(run: Run) -> None:
    """The rest of the body is broken, and the connection stays open."""

    async def scenario() -> None:
        packets = [OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", b"nonsense\r\n"]
        result = await answered(in_packets(packets, pause=0.1, close=False))
        assert (result.error, result.response_excerpt) == (None, b"ok")
        assert result.duration_ms < 3000

    run(scenario())


@pytest.mark.parametrize("name", ["a long header", "a header with NUL", "204 with a body", "two lengths"])
def test_an_odd_answer_ends_the_attempt_at_once(run: Run, name: str) -> None:
    async def scenario() -> None:
        result = await answered(in_packets([DELIVERED[name]], close=False))
        assert result.error is None and result.duration_ms < 3000

    run(scenario())


def test_a_head_beyond_the_limit(run: Run) -> None:
    async def scenario() -> None:
        for head in (b"X: " + b"a" * MAX_HEAD, b"X: a\r\n" * (MAX_HEAD // 6), b"no colon\r\n" * (MAX_HEAD // 10)):
            result = await answered(in_packets([OK + head + b"\r\n\r\n"]))
            assert (result.status, result.error) == (None, Failure.TOO_LARGE)

    run(scenario())


ODD = [
    "longer than it says, kept open",
    "204 with a body",
    "a line end too much",
    "half an answer after",
    "two lengths",
]
ODD += ["another answer after", "more after the last chunk", "chunked, and a length", "bytes after"]


@pytest.mark.parametrize("name", ODD)
def test_no_connection_is_used_again_after_an_odd_answer(run: Run, name: str) -> None:
    async def scenario() -> None:
        answer = in_packets([DELIVERED[name]], close=False)
        async with receiving(answer) as receiver, Sender(LOOPBACK) as sender:
            for _ in range(3):
                assert (await sender.send(receiver.url, HEADERS, BODY)).error is None
            assert (receiver.connections, len(receiver.requests)) == (3, 3)

    run(scenario())


def test_what_comes_later_is_not_taken_for_the_next_answer(run: Run) -> None:
    """The first answer is followed by another one, while the connection waits for the next request."""
    later = asyncio.Event()
    asked = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
            return
        writer.write(OK + b"Content-Length: 2\r\n\r\nok")
        await writer.drain()
        await later.wait()
        writer.write(OK + b"Content-Length: 2\r\n\r\nok")
        await writer.drain()

    async def scenario() -> None:
        async with receiving(answer) as receiver, Sender(LOOPBACK) as sender:
            assert (await sender.send(receiver.url, HEADERS, BODY)).error is None
            later.set()
            await receiver.until_ended(1)
            assert (await sender.send(receiver.url, HEADERS, BODY)).status == 500

    run(scenario())


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,15}", fullmatch=True).map(str.encode)
LINES = st.builds(
    b"%b: %b".__mod__, st.tuples(NAMES, st.binary(max_size=12).map(lambda value: value.translate(None, b"\r\n")))
) | st.sampled_from(
    [
        b"Content-Length: 3",
        b"Content-Length: 0",
        b"Content-Length: x",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"Connection: keep-alive",
        b"Content-Encoding: gzip",
        b"Upgrade: websocket",
        b"no colon",
    ]
)


@st.composite
def answers(draw: st.DrawFn) -> tuple[int | None, list[bytes]]:
    """Status of an answer with any head and any bytes behind it, in any packets; None if the head is not whole."""
    end = draw(st.sampled_from([b"\r\n", b"\n"]))
    status = draw(st.integers(200, 599))
    reason = draw(st.sampled_from([b"", b" ", b" OK", b" \xff"]))
    interim = draw(st.sampled_from([b"", b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 X\r\nLink: a\r\n\r\n"]))
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    lines = draw(st.lists(LINES, max_size=5))
    head = interim + b"HTTP/%b %d%b" % (version, status, reason) + end + b"".join(line + end for line in lines)
    if draw(st.integers(0, 4)) == 0:
        whole, data = None, head[: draw(st.integers(0, len(head)))]
    else:
        whole, data = status, head + end + draw(st.binary(max_size=60))
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=8)))
    return whole, [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if a < b]


@settings(max_examples=examples(400), deadline=None)
@given(answers())
def test_any_head_in_any_packets(answer: tuple[int | None, list[bytes]]) -> None:
    status, packets = answer
    result = asyncio.run(answered(in_packets(packets), limit=5))
    assert result.status == status
    assert (result.error is None) == (status is not None and status <= 299)
