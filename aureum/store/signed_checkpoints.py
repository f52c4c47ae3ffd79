"""Signed checkpoints: what the head of a tenant's log was at a moment, signed with Ed25519.

The chain of hashes finds what was changed in a log, but an administrator of the database could cut off its end or make
a whole new chain. Neither agrees with a checkpoint that has left the machine. The signing key is derived from the
master key, which is never in the database, and the public key alone is enough to verify.
docs/how-to/prove-the-log.md tells an auditor how, and docs/samples/verify_log.py does the same without Aureum.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from aureum.domain import ids
from aureum.store.postgres.database import Database

KIND = "aureum checkpoint 1"

# An empty log has nothing to prove.
HEADS = """
SELECT h.tenant_id, COALESCE(b.slug, ''), h.position, h.hash, clock_timestamp()
  FROM heads h LEFT JOIN brokerages b ON b.tenant_id = h.tenant_id
 WHERE h.position > 0 AND (%(tenant)s::uuid IS NULL OR h.tenant_id = %(tenant)s)
 ORDER BY h.tenant_id
"""


class Unreadable(ValueError):
    """A line of a file of checkpoints, or a public key, that is none. The message says why."""


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """The hash of the event at *position* in the tenant's log, as it was *at* a moment."""

    tenant_id: UUID
    brokerage: str
    position: int
    hash: bytes
    at: str
    signature: bytes = b""


def signing_key(master_key: bytes) -> Ed25519PrivateKey:
    """The installation's key for checkpoints."""
    seed = HKDF(SHA256(), 32, salt=None, info=KIND.encode()).derive(master_key)
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_text(key: Ed25519PublicKey) -> str:
    """The public key as an auditor gets it: 32 bytes in base64."""
    return base64.b64encode(key.public_bytes_raw()).decode()


def public_key(text: str) -> Ed25519PublicKey:
    """The inverse of ``public_text``. Raises Unreadable."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.strip(), validate=True))
    except ValueError as error:
        raise Unreadable("A public key is 32 bytes in base64, as 'aureum audit checkpoint' shows it.") from error


def signed_bytes(checkpoint: SignedCheckpoint) -> bytes:
    """What the signature is of: a line for each value, none of which can hold a line end."""
    values = (KIND, checkpoint.tenant_id, checkpoint.brokerage, checkpoint.position, checkpoint.hash.hex())
    return "".join(f"{value}\n" for value in (*values, checkpoint.at)).encode()


def sign(key: Ed25519PrivateKey, tenant_id: UUID, slug: str, position: int, head: bytes, at: datetime) -> bytes:
    """A line of a file of checkpoints: one JSON document."""
    time = ids.aureum_time(at.astimezone(UTC))
    unsigned = SignedCheckpoint(tenant_id, slug, position, head, time)
    document = {
        "type": KIND,
        "tenant": str(tenant_id),
        "brokerage": slug,
        "position": position,
        "hash": head.hex(),
        "at": time,
        "publicKey": public_text(key.public_key()),
        "signature": base64.b64encode(key.sign(signed_bytes(unsigned))).decode(),
    }
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The checkpoint of a log's head, as a line of a file."""

    tenant_id: UUID
    position: int
    line: bytes


async def signed_heads(database: Database, key: Ed25519PrivateKey, tenant_id: UUID | None = None) -> list[SignedHead]:
    """A checkpoint of each log's head as it is now, or of one tenant's."""
    rows = await database.rows(HEADS, {"tenant": tenant_id})
    return [SignedHead(row[0], row[2], sign(key, *row)) for row in rows]


def read(line: bytes) -> SignedCheckpoint:
    """A checkpoint as it was written; its signature is not verified yet. Raises Unreadable."""
    try:
        document = orjson.loads(line)
        if document["type"] != KIND:
            raise Unreadable(f"not of type {KIND!r}")
        return SignedCheckpoint(
            UUID(document["tenant"]),
            str(document["brokerage"]),
            int(document["position"]),
            bytes.fromhex(document["hash"]),
            str(document["at"]),
            base64.b64decode(document["signature"], validate=True),
        )
    except Unreadable:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error) as error:
        raise Unreadable("not a checkpoint, or one that was cut short") from error


def read_all(lines: Iterable[bytes], key: Ed25519PublicKey) -> list[SignedCheckpoint]:
    """All checkpoints of a file. Raises Unreadable, with the line's number, for a line that is no checkpoint or that
    the key has not signed."""
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            checkpoint = read(line)
            key.verify(checkpoint.signature, signed_bytes(checkpoint))
        except Unreadable as error:
            raise Unreadable(f"Line {number} of the checkpoints is {error}.") from error
        except InvalidSignature as error:
            raise Unreadable(
                f"Line {number} of the checkpoints is not signed with this key, or was altered."
            ) from error
        found.append(checkpoint)
    return found


def of_tenant(checkpoints: Sequence[SignedCheckpoint], tenant_id: UUID) -> dict[int, list[SignedCheckpoint]]:
    """Those of one tenant, by position."""
    found: dict[int, list[SignedCheckpoint]] = {}
    for checkpoint in checkpoints:
        if checkpoint.tenant_id == tenant_id:
            found.setdefault(checkpoint.position, []).append(checkpoint)
    return found
