"""A server that plays DocuSign, and an envelope for it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from aureum.domain import ids
from aureum.signing.docusign.account import Account
from aureum.signing.docusign.request import OutgoingDocument, OutgoingEnvelope, OutgoingField, OutgoingSigner
from tests.signing.docusign.peer import ACCOUNT_ID, INTEGRATION_KEY, PEM, USER_ID, Peer, playing

ACCOUNT = Account(INTEGRATION_KEY, USER_ID, ACCOUNT_ID, False, PEM)


@pytest.fixture
def peer() -> Iterator[Peer]:
    with playing() as one:
        yield one


def document(name: str = "Offer.pdf", data: bytes = b"%PDF-1.7 offer %%EOF", part: int = 7) -> OutgoingDocument:
    """A document whose bytes come in parts."""

    async def read() -> AsyncIterator[bytes]:
        for start in range(0, len(data), part):
            yield data[start : start + part]

    return OutgoingDocument(name, len(data), read)


def outgoing(*documents: OutgoingDocument, subject: str = "Offer for 1 Main St") -> OutgoingEnvelope:
    """Two signers, one after the other, with a field of each kind."""
    signers = [
        OutgoingSigner(ids.to_wire(ids.new_id()), "Łukasz Łoś", "lukasz@example.com", 1),
        OutgoingSigner(ids.to_wire(ids.new_id()), "李小龍", "bruce@example.com", 2),
    ]
    kinds = ("signature", "initials", "date", "name", "text", "checkbox")
    fields = [
        OutgoingField(f"f{signer}{n}", signer, 0, kind, n % 2 == 0, "Price", 1, 72.4, 100.0 + 20 * n, 90, 18)
        for signer in range(2)
        for n, kind in enumerate(kinds)
    ]
    return OutgoingEnvelope(
        ids.to_wire(ids.new_id()),
        subject,
        'Please sign. "documentBase64":"document-0',
        documents or [document()],
        signers,
        fields,
    )
