import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from aureum.http.wire.bodies import Headers, json_object, read_body
from aureum.http.wire.errors import BodyTooLarge, ClientGone, HttpError, InvalidRequest, NotJson, Problem, render
from tests.examples import examples

JSON: Headers = [(b"content-type", b"application/json")]
GONE: Message = {"type": "http.disconnect"}


def chunk(body: bytes, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def receiving(*messages: Message) -> Receive:
    """What a server hands over, message by message; to ask for more than there is fails."""
    rest: Iterator[Message] = iter(messages)

    async def receive() -> Message:
        return next(rest)

    return receive


def read(*messages: Message, headers: Headers = (), limit: int = 10) -> bytes:
    return asyncio.run(read_body(receiving(*messages), headers, limit))


async def read_object(receive: Receive, headers: Headers) -> dict[str, Any]:
    return json_object(await read_body(receive, headers), headers)


def problem(body: bytes) -> Problem:
    with pytest.raises(InvalidRequest) as refused:
        json_object(body, JSON)
    (only,) = refused.value.problems
    return only


@pytest.mark.parametrize(
    ("messages", "body"),
    [
        ([chunk(b"")], b""),
        ([{"type": "http.request"}], b""),
        ([chunk(b"0123456789")], b"0123456789"),
        ([chunk(b"01234", more=True), chunk(b"56789")], b"0123456789"),
        ([chunk(b"", more=True), chunk(b"01", more=True), chunk(b"", more=True), chunk(b"")], b"01"),
    ],
)
def test_a_body_is_read_to_its_end(messages: list[Message], body: bytes) -> None:
    assert read(*messages) == body


@pytest.mark.parametrize("length", [b"", b"0", b"10", b"nonsense", b"-1"])
def test_only_a_length_over_the_limit_counts(length: bytes) -> None:
    assert read(chunk(b"ok"), headers=[(b"content-length", length)]) == b"ok"


@pytest.mark.parametrize("length", [b"11", b"1000000", b"9" * 5_000])
def test_a_declared_length_over_the_limit_is_refused_unread(length: bytes) -> None:
    with pytest.raises(BodyTooLarge) as refused:
        read(headers=[(b"content-length", length)])
    assert refused.value.status == 413


def test_an_undeclared_body_is_refused_at_the_byte_too_many() -> None:
    with pytest.raises(BodyTooLarge):
        read(chunk(b"0123456789", more=True), chunk(b"x", more=True))
    with pytest.raises(BodyTooLarge):
        read(chunk(b"0123456789x"), headers=[(b"content-length", b"2")])


@pytest.mark.parametrize("messages", [[GONE], [chunk(b"{", more=True), GONE]])
def test_a_client_that_leaves(messages: list[Message]) -> None:
    with pytest.raises(ClientGone):
        read(*messages)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=8), st.integers(0, 40))
@settings(deadline=None, max_examples=examples(50))
def test_however_it_is_cut_the_body_is_the_same(parts: list[bytes], limit: int) -> None:
    whole = b"".join(parts)
    messages = [chunk(part, more=True) for part in parts[:-1]] + [chunk(parts[-1])]
    if len(whole) > limit:
        with pytest.raises(BodyTooLarge):
            read(*messages, limit=limit)
    else:
        assert read(*messages, limit=limit) == whole


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/json",
        b"application/json; charset=utf-8",
        b"Application/JSON;charset=UTF-8",
        b" application/json ; charset=utf-8",
        b"application/vnd.aureum+json",
        b"",
    ],
)
def test_json_by_its_content_type(content_type: bytes) -> None:
    assert json_object(b'{"a": 1}', [(b"content-type", content_type)]) == {"a": 1}


@pytest.mark.parametrize(
    "content_type",
    [
        b"text/plain",
        b"text/plain;charset=UTF-8",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=x",
        b"application/jsonp",
        b"application/json-seq",
        b"text/x+json",
        b"text/plain; application/json",
        b"\xff",
    ],
)
def test_another_content_type_is_415(content_type: bytes) -> None:
    with pytest.raises(NotJson) as refused:
        json_object(b'{"a": 1}', [(b"content-type", content_type)])
    assert refused.value.status == 415


def test_without_a_content_type_a_body_is_taken_as_json() -> None:
    assert json_object(b"{}", []) == {}
    assert asyncio.run(read_object(receiving(chunk(b'{"a":', more=True), chunk(b"1}")), [])) == {"a": 1}


MISSING = (("body",), "field required", "value_error.missing")
NO_OBJECT = (("body",), "value is not a valid dict", "type_error.dict")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", MISSING),
        (b"null", MISSING),
        (b"[]", NO_OBJECT),
        (b'[{"a": 1}]', NO_OBJECT),
        (b'"text"', NO_OBJECT),
        (b"5", NO_OBJECT),
        (b"true", NO_OBJECT),
    ],
)
def test_only_an_object_will_do(body: bytes, expected: tuple[object, ...]) -> None:
    assert problem(body)[:3] == expected


@pytest.mark.parametrize(
    ("body", "position", "msg"),
    [
        # In the words of Python's json module, as FastAPI answers.
        (b"{", 1, "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"nonsense", 0, "Expecting value: line 1 column 1 (char 0)"),
        (b" ", 1, "Expecting value: line 1 column 2 (char 1)"),
        (b'{"a": 1} x', 9, "Extra data: line 1 column 10 (char 9)"),
        (b'{"a": 1,}', 8, "Expecting property name enclosed in double quotes: line 1 column 9 (char 8)"),
        (b'{\n"a" 1}', 6, "Expecting ':' delimiter: line 2 column 5 (char 6)"),
        (b'{"\xc3\xa4": x}', 6, "Expecting value: line 1 column 7 (char 6)"),
        (b'{"a": "\x00"}', 7, "Invalid control character at: line 1 column 8 (char 7)"),
        (b"\xef\xbb\xbf{", 1, "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        # No JSON for us, though Python would take it.
        (b'{"a": "\xff"}', 7, "Body is not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', 7, "Body is not UTF-8"),
    ],
)
def test_broken_json(body: bytes, position: int, msg: str) -> None:
    assert problem(body)[:3] == (("body", position), msg, "value_error.jsondecode")
    assert problem(body).sentence == f"The request body is not valid JSON: {msg}."


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"a": "\\ud800"}', id="surrogate"),
        pytest.param(b'{"\\udc00": 1}', id="surrogate in a name"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": -Infinity}', id="infinity"),
        pytest.param(b'{"a": 1e999}', id="too large"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b'{"a": ' + b"9" * 5_000 + b"x}", id="too many digits"),
    ],
)
def test_what_only_python_takes_for_json(body: bytes) -> None:
    refused = problem(body)
    assert refused.loc[0] == "body" and isinstance(refused.loc[1], int)
    assert refused.type == "value_error.jsondecode" and refused.msg


@given(st.binary(max_size=60) | st.from_regex(rb'[\[\]{}",:0-9a-z\\u\xc3\xa4\s-]{1,60}', fullmatch=True))
@settings(deadline=None)
def test_any_bytes_are_an_object_or_a_refusal_that_renders(body: bytes) -> None:
    try:
        assert isinstance(json_object(body, JSON), dict)
    except HttpError as error:
        assert render(error, "aureum")[0] == 400
        assert render(error, "leads")[0] == 422


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers with what `read_object` makes of the request."""
    try:
        body = b"%d" % len(await read_object(receive, scope["headers"]))
        status, headers = 200, [(b"content-length", b"%d" % len(body))]
    except HttpError as error:
        status, headers, body = render(error, "aureum")
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def exchange(port: int, request: bytes) -> int:
    """Send the whole *request*, then read the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()


async def over_a_socket(*requests: bytes) -> list[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(echo, lifespan="off", log_config=None, proxy_headers=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        async with asyncio.timeout(30):
            return [await exchange(listener.getsockname()[1], request) for request in requests]
    finally:
        server.should_exit = True
        await serving


def post(body: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join((b"POST / HTTP/1.1", b"Host: localhost", *lines, b"", body))


def test_two_megabytes_over_a_socket_get_their_answer() -> None:
    """The client writes all of it before it reads: the refusal must still be there."""
    large = b'{"a": "' + b"x" * 2_000_000 + b'"}'
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(large), large)
    statuses = asyncio.run(
        over_a_socket(
            post(b"{}", b"Content-Length: 2"),
            post(large, b"Content-Length: %d" % len(large)),
            post(chunked, b"Transfer-Encoding: chunked"),
            post(b"{}", b"Content-Length: 2", b"Content-Type: text/plain"),
        )
    )
    assert statuses == [200, 413, 413, 415]


def test_headers_may_come_as_any_iterable() -> None:
    headers: Any = ((b"host", b"a"), (b"content-type", b"text/plain"))
    with pytest.raises(NotJson):
        json_object(b"{}", headers)
