"""The body of a request: read within a limit, and understood as one JSON object."""

from collections.abc import Iterable
from typing import Any

import orjson
from starlette.types import Receive

from aureum.http.wire.errors import BodyTooLarge, ClientGone, EncodedBody, InvalidRequest, NotJson
from aureum.http.wire.validation import MISSING_BODY, NOT_AN_OBJECT, json_problem

Headers = Iterable[tuple[bytes, bytes]]
"""As in an ASGI scope: names in lower case."""

LIMIT = 1_000_000
"""Bytes; the contract's "bodies over 1 MB are 413"."""

BOM = b"\xef\xbb\xbf"
"""What some programs begin every UTF-8 text with."""


async def read_body(receive: Receive, headers: Headers, limit: int = LIMIT) -> bytes:
    """The whole body, of at most *limit* bytes.

    Raises BodyTooLarge as soon as it is known (an honest Content-Length tells before the first byte), EncodedBody for
    a compressed one, and ClientGone if the connection ends first.
    """
    check_headers(headers, limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit)
        if not message.get("more_body", False):
            return b"".join((*chunks, chunk)) if chunks else chunk
        chunks.append(chunk)


def check_headers(headers: Headers, limit: int) -> None:
    """Raises BodyTooLarge and EncodedBody, before the first byte of the body is read."""
    for name, value in headers:
        if name == b"content-length":
            if value.isdigit() and (len(value) > 15 or int(value) > limit):
                raise BodyTooLarge(limit)
        elif name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise EncodedBody


def json_object(body: bytes, headers: Headers) -> dict[str, Any]:
    """*body* as a JSON object. Raises NotJson for another Content-Type, and InvalidRequest for what is no object.

    No Content-Type counts as JSON, and a BOM may stand before it. Lone surrogates and NaN are no JSON here; whole
    numbers beyond 64 bits come as floats.
    """
    if not body:
        raise InvalidRequest([MISSING_BODY])
    if not is_json(content_type(headers)):
        raise NotJson
    body = body.removeprefix(BOM)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest([json_problem(body, error)]) from error
    if not isinstance(value, dict):
        raise InvalidRequest([MISSING_BODY if value is None else NOT_AN_OBJECT])
    return value


def content_type(headers: Headers) -> bytes:
    """As it was sent; empty without one."""
    for name, value in headers:
        if name == b"content-type":
            return value
    return b""


def media_type(content_type: bytes) -> bytes:
    """The same without parameters, in lower case."""
    return content_type.partition(b";")[0].strip().lower()


def is_json(content_type: bytes) -> bool:
    """``application/json`` and ``application/*+json``, with or without parameters; nothing at all is taken as JSON."""
    if content_type in (b"application/json", b""):
        return True
    media = media_type(content_type)
    return media == b"application/json" or (media.startswith(b"application/") and media.endswith(b"+json"))
