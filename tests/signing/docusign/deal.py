"""A brokerage that is connected to the server that plays DocuSign, and an envelope that was sent."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from aureum.commands.docusign_connections import ConnectDocusign, connect_docusign
from aureum.commands.envelopes.drafting import (
    AttachDocument,
    ChangeDraft,
    DraftEnvelope,
    NewRecipient,
    attach_document,
    change_draft,
    draft_envelope,
)
from aureum.commands.envelopes.sending import SendEnvelope, send_envelope
from aureum.domain import ids
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Document, Field
from aureum.signing.docusign.outgoing import signers_of
from aureum.store.blobs import BlobStore
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from tests.signing.docusign.peer import ACCOUNT_ID, CONNECT_KEY, INTEGRATION_KEY, PEM, USER_ID

ORIGIN = Origin(COMMAND_LINE)
PDF = b"%PDF-1.7 an offer %%EOF"
PEOPLE = (("Jane Doe", "jane@example.com", 1), ("John Doe", "john@example.com", 2))


async def connect(store: EventStore, tenant_id: UUID, connect_keys: Sequence[str] = (CONNECT_KEY,)) -> None:
    """Connect the brokerage."""
    command = ConnectDocusign(
        tenant_id=tenant_id,
        integration_key=INTEGRATION_KEY,
        user_id=USER_ID,
        account_id=ACCOUNT_ID,
        private_key=SecretStr(PEM),
        connect_keys=tuple(map(SecretStr, connect_keys)),
    )
    await connect_docusign(store, command, ORIGIN)


async def parts_of(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def send(
    store: EventStore, blobs: BlobStore, tenant_id: UUID, *files: bytes, anchor: str | None = None
) -> Envelope:
    """An envelope with these documents, which two people sign one after the other, and a third gets a copy of."""
    recipients = [NewRecipient(name=name, email=email, order=order) for name, email, order in PEOPLE]
    copy = NewRecipient(name="Carla Copy", email="carla@example.com", role="copy", order=3)
    draft = DraftEnvelope(
        tenant_id=tenant_id,
        subject="Offer for 1 Main St",
        message="Please sign.",
        provider="docusign",
        recipients=(*recipients, copy),
    )
    envelope, _ = await draft_envelope(store, draft, ORIGIN)
    key = (await store.load(tenant_id, envelope.id)).subject_key
    assert key is not None
    for number, data in enumerate(files or (PDF,), 1):
        document_id = ids.new_id()
        stored = await blobs.put(tenant_id, document_id, key, parts_of(data), of=envelope.id)
        command = AttachDocument(
            tenant_id=tenant_id,
            envelope_id=envelope.id,
            document=Document(
                id=document_id,
                name=f"Paper {number}.pdf",
                sha256=stored.sha256,
                bytes=stored.bytes,
                pages=1,
                anchors=() if anchor is None else (anchor,),
                sizes=((612.0, 792.0),),
            ),
        )
        envelope, _ = await attach_document(store, command, ORIGIN)
    place = {"anchor": anchor} if anchor else {"page": 1, "x": 72.0, "y": 100.0, "width": 180.0, "height": 36.0}
    fields = [
        Field(ids.new_id(), signer.id, document_id, "signature", **place)
        for signer in signers_of(envelope)
        for document_id in envelope.documents
    ]
    ref: dict[str, Any] = {"tenant_id": tenant_id, "envelope_id": envelope.id}
    await change_draft(store, ChangeDraft(**ref, fields=tuple(fields)), ORIGIN)
    sent, _ = await send_envelope(store, SendEnvelope(**ref), ORIGIN)
    return sent
