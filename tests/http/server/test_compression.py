"""Answers in the client's encoding: the same, shorter, and lists still as they are read."""

import asyncio
import gzip
import re
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]  # it has no types
import pytest
import zstandard
from starlette.responses import StreamingResponse
from starlette.types import Message

from aureum.http.contract.lists import CHUNK
from aureum.http.wire.compression import Compressed
from tests.http.operator import Operator, Tenant
from tests.http.serving import MUCH, Server

Decoder = Callable[[bytes], bytes]

WHOLE: dict[str, Decoder] = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
}


def begun(encoding: str) -> Decoder:
    """Decodes the beginning of a stream as far as it goes."""
    decoders: dict[str, Any] = {
        "gzip": lambda: zlib.decompressobj(31).decompress,
        "br": lambda: brotli.Decompressor().process,
        "zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
    }
    decoder: Decoder = decoders[encoding]()
    return decoder


@pytest.mark.parametrize("encoding", WHOLE)
def test_it_says_the_same_under_the_same_etag(server: Server, tenant: Tenant, encoding: str) -> None:
    lead = server.lead(tenant, message="x" * 1_000)
    for path in ("/api/leads", "/api/leads?limit=2", f"/api/leads/{lead['id']}", "/openapi.json", "/metrics"):
        plain = server.by_key(tenant, "GET", path)
        short = server.by_key(tenant, "GET", path, headers={"Accept-Encoding": encoding})

        assert (short.status, short.headers["content-encoding"]) == (200, encoding)
        assert short.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert "content-encoding" not in plain.headers
        assert len(short.body) < len(plain.body)
        if path == "/metrics":
            continue
        assert WHOLE[encoding](short.body) == plain.body
        assert short.etag == plain.etag
        sent = {"Accept-Encoding": encoding, "If-None-Match": short.etag}
        known = server.by_key(tenant, "GET", path, headers=sent)
        assert (known.status, known.body, known.etag) == (304, b"", plain.etag)
        assert "content-encoding" not in known.headers


def test_the_best_that_is_taken(server: Server, tenant: Tenant) -> None:
    server.lead(tenant, message="x" * 1_000)
    for accepted, encoding in {
        "gzip, deflate, br, zstd": "zstd",
        "gzip, br": "br",
        "br;q=0, gzip": "gzip",
        "deflate": None,
        "identity": None,
        "\xff;q=x": None,
        "": None,
    }.items():
        answer = server.by_key(tenant, "GET", "/api/leads", headers={"Accept-Encoding": accepted})
        assert (answer.status, answer.headers.get("content-encoding")) == (200, encoding), accepted


def test_what_is_short_stays_as_it_is(server: Server, tenant: Tenant) -> None:
    accepts = {"Accept-Encoding": "gzip, br, zstd"}
    lead = server.lead(tenant, message=None)
    for answer in (
        server.by_key(tenant, "GET", "/api/leads?status=lost&limit=1", headers=accepts),
        server.by_key(tenant, "PATCH", f"/api/leads/{lead['id']}", {"status": "nonsense"}, accepts),
        server.ask("GET", "/healthz", headers=accepts),
        server.ask("OPTIONS", "/api/leads", headers=accepts),
    ):
        assert "content-encoding" not in answer.headers
        assert int(answer.headers.get("content-length", "0")) == len(answer.body)


def test_a_head_tells_what_the_get_has(server: Server, tenant: Tenant) -> None:
    lead = server.lead(tenant, message="x" * 1_000)
    for path in (f"/api/leads/{lead['id']}", "/api/leads?limit=1"):
        get, head = (
            server.by_key(tenant, method, path, headers={"Accept-Encoding": "gzip"}) for method in ("GET", "HEAD")
        )
        assert head.body == b""
        for name in ("content-length", "content-encoding", "etag"):
            assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("encoding", WHOLE)
def test_a_long_list_is_the_same(server: Server, operator: Operator, tenant: Tenant, encoding: str) -> None:
    operator.fill(tenant, 2 * CHUNK + 1)
    plain, short = (
        server.by_key(tenant, "GET", "/api/leads", headers=headers) for headers in ({}, {"Accept-Encoding": encoding})
    )
    assert WHOLE[encoding](short.body) == plain.body
    assert (short.etag, short.headers["transfer-encoding"]) == (plain.etag, "chunked")


@pytest.mark.parametrize("encoding", WHOLE)
def test_each_chunk_of_a_stream_goes_out_at_once(encoding: str) -> None:
    """However little it is: the client has all that has been read of the list so far."""
    decode, got, sent = begun(encoding), bytearray(), bytearray()

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(5):
            assert got == sent
            chunk = b'{"id":"%d"},' % number
            sent.extend(chunk)
            yield chunk

    async def receive() -> Message:
        return await asyncio.Future()

    async def send(message: Message) -> None:
        got.extend(decode(message.get("body", b"")))

    scope = {"type": "http", "asgi": {"spec_version": "2.4"}, "headers": [(b"accept-encoding", encoding.encode())]}
    asyncio.run(Compressed(StreamingResponse(chunks(), media_type="application/json"))(scope, receive, send))

    assert got == sent != b""


def test_a_longer_list_takes_no_more_memory(server: Server, operator: Operator, tenant: Tenant) -> None:
    def whole() -> int:
        answer = server.by_key(tenant, "GET", "/api/leads", headers={"Accept-Encoding": "gzip"})
        return len(gzip.decompress(answer.body))

    operator.fill(tenant, 2 * CHUNK + 1, message=MUCH[:5_000])
    short = whole()
    before = most_memory(server)
    operator.fill(tenant, 4 * CHUNK, message=MUCH[:5_000])

    assert whole() - short > 20_000_000
    assert most_memory(server) - before < 12_000_000


def most_memory(server: Server) -> int:
    """The most bytes that the process has held at any time."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1]) * 1_000
