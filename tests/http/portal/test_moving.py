"""A client changes the client's own address: with a code from the new one, and a fresh sign-in to the old one."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from aureum.commands.erasing import ErasePerson, erase_person
from aureum.commands.erasures import carry_out
from aureum.domain.ids import from_wire
from aureum.mail.letter import Letter
from aureum.mail.letters.portal_letters import moves_asked, new_address
from aureum.store.event_store import EventStore
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.panel.reader import page
from tests.http.portal.client import SETTINGS, Client, client_at, code_of
from tests.http.serving import Answer, Server

NEW = "Nora.New@Example.net"
PATH = "/portal/data/address"

Contact = dict[str, Any]


def codes(operator: Operator, tenant: Tenant) -> list[Letter]:
    """The letters with codes for new addresses that were asked for since the last time."""

    async def made(store: EventStore) -> list[Letter]:
        found: list[Letter] = []
        for asked in await moves_asked(store):
            if asked.tenant_id == tenant.id:
                async with store.database.connection() as connection, connection.transaction():
                    found += await new_address(connection, await store.tenant_key(tenant.id), asked, SETTINGS)
        return found

    return operator.run(made)


def asks(client: Client, email: str = NEW, **fields: str) -> Answer:
    return client.send(PATH, {"email": email} | fields)


def code_for(client: Client, email: str = NEW) -> str:
    """Ask, and read the mail at the new address."""
    assert client.operator is not None and client.tenant is not None
    assert asks(client, email).status == 202
    (letter,) = codes(client.operator, client.tenant)
    assert letter.recipient.address.lower() == email.lower()
    return code_of(letter)


def email_of(server: Server, tenant: Tenant, contact: Contact) -> str:
    return str(server.by_key(tenant, "GET", f"/api/contacts/{contact['id']}").json["email"])


def rows(operator: Operator, tenant: Tenant, table: str) -> int:
    ((found,),) = operator.rows(f"SELECT count(*) FROM {table} WHERE tenant_id = %(t)s", t=tenant.id)
    return int(found)


def test_a_client_has_another_address_once_it_is_proved(
    client: Client, server: Server, operator: Operator, tenant: Tenant, contact: Contact
) -> None:
    assert PATH in client.get("/portal/data").body.decode()
    old_phone = replace(client, cookies={}).signs_in()
    client.send("/portal/calendar", {"once": "1"})
    code = code_for(client)
    assert email_of(server, tenant, contact) == contact["email"], "nothing has changed yet"
    wrong = client.send(f"{PATH}/code", {"code": f"{(int(code) + 1) % 1_000_000:06}"})
    assert page(wrong, 422).said("h1") == ["Enter your code"]

    moved = client.send(f"{PATH}/code", {"code": code})
    assert (moved.status, moved.headers["location"]) == (303, "/portal/data?done=moved")
    assert NEW.lower() in client.get("/portal/data").body.decode() and client.is_in
    assert email_of(server, tenant, contact) == NEW
    assert not old_phone.is_in, "sessions of the address before are over"
    assert rows(operator, tenant, "portal_moves") == 0 and rows(operator, tenant, "portal_sessions") == 1
    assert rows(operator, tenant, "portal_feeds") == 0, "no feed of an address that opens nothing"
    last = server.by_key(tenant, "GET", f"/api/contacts/{contact['id']}/history").json[-1]
    assert last["changes"]["email"] == {"from": contact["email"], "to": NEW} and last["actor"]["type"] == "visitor"

    told = [one for one in server.by_key(tenant, "GET", "/api/events").json if one["event"] == "contact.updated"]
    changed = {"email": {"from": contact["email"], "to": NEW}}
    assert [(one["data"]["id"], one["changes"]) for one in told] == [(contact["id"], changed)], "as webhooks say"

    operator.rows("DELETE FROM login_failures")
    assert old_phone.asks().status == 202
    assert replace(client, email=NEW, cookies={}).signs_in().is_in
    ((waiting,),) = operator.rows(
        "SELECT count(*) FROM portal_sign_ins WHERE tenant_id = %(t)s AND code_hash IS NOT NULL AND used_at IS NULL",
        t=tenant.id,
    )
    assert waiting == 0, "the address before gets no mail"


def test_only_the_session_that_asked_and_a_fresh_sign_in_change_it(
    client: Client, server: Server, operator: Operator, tenant: Tenant, contact: Contact
) -> None:
    other = replace(client, cookies={}).signs_in()
    code = code_for(client)
    for thief in (other, replace(client, cookies={})):
        assert thief.send(f"{PATH}/code", {"code": code}).status in (422, 303)
    assert email_of(server, tenant, contact) == contact["email"]
    for _ in range(5):
        assert client.send(f"{PATH}/code", {"code": "no"}).status == 422
    assert client.send(f"{PATH}/code", {"code": code}).status == 422, "five wrong codes end it"

    operator.rows("UPDATE portal_sessions SET signed_in_at = now() - interval '16 minutes'")
    assert asks(client).headers["location"] == PATH and codes(operator, tenant) == []
    (form,) = (one for one in page(client.get(PATH), 200).forms if one.action == "/portal/sign-in")
    assert client.send(form.action, form.filled()).status == 202
    entered = client.send("/portal/code", {"code": code_of(client.reads())})
    assert entered.headers["location"] == PATH
    assert page(client.get(PATH), 200).form(PATH) is not None


def test_what_is_no_new_address_is_refused_and_requests_are_counted(
    client: Client, operator: Operator, tenant: Tenant
) -> None:
    for email in ("", "nora@", "\0@x.yz", client.email.upper()):
        answer = client.send(PATH, b"email=" + email.encode())
        assert answer.status == 422, email
    assert client.send(PATH, b"email=\xed\xa0\x80@example.net").status == 400
    assert asks(client, NEW, contact="c" + "0" * 24).status == 422
    assert [asks(client, f"{number}@example.net").status for number in range(4)] == [202, 202, 202, 429]
    assert len(codes(operator, tenant)) == 1, "of a session the last one counts"


def test_an_address_of_another_contact_is_for_the_brokerage_to_judge(
    client: Client, server: Server, operator: Operator, tenant: Tenant, contact: Contact
) -> None:
    new = {"firstName": "Nora", "lastName": "Twice", "email": NEW, "type": "SELLER"}
    unknown = asks(client, "unknown@example.net")
    assert server.by_key(tenant, "POST", "/api/contacts", new).status == 201
    known = asks(client)
    assert (known.status, stripped(known)) == (unknown.status, stripped(unknown))
    (letter,) = codes(operator, tenant)
    answer = client.send(f"{PATH}/code", {"code": code_of(letter)})
    assert page(answer, 409).said("p", role="alert")[0].startswith("The brokerage has another entry")
    assert email_of(server, tenant, contact) == contact["email"] and client.is_in
    (task,) = server.by_key(tenant, "GET", "/api/tasks").json
    assert NEW in task["description"] and task["contactId"] == contact["id"]


def test_of_two_who_prove_one_address_at_once_one_has_it(
    client: Client, server: Server, operator: Operator, tenant: Tenant, contact: Contact
) -> None:
    new = {"firstName": "Otto", "lastName": "Other", "email": "otto@example.net", "type": "BUYER"}
    assert server.by_key(tenant, "POST", "/api/contacts", new).status == 201
    both = [client, client_at(server, operator, tenant, "otto@example.net").signs_in()]
    found = [code_for(one) for one in both]
    with ThreadPoolExecutor(2) as threads:
        statuses = threads.map(lambda one, code: one.send(f"{PATH}/code", {"code": code}).status, both, found)
    assert sorted(statuses) == [303, 409]
    emails = [one["email"] for one in server.by_key(tenant, "GET", "/api/contacts").json]
    assert emails.count(NEW) == 1


def test_a_merged_contact_does_not_keep_the_address_open(
    client: Client, server: Server, tenant: Tenant, contact: Contact
) -> None:
    twin = {"firstName": "Nora", "lastName": "Lindqvist", "email": contact["email"], "type": "BUYER"}
    other = server.by_key(tenant, "POST", "/api/contacts", twin).json["id"]
    assert server.by_key(tenant, "POST", f"/api/contacts/{contact['id']}/merge", {"with": other}).status == 200
    client.signs_in()
    old_phone = replace(client, cookies={}).signs_in()
    assert client.send(f"{PATH}/code", {"code": code_for(client)}).status == 303
    assert client.is_in and not old_phone.is_in


def test_an_erased_client_cannot_finish(
    client: Client, server: Server, operator: Operator, tenant: Tenant, contact: Contact
) -> None:
    code = code_for(client)

    async def erase(store: EventStore) -> None:
        command = ErasePerson(tenant_id=tenant.id, contact_id=from_wire(contact["id"]))
        asked = await erase_person(store, command, ORIGIN)
        assert asked.id is not None
        await carry_out(store, tenant.id, asked.id)

    operator.run(erase)
    assert client.send(f"{PATH}/code", {"code": code}).headers["location"] == "/portal"
    for table in ("portal_moves", "portal_sessions", "portal_sign_ins", "portal_languages"):
        assert rows(operator, tenant, table) == 0, table


def stripped(answer: Answer) -> bytes:
    return re.sub(rb'nonce="[^"]*"|value="[^"]*"', b"", answer.body)
