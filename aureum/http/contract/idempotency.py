"""Idempotency-Key: the same key and body within 24 hours get the first answer again, and nothing happens twice.

A key belongs to its brokerage, caller, method and path. Visitors have no name: on public forms it belongs to what the
form says, so that a form which always sends the same key still sends every new enquiry, and one that is sent again from
another network is the same. What is kept is the answer's body behind a line with its ETag.
"""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from aureum.http.access.gate import Caller
from aureum.http.contract.answers import answer
from aureum.http.wire.errors import HttpError
from aureum.http.wire.headers import header
from aureum.store.event_store import EventStore, Idempotency

BAD_KEY = "Idempotency-Key must have 1 to 255 printable ASCII characters."


class Replayed(Exception):
    """The request was made before; *answer* is what was kept of it."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer


def idempotency(
    request: Request,
    caller: Caller,
    body: bytes,
    answer: Callable[[Any], bytes],
    etag: Callable[[Any], str] = lambda _: "",
    tenant_id: UUID | None = None,
) -> Idempotency | None:
    """What to remember of this request, if it has a key; *answer* and *etag* are of what the command makes.

    *tenant_id* is where it is remembered, if that is not the caller's own. Raises HttpError 400 for a bad key.
    """
    key = header(request.scope, b"idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not (key.isascii() and key.isprintable()):
        raise HttpError("idempotency_key_invalid", BAD_KEY)
    asked = hashlib.sha256(body).digest()
    name = asked if caller.caller_id is None else caller.caller_id.bytes
    tenant = tenant_id or caller.tenant_id
    scope = (tenant.bytes, name, request.method.encode(), request.url.path.encode(), key.encode())
    digest = hashlib.sha256()
    for part in scope:
        digest.update(len(part).to_bytes(4, "big") + part)
    return Idempotency(digest.digest(), asked, lambda made: f"{etag(made)}\n".encode() + answer(made))


async def unless_replayed(store: EventStore, tenant_id: UUID, once: Idempotency | None) -> Idempotency | None:
    """*once*, if nothing is known of it yet. Raises Replayed, KeyReused.

    The append looks again under the lock. This look comes before the command decides: what was possible the first time
    need not be any more.
    """
    if once is not None:
        kept = await store.remembered(tenant_id, once)
        if kept is not None:
            raise Replayed(kept)
    return once


def replayed(kept: bytes, status: int) -> Response:
    """The first answer again."""
    etag, _, body = kept.partition(b"\n")
    headers = {"Idempotent-Replayed": "true"} | ({"ETag": etag.decode()} if etag else {})
    return answer(body, status=status, headers=headers)
