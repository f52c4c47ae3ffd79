"""Answers: bytes that are ready for the wire, their ETags, and what a conditional request gets instead."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from aureum.http.access.gate import Caller
from aureum.http.wire.headers import header

JSON = "application/json"


def answer(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that is ready."""
    return Response(body, status, headers, JSON)


def answer_kept(kept: bytes, etag: str) -> Response:
    """An answer as ``AnswerCache`` keeps it: its Link header, if it has one, on a line before the body."""
    links, _, body = kept.partition(b"\n")
    headers = {"ETag": etag, "Link": links.decode()} if links else {"ETag": etag}
    return answer(body, headers=headers)


def body_kept(kept: bytes) -> bytes:
    """The body alone."""
    return kept[kept.index(b"\n") + 1 :]


def kept_as(caller: Caller, etag: str) -> tuple[UUID, str, str]:
    """Where an answer is kept that nothing changes but what ``log_etag`` knows of. Brokerage and view are in the ETag
    too, but no digest shall decide alone who is shown what."""
    return caller.tenant_id, caller.view, etag


def encoded(value: Any) -> bytes:
    """A value as JSON."""
    return orjson.dumps(value)


def resource_etag(version: int, caller: Caller, instead: UUID | None = None) -> str:
    """The ETag of one resource: its stream's version, and how often read models were rebuilt, if ever. So a document
    that shows more after an upgrade is not taken for unchanged. Neither is the same version of another resource that is
    returned *instead*."""
    state = (caller.read_version or None,)
    return living_etag(version, *state) if instead is None else living_etag(version, *state, instead)


def living_etag(version: int, *state: object) -> str:
    """The ETag of a resource that also shows what no event changes, *state*, unless all of that is None."""
    if not any(part is not None for part in state):
        return f'"v{version}"'
    return f'"v{version}.{hashlib.blake2b(repr(state).encode(), digest_size=6).hexdigest()}"'


ETAGS = r'^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$'
"""What ``If-Match`` may hold."""

RESOURCE_ETAG = re.compile('"v([1-9][0-9]{0,8})(?:\\.[0-9a-f]{12})?"')


def list_etag(*parts: object) -> str:
    """The ETag of a list: tenant, position, read-model version, the caller's view, the query."""
    return f'"{hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def log_etag(request: Request, caller: Caller, path: str) -> str:
    """The ETag of what an address says in the same words until something is appended. *path* is the endpoint's."""
    asked = request.scope["query_string"]
    state = f"{path} {caller.tenant_id.hex} {caller.head} {caller.read_version} {caller.view} ".encode()
    return f'"{hashlib.blake2b(state + asked, digest_size=12).hexdigest()}"'


def known_tags(request: Request) -> list[str]:
    """The ETags of what the client has already, weak ones as if they were strong."""
    known = header(request.scope, b"if-none-match")
    return [] if known is None else [tag.strip().removeprefix("W/") for tag in known.split(",")]


def not_modified(request: Request, etag: str) -> Response | None:
    """304 if the client has this already (RFC 9110, 13.1.2: weak comparison)."""
    tags = known_tags(request)
    return unchanged(etag) if etag in tags or "*" in tags else None


def unchanged(etag: str) -> Response:
    """304."""
    return Response(status_code=304, headers={"ETag": etag})
