"""What ends a client's session, and what does not."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from aureum.commands.brokerages import ChangeBrokerage, change_brokerage
from aureum.commands.erasing import ErasePerson, erase_person
from aureum.commands.erasures import carry_out
from aureum.domain import ids
from aureum.store.event_store import EventStore
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.portal.client import Client, client_at, code_of, letters
from tests.http.portal.documents.deals import deal
from tests.http.serving import Server

AL = "al@example.net"

Contact = dict[str, Any]


def new_contact(server: Server, tenant: Tenant, email: str, last_name: str = "Other") -> str:
    new = {"firstName": "Nils", "lastName": last_name, "email": email, "type": "BUYER"}
    answer = server.by_key(tenant, "POST", "/api/contacts", new)
    assert answer.status == 201, answer.body
    made: str = answer.json["id"]
    return made


def merge(server: Server, tenant: Tenant, one: str, other: str) -> None:
    assert server.by_key(tenant, "POST", f"/api/contacts/{one}/merge", {"with": other}).status == 200


def rows_of(operator: Operator, tenant: Tenant) -> list[int]:
    """How many sign-ins and sessions there are."""
    return [
        int(number)
        for table in ("portal_sign_ins", "portal_sessions")
        for (number,) in operator.rows(f"SELECT count(*) FROM {table} WHERE tenant_id = %(t)s", t=tenant.id)
    ]


async def erased(store: EventStore, tenant_id: UUID, email: str) -> None:
    asked = await erase_person(store, ErasePerson(tenant_id=tenant_id, email=email), ORIGIN)
    assert asked.id is not None
    await carry_out(store, tenant_id, asked.id)


def test_an_erasure_ends_it_and_removes_its_rows(
    client: Client, contact: Contact, operator: Operator, tenant: Tenant
) -> None:
    waiting = replace(client, cookies={})
    waiting.asks()
    letter = waiting.reads()
    operator.run(lambda store: erased(store, tenant.id, contact["email"]))
    assert rows_of(operator, tenant) == [0, 0]
    assert not client.is_in
    assert waiting.send("/portal/code", {"code": code_of(letter)}).status == 422
    operator.rows("DELETE FROM login_failures")
    assert waiting.asks().status == 202 and letters(operator, tenant.id) == [], "the address opens nothing any more"


def test_an_erasure_at_the_moment_of_a_sign_in_leaves_nothing(
    uncounted: None, server: Server, operator: Operator, tenant: Tenant
) -> None:
    for number in range(4):
        email = f"erased{number}@example.net"
        new_contact(server, tenant, email)
        one = client_at(server, operator, tenant, email)
        one.asks()
        sent = {"code": code_of(one.reads())}
        with ThreadPoolExecutor(1) as thread:
            entering = thread.submit(one.send, "/portal/code", sent)
            operator.run(partial(erased, tenant_id=tenant.id, email=email))
            assert entering.result().status in (303, 422)
        assert rows_of(operator, tenant) == [0, 0] and not one.is_in


def test_a_changed_address_ends_it(client: Client, contact: Contact, server: Server, tenant: Tenant) -> None:
    path = f"/api/contacts/{contact['id']}"
    assert server.by_key(tenant, "PATCH", path, {"lastName": "Berg", "score": 4}).status == 200
    assert client.is_in
    assert server.by_key(tenant, "PATCH", path, {"email": "nora.berg@example.net"}).status == 200
    assert server.by_key(tenant, "PATCH", path, {"email": contact["email"]}).status == 200
    assert client.is_in, "only an address that differs is another one"
    server.by_key(tenant, "PATCH", path, {"email": "nora.berg@example.net"})
    assert not client.is_in
    server.by_key(tenant, "PATCH", path, {"email": contact["email"]})
    assert not client.is_in, "what is over stays so"


@pytest.mark.parametrize("survives", [True, False])
def test_a_merge_and_a_separation_end_it(
    client: Client, contact: Contact, server: Server, tenant: Tenant, operator: Operator, survives: bool
) -> None:
    other = new_contact(server, tenant, "nils@example.net")
    pair = (contact["id"], other) if survives else (other, contact["id"])
    merge(server, tenant, *pair)
    assert not client.is_in
    client.signs_in()
    assert client.is_in, "the address opens the contact that answers for it"
    separated = server.by_key(tenant, "POST", f"/api/contacts/{pair[0]}/unmerge", {"merge": pair[1]})
    assert separated.status == 200, separated.body
    assert not client.is_in
    assert client.signs_in().is_in


def test_another_contact_with_the_address_does_not_end_it_until_it_changes(
    client: Client, contact: Contact, server: Server, tenant: Tenant
) -> None:
    husband = new_contact(server, tenant, contact["email"].upper(), "Lindqvist")
    assert client.is_in and client.is_in
    assert server.by_key(tenant, "PATCH", f"/api/contacts/{husband}", {"email": "nils@example.net"}).status == 200
    assert not client.is_in


def test_a_plan_without_the_portal_ends_it(client: Client, operator: Operator, tenant: Tenant) -> None:
    def change(**fields: Any) -> None:
        command = ChangeBrokerage(tenant_id=tenant.id, **fields)
        operator.run(lambda store: change_brokerage(store, command, ORIGIN))

    change(plan="Grow")
    assert client.is_in
    change(plan="Starter")
    assert rows_of(operator, tenant)[1] == 0 and not client.is_in
    assert client.asks().status == 202 and letters(operator, tenant.id) == [], "nothing is there to sign in for"
    change(plan="Elite")
    assert not client.is_in
    client.signs_in()
    change(disabled=True)
    assert rows_of(operator, tenant)[1] == 0
    assert client.get("/portal/enquiries").status == 404
    change(disabled=False)
    assert not client.is_in


def test_a_signer_signs_in_on_every_plan_as_long_as_something_was_sent(
    uncounted: None, server: Server, operator: Operator
) -> None:
    tenant = operator.brokerage("Starter")
    signer = client_at(server, operator, tenant, "sam@example.net")
    assert signer.asks().status == 202 and letters(operator, tenant.id) == []
    sent = deal(operator, tenant, [("Sam Seller", "Sam@Example.net")])
    signer.signs_in()
    assert signer.get("/portal/documents").status == 200 and signer.get("/portal").status == 200
    assert signer.get("/portal/enquiries").status == 404, "the plan has no portal"
    assert b"/portal/enquiries" not in signer.get("/portal").body
    (recipient,) = sent.now.recipients
    sent.decide(lambda envelope, at: envelope.reassign(recipient, ids.new_id(), "Al", AL, None, at))
    assert signer.get("/portal/documents").status == 303


def test_a_session_is_of_one_brokerage_and_no_token_of_staff_is_one(
    client: Client, operator: Operator, tenant: Tenant, server: Server
) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner")
    assert not replace(client, cookies={"aureum-portal": owner.token}).is_in
    token = client.cookies["aureum-portal"]
    for path in ("/api/me", "/api/leads"):
        answer = server.ask("GET", path, headers={"Authorization": f"Bearer {token}"}, host=tenant.domain)
        assert answer.status == 401
        assert server.ask("GET", path, headers={"Cookie": f"aureum={token}"}, host=tenant.domain).status == 401
    other = operator.brokerage()
    assert not replace(client_at(server, operator, other, client.email), cookies=client.cookies).is_in
