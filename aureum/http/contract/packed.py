"""Files that the server serves as they are: an ETag made of what is in them, compressed once."""

import asyncio
import gzip
import hashlib
from functools import cached_property

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from aureum.http.contract.answers import not_modified
from aureum.http.wire.headers import header

FOREVER = "public, max-age=31536000, immutable"
"""Pages ask for their files under addresses that change with what is in them."""


class PackedAnswer:
    """Bytes that never change, with their gzip, which is made when it is first asked for."""

    def __init__(self, content: bytes, media: str) -> None:
        self.content = content
        self.media = media
        self.digest = hashlib.sha256(content).hexdigest()[:16]

    @cached_property
    def zipped(self) -> bytes:
        return gzip.compress(self.content, mtime=0)

    async def answer(self, request: Request, **headers: str) -> Response:
        """The bytes, or 304."""
        etag = f'"{self.digest}"'
        unchanged = not_modified(request, etag)
        if unchanged is not None:
            return unchanged
        body, headers = self.content, {"ETag": etag} | headers
        if "gzip" in (header(request.scope, b"accept-encoding") or ""):
            body = await asyncio.to_thread(lambda: self.zipped)
            headers |= {"Content-Encoding": "gzip"}
        return Response(body, headers=headers, media_type=self.media)


class Asset:
    """A file that pages load, as an ASGI application."""

    def __init__(self, packed: PackedAnswer) -> None:
        self.packed = packed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.packed.answer(Request(scope, receive), **{"Cache-Control": FOREVER})
        await response(scope, receive, send)
