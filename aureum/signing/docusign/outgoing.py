"""An envelope of the log as it is sent to DocuSign. Fields that stand at an anchor get its places here, so that
DocuSign puts them exactly where the built-in signer would."""

from collections.abc import AsyncIterator, Iterable
from functools import partial
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Document, Recipient
from aureum.domain.ids import to_wire
from aureum.pdf.anchors import Anchor
from aureum.pdf.places import places_of
from aureum.signing.docusign.request import OutgoingDocument, OutgoingEnvelope, OutgoingField, OutgoingSigner
from aureum.store.blobs import BlobStore


def signers_of(envelope: Envelope) -> list[Recipient]:
    """The signers in the order of their numbers at DocuSign, which begin with 1. It never changes: no one takes another
    one's place there."""
    return [one for one in envelope.recipients.values() if one.role == "signer"]


def number_of(envelope: Envelope, recipient_id: UUID) -> int:
    """The signer's number at DocuSign."""
    return [one.id for one in signers_of(envelope)].index(recipient_id) + 1


async def outgoing(blobs: BlobStore, tenant_id: UUID, envelope: Envelope, key: AESGCM) -> OutgoingEnvelope:
    """The envelope as it is sent; *key* is that of its stream. Raises Refused for a PDF that cannot be read,
    DocumentLost, Busy."""
    documents = list(envelope.documents.values())
    signers = signers_of(envelope)
    fields: list[OutgoingField] = []
    for number, document in enumerate(documents):
        read = partial(blobs.get, tenant_id, document.id, key)
        anchored = any(one.anchor is not None and one.document_id == document.id for one in envelope.fields)
        anchors = await anchors_in(read()) if anchored else ()
        fields += placed(envelope, document, number, signers, anchors)
    return OutgoingEnvelope(
        to_wire(envelope.id),
        envelope.subject,
        envelope.message or "",
        [OutgoingDocument(one.name, one.bytes, partial(blobs.get, tenant_id, one.id, key)) for one in documents],
        [
            OutgoingSigner(to_wire(one.id), one.name, one.email, one.order if envelope.in_order else 1)
            for one in signers
        ],
        fields,
    )


def placed(
    envelope: Envelope, document: Document, number: int, signers: list[Recipient], anchors: Iterable[Anchor]
) -> list[OutgoingField]:
    """The fields of one document at all their places."""
    indexes = {one.id: index for index, one in enumerate(signers)}
    found = []
    for field in envelope.fields:
        if field.document_id != document.id:
            continue
        for count, place in enumerate(places_of(field, anchors, document.sizes)):
            found.append(
                OutgoingField(
                    f"{to_wire(field.id)}-{count}" if count else to_wire(field.id),
                    indexes[field.recipient_id],
                    number,
                    field.kind,
                    field.required,
                    field.label or "",
                    *place,
                )
            )
    return found


async def anchors_in(parts: AsyncIterator[bytes]) -> tuple[Anchor, ...]:
    """The anchors of a PDF, looked for in a process with limits. Raises Refused, Busy."""
    from aureum.pdf.process import inspected

    return (await inspected(b"".join([part async for part in parts]))).anchors
