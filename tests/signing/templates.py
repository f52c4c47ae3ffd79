"""Templates with a real document, from which envelopes begin: for tests without HTTP."""

import hashlib
from uuid import UUID

from aureum.commands.envelopes.drafting import NewRecipient
from aureum.commands.envelopes.from_template import DraftFromTemplate, draft_from_template
from aureum.commands.envelopes.templates import (
    AddTemplate,
    AttachTemplateDocument,
    ChangeTemplate,
    add_template,
    attach_template_document,
    change_template,
)
from aureum.domain import ids
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Document, Field
from aureum.domain.template_roles import Role, role_id
from aureum.pdf.inspecting import inspect
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from tests.signing.deals import CONTRACT, ORIGIN, once


async def a_template(store: EventStore, tenant_id: UUID) -> UUID:
    """A template with the contract, which the role ``buyer`` signs at its mark; its id."""
    new = AddTemplate(tenant_id=tenant_id, name="Offer", subject="Offer for Elm Street 12", roles=(Role("buyer"),))
    template, _ = await add_template(store, new, ORIGIN)
    key = (await store.load(tenant_id, template.id)).subject_key
    assert key is not None
    document_id, found = ids.new_id(), inspect(CONTRACT)
    await KeptBlobs(store.database).put(tenant_id, document_id, key, once(CONTRACT), of=template.id)
    marks = tuple(dict.fromkeys(one.text for one in found.anchors))
    digest = hashlib.sha256(CONTRACT).hexdigest()
    document = Document(document_id, "Offer.pdf", digest, len(CONTRACT), found.pages, marks, found.sizes)
    attached = AttachTemplateDocument(tenant_id=tenant_id, template_id=template.id, document=document)
    await attach_template_document(store, attached, ORIGIN)
    field = Field(ids.new_id(), role_id("buyer"), document_id, "signature", anchor="/sig:buyer/")
    await change_template(store, ChangeTemplate(tenant_id=tenant_id, template_id=template.id, fields=(field,)), ORIGIN)
    return template.id


async def begun_from(store: EventStore, tenant_id: UUID, template_id: UUID) -> tuple[Envelope, bytes]:
    """An envelope that Jane is to sign, begun from the template, and the bytes of its document."""
    jane = NewRecipient(name="Jane Doe", email="jane@example.com", template_role="buyer")
    command = DraftFromTemplate(tenant_id=tenant_id, template_id=template_id, recipients=(jane,))
    blobs = KeptBlobs(store.database)
    envelope, _ = await draft_from_template(store, blobs, command, ORIGIN)
    key = (await store.load(tenant_id, envelope.id)).subject_key
    assert key is not None
    (document_id,) = envelope.documents
    return envelope, b"".join([part async for part in blobs.get(tenant_id, document_id, key)])
