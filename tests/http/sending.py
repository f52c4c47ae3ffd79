"""Envelopes for tests: drafted and sent over HTTP, with documents whose bytes are nowhere, and signed by commands as
the portal gives them."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from aureum.commands.envelopes.drafting import AttachDocument, attach_document
from aureum.commands.envelopes.ending import (
    CompleteEnvelope,
    RecordProviderStatus,
    complete_envelope,
    record_provider_status,
)
from aureum.commands.envelopes.signing import (
    ConsentToRecords,
    DeclineDocument,
    OpenDocument,
    SignDocument,
    SigningClient,
    consent_to_records,
    decline_document,
    open_document,
    sign_document,
)
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Document, Sealed, Signature
from aureum.domain.ids import from_wire, new_id, now, to_wire
from aureum.store.event_store import EventStore
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.serving import Answer, Server
from tests.signing.docusign.deal import connect

SHA256 = "ab" * 32
TYPED = Signature("typed", typed="Jane Doe")


def person(number: int, **fields: Any) -> dict[str, Any]:
    """A recipient as it is sent."""
    return {"name": f"Person {number}", "email": f"person{number}@example.com", "order": number} | fields


def asked(server: Server, tenant: Tenant, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    """What the API answers to a key. It must be *status*."""
    answer = server.by_key(tenant, method, path, body)
    assert answer.status == status, (method, path, answer.body)
    return answer.json


def draft(server: Server, tenant: Tenant, *recipients: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A new draft."""
    body = {"subject": "Offer", "recipients": list(recipients or (person(1),))} | fields
    made: dict[str, Any] = asked(server, tenant, "POST", "/api/envelopes", body, 201)
    return made


def attach(operator: Operator, tenant: Tenant, envelope_id: str, name: str = "Offer.pdf") -> str:
    """A document of an envelope, whose bytes are nowhere; its id."""
    document_id, envelope = new_id(), from_wire(envelope_id)
    assert envelope is not None
    command = AttachDocument(
        tenant_id=tenant.id,
        envelope_id=envelope,
        document=Document(
            id=document_id,
            name=name,
            sha256=SHA256,
            bytes=1_000,
            pages=2,
            anchors=("/sig:buyer/",),
            sizes=((612.0, 792.0), (612.0, 792.0)),
        ),
    )
    operator.run(lambda store: attach_document(store, command, ORIGIN))
    return to_wire(document_id)


def ready(
    server: Server, operator: Operator, tenant: Tenant, *recipients: dict[str, Any], **fields: Any
) -> dict[str, Any]:
    """A draft that can be sent: with a document, and a signature field for each signer."""
    made = draft(server, tenant, *recipients, **fields)
    document = attach(operator, tenant, made["id"])
    signers = [one["id"] for one in made["recipients"] if one["role"] == "signer"]
    fields_of = [
        {"recipientId": one, "documentId": document, "kind": "signature", "anchor": "/sig:buyer/"} for one in signers
    ]
    changed: dict[str, Any] = asked(server, tenant, "PATCH", f"/api/envelopes/{made['id']}", {"fields": fields_of})
    return changed


def sent(server: Server, operator: Operator, tenant: Tenant, *recipients: dict[str, Any], **fields: Any) -> Any:
    """An envelope that was sent."""
    made = ready(server, operator, tenant, *recipients, **fields)
    return asked(server, tenant, "POST", f"/api/envelopes/{made['id']}/send")


def client(address: str, signed_in_at: datetime | None = None) -> SigningClient:
    """A client of the portal who has just proved the address."""
    return SigningClient(address=address, signed_in_at=signed_in_at or now(), ip="203.0.113.9", program="A browser")


async def sign(store: EventStore, tenant_id: UUID, envelope_id: UUID, address: str) -> Envelope:
    """Read, agree and sign."""
    about: dict[str, Any] = {"tenant_id": tenant_id, "envelope_id": envelope_id, "client": client(address)}
    envelope, _ = await open_document(store, OpenDocument(**about))
    await consent_to_records(store, ConsentToRecords(**about, text_version="en-1"))
    shown = {one.id: one.sha256 for one in envelope.documents.values()}
    signed, _ = await sign_document(store, SignDocument(**about, shown=shown, signature=TYPED))
    return signed


async def complete(store: EventStore, tenant_id: UUID, envelope_id: UUID) -> Envelope:
    """Seal it as the worker does, with hashes of nothing."""
    envelope = (await store.load(tenant_id, envelope_id)).aggregate()
    sealed = dict.fromkeys(envelope.documents, Sealed("cd" * 32, 2_000))
    command = CompleteEnvelope(
        tenant_id=tenant_id, envelope_id=envelope_id, documents=sealed, certificate_sha256="ef" * 32
    )
    completed, _ = await complete_envelope(store, command)
    return completed


def signed_by(operator: Operator, tenant: Tenant, envelope: dict[str, Any], *addresses: str) -> None:
    """Signed by those with these addresses, one after the other."""
    envelope_id = from_wire(envelope["id"])
    assert envelope_id is not None
    for address in addresses:
        operator.run(partial(sign, tenant_id=tenant.id, envelope_id=envelope_id, address=address))


def completed(operator: Operator, tenant: Tenant, envelope: dict[str, Any], *addresses: str) -> None:
    """Signed by all of these, and sealed."""
    signed_by(operator, tenant, envelope, *addresses)
    envelope_id = from_wire(envelope["id"])
    assert envelope_id is not None
    operator.run(partial(complete, tenant_id=tenant.id, envelope_id=envelope_id))


def every_end(server: Server, operator: Operator, tenant: Tenant) -> dict[str, str]:
    """One envelope completed, one declined, one voided and one expired; their ids by how they ended."""
    found = {end: sent(server, operator, tenant) for end in ("completed", "declined", "voided")}
    completed(operator, tenant, found["completed"], "person1@example.com")
    asked(server, tenant, "POST", f"/api/envelopes/{found['voided']['id']}/void", {"reason": "Changed"})
    operator.run(lambda store: connect(store, tenant.id))
    found["expired"] = sent(server, operator, tenant, provider="docusign")
    ids = {end: one["id"] for end, one in found.items()}
    declined, expired = from_wire(ids["declined"]), from_wire(ids["expired"])
    assert declined is not None and expired is not None
    of_client = DeclineDocument(
        tenant_id=tenant.id, envelope_id=declined, client=client("person1@example.com"), reason="Too dear"
    )
    of_provider = RecordProviderStatus(tenant_id=tenant.id, envelope_id=expired, event_id="1", status="expired")
    operator.run(lambda store: decline_document(store, of_client))
    operator.run(lambda store: record_provider_status(store, of_provider))
    return ids


def refused(answer: Answer, status: int, code: str) -> str:
    """The text of a refusal."""
    assert (answer.status, answer.json["code"]) == (status, code), answer.body
    text: str = answer.json["error"]
    return text
