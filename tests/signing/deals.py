"""Envelopes with real documents that all have signed, for the tests of what the worker does then."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

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
from aureum.commands.envelopes.signing import (
    ConsentToRecords,
    OpenDocument,
    SignDocument,
    SigningClient,
    consent_to_records,
    open_document,
    sign_document,
)
from aureum.domain import ids
from aureum.domain.consent_texts import EN_1
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Document, Field, Sealed, Signature
from aureum.pdf.inspecting import Inspected, inspect
from aureum.pdf.refusing import Refused
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from tests.pdf.making import document

ORIGIN = Origin(COMMAND_LINE)

CONTRACT = document(2, "Buyer: /sig:buyer/", "Date: /date:buyer/")


class Deal(NamedTuple):
    """An envelope, and the key of its bytes."""

    tenant_id: UUID
    id: UUID
    key: AESGCM


async def once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def looked_at(original: bytes) -> Inspected:
    """What the gate finds; of a file that it refuses, as if an older version had let it in."""
    try:
        return inspect(original)
    except Refused:
        return Inspected(1, ((612.0, 792.0),), ())


async def sent_deal(
    store: EventStore, tenant_id: UUID, *originals: bytes, signers: tuple[str, ...] = ("jane@example.com",)
) -> Deal:
    """An envelope with these documents, sent to *signers*: each signs at an anchor and on the first page."""
    people = tuple(
        NewRecipient(name=f"Łukasz {address.split('@')[0].title()}", email=address, role="signer")
        for address in signers
    )
    command = DraftEnvelope(tenant_id=tenant_id, subject="Offer for Elm Street 12", recipients=people, in_order=False)
    envelope, _ = await draft_envelope(store, command, ORIGIN)
    key = (await store.load(tenant_id, envelope.id)).subject_key
    assert key is not None
    fields: list[Field] = []
    for number, original in enumerate(originals, 1):
        document_id = ids.new_id()
        await KeptBlobs(store.database).put(tenant_id, document_id, key, once(original), of=envelope.id)
        found = looked_at(original)
        attached = AttachDocument(
            tenant_id=tenant_id,
            envelope_id=envelope.id,
            document=Document(
                id=document_id,
                name=f"Offer {number}.pdf",
                sha256=hashlib.sha256(original).hexdigest(),
                bytes=len(original),
                pages=found.pages,
                anchors=tuple(dict.fromkeys(one.text for one in found.anchors)),
                sizes=found.sizes,
            ),
        )
        await attach_document(store, attached, ORIGIN)
        for place, person in enumerate(envelope.recipients.values()):
            where = Field(ids.new_id(), person.id, document_id, "signature", page=1, x=100, y=300 + 60 * place)
            fields.append(replace(where, width=180, height=40))
            if found.anchors:
                fields.append(Field(ids.new_id(), person.id, document_id, "date", anchor="/date:buyer/"))
    changed = ChangeDraft(tenant_id=tenant_id, envelope_id=envelope.id, fields=tuple(fields))
    await change_draft(store, changed, ORIGIN)
    await send_envelope(store, SendEnvelope(tenant_id=tenant_id, envelope_id=envelope.id), ORIGIN)
    return Deal(tenant_id, envelope.id, key)


async def sign(
    store: EventStore, deal: Deal, address: str = "jane@example.com", signature: Signature | None = None
) -> Envelope:
    """Read, agree and sign."""
    client = SigningClient(address=address, signed_in_at=ids.now(), ip="203.0.113.9", program="A browser")
    about: dict[str, Any] = {"tenant_id": deal.tenant_id, "envelope_id": deal.id, "client": client}
    envelope, _ = await open_document(store, OpenDocument(**about))
    await consent_to_records(store, ConsentToRecords(**about, text_version=EN_1.version))
    shown = {one.id: one.sha256 for one in envelope.documents.values()}
    typed = signature or Signature("typed", typed="Łukasz Müller")
    signed, _ = await sign_document(store, SignDocument(**about, shown=shown, signature=typed))
    return signed


async def signed_deal(store: EventStore, tenant_id: UUID, *originals: bytes) -> Deal:
    """An envelope that its one signer has signed."""
    deal = await sent_deal(store, tenant_id, *(originals or (CONTRACT,)))
    await sign(store, deal)
    return deal


async def envelope_of(store: EventStore, deal: Deal) -> Envelope:
    """As it is now."""
    found = (await store.load(deal.tenant_id, deal.id)).aggregate()
    assert isinstance(found, Envelope)
    return found


async def sealed_file(store: EventStore, deal: Deal, document_id: UUID, sealed: Sealed) -> bytes:
    """The bytes of a sealed document."""
    parts = KeptBlobs(store.database).get(deal.tenant_id, ids.id_of_bytes(document_id, sealed.sha256), deal.key)
    return b"".join([part async for part in parts])
