"""What the worker does about envelopes at DocuSign, on a real database, with a server that plays DocuSign."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from aureum.commands.envelopes.clock import act_on_time
from aureum.commands.envelopes.ending import (
    PurgeEnvelope,
    VoidEnvelope,
    purge_envelope,
    void_envelope,
)
from aureum.commands.envelopes.sending import RemindRecipient, remind_recipient
from aureum.domain import ids
from aureum.domain.envelope import Envelope
from aureum.domain.errors import Busy, WrongState
from aureum.signing.docusign.http import Docusign
from aureum.signing.docusign.recording import record
from aureum.signing.docusign.status import ProviderStatus
from aureum.signing.docusign.tokens import Tokens
from aureum.signing.docusign.viewing import signing_url
from aureum.signing.docusign.working import docusign_round
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from tests.pdf.papers import contract
from tests.signing.docusign.deal import ORIGIN, PDF, connect, parts_of, send
from tests.signing.docusign.peer import Answer, Peer, refusal
from tests.stores import open_brokerage, opened_store

ROW = """
SELECT step, due_at - now(), failures FROM docusign_envelopes
 WHERE tenant_id = %(tenant)s AND envelope_id = %(envelope)s
"""
DUE = """
UPDATE docusign_envelopes SET due_at = now()
 WHERE tenant_id = %(tenant)s AND envelope_id = %(envelope)s AND due_at IS NOT NULL RETURNING 1
"""
KEPT = "SELECT count(*)::int FROM documents WHERE tenant_id = %(tenant)s AND NOT gone"
MINUTE = timedelta(minutes=1)


@dataclass
class Office:
    """A connected brokerage, the worker's hands, and the envelope that is looked at."""

    store: EventStore
    blobs: KeptBlobs
    docusign: Docusign
    tenant_id: UUID
    peer: Peer
    envelope_id: UUID = ids.PLATFORM

    @property
    def named(self) -> dict[str, Any]:
        return {"tenant_id": self.tenant_id, "envelope_id": self.envelope_id}

    @property
    def about(self) -> dict[str, UUID]:
        return {"tenant": self.tenant_id, "envelope": self.envelope_id}

    @property
    def there(self) -> dict[str, Any]:
        """The envelope as DocuSign has it."""
        (one,) = self.peer.envelopes.values()
        return one

    async def send(self, *files: bytes, anchor: str | None = None) -> Envelope:
        envelope = await send(self.store, self.blobs, self.tenant_id, *files, anchor=anchor)
        self.envelope_id = envelope.id
        return envelope

    async def round(self) -> Envelope:
        """One round of a worker that polls again at once; the envelope afterwards."""
        await docusign_round(self.store, self.blobs, self.docusign, 0, asyncio.Event())
        return await self.envelope()

    async def again(self) -> Envelope:
        """The same, once the pause is over."""
        assert await self.store.database.rows(DUE, self.about)
        return await self.round()

    async def envelope(self) -> Envelope:
        found = (await self.store.load(self.tenant_id, self.envelope_id)).aggregate()
        assert isinstance(found, Envelope)
        return found

    async def row(self) -> tuple[str | None, timedelta | None, int]:
        ((step, due_in, failures),) = await self.store.database.rows(ROW, self.about)
        return step, due_in, failures


def played(url: str, peer: Peer, play: Callable[[Office], Awaitable[None]], *, connected: bool = True) -> None:
    """Run *play* in an office of its own."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Office]:
        async with opened_store(url) as store, Docusign(peer.url) as docusign:
            tenant_id = await open_brokerage(store)
            if connected:
                await connect(store, tenant_id)
            yield Office(store, KeptBlobs(store.database, None), docusign, tenant_id, peer)

    async def run() -> None:
        async with opened() as office:
            await play(office)

    asyncio.run(run())


def test_a_deal_without_connect(module_database_url: str, peer: Peer) -> None:
    async def play(office: Office) -> None:
        await office.send(PDF, PDF + b" two")
        envelope = await office.round()
        there = office.there
        assert envelope.provider_id == there["envelopeId"] and there["transactionId"] == ids.to_wire(envelope.id)
        signers = [one for one in envelope.recipients.values() if one.role == "signer"]
        shown = [(one["clientUserId"], one["email"], one["routingOrder"]) for one in there["recipients"]["signers"]]
        assert shown == [(ids.to_wire(one.id), one.email, str(one.order)) for one in signers]
        sent = next(one.json for one in peer.asked if one.path.endswith("/envelopes"))
        assert "carla" not in repr(sent) and [one["name"] for one in sent["documents"]] == [
            "Paper 1.pdf",
            "Paper 2.pdf",
        ]
        tab = sent["recipients"]["signers"][1]["tabs"]["signHereTabs"][1]
        assert (tab["documentId"], tab["pageNumber"], tab["xPosition"], tab["yPosition"]) == ("2", "1", "72", "100")

        asked = len(peer.asked)
        step, due_in, _ = await office.row()
        assert step == "follow" and due_in is not None and due_in > 14 * MINUTE
        await office.round()
        assert len(peer.asked) == asked  # nothing is due

        peer.act(there["envelopeId"], 1, "delivered")
        peer.act(there["envelopeId"], 1, "completed")
        envelope = await office.again()
        assert [one.state for one in envelope.recipients.values()] == ["signed", "invited", "waiting"]
        version = envelope.version
        envelope = await office.again()
        step, due_in, failures = await office.row()
        assert (envelope.version, step, failures) == (version, "follow", 0)
        assert due_in is not None and 14 * MINUTE < due_in <= 15 * MINUTE

        peer.act(there["envelopeId"], 2, "completed")
        assert (await office.again()).state == "completing"
        envelope = await office.round()
        assert (envelope.state, (await office.row())[0]) == ("completed", None)
        key = (await office.store.load(office.tenant_id, envelope.id)).subject_key
        assert key is not None
        for document_id, sealed in envelope.sealed.items():
            place = ids.id_of_bytes(document_id, sealed.sha256)
            parts = office.blobs.get(office.tenant_id, place, key)
            assert b"".join([part async for part in parts]) == peer.document
            assert sealed.bytes == len(peer.document)
        ((kept,),) = await office.store.database.rows(KEPT, office.about)
        assert kept == 4  # two as they were sent, two as they were signed
        assert envelope.certificate_sha256 is None

    played(module_database_url, peer, play)
    assert len(peer.calls("/oauth/token")) == 1


def test_an_answer_that_was_lost_makes_no_second_envelope(module_database_url: str, peer: Peer) -> None:
    async def play(office: Office) -> None:
        await office.send()
        peer.lost = ["/envelopes"]
        assert (await office.round()).provider_id is None
        step, due_in, failures = await office.row()
        assert (step, failures) == ("create", 1) and due_in is not None and due_in < MINUTE
        peer.plan("/envelopes", Answer(503, b"", {"Retry-After": "120"}))
        await office.again()
        _, due_in, failures = await office.row()
        assert failures == 2 and due_in is not None and MINUTE < due_in <= 2 * MINUTE
        # What happens meanwhile does not make the worker forget that it has tried.
        envelope = await office.envelope()
        first = next(iter(envelope.recipients))
        await remind_recipient(office.store, RemindRecipient(**office.named, recipient_id=first), ORIGIN)
        assert (await office.round()).provider_id == office.there["envelopeId"]

    played(module_database_url, peer, play)
    assert [method for method, path in peer.calls() if path == "/envelopes"] == ["POST", "GET", "GET"]


def test_what_docusign_refuses_for_good_is_voided(module_database_url: str, peer: Peer) -> None:
    async def play(office: Office) -> None:
        await office.send()
        peer.plan("/envelopes", refusal(400, "INVALID_EMAIL_ADDRESS_FOR_RECIPIENT"))
        envelope = await office.round()
        assert envelope.state == "voided"
        assert envelope.ended_reason == "DocuSign refused the envelope: INVALID_EMAIL_ADDRESS_FOR_RECIPIENT."
        assert (await office.row())[:2] == (None, None)

    played(module_database_url, peer, play)


def test_what_ends_here_ends_there(module_database_url: str, peer: Peer) -> None:
    async def play(office: Office) -> None:
        await office.send()
        await office.round()
        await void_envelope(office.store, VoidEnvelope(**office.named, reason="The price is wrong."), ORIGIN)
        peer.plan("/envelopes/", Answer(500, b""))
        await office.round()
        assert office.there["status"] == "sent" and (await office.row())[0] == "end"
        await office.again()
        assert (office.there["status"], office.there["voidedReason"]) == ("voided", "The price is wrong.")
        assert (await office.row())[1] is None
        await purge_envelope(office.store, PurgeEnvelope(**office.named), ORIGIN)
        assert (await office.envelope()).state == "purged"
        assert await office.store.database.rows(ROW, office.about) == []

        # One that is purged before the worker has come to it is ended there all the same.
        peer.envelopes.clear()
        await office.send()
        await office.round()
        await void_envelope(office.store, VoidEnvelope(**office.named, reason="Jane's price"), ORIGIN)
        await purge_envelope(office.store, PurgeEnvelope(**office.named), ORIGIN)
        assert (await office.row())[0] == "end"
        await office.round()
        assert office.there["status"] == "voided" and "Jane" not in office.there["voidedReason"]
        assert await office.store.database.rows(ROW, office.about) == []

    played(module_database_url, peer, play)


def test_what_ended_before_it_was_sent_is_never_sent(module_database_url: str, peer: Peer) -> None:
    async def play(office: Office) -> None:
        await office.send()
        await void_envelope(office.store, VoidEnvelope(**office.named), ORIGIN)
        await office.round()
        assert peer.envelopes == {} and (await office.row())[1] is None
        await office.send()
        peer.lost = ["/envelopes"]
        await office.round()
        await void_envelope(office.store, VoidEnvelope(**office.named), ORIGIN)
        await office.round()
        assert office.there["status"] == "voided"

    played(module_database_url, peer, play)


def test_what_ended_there_ends_here(module_database_url: str, peer: Peer) -> None:
    async def play(office: Office) -> None:
        await office.send()
        await office.round()
        peer.act(office.there["envelopeId"], 1, "declined")
        envelope = await office.again()
        assert (envelope.state, envelope.ended_reason) == ("declined", "The price is wrong.")
        peer.envelopes.clear()
        await office.send()
        await office.round()
        office.there.update(status="voided", voidedReason="Envelope has expired.")
        envelope = await office.again()
        assert (envelope.state, envelope.ended_reason) == ("voided", "Envelope has expired.")
        assert (await office.row())[:2] == (None, None)

    played(module_database_url, peer, play)


BROKEN = (
    Answer(200, b"%PDF-1.7", {"Content-Type": "application/pdf"}, cut=50),
    Answer(200, b"<html>", {"Content-Type": "application/pdf"}),
    Answer(200, b"", {"Content-Type": "application/pdf"}),
    Answer(503, b""),
)


def test_a_document_that_comes_broken_is_fetched_again(module_database_url: str, peer: Peer) -> None:
    async def play(office: Office) -> None:
        sent = await office.send()
        await office.round()
        for number in (1, 2):
            peer.act(office.there["envelopeId"], number, "completed")
        assert (await office.again()).state == "completing"
        for broken in BROKEN:
            peer.plan("/combined", broken)
            assert (await office.again()).state == "completing"
            ((kept,),) = await office.store.database.rows(KEPT, office.about)
            assert kept == 1
        assert (await office.row())[2] == len(BROKEN)
        # A worker that died had kept it, but not completed the envelope.
        stream = await office.store.load(office.tenant_id, sent.id)
        (document_id,) = sent.documents
        assert stream.subject_key is not None
        place = ids.id_of_bytes(document_id, sha256(peer.document).hexdigest())
        await office.blobs.put(office.tenant_id, place, stream.subject_key, parts_of(peer.document), of=sent.id)
        assert (await office.again()).state == "completed"
        parts = office.blobs.get(office.tenant_id, place, stream.subject_key)
        assert b"".join([part async for part in parts]) == peer.document

    played(module_database_url, peer, play)


def test_it_waits_for_a_connection_and_for_docusigns_own_word(module_database_url: str, peer: Peer) -> None:
    async def play(office: Office) -> None:
        await office.send()
        assert (await office.round()).provider_id is None and peer.asked == []
        await connect(office.store, office.tenant_id)
        envelope = await office.again()
        assert envelope.provider_id is not None
        # Connect may say what is not so yet: the documents come only when DocuSign itself says that all have signed.
        await record(office.store, office.tenant_id, envelope.id, envelope.provider_id, ProviderStatus("completed"))
        assert (await office.round()).state == "completing"
        _, due_in, failures = await office.row()
        assert failures == 1 and due_in is not None and due_in > 14 * MINUTE

    played(module_database_url, peer, play, connected=False)


def test_fields_at_anchors_stand_where_the_built_in_signer_would_put_them(module_database_url: str, peer: Peer) -> None:
    async def play(office: Office) -> None:
        await office.send(contract(2, anchors=("/sig:buyer1/",)), anchor="/sig:buyer1/")
        assert (await office.round()).provider_id is not None
        sent = next(one.json for one in peer.asked if one.path.endswith("/envelopes"))
        (tab,) = sent["recipients"]["signers"][0]["tabs"]["signHereTabs"]
        assert "anchorString" not in tab and int(tab["pageNumber"]) >= 1 and int(tab["xPosition"]) > 0

    played(module_database_url, peer, play)


def test_signers_are_led_to_a_fresh_view(module_database_url: str, peer: Peer) -> None:
    async def play(office: Office) -> None:
        tokens = Tokens()

        async def url(number: int) -> str:
            envelope = await office.envelope()
            recipient = list(envelope.recipients.values())[number - 1]
            return await signing_url(
                office.store,
                tokens,
                peer.url,
                office.tenant_id,
                envelope,
                recipient,
                return_url="https://gem.example.com/portal/documents/c1",
                signed_in_at=ids.now(),
            )

        await office.send()
        with pytest.raises(Busy, match="on their way"):
            await url(1)
        await office.round()
        first, again = await url(1), await url(1)
        assert first.startswith(f"{peer.url}/Signing/") and first != again
        assert len(peer.calls("/oauth/token")) == 2  # the worker's, and one for both views
        with pytest.raises(WrongState, match="does not let you sign"):
            await url(2)
        peer.plan("/views/", Answer(503, b""))
        with pytest.raises(Busy, match="Try again in a few minutes"):
            await url(1)

    played(module_database_url, peer, play)


def test_an_envelope_that_fails_holds_up_no_other(module_database_url: str, peer: Peer) -> None:
    async def play(office: Office) -> None:
        lost = await office.send()
        await office.blobs.delete(office.tenant_id, list(lost.documents))
        await office.send()
        assert (await office.round()).provider_id == office.there["envelopeId"]
        await act_on_time(office.store, office.tenant_id, office.envelope_id)
        assert (await office.envelope()).state == "sent"  # the deadline has not passed

    played(module_database_url, peer, play)
