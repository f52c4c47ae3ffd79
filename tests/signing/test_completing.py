"""The worker completes envelopes: what it seals, what it does when it is killed, raced, or cannot seal."""

import asyncio
import hashlib
import signal
import sys
from datetime import timedelta
from uuid import UUID

import pypdfium2  # type: ignore[import-untyped]  # it has no types
import pytest

from aureum.commands.seal_certificates import (
    CertificateExpired,
    NewCertificate,
    RenewCertificate,
    renew_certificate,
    replaced,
    seal_certificate,
    usable_certificate,
)
from aureum.domain import ids
from aureum.domain.envelope_parts import Signature
from aureum.pdf.verifying import Trusted, verify
from aureum.signing.completing import attend, complete, sealing_round, take
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from tests.pdf.making import document
from tests.pdf.test_sealing import png
from tests.signing.deals import (
    CONTRACT,
    ORIGIN,
    Deal,
    envelope_of,
    once,
    sealed_file,
    sent_deal,
    sign,
    signed_deal,
)
from tests.stores import open_brokerage, opened_store

ROW = "SELECT due_at IS NULL, failures, error, parked FROM sealings WHERE envelope_id = %(envelope)s"
DUE_NOW = "UPDATE sealings SET due_at = now() WHERE due_at IS NOT NULL RETURNING 1"


async def row(store: EventStore, deal: Deal) -> tuple[bool, int, str | None, bool]:
    ((never, failures, error, parked),) = await store.database.rows(ROW, {"envelope": deal.id})
    return never, failures, error, parked


async def round_of(store: EventStore) -> None:
    """One envelope that is due; nothing is waited for."""
    due = await take(store.database)
    assert due is not None
    await attend(store, KeptBlobs(store.database), None, due)


async def trusted(store: EventStore, tenant_id: UUID) -> list[Trusted]:
    found = await seal_certificate(store, tenant_id)
    assert found is not None
    return [Trusted(one.certificate, one.chain) for one in found.issued]


def test_an_envelope_is_completed(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            others = document(1, "Nothing to find here")
            deal = await sent_deal(store, tenant, CONTRACT, others, signers=("jane@example.com", "joe@example.com"))
            picture = png()
            drawn = Signature("drawn", image_id=ids.new_id(), image_sha256=hashlib.sha256(picture).hexdigest())
            assert drawn.image_id is not None
            await KeptBlobs(store.database).put(tenant, drawn.image_id, deal.key, once(picture), of=deal.id)
            await sign(store, deal, "jane@example.com")
            assert await take(store.database) is None, "one has still to sign"
            await sign(store, deal, "joe@example.com", drawn)
            stop = asyncio.Event()
            await sealing_round(store, KeptBlobs(store.database), None, 0, stop)
            envelope = await envelope_of(store, deal)
            assert envelope.state == "completed" and await row(store, deal) == (True, 0, None, False)
            known = await trusted(store, tenant)
            for (document_id, one), original in zip(envelope.sealed.items(), (CONTRACT, others), strict=True):
                whole = await sealed_file(store, deal, document_id, one)
                assert whole.startswith(original) and len(whole) == one.bytes
                verdict = await asyncio.to_thread(verify, whole, known)
                assert verdict.unchanged and verdict.sha256 == one.sha256
                assert verdict.certificate_sha256 == envelope.certificate_sha256
                shown = pypdfium2.PdfDocument(whole)
                first = shown[0].get_textpage().get_text_range()
                assert "Łukasz Müller" in first and "Łukasz Joe ·" in first
                last = "".join(page.get_textpage().get_text_range() for page in list(shown)[-2:])
                for said in (one_line(envelope.subject), "Łukasz Jane", "203.0.113.9", "drawn signature", "at no cost"):
                    assert said in last.replace("\r\n", " "), said
                assert all(sha in last for sha in (drawn.image_sha256 or "", hashlib.sha256(CONTRACT).hexdigest()))
            assert f"{envelope.recipients[next(iter(envelope.recipients))].signed_at:%Y-%m-%d}" in "".join(
                page.get_textpage().get_text_range()
                for page in pypdfium2.PdfDocument(await sealed_file(store, deal, *next(iter(envelope.sealed.items()))))
            )
            assert await take(store.database) is None

    asyncio.run(scenario())


def one_line(text: str) -> str:
    return " ".join(text.split())


KILLED = """
import asyncio, os, signal, sys
from aureum.signing import completing
from tests.signing.test_completing import *

async def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

completing.complete_envelope = die

async def scenario():
    async with opened_store(sys.argv[1]) as store:
        await round_of(store)

asyncio.run(scenario())
"""


def test_a_worker_that_is_killed_before_the_append_leaves_the_envelope_due(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            deal = await signed_deal(store, tenant)
            killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, database_url)
            assert await asyncio.wait_for(killed.wait(), 60) == -signal.SIGKILL
            assert (await envelope_of(store, deal)).state == "completing"
            assert await take(store.database) is None, "the lease of the one that died still runs"
            # It stored the sealed file, which no event names.
            assert len(await documents_of(store, deal)) == 2
            assert await store.database.rows(DUE_NOW, {})
            await round_of(store)
            envelope = await envelope_of(store, deal)
            assert envelope.state == "completed" and len(await documents_of(store, deal)) == 3
            ((document_id, one),) = envelope.sealed.items()
            whole = await sealed_file(store, deal, document_id, one)
            assert (await asyncio.to_thread(verify, whole, await trusted(store, tenant))).unchanged

    asyncio.run(scenario())


async def documents_of(store: EventStore, deal: Deal) -> list[tuple[UUID]]:
    about = {"envelope": deal.id}
    return await store.database.rows("SELECT document_id FROM documents WHERE subject_id = %(envelope)s", about)


def test_two_workers_at_once_complete_it_once(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, opened_store(database_url) as other:
            tenant = await open_brokerage(store)
            deal = await signed_deal(store, tenant)
            due = await take(store.database)
            assert due is not None and await take(other.database) is None
            await asyncio.gather(*(complete(one, KeptBlobs(one.database), None, due) for one in (store, other)))
            stream = await store.load(tenant, deal.id)
            topics = [one.event.TOPIC for one in stream.events]
            assert topics.count("envelope.completed") == 1
            envelope = await envelope_of(store, deal)
            ((document_id, one),) = envelope.sealed.items()
            assert hashlib.sha256(await sealed_file(store, deal, document_id, one)).hexdigest() == one.sha256
            # Both needed a certificate at the same moment. The one that sealed is known.
            assert envelope.certificate_sha256 in {
                hashlib.sha256(one.certificate).hexdigest() for one in await trusted(store, tenant)
            }

    asyncio.run(scenario())


def test_what_cannot_be_sealed_waits_for_an_operator_and_holds_up_no_other(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            bad = await signed_deal(store, tenant, b"%PDF-1.7 nothing that can be read")
            lost, good = [await signed_deal(store, tenant) for _ in range(2)]
            await KeptBlobs(store.database).delete(tenant, list((await envelope_of(store, lost)).documents))
            for _ in range(3):
                await round_of(store)
            assert (await envelope_of(store, good)).state == "completed"
            assert await row(store, bad) == (False, 1, "PdfReadError while sealing", True)
            never, failures, error, parked = await row(store, lost)
            assert (never, failures, parked) == (False, 1, False) and error is not None and "aureum doctor" in error
            assert await take(store.database) is None, "neither is tried again at once"
            await store.database.rows(DUE_NOW, {})
            due = await take(store.database)
            assert due is not None and due.envelope_id == lost.id, "the other one waits for an operator"

    asyncio.run(scenario())


def test_a_certificate_is_made_once_renewed_and_old_ones_are_kept(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant, other = await open_brokerage(store), await open_brokerage(store)
            first = await usable_certificate(store, tenant, "Harbor Realty")
            assert await seal_certificate(store, other) is None
            again = await usable_certificate(store, tenant, "Another name")
            assert again.issued == first.issued and again.key == first.key
            # The key is in the log encrypted alone.
            raw = await store.database.rows("SELECT data FROM events WHERE tenant_id = %(t)s", {"t": tenant})
            assert raw and all(first.key not in data for (data,) in raw)
            renewed, _ = await renew_certificate(
                store, RenewCertificate(tenant_id=tenant, name="Harbor Realty"), ORIGIN
            )
            assert renewed.issued[0] == first.issued[0] and len(renewed.issued) == 2 and renewed.key != first.key
            # A year before its end the next one is made by itself; an imported one only ends.
            late = ids.now() + timedelta(days=10 * 365 - 300)
            monkeypatch.setattr(ids, "now", lambda: late)
            assert len((await usable_certificate(store, tenant, "Harbor Realty")).issued) == 3
            brought = NewCertificate(
                "ImportCertificate", first.key, first.current.certificate, first.current.chain, imported=True
            )
            imported, _ = await replaced(store, tenant, brought, ORIGIN)
            assert imported.current.imported
            assert (await usable_certificate(store, tenant, "Harbor Realty")).current == imported.current
            monkeypatch.setattr(ids, "now", lambda: late + timedelta(days=400))
            with pytest.raises(CertificateExpired):
                await usable_certificate(store, tenant, "Harbor Realty")

    asyncio.run(scenario())
