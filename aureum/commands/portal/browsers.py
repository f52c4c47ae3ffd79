"""Browsers in which an address has signed in before. They have a mark, a cookie that lasts a year: it opens nothing
and holds no address, but lets the client ask for a mail while strangers use up the mails that the address may get.

A mark is a random number and a digest of it and the address, made with the brokerage's key. So no table keeps marks,
and a mark of one address or brokerage says nothing of another.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from aureum.store.cipher import TenantKey

RANDOM_BYTES = 12
DIGEST_BYTES = 18

MOST = 4
"""Marks that a browser keeps: a family may share one. The oldest goes first."""

LONGEST = 400


def is_known(tenant_key: TenantKey, address_key: bytes, marks: str | None) -> bool:
    """Whether one of the browser's *marks* is of this address."""
    return any(is_of(tenant_key, address_key, mark) for mark in marks_in(marks))


def with_mark(tenant_key: TenantKey, address_key: bytes, marks: str | None) -> str:
    """The *marks* of a browser in which the address has signed in."""
    others = [mark for mark in marks_in(marks) if not is_of(tenant_key, address_key, mark)]
    random = secrets.token_bytes(RANDOM_BYTES)
    new = urlsafe_b64encode(random + digest_of(tenant_key, address_key, random)).decode()
    return ".".join([*others, new][-MOST:])


def marks_in(marks: str | None) -> list[str]:
    """Those of a cookie. One that is too long is not ours."""
    return [] if marks is None or len(marks) > LONGEST else marks.split(".")[-MOST:]


def is_of(tenant_key: TenantKey, address_key: bytes, mark: str) -> bool:
    """Whether a *mark* was made for this address. Any text is taken."""
    try:
        whole = urlsafe_b64decode(mark.encode())
    except ValueError:
        return False
    random, kept = whole[:RANDOM_BYTES], whole[RANDOM_BYTES:]
    return hmac.compare_digest(kept, digest_of(tenant_key, address_key, random))


def digest_of(tenant_key: TenantKey, address_key: bytes, random: bytes) -> bytes:
    """What proves a mark."""
    return tenant_key.digest(b"portal browser", random + address_key)[:DIGEST_BYTES]
