"""A deal that is signed at DocuSign, from the client's side: the button, DocuSign's page, and what comes back."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from aureum.domain import ids
from aureum.signing.docusign.http import Docusign
from aureum.signing.docusign.working import docusign_round
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from tests.http.operator import Operator, Tenant
from tests.http.portal.client import Client, client_at
from tests.http.portal.documents.deals import Deal, deal
from tests.http.portal.documents.test_ceremony import NAME, heading
from tests.http.serving import Server, served
from tests.signing.docusign.deal import connect
from tests.signing.docusign.peer import Answer, Peer, playing

FORMS = "form-action 'self' {}; base-uri 'none'"


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with playing() as one:
        yield one


@pytest.fixture(scope="module")
def server(served_url: str, peer: Peer) -> Iterator[Server]:
    """A process whose DocuSign is the peer."""
    with served(served_url, docusign_url=peer.url) as running:
        yield running


@pytest.fixture
def begun(operator: Operator, tenant: Tenant, contact: Mapping[str, Any]) -> Deal:
    async def connected(store: EventStore) -> None:
        await connect(store, tenant.id)

    operator.run(connected)
    return deal(operator, tenant, [(NAME, contact["email"]), ("Sam", "sam@example.com")], provider="docusign")


def work(begun: Deal, peer: Peer) -> None:
    """A round of the worker."""

    async def once(store: EventStore) -> None:
        async with Docusign(peer.url) as docusign:
            await docusign_round(store, KeptBlobs(store.database, None), docusign, 0, asyncio.Event())

    begun.operator.run(once)


def test_a_client_signs_at_docusign_and_comes_back(client: Client, begun: Deal, peer: Peer) -> None:
    page = client.get(begun.path)
    assert heading(page) == "You sign these documents at DocuSign"
    assert FORMS.format(peer.url) in page.headers["content-security-policy"]

    early = client.send(f"{begun.path}/docusign", {})
    assert (early.status, early.headers["retry-after"]) == (503, "60")
    assert "Try again in a few minutes" in early.body.decode()

    work(begun, peer)
    led = [client.send(f"{begun.path}/docusign", {}) for _ in range(2)]
    assert [one.status for one in led] == [303, 303]
    places = [one.headers["location"] for one in led]
    assert all(place.startswith(f"{peer.url}/Signing/") for place in places) and places[0] != places[1]
    (asked, _) = [one.json for one in peer.asked if one.path.endswith("/views/recipient")]
    assert asked["returnUrl"] == f"http://{client.host}:{client.server.port}{begun.path}/returned"
    assert asked["authenticationMethod"] == "Email" and asked["authenticationInstant"].endswith("Z")
    assert len(peer.calls("/oauth/token")) == 2  # the worker's, and one of this process for both

    # What DocuSign adds to the address proves nothing.
    back = client.get(f"{begun.path}?event=signing_complete")
    assert heading(back) == "You sign these documents at DocuSign"
    provider_id = begun.now.provider_id
    assert provider_id is not None
    peer.act(provider_id, 1, "completed")

    def due() -> bool:
        """Whether DocuSign is asked now, though Connect has said nothing."""
        statement = "SELECT due_at <= now() FROM docusign_envelopes WHERE tenant_id = %(t)s"
        return bool(begun.operator.rows(statement, t=begun.tenant.id) == [(True,)])

    moved = "UPDATE docusign_envelopes SET due_at = now() + %(later)s::interval WHERE tenant_id = %(t)s RETURNING 1"
    begun.operator.rows(moved, t=begun.tenant.id, later="1 hour")
    client.ask("HEAD", f"{begun.path}/returned?event=signing_complete")
    assert not due(), "DocuSign was asked a moment ago"
    begun.operator.rows(moved, t=begun.tenant.id, later="5 minutes")
    returned = client.get(f"{begun.path}/returned?event=cancel")
    assert returned.headers["location"] == begun.path and due()
    work(begun, peer)
    assert not due()
    assert heading(client.get(begun.path)) == "You have signed"
    assert client.send(f"{begun.path}/docusign", {}).headers["location"] == begun.path

    peer.act(provider_id, 2, "completed")
    body, headers = peer.connect_call("envelope-completed", provider_id)
    assert client.server.ask("POST", f"/webhooks/docusign/{begun.tenant.slug}", body, headers).status == 200
    work(begun, peer)
    done = client.get(begun.path)
    assert heading(done) == "The documents are complete" and "as DocuSign sealed them" in done.body.decode()
    assert client.get(f"{begun.path}/1/sealed.pdf").body == peer.document


def test_what_stands_in_the_way(
    client: Client, begun: Deal, peer: Peer, operator: Operator, tenant: Tenant, server: Server
) -> None:
    work(begun, peer)
    peer.plan("/views/", Answer(400, {"errorCode": "RECIPIENT_NOT_IN_SEQUENCE", "message": "nora@example.com"}))
    refused = client.send(f"{begun.path}/docusign", {})
    assert refused.status == 409 and "Ask the brokerage about it" in refused.body.decode()
    assert "form-action 'self' http" in refused.headers["content-security-policy"]
    peer.plan("/views/", Answer(200, {"url": "https://evil.example.com/"}))
    assert client.send(f"{begun.path}/docusign", {}).status == 503

    stranger = client_at(server, operator, tenant, "mallory@example.com")
    assert stranger.send(f"{begun.path}/docusign", {}).status == 303  # to the sign-in
    operator.rows(
        "UPDATE portal_sessions SET signed_in_at = now() - interval '16 minutes' "
        "WHERE tenant_id = %(tenant)s RETURNING 1",
        tenant=tenant.id,
    )
    assert client.send(f"{begun.path}/docusign", {}).headers["location"] == f"{begun.path}/identify"
    begun.decide(lambda envelope, at: envelope.void("Another offer", at), ids.now() + timedelta(seconds=1))
    assert client.send(f"{begun.path}/docusign", {}).headers["location"] == begun.path
