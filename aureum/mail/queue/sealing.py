"""Seals what the queue keeps of a mail: with the key of the person whose data it holds, so that it cannot be read once
that person is erased; else with the tenant's.
"""

import zlib
from dataclasses import dataclass
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.domain.emails import one_form
from aureum.store.cipher import TenantKey, seal, unseal


@dataclass(frozen=True, slots=True)
class About:
    """What a list shows of a mail."""

    address: str
    name: str
    subject: str


def recipient_digest(tenant_key: TenantKey, address: str) -> bytes:
    """What stands for an address where it need not be read."""
    return tenant_key.digest(b"mail recipient", one_form(address).encode("utf-8", "surrogatepass"))


def mail_key(tenant_key: TenantKey, subject_id: UUID | None, wrapped: bytes | None) -> AESGCM | None:
    """What seals a mail; *wrapped* is the subject's key as it is stored. None: the person was erased."""
    if subject_id is None:
        return AESGCM(tenant_key.digest(b"mail key", b""))
    return None if wrapped is None else tenant_key.open_subject_key(subject_id, wrapped)


def context(tenant_id: UUID, mail_id: UUID, part: bytes) -> bytes:
    """Where a sealed part of a mail stands."""
    return b"mail" + tenant_id.bytes + mail_id.bytes + part


def seal_about(key: AESGCM, tenant_id: UUID, mail_id: UUID, about: About) -> bytes:
    return seal(key, orjson.dumps([about.address, about.name, about.subject]), context(tenant_id, mail_id, b"about"))


def open_about(key: AESGCM, tenant_id: UUID, mail_id: UUID, sealed: bytes) -> About:
    return About(*orjson.loads(unseal(key, sealed, context(tenant_id, mail_id, b"about"))))


def seal_message(key: AESGCM, tenant_id: UUID, mail_id: UUID, message: bytes) -> bytes:
    return seal(key, zlib.compress(message), context(tenant_id, mail_id, b"message"))


def open_message(key: AESGCM, tenant_id: UUID, mail_id: UUID, sealed: bytes) -> bytes:
    return zlib.decompress(unseal(key, sealed, context(tenant_id, mail_id, b"message")))


def seal_answer(key: AESGCM, tenant_id: UUID, mail_id: UUID, answer: str) -> bytes:
    return seal(key, answer.encode("utf-8", "replace"), context(tenant_id, mail_id, b"answer"))


def open_answer(key: AESGCM, tenant_id: UUID, mail_id: UUID, sealed: bytes) -> str:
    return unseal(key, sealed, context(tenant_id, mail_id, b"answer")).decode()
