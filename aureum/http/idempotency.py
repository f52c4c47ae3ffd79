"""Idempotency-Key: the same key and body within 24 hours get the first answer again, and nothing happens twice.

A key belongs to its brokerage, caller, method and path; on public forms to the client's address and the body as well,
so that a form which always sends the same key still sends every new enquiry.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from aureum.http.errors import HttpError
from aureum.http.gate import Brokerage
from aureum.http.headers import header
from aureum.http.hosts import client_address
from aureum.store.event_store import Idempotency

BAD_KEY = "Idempotency-Key must have 1 to 255 printable ASCII characters."


def idempotency(
    request: Request, brokerage: Brokerage, body: bytes, answer: Callable[[Any], bytes]
) -> Idempotency | None:
    """What to remember of this request, if it has a key. Raises HttpError 400 for a bad one."""
    key = header(request.scope, b"idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not (key.isascii() and key.isprintable()):
        raise HttpError(400, BAD_KEY)
    asked = hashlib.sha256(body).digest()
    if brokerage.key_id is not None:
        caller = brokerage.key_id.bytes
    else:
        settings = request.app.state.aureum.settings
        caller = client_address(request.scope, settings.trusted_proxies).encode() + asked
    scope = (brokerage.tenant_id.bytes, caller, request.method.encode(), request.url.path.encode(), key.encode())
    digest = hashlib.sha256()
    for part in scope:
        digest.update(len(part).to_bytes(4, "big") + part)
    return Idempotency(digest.digest(), asked, answer)
