"""``GET /api/envelopes/{id}/verify``, and the certificate of the seal."""

import base64
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from aureum.domain.ids import id_of_bytes, to_wire
from aureum.signing.completing import attend, take
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from tests.http.every.of_envelopes import pkcs12_file
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server
from tests.signing.deals import CONTRACT, Deal, envelope_of, once, sealed_file, sent_deal, sign

CERTIFICATE = "/api/v1/admin/signing/certificate"


async def sealed_by_worker(store: EventStore, deal: Deal) -> None:
    """Signed, and sealed."""
    await sign(store, deal)
    while (await envelope_of(store, deal)).state == "completing":
        due = await take(store.database)
        assert due is not None
        await attend(store, KeptBlobs(store.database), None, due)


async def first_sent(store: EventStore, tenant_id: UUID, original: bytes) -> Deal:
    return await sent_deal(store, tenant_id, original)


async def overwritten(store: EventStore, deal: Deal, data: bytes | None) -> None:
    """Put other bytes in the place of the sealed file, as an owner of the key and the database could."""
    envelope = await envelope_of(store, deal)
    ((document_id, one),) = envelope.sealed.items()
    blobs, bytes_id = KeptBlobs(store.database), id_of_bytes(document_id, one.sha256)
    await blobs.delete(deal.tenant_id, [bytes_id])
    if data is not None:
        await blobs.put(deal.tenant_id, bytes_id, deal.key, once(data), of=deal.id)


async def the_file(store: EventStore, deal: Deal) -> bytes:
    ((document_id, one),) = (await envelope_of(store, deal)).sealed.items()
    return await sealed_file(store, deal, document_id, one)


def verified(server: Server, tenant: Tenant, deal: Deal) -> Any:
    answer = server.by_key(tenant, "GET", f"/api/envelopes/{to_wire(deal.id)}/verify")
    assert answer.status == 200, answer.body
    return answer.json


def test_an_envelope_is_verified(server: Server, operator: Operator, tenant: Tenant) -> None:
    deal = operator.run(partial(first_sent, tenant_id=tenant.id, original=CONTRACT))
    before = verified(server, tenant, deal)
    assert before["ok"] is False and before["documents"][0]["problems"][0].startswith("This document is not sealed yet")
    operator.run(partial(sealed_by_worker, deal=deal))
    said = verified(server, tenant, deal)
    (one,) = said["documents"]
    assert said["ok"] is True and one["intact"] is True and one["problems"] == []
    assert one["sealedBy"] == "Snake River Realty" and one["signedAt"] == one["unchangedSince"]
    path = f"/api/envelopes/{to_wire(deal.id)}/verify"
    assert server.by_key(operator.brokerage(), "GET", path).status == 404
    data = operator.run(partial(the_file, deal=deal))
    for other, problems in (
        (None, ["missing or damaged"]),
        (data + b"\n", ["not the one that was recorded", "changed after it was sealed", "1 bytes were added"]),
        (b"%PDF" + data[4:-9] + b"\0" + data[-8:], ["not the one that was recorded", ""]),
        (data[: len(CONTRACT)], ["not the one that was recorded", "has no seal"]),
    ):
        operator.run(partial(overwritten, deal=deal, data=other))
        said = verified(server, tenant, deal)
        (one,) = said["documents"]
        assert (said["ok"], one["intact"], one["unchangedSince"]) == (False, False, None)
        assert all(want in got for want, got in zip(problems, one["problems"], strict=False)), one["problems"]


def test_the_certificate(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner").bearer
    assert server.ask("GET", CERTIFICATE, headers=owner).status == 404
    made = server.ask("POST", CERTIFICATE + "/renew", {}, owner | {"Idempotency-Key": "one"})
    assert made.status == 200 and made.json["subject"] == "Snake River Realty" and made.json["imported"] is False
    again = server.ask("POST", CERTIFICATE + "/renew", {}, owner | {"Idempotency-Key": "one"})
    assert again.json == made.json and again.headers["idempotent-replayed"] == "true"
    shown = server.ask("GET", CERTIFICATE, headers=owner)
    assert shown.json == made.json
    assert server.ask("GET", CERTIFICATE, headers=owner | {"If-None-Match": shown.headers["etag"]}).status == 304
    imported = server.ask("POST", CERTIFICATE, pkcs12_file(), owner)
    assert imported.status == 200, imported.body
    assert imported.json["imported"] is True and imported.json["sha256"] != made.json["sha256"]
    # Both are published, the one in use first.
    published = server.ask("GET", "/.well-known/aureum-signing.pem", host=tenant.domain)
    assert published.body.count(b"BEGIN CERTIFICATE") == 3 and b"PRIVATE" not in published.body
    for role in ("broker", "agent"):
        staff = operator.staff(tenant.id, role).bearer
        assert server.ask("GET", CERTIFICATE, headers=staff).status == 403
        assert server.ask("POST", CERTIFICATE, pkcs12_file(), staff).status == 403


@pytest.mark.parametrize(
    ("file", "password", "why"),
    [
        (pkcs12_file()["file"], "wrong", "password is wrong"),
        (base64.b64encode(b"hello").decode(), "secret", "not a PKCS#12 file"),
        ("not base64!", "secret", "in base64"),
        ("", "secret", "not a PKCS#12 file"),
    ],
)
def test_what_is_no_certificate_is_refused(
    server: Server, operator: Operator, tenant: Tenant, file: str, password: str, why: str
) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner").bearer
    answer = server.ask("POST", CERTIFICATE, {"file": file, "password": password}, owner)
    assert answer.status == 422 and why in answer.body.decode(), answer.body
