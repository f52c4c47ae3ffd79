"""Encryption of personal data: AES-256-GCM under a key per person.

Three layers: the master key (never in the database) wraps each tenant's key, the tenant's key wraps each subject's,
the subject's encrypts fields of events. A subject is the stream that the person's data stands in. Deleting the
subject's key forgets the person everywhere in the log; replay, rebuild and verify go on working.
"""

import hmac
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.lru import Lru

NONCE_BYTES = 12
KEY_BYTES = 32


class WrongMasterKey(Exception):
    """AUREUM_MASTER_KEY does not open this database: set the key that it was created with."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def seal(key: AESGCM, plain: bytes, context: bytes) -> bytes:
    """Encrypt; *context* is authenticated with it, so that a value cannot be moved elsewhere."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, plain, context)


def unseal(key: AESGCM, sealed: bytes, context: bytes) -> bytes:
    """The inverse of ``seal``. Raises InvalidTag if key, bytes or context are others."""
    return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)


def field_context(tenant_id: UUID, subject_id: UUID, stream_id: UUID, version: int, field: str) -> bytes:
    """Where an encrypted field stands: tenant, subject, stream, version, name."""
    return b"".join(
        (tenant_id.bytes, subject_id.bytes, stream_id.bytes, version.to_bytes(4, "big", signed=True), field.encode())
    )


class MasterKey:
    """Wraps the keys of tenants."""

    def __init__(self, key: bytes) -> None:
        self._key = AESGCM(key)

    def new_tenant_key(self, tenant_id: UUID, stream_key: bytes = b"") -> bytes:
        """A new tenant's key, wrapped for its row; with the *stream_key* that a tenant brings from elsewhere."""
        return seal(self._key, AESGCM.generate_key(256) + stream_key, b"tenant" + tenant_id.bytes)

    def open_tenant_key(self, tenant_id: UUID, wrapped: bytes) -> "TenantKey":
        """Raises WrongMasterKey."""
        try:
            return TenantKey(tenant_id, unseal(self._key, wrapped, b"tenant" + tenant_id.bytes))
        except InvalidTag:
            raise WrongMasterKey from None


class TenantKey:
    """Wraps the keys of one tenant's subjects, and encrypts what is the tenant's own (remembered answers).

    ``stream_key`` is what ids of streams are derived with. A tenant that was imported has brought its own, behind the
    key itself: its ids are those of the installation where it began.
    """

    def __init__(self, tenant_id: UUID, key: bytes) -> None:
        self.tenant_id = tenant_id
        own, brought = key[:KEY_BYTES], key[KEY_BYTES:]
        self._key = AESGCM(own)
        self._digest_key = hmac.digest(own, b"digest" + tenant_id.bytes, "sha256")
        self.stream_key = brought or self._digest_key

    def new_subject_key(self, subject_id: UUID) -> tuple[AESGCM, bytes]:
        """A new subject's key, and the same wrapped for its row."""
        key = os.urandom(KEY_BYTES)
        return AESGCM(key), seal(self._key, key, b"subject" + self.tenant_id.bytes + subject_id.bytes)

    def open_subject_key(self, subject_id: UUID, wrapped: bytes) -> AESGCM:
        """Raises InvalidTag if the row is another subject's."""
        return AESGCM(unseal(self._key, wrapped, b"subject" + self.tenant_id.bytes + subject_id.bytes))

    @property
    def for_addresses(self) -> AESGCM:
        """What addresses of programs are sealed under."""
        return self._key

    def seal_answer(self, answer: bytes, idempotency_key: bytes) -> bytes:
        """Encrypt an answer that is remembered for an Idempotency-Key."""
        return seal(self._key, answer, b"answer" + self.tenant_id.bytes + idempotency_key)

    def open_answer(self, sealed: bytes, idempotency_key: bytes) -> bytes:
        """The inverse of ``seal_answer``."""
        return unseal(self._key, sealed, b"answer" + self.tenant_id.bytes + idempotency_key)

    def seal_import(self, plain: bytes, import_id: UUID, place: bytes) -> bytes:
        """Encrypt what stands at this *place* of an import: a part of its file, or a row that was refused."""
        return seal(self._key, plain, b"import" + self.tenant_id.bytes + import_id.bytes + place)

    def open_import(self, sealed: bytes, import_id: UUID, place: bytes) -> bytes:
        """The inverse of ``seal_import``."""
        return unseal(self._key, sealed, b"import" + self.tenant_id.bytes + import_id.bytes + place)

    def seal_client(self, address: bytes, key: bytes) -> bytes:
        """Encrypt the address of a client of the portal, whose digest is *key*."""
        return seal(self._key, address, b"client" + self.tenant_id.bytes + key)

    def open_client(self, sealed: bytes, key: bytes) -> bytes:
        """The inverse of ``seal_client``. Raises InvalidTag."""
        return unseal(self._key, sealed, b"client" + self.tenant_id.bytes + key)

    def seal_entry(self, subject_id: UUID | None, wrapped: bytes | None, entry_id: UUID, plain: bytes) -> bytes:
        """Encrypt what an entry of the security log says: under the key of the subject, which is *wrapped*, or the
        tenant's."""
        return seal(self._entry_key(subject_id, wrapped), plain, b"security" + self.tenant_id.bytes + entry_id.bytes)

    def open_entry(self, subject_id: UUID | None, wrapped: bytes | None, entry_id: UUID, sealed: bytes) -> bytes:
        """The inverse of ``seal_entry``. Raises InvalidTag."""
        return unseal(self._entry_key(subject_id, wrapped), sealed, b"security" + self.tenant_id.bytes + entry_id.bytes)

    def _entry_key(self, subject_id: UUID | None, wrapped: bytes | None) -> AESGCM:
        return self._key if subject_id is None or wrapped is None else self.open_subject_key(subject_id, wrapped)

    def digest(self, purpose: bytes, value: bytes) -> bytes:
        """HMAC-SHA256 under a key of the tenant's own: the same for the same *value*, and secret without the key."""
        return digest(self._digest_key, purpose, value)

    def stream_digest(self, purpose: bytes, value: bytes) -> bytes:
        """The same for ids of streams, which stay when a tenant moves to another installation."""
        return digest(self.stream_key, purpose, value)


def digest(key: bytes, purpose: bytes, value: bytes) -> bytes:
    """HMAC-SHA256 of *value* for one *purpose*."""
    return hmac.digest(key, len(purpose).to_bytes(1, "big") + purpose + value, "sha256")


class TenantKeys:
    """Opened tenant keys of this process; the least recently used of more than *limit* is forgotten."""

    def __init__(self, master: MasterKey, limit: int = 10_000) -> None:
        self.master = master
        self._opened: Lru[UUID, TenantKey] = Lru(limit)

    def get(self, tenant_id: UUID) -> TenantKey | None:
        """The opened key, if this process has met it lately."""
        return self._opened.find(tenant_id)

    def open(self, tenant_id: UUID, wrapped: bytes) -> TenantKey:
        """Open and remember. Raises WrongMasterKey."""
        key = self.master.open_tenant_key(tenant_id, wrapped)
        self._opened.keep(tenant_id, key)
        return key
