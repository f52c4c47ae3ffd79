"""The steps of an envelope at DocuSign. Each decides from the log what is to be done, and can be done twice."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.commands.envelopes.ending import (
    DOCUSIGN,
    CompleteEnvelope,
    LinkProvider,
    RecordProviderStatus,
    complete_envelope,
    link_provider,
    record_provider_status,
)
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Sealed
from aureum.domain.ids import id_of_bytes, new_id, to_wire
from aureum.projections.docusign_envelopes import SILENCE
from aureum.signing.docusign import calls
from aureum.signing.docusign.account import Account
from aureum.signing.docusign.failures import Broken, Failed
from aureum.signing.docusign.http import Docusign
from aureum.signing.docusign.outgoing import outgoing
from aureum.signing.docusign.recording import record
from aureum.store.blobs import AlreadyStored, BlobStore
from aureum.store.event_store import EventStore
from aureum.store.metadata import Origin

REFUSED = "DocuSign refused the envelope: {why}."
DEADLINE = "The deadline has passed."
NO_PDF = Failed("unreadable", code="no_pdf")
NOT_COMPLETED = Failed("unavailable", code="not_completed", wait=SILENCE.total_seconds())


@dataclass(frozen=True, slots=True)
class Work:
    """An envelope that is due, with what is needed for it. ``again``: a try before this one may have got
    through. Without ``key`` it was purged."""

    store: EventStore
    blobs: BlobStore
    docusign: Docusign
    account: Account
    tenant_id: UUID
    envelope: Envelope
    key: AESGCM | None
    again: bool


class Next(NamedTuple):
    """What came of a step: whether it ``failed``, and else in how many seconds the envelope is due again, if ever. What
    the step has appended says it better."""

    failed: Failed | None = None
    pause: float | None = None
    over: bool = False
    """It was purged, and nothing is left of it to be done."""


DONE = Next()
OVER = Next(over=True)


async def work_on(work: Work) -> Next:
    """Do what the envelope's state asks for. Raises what the store and the blobs raise."""
    match work.envelope.state:
        case "sent" if work.envelope.provider_id is None:
            return await create(work)
        case "sent":
            return await follow(work)
        case "completing":
            return await fetch(work)
        case "voided" | "expired":
            return await end(work)
        case "purged":
            ended = await end(work)
            return OVER if ended.failed is None else ended
    return DONE


async def create(work: Work) -> Next:
    """Send it. What DocuSign refuses for good is voided, and the sender sees why."""
    provider_id = await known_there(work) if work.again else None
    if provider_id is None:
        assert work.key is not None
        sent = await outgoing(work.blobs, work.tenant_id, work.envelope, work.key)
        provider_id = await calls.create(work.docusign, work.account, sent)
    if isinstance(provider_id, Failed):
        if provider_id.kind != "refused":
            return Next(provider_id)
        reason = REFUSED.format(why=provider_id.code or provider_id.status)
        await record_provider_status(
            work.store,
            RecordProviderStatus(
                tenant_id=work.tenant_id,
                envelope_id=work.envelope.id,
                event_id="create/refused",
                status="voided",
                reason=reason,
            ),
        )
        return DONE
    command = LinkProvider(tenant_id=work.tenant_id, envelope_id=work.envelope.id, provider_id=provider_id)
    await link_provider(work.store, command)
    return DONE


async def known_there(work: Work) -> str | Failed | None:
    """DocuSign's id of the envelope, if an earlier try has made one."""
    return await calls.created_before(work.docusign, work.account, to_wire(work.envelope.id))


async def follow(work: Work) -> Next:
    """Ask where it stands. Connect has said nothing for a while."""
    assert work.envelope.provider_id is not None
    said = await calls.status(work.docusign, work.account, work.envelope.provider_id)
    if isinstance(said, Failed):
        return Next(said)
    await record(work.store, work.tenant_id, work.envelope.id, work.envelope.provider_id, said)
    return Next(pause=SILENCE.total_seconds())


async def end(work: Work) -> Next:
    """End there what was ended here. What has ended there already is left as it is."""
    provider_id = work.envelope.provider_id or await known_there(work)
    if provider_id is None:
        return DONE
    if isinstance(provider_id, Failed):
        return Next(provider_id)
    reason = DEADLINE if work.envelope.state == "expired" else work.envelope.ended_reason or ""
    failed = await calls.void(work.docusign, work.account, provider_id, reason)
    return DONE if failed is None or failed.lasting else Next(failed)


async def fetch(work: Work) -> Next:
    """Fetch what was signed, keep it as the sealed file of each document, and complete the envelope.

    It is one PDF: all documents, sealed by DocuSign, and its certificate. Its hash, which names it, is not known before
    its end, so it is kept under another id first.
    """
    envelope, provider_id = work.envelope, work.envelope.provider_id
    assert provider_id is not None and work.key is not None
    said = await calls.status(work.docusign, work.account, provider_id)
    if isinstance(said, Failed):
        return Next(said)
    if said.state != "completed":
        return Next(NOT_COMPLETED)
    came = new_id()
    try:
        async with aclosing(checked(calls.download(work.docusign, work.account, provider_id))) as parts:
            stored = await work.blobs.put(work.tenant_id, came, work.key, parts, of=envelope.id)
        for document_id in envelope.documents:
            await keep(work, work.key, id_of_bytes(document_id, stored.sha256), came)
    except Broken as broken:
        return Next(broken.failed)
    finally:
        await work.blobs.delete(work.tenant_id, [came])
    command = CompleteEnvelope(
        tenant_id=work.tenant_id,
        envelope_id=envelope.id,
        documents=dict.fromkeys(envelope.documents, Sealed(stored.sha256, stored.bytes)),
        provider_event=f"{provider_id}/completed",
    )
    await complete_envelope(work.store, command, Origin(DOCUSIGN))
    return DONE


async def keep(work: Work, key: AESGCM, document_id: UUID, came: UUID) -> None:
    """Keep what *came* under its own id. A worker that died may have done so before. Raises DocumentLost if that is
    still being written."""
    try:
        copied = work.blobs.get(work.tenant_id, came, key)
        await work.blobs.put(work.tenant_id, document_id, key, copied, of=work.envelope.id)
    except AlreadyStored:
        async for _ in work.blobs.get(work.tenant_id, document_id, key):
            pass


async def checked(whole: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The parts of a PDF. Raises Broken if it is none."""
    head = b""
    async with aclosing(whole) as parts:
        async for part in parts:
            if len(head) < 5:
                head += part[:5]
                if not b"%PDF-".startswith(head[:5]):
                    raise Broken(NO_PDF)
            yield part
    if len(head) < 5:
        raise Broken(NO_PDF)
