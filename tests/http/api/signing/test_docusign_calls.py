"""The calls of DocuSign Connect: genuine, forged, doubled, late, out of order; and nonsense."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from aureum.commands.docusign_connections import disconnect_docusign
from aureum.domain.envelope import Envelope
from aureum.domain.ids import from_wire, to_wire
from aureum.signing.docusign.outgoing import signers_of
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from aureum.store.metadata import decode
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server
from tests.signing.docusign.deal import ORIGIN, connect, send
from tests.signing.docusign.peer import CONNECT_KEY, Peer, playing

TOLD = """
SELECT type, metadata FROM events WHERE tenant_id = %(tenant)s AND stream_id = %(envelope)s ORDER BY version
"""
GUID = "6f1e29d1-7a3b-4a06-9f6e-2d0c7c1b8a55"


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with playing() as one:
        yield one


@dataclass
class Deal:
    """A connected brokerage, and an envelope that DocuSign has."""

    server: Server
    operator: Operator
    tenant: Tenant
    peer: Peer
    envelope_id: str = ""
    provider_id: str = ""

    def begin(self) -> None:
        """Send another envelope. DocuSign has it; the answer that says so has not come yet."""

        async def work(store: EventStore) -> Envelope:
            return await send(store, KeptBlobs(store.database, None), self.tenant.id)

        envelope = self.operator.run(work)
        self.envelope_id = to_wire(envelope.id)
        signers = [
            {"recipientId": str(n), "clientUserId": to_wire(one.id), "name": one.name, "email": one.email}
            | {"routingOrder": str(one.order)}
            for n, one in enumerate(signers_of(envelope), 1)
        ]
        said = {"transactionId": self.envelope_id, "status": "sent", "emailSubject": envelope.subject}
        made = self.peer.create(said | {"recipients": {"signers": signers}})
        self.provider_id = made.body["envelopeId"]

    def call(self, event: str, **about: object) -> Answer:
        """A genuine call."""
        body, headers = self.peer.connect_call(event, self.provider_id, **about)  # type: ignore[arg-type]  # passed on
        return self.sent(body, headers)

    def sent(self, body: bytes, headers: dict[str, str], slug: str | None = None) -> Answer:
        path = f"/webhooks/docusign/{self.tenant.slug if slug is None else slug}"
        return self.server.ask("POST", path, body, headers=headers)

    @property
    def envelope(self) -> Envelope:
        async def work(store: EventStore) -> Envelope:
            stream_id = from_wire(self.envelope_id)
            assert stream_id is not None
            found = (await store.load(self.tenant.id, stream_id)).aggregate()
            assert isinstance(found, Envelope)
            return found

        return self.operator.run(work)

    @property
    def states(self) -> list[str]:
        return [self.envelope.state, *(one.state for one in signers_of(self.envelope))]


@pytest.fixture
def deal(server: Server, operator: Operator, tenant: Tenant, peer: Peer) -> Deal:
    async def connected(store: EventStore) -> None:
        await connect(store, tenant.id)

    operator.run(connected)
    one = Deal(server, operator, tenant, peer)
    one.begin()
    return one


def signed(body: bytes, key: str = CONNECT_KEY) -> dict[str, str]:
    right = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
    return {"Content-Type": "application/json", "X-DocuSign-Signature-1": right}


def test_a_deal_by_calls_alone(deal: Deal) -> None:
    assert deal.call("envelope-sent").json == {"received": True}
    assert deal.envelope.provider_id == deal.provider_id
    deal.peer.act(deal.provider_id, 1, "delivered")
    for _ in range(2):
        assert deal.call("recipient-delivered", number=1).status == 200
    version = deal.envelope.version
    early, headers = deal.peer.connect_call("envelope-sent", deal.provider_id)
    deal.peer.act(deal.provider_id, 1, "completed")
    assert deal.call("recipient-completed", number=1, data=False, retry=3).status == 200
    assert deal.states == ["sent", "signed", "invited"] and deal.envelope.version == version + 2
    deal.peer.act(deal.provider_id, 2, "completed")
    assert deal.call("envelope-completed").status == 200
    version = deal.envelope.version
    # What comes late, or again, changes nothing.
    assert deal.sent(early, headers).status == 200
    assert deal.call("recipient-completed", number=2).status == 200
    assert deal.states == ["completing", "signed", "signed"] and deal.envelope.version == version
    rows = deal.operator.rows(TOLD, tenant=deal.tenant.id, envelope=from_wire(deal.envelope_id))
    told = [kind for kind, metadata in rows if decode(metadata)["actor"] == {"type": "system", "id": "docusign"}]
    assert told == [
        f"envelope.{name}" for name in ("provider_linked", "viewed", "signed", "recipient_invited", "signed")
    ]


def test_the_same_call_many_times_at_once(deal: Deal) -> None:
    deal.peer.act(deal.provider_id, 1, "completed")
    body, headers = deal.peer.connect_call("recipient-completed", deal.provider_id, number=1)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: deal.sent(body, headers), range(6)))
    assert {one.status for one in answers} == {200}
    rows = deal.operator.rows(TOLD, tenant=deal.tenant.id, envelope=from_wire(deal.envelope_id))
    assert [kind for kind, _ in rows].count("envelope.signed") == 1 and deal.states == ["sent", "signed", "invited"]


def test_a_decline_and_a_void(deal: Deal) -> None:
    deal.peer.act(deal.provider_id, 1, "declined")
    assert deal.call("recipient-declined", number=1).status == 200
    assert deal.states == ["declined", "declined", "waiting"]
    assert deal.envelope.ended_reason == "The price is wrong."
    deal.begin()
    deal.peer.envelopes[deal.provider_id].update(status="voided", voidedReason="Another offer\0")
    assert deal.call("envelope-voided").status == 200
    assert (deal.envelope.state, deal.envelope.ended_reason) == ("voided", "Another offer")


def test_what_is_not_genuine_is_refused_and_changes_nothing(deal: Deal) -> None:
    deal.peer.act(deal.provider_id, 1, "declined")
    body, headers = deal.peer.connect_call("envelope-declined", deal.provider_id)
    plain = {"Content-Type": "application/json"}
    refused = [
        deal.sent(body, plain),
        deal.sent(body + b" ", headers),
        deal.sent(body, signed(body, "another key of sixteen")),
        deal.sent(body, signed(body, "")),
        deal.sent(body, plain | {"X-DocuSign-Signature-101": headers["X-DocuSign-Signature-1"]}),
        deal.sent(body, headers, "no-such-brokerage"),
        deal.sent(body, headers, "no%20slug"),
        deal.sent(b"", plain),
    ]
    assert {(one.status, one.code, one.error) for one in refused} == {(401, "credentials_invalid", refused[0].error)}
    assert deal.states == ["sent", "invited", "waiting"]


def test_without_a_key_every_call_is_refused(deal: Deal) -> None:
    async def without(store: EventStore) -> None:
        await connect(store, deal.tenant.id, ())

    async def disconnected(store: EventStore) -> None:
        await disconnect_docusign(store, deal.tenant.id, ORIGIN)

    body, headers = deal.peer.connect_call("envelope-sent", deal.provider_id)
    for work in (without, disconnected):
        deal.operator.run(work)
        assert deal.sent(body, headers).status == 401
        assert deal.sent(body, signed(body, "")).status == 401
    assert deal.envelope.provider_id is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        b"nonsense",
        b"[]",
        b'{"event":"envelope-sent","data":{"envelopeId":"\\u0000"}}',
        b'{"event":"envelope-completed","data":{"envelopeId":"%s"}}' % GUID.encode(),
        b'{"event":"x","data":{"envelopeId":"%s","envelopeSummary":{"status":["\\u0000"]}}}' % GUID.encode(),
    ],
)
def test_genuine_nonsense_is_received_and_ignored(deal: Deal, body: bytes) -> None:
    version = deal.envelope.version
    assert deal.sent(body, signed(body)).status == 200
    assert deal.envelope.version == version


def test_ten_megabytes_are_too_many(deal: Deal) -> None:
    body = b" " * 10_000_000
    assert deal.sent(body, signed(body)).status == 413


def test_another_brokerages_envelope_is_not_touched(deal: Deal, operator: Operator) -> None:
    other = operator.brokerage()

    async def connected(store: EventStore) -> None:
        await connect(store, other.id)

    operator.run(connected)
    deal.peer.act(deal.provider_id, 1, "declined")
    body, headers = deal.peer.connect_call("envelope-declined", deal.provider_id)
    assert deal.sent(body, headers, other.slug).status == 200
    assert deal.states == ["sent", "invited", "waiting"]
