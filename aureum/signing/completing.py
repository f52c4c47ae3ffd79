"""The worker completes envelopes: it reads what was sent, stamps and seals it, stores the sealed files, and appends
``envelope.completed``. Nothing of this holds a lock of the log, and each step can be repeated: a worker that is killed
leaves the envelope due again, and the first completion wins. What a loser has stored, no event names, so it is swept.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.background.waiting import wait_for
from aureum.commands.envelopes.ending import CompleteEnvelope, complete_envelope
from aureum.commands.seal_certificates import CertificateExpired, usable_certificate
from aureum.domain.brokerage import Brokerage
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Document, Sealed
from aureum.domain.errors import Busy, Unavailable
from aureum.domain.ids import PLATFORM, id_of_bytes
from aureum.domain.seal_certificate import SealCertificate
from aureum.log import places
from aureum.pdf import process
from aureum.pdf.anchors import Anchor
from aureum.pdf.certificate_page import CertificatePage
from aureum.pdf.refusing import Refused
from aureum.pdf.sealing import CannotSeal, Signer, seal
from aureum.signing.evidence import certificate_page_of, stamps_of
from aureum.signing.timestamping import timestamper
from aureum.store.blobs import AlreadyStored, BlobStore, DocumentLost
from aureum.store.event_store import EventStore
from aureum.store.postgres.citus.by_tenant import Everywhere
from aureum.store.postgres.database import Database

log = structlog.get_logger()

LEASE_SECONDS = 120.0
"""After this an envelope is due again whose worker has died. Ten large documents take less."""

FIRST_PAUSE, LONGEST_PAUSE = 10.0, 3_600.0

MOST_FAILURES = 30
"""Then the envelope waits for an operator, too: perhaps its worker dies each time."""

PART = 256 * 1024

TAKE = Everywhere(
    """
UPDATE sealings s
   SET due_at = now() + make_interval(secs => %(lease)s), failures = least(s.failures + 1, 1000)
  FROM (
           SELECT w.tenant_id, w.envelope_id FROM sealings w
            WHERE w.due_at <= now() AND NOT w.parked
            ORDER BY w.due_at
            LIMIT %(limit)s
              FOR NO KEY UPDATE SKIP LOCKED
       ) AS w
 WHERE s.tenant_id = w.tenant_id AND s.envelope_id = w.envelope_id
RETURNING s.tenant_id, s.envelope_id, s.version, s.failures
""",
    "sealings w",
    "w.due_at <= now() AND NOT w.parked",
)
"""By the database's now(), because an index cannot be used with clock_timestamp()."""

PUT_OFF = """
UPDATE sealings
   SET due_at = now() + make_interval(secs => %(pause)s::float8), error = %(error)s, parked = %(parked)s
 WHERE tenant_id = %(tenant)s AND envelope_id = %(envelope)s AND version = %(version)s
"""
"""Leaves alone what an append has changed meanwhile."""

NOTHING_LEFT = """
UPDATE sealings SET due_at = NULL, error = NULL
 WHERE tenant_id = %(tenant)s AND envelope_id = %(envelope)s AND version = %(version)s
"""

RETRY = """
UPDATE sealings SET due_at = now(), failures = 0, parked = false
 WHERE tenant_id = %(tenant)s AND parked AND due_at IS NOT NULL
RETURNING 1
"""

LASTING = (CannotSeal, Refused)
"""What another try does not mend."""


class Due(NamedTuple):
    """An envelope that is to be sealed."""

    tenant_id: UUID
    envelope_id: UUID
    version: int
    failures: int


async def sealing_round(
    store: EventStore, blobs: BlobStore, tsa_url: str | None, poll_seconds: float, stop: asyncio.Event
) -> None:
    """Complete one envelope that is due; if there is none, wait for *poll_seconds*. Raises Unavailable."""
    due = await take(store.database)
    if due is None:
        await wait_for(stop, poll_seconds)
        return
    await attend(store, blobs, tsa_url, due)


async def take(database: Database) -> Due | None:
    """The envelope that has waited longest. Raises Unavailable."""
    rows = await database.everywhere(TAKE, {"lease": LEASE_SECONDS, "limit": 1})
    return Due(*rows[0]) if rows else None


async def attend(store: EventStore, blobs: BlobStore, tsa_url: str | None, due: Due) -> None:
    """Complete the envelope, or say when it is due again, or that it waits for an operator. Raises Unavailable."""
    about = {"tenant": due.tenant_id, "envelope": due.envelope_id, "version": due.version}
    try:
        await complete(store, blobs, tsa_url, due)
    except Unavailable:
        raise
    except Exception as error:
        parked = isinstance(error, LASTING) or due.failures >= MOST_FAILURES
        log.error(
            "envelope_not_sealed",
            tenant=str(due.tenant_id),
            envelope=str(due.envelope_id),
            error=type(error).__name__,
            parked=parked,
            trace=places(error),
        )
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(due.failures - 1, 10))
        await store.database.rows(PUT_OFF, about | {"pause": pause, "error": reason(error), "parked": parked})
        return
    await store.database.rows(NOTHING_LEFT, about)


async def retry_parked(database: Database, tenant_id: UUID) -> int:
    """Have the worker try again what waits for an operator. Returns how many envelopes. Raises Unavailable."""
    return len(await database.rows(RETRY, {"tenant": tenant_id}))


def reason(error: Exception) -> str:
    """Why it failed, for an operator: it quotes no document and no person."""
    match error:
        case Refused():
            return error.code
        case CannotSeal() | CertificateExpired() | DocumentLost():
            return str(error)
        case Busy():
            return "busy"
    return type(error).__name__


async def complete(store: EventStore, blobs: BlobStore, tsa_url: str | None, due: Due) -> None:
    """Complete the envelope, if it still is to be. Raises CannotSeal, Refused, CertificateExpired, DocumentLost, Busy,
    Unavailable, and what the time-stamping authority's client raises."""
    stream = await store.load(due.tenant_id, due.envelope_id)
    envelope = stream.aggregate()
    if not isinstance(envelope, Envelope) or envelope.state != "completing" or stream.subject_key is None:
        return
    brokerage = (await store.load(PLATFORM, due.tenant_id)).aggregate()
    name = brokerage.name if isinstance(brokerage, Brokerage) else "The brokerage"
    certificate = await usable_certificate(store, due.tenant_id, name)
    page = certificate_page_of(name, envelope, [one.event for one in stream.events])
    work = Work(blobs, due.tenant_id, envelope, stream.subject_key, signer_of(certificate, name, tsa_url), page)
    pictures = await drawn(work)
    sealed = {document.id: await seal_one(work, document, pictures) for document in envelope.documents.values()}
    command = CompleteEnvelope(
        tenant_id=due.tenant_id,
        envelope_id=due.envelope_id,
        documents=sealed,
        certificate_sha256=hashlib.sha256(certificate.current.certificate).hexdigest(),
    )
    await complete_envelope(store, command)


class Work(NamedTuple):
    """All that is needed to seal the documents of one envelope."""

    blobs: BlobStore
    tenant_id: UUID
    envelope: Envelope
    key: AESGCM
    signer: Signer
    page: CertificatePage


def signer_of(certificate: SealCertificate, name: str, tsa_url: str | None) -> Signer:
    """The brokerage as a signer."""
    issued = certificate.current
    authority = None if tsa_url is None else timestamper(tsa_url)
    return Signer(name, issued.certificate, certificate.key, issued.chain, authority)


async def drawn(work: Work) -> dict[UUID, bytes]:
    """The drawn signatures of the envelope, by their ids. Raises DocumentLost, Busy, Unavailable."""
    ids = [one.signature.image_id for one in work.envelope.recipients.values() if one.signature is not None]
    return {image_id: await read(work, image_id) for image_id in ids if image_id is not None}


async def seal_one(work: Work, document: Document, pictures: dict[UUID, bytes]) -> Sealed:
    """Seal one document, and store the sealed file. Raises what ``complete`` raises."""
    original = await read(work, document.id)
    if hashlib.sha256(original).hexdigest() != document.sha256:
        raise DocumentLost
    anchors: tuple[Anchor, ...] = ()
    if any(field.document_id == document.id and field.anchor is not None for field in work.envelope.fields):
        anchors = (await process.inspected(original)).anchors
    stamps = stamps_of(work.envelope, document, anchors, pictures)
    # Takes a tenth of a second; a thread, so that the other loops of the worker go on.
    whole = await asyncio.to_thread(seal, original, stamps, work.page, work.signer)
    sealed = Sealed(hashlib.sha256(whole).hexdigest(), len(whole))
    await keep(work, id_of_bytes(document.id, sealed.sha256), whole)
    return sealed


async def keep(work: Work, bytes_id: UUID, whole: bytes) -> None:
    """Store a sealed file. It belongs to a signed contract, so no quota refuses it. Raises Busy, Unavailable."""

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), PART):
            yield whole[start : start + PART]

    try:
        await work.blobs.put(work.tenant_id, bytes_id, work.key, parts(), of=work.envelope.id)
    except AlreadyStored:
        # The name is the content's hash. What a worker that died has left there may be broken off.
        await work.blobs.delete(work.tenant_id, [bytes_id])
        await work.blobs.put(work.tenant_id, bytes_id, work.key, parts(), of=work.envelope.id)


async def read(work: Work, bytes_id: UUID) -> bytes:
    """Bytes of the envelope. Raises DocumentLost, BucketUnavailable, Unavailable."""
    return b"".join([part async for part in work.blobs.get(work.tenant_id, bytes_id, work.key)])
