"""Whether a brokerage is connected to DocuSign, as its owner sees it; and what cannot be sent without."""

import pytest

from aureum.commands.docusign_connections import disconnect_docusign
from aureum.store.event_store import EventStore
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.sending import ready
from tests.http.serving import Server
from tests.signing.docusign.deal import connect
from tests.signing.docusign.peer import ACCOUNT_ID, CONNECT_KEY, PEM

PATH = "/api/envelopes"
HERE = "/api/v1/admin/signing/docusign"
NOTHING = {"connected": False, "environment": None, "account_id": None, "connect_keys": 0}


def test_what_an_owner_sees(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner")

    async def connected(store: EventStore) -> None:
        await connect(store, tenant.id)

    async def disconnected(store: EventStore) -> None:
        await disconnect_docusign(store, tenant.id, ORIGIN)

    before = server.ask("GET", HERE, headers=owner.bearer)
    assert before.json == NOTHING
    operator.run(connected)
    known = {"If-None-Match": before.headers["etag"]}
    after = server.ask("GET", HERE, headers=owner.bearer | known)
    assert (after.status, after.json) == (
        200,
        {"connected": True, "environment": "demo", "account_id": ACCOUNT_ID, "connect_keys": 1},
    )
    assert CONNECT_KEY not in after.body.decode() and PEM.splitlines()[1] not in after.body.decode()
    operator.run(disconnected)
    assert server.ask("GET", HERE, headers=owner.bearer).json == NOTHING


@pytest.mark.parametrize("role", ["broker", "agent"])
def test_others_do_not(server: Server, operator: Operator, tenant: Tenant, role: str) -> None:
    assert server.ask("GET", HERE, headers=operator.staff(tenant.id, role).bearer).status == 403


def test_without_a_connection_nothing_is_sent_by_docusign(server: Server, operator: Operator, tenant: Tenant) -> None:
    draft = ready(server, operator, tenant, provider="docusign")
    refused = server.by_key(tenant, "POST", f"{PATH}/{draft['id']}/send")
    assert (refused.status, refused.json["code"]) == (409, "wrong_state")
    assert refused.error.startswith("This brokerage is not connected to DocuSign.")

    async def connected(store: EventStore) -> None:
        await connect(store, tenant.id)

    operator.run(connected)
    for _ in range(2):
        sent = server.by_key(tenant, "POST", f"{PATH}/{draft['id']}/send")
        assert (sent.status, sent.json["state"]) == (200, "sent")
