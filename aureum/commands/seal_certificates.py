"""The certificate of a brokerage's seal: made when it is first needed, renewed, or imported by an owner. Old ones are
kept, since documents that they have sealed are verified with them."""

import asyncio
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, SecretBytes, SecretStr

from aureum.commands.conflicts import deciding_again
from aureum.domain import ids
from aureum.domain.errors import DomainError, Invalid
from aureum.domain.seal_certificate import SealCertificate, seal_certificate_of
from aureum.pdf import process
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.metadata import Actor, Origin

SIGNING = Actor("system", "signing")

RENEWED_BEFORE = timedelta(days=365)
"""How long before its end a certificate that was made here is replaced automatically."""


class CertificateExpired(DomainError):
    """The imported certificate for the seal has expired. Import a new one, or renew it."""


class RenewCertificate(BaseModel):
    """Make a new key and certificate. *name* is the brokerage's."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    name: str


class ImportCertificate(BaseModel):
    """Seal with the key and certificate of a PKCS#12 file."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    file: SecretBytes
    password: SecretStr


async def seal_certificate(store: EventStore, tenant_id: UUID) -> SealCertificate | None:
    """The brokerage's, if it has ever had one. Raises Unavailable."""
    found = (await store.load(tenant_id, seal_certificate_of(tenant_id))).aggregate()
    return found if isinstance(found, SealCertificate) else None


async def usable_certificate(store: EventStore, tenant_id: UUID, name: str) -> SealCertificate:
    """One that can seal now; made for the brokerage's *name* if there is none, or if the one that was made here ends
    soon. Raises CertificateExpired, Conflict, and what ``EventStore.append`` raises."""
    found = await seal_certificate(store, tenant_id)
    if found is not None and found.key:
        left = (await asyncio.to_thread(valid_until, found.current.certificate)) - ids.now()
        if left > (timedelta(0) if found.current.imported else RENEWED_BEFORE):
            return found
        if found.current.imported:
            raise CertificateExpired
    found, _ = await renew_certificate(store, RenewCertificate(tenant_id=tenant_id, name=name), Origin(SIGNING))
    return found


async def renew_certificate(
    store: EventStore, command: RenewCertificate, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[SealCertificate, Appended]:
    """The certificate, new. Raises Conflict, and what ``EventStore.append`` raises."""
    from aureum.pdf.certificates import make

    made = await asyncio.to_thread(make, command.name, ids.now())
    new = NewCertificate("RenewCertificate", made.key, made.certificate, made.chain, imported=False)
    return await replaced(store, command.tenant_id, new, origin, idempotency)


async def import_certificate(
    store: EventStore, command: ImportCertificate, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[SealCertificate, Appended]:
    """The certificate, as it was imported. Raises Invalid with what is wrong with the file, Busy, Conflict, and what
    ``EventStore.append`` raises."""
    from aureum.pdf.certificates import NotUsable

    file, password = command.file.get_secret_value(), command.password.get_secret_value()
    try:
        found = await process.certificate_in(file, password, ids.now())
    except NotUsable as error:
        raise Invalid("file", str(error)) from None
    new = NewCertificate("ImportCertificate", found.key, found.certificate, found.chain, imported=True)
    return await replaced(store, command.tenant_id, new, origin, idempotency)


class NewCertificate(NamedTuple):
    """What a command brings in."""

    command: str
    key: bytes
    certificate: bytes
    chain: tuple[bytes, ...]
    imported: bool


async def replaced(
    store: EventStore, tenant_id: UUID, new: NewCertificate, origin: Origin, idempotency: Idempotency | None = None
) -> tuple[SealCertificate, Appended]:
    """The stream with the *new* one in use."""
    material = (new.key, new.certificate, new.chain)

    async def once() -> tuple[SealCertificate, Appended]:
        stream = await store.load(tenant_id, seal_certificate_of(tenant_id))
        found = stream.aggregate()
        if isinstance(found, SealCertificate):
            found.replace(max(ids.now(), found.modified_on), *material, imported=new.imported)
        else:
            found = SealCertificate.make(tenant_id, ids.now(), *material, imported=new.imported)
            stream = NO_STREAM
        appended = await store.append(
            tenant_id, found, stream, command=new.command, origin=origin, idempotency=idempotency
        )
        return found, appended

    return await deciding_again(once)


def valid_until(certificate: bytes) -> datetime:
    """When a certificate ends."""
    from cryptography.x509 import load_der_x509_certificate

    return load_der_x509_certificate(certificate).not_valid_after_utc
