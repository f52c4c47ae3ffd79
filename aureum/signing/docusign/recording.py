"""What DocuSign says of an envelope becomes events of the envelope. The same fact has the same id, whether Connect or
an answer tells it, and however often: so it counts once. What is late or out of order changes nothing."""

from datetime import datetime
from uuid import UUID

from aureum.commands.envelopes.drafting import EnvelopeRef, changed
from aureum.commands.envelopes.ending import DOCUSIGN
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Recipient
from aureum.signing.docusign.outgoing import signers_of
from aureum.signing.docusign.status import ProviderStatus, SignerStatus
from aureum.store.event_store import EventStore
from aureum.store.metadata import Origin

FACTS = ("viewed", "signed", "declined")
"""In the order in which they are recorded: what ends an envelope comes last."""


async def record(
    store: EventStore, tenant_id: UUID, envelope_id: UUID, provider_id: str, said: ProviderStatus
) -> Envelope:
    """The envelope with what *said* tells of it; DocuSign calls it *provider_id*. Raises NotFound, WrongState for an
    envelope that is not DocuSign's or is another one there, Conflict, and what ``EventStore.append`` raises."""
    envelope, _ = await changed(
        store,
        EnvelopeRef(tenant_id=tenant_id, envelope_id=envelope_id),
        lambda one, at: apply(one, provider_id, said, at),
        "RecordProviderStatus",
        Origin(DOCUSIGN),
    )
    return envelope


def apply(envelope: Envelope, provider_id: str, said: ProviderStatus, at: datetime) -> None:
    """Record what the envelope does not know yet. Raises WrongState."""
    # Connect may be quicker than the answer to the request that made the envelope.
    envelope.link_provider(provider_id, at)
    facts = sorted(facts_of(envelope, said), key=lambda fact: FACTS.index(fact[1]))
    for recipient, fact, reason in facts:
        event_id = f"{provider_id}/{recipient.id.hex}/{fact}"
        envelope.record_provider_status(event_id, fact, at, recipient_id=recipient.id, reason=reason)
    if said.state == "voided":
        envelope.record_provider_status(f"{provider_id}/voided", "voided", at, reason=said.reason)


def facts_of(envelope: Envelope, said: ProviderStatus) -> list[tuple[Recipient, str, str | None]]:
    """What *said* tells of the signers: the signer, the fact, why it was declined."""
    signers = signers_of(envelope)
    facts: list[tuple[Recipient, str, str | None]] = []
    for one in said.signers:
        recipient = recipient_of(signers, one)
        if recipient is None:
            continue
        if one.viewed_at is not None or one.state == "viewed":
            facts.append((recipient, "viewed", None))
        if one.state in ("signed", "declined"):
            facts.append((recipient, one.state, one.reason))
    if said.state == "completed":
        facts += [(one, "signed", None) for one in signers]
    return facts


def recipient_of(signers: list[Recipient], said: SignerStatus) -> Recipient | None:
    """Whom DocuSign means: by our id, else by the number."""
    for number, one in enumerate(signers, 1):
        if one.id == said.id or (said.id is None and number == said.number):
            return one
    return None
