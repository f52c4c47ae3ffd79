"""What proves that a webhook comes from us: two signatures over the same bytes with the same secret.

- ``X-Aureum-Signature``: the Aureum API document's. Hex HMAC-SHA256 of the raw body; the key is the whole secret
  string. The document's sample compares with ``timingSafeEqual``, which throws unless the lengths agree: it is exactly
  64 hex characters, always, without a prefix and never a list.
- ``webhook-id``, ``webhook-timestamp``, ``webhook-signature``: Standard Webhooks
  (https://www.standardwebhooks.com). Also covers the id and the time, so a recorded request cannot be sent again later;
  the key is what follows ``whsec_``, base64-decoded.
"""

import base64
import hmac
import re
import secrets as randomness
from collections.abc import Sequence
from functools import lru_cache

PREFIX = "whsec_"
USER_AGENT = "Aureum-Webhooks/1"
NEXT = "X-Aureum-Signature-Next"

# The id is signed as "id.timestamp.body": a dot inside would let one signature stand for two different messages.
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def new_secret() -> str:
    """A signing secret: ``whsec_`` and 32 random bytes in base64. Show it once, and store it encrypted."""
    return PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def sign(body: bytes, *, message_id: str, event: str, secrets: Sequence[str], timestamp: int) -> dict[str, str]:
    """All headers of one attempt to deliver *body*.

    *message_id* stays the same over all attempts; *timestamp* (unix seconds) is this attempt's own. *secrets* are the
    live ones, oldest first: during a rotation's overlap the old one makes ``X-Aureum-Signature``, which has room for
    one, ``X-Aureum-Signature-Next`` is made with the new one, so that a consumer can prepare for it, and
    ``webhook-signature`` carries one signature of each. Raises ValueError when there is no secret, or an id or
    a secret has the wrong form; the message never holds the secret.
    """
    if not secrets:
        raise ValueError("A webhook cannot be signed without a secret: give at least one.")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError(f"A message id is 1 to 128 letters, digits, '_' and '-', not {message_id!r}.")
    signed = f"{message_id}.{timestamp}.".encode() + body
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-Aureum-Event": event,
        "X-Aureum-Signature": hmac.digest(secrets[0].encode(), body, "sha256").hex(),
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_standard_signature(secret, signed)}" for secret in secrets),
    }
    if len(secrets) > 1:
        headers[NEXT] = hmac.digest(secrets[-1].encode(), body, "sha256").hex()
    return headers


def _standard_signature(secret: str, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(_standard_key(secret), signed, "sha256")).decode()


@lru_cache(maxsize=10_000)
def _standard_key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        raise ValueError(f"A webhook secret begins with {PREFIX}.")
    try:
        key = base64.b64decode(secret[len(PREFIX) :], validate=True)
    except ValueError:
        raise ValueError(f"A webhook secret is {PREFIX} and base64.") from None
    if not key:
        raise ValueError(f"A webhook secret has at least one byte after {PREFIX}.")
    return key
