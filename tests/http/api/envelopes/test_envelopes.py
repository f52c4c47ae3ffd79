"""Envelopes over HTTP: a deal from the draft to the purge, who sees what, and what is refused with which words."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from aureum.commands.envelopes.ending import PurgeEnvelope, purge_envelope
from aureum.commands.envelopes.signing import DeclineDocument, OpenDocument, decline_document, open_document
from aureum.domain.errors import DomainError, NotFound, WrongState
from aureum.domain.ids import aureum_time, from_wire, now, to_wire
from aureum.domain.people import email_key
from aureum.projections import envelope_recipients
from aureum.store.event_store import EventStore
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.sending import (
    asked,
    attach,
    client,
    completed,
    draft,
    person,
    ready,
    refused,
    sent,
    sign,
    signed_by,
)
from tests.http.serving import Server

NEVER = "c" + "1" * 25
PATH = "/api/envelopes"


def test_a_deal_from_the_draft_to_the_end(server: Server, operator: Operator, tenant: Tenant) -> None:
    made = sent(server, operator, tenant, person(1), person(2), person(9, role="copy"), message="Please sign.")
    path = f"{PATH}/{made['id']}"
    assert made["state"] == "sent" and made["deadline"] > made["sentAt"]
    assert [one["state"] for one in made["recipients"]] == ["invited", "waiting", "waiting"]

    signed_by(operator, tenant, made, " PERSON1@Example.COM ", "person2@example.com")
    found = asked(server, tenant, "GET", path)
    assert found["state"] == "completing" and [one["state"] for one in found["recipients"]][:2] == ["signed"] * 2
    assert refused(server.by_key(tenant, "POST", f"{path}/purge"), 409, "wrong_state").endswith("Void it first.")

    completed(operator, tenant, made)
    found = asked(server, tenant, "GET", path)
    assert found["state"] == "completed" and found["documents"][0]["sealedSha256"] == "cd" * 32
    assert found["retainUntil"][:4] == str(int(found["completedAt"][:4]) + 7)
    (listed,) = asked(server, tenant, "GET", f"{PATH}?state=completed")
    assert listed == found

    history = asked(server, tenant, "GET", f"{path}/history")
    assert [one["type"].removeprefix("envelope.") for one in history] == [
        *("drafted", "recipient_added", "recipient_added", "recipient_added", "document_attached", "fields_placed"),
        *("sent", "recipient_invited", "viewed", "consented", "signed", "recipient_invited", "viewed", "consented"),
        *("signed", "completed"),
    ]
    signed = history[10]
    assert signed["actor"] == {"type": "client", "id": made["recipients"][0]["id"], "name": None}
    assert signed["changes"]["shownDocuments"]["to"] == [{"id": made["documents"][0]["id"], "sha256": "ab" * 32}]
    assert "203.0.113.9" not in str(history), "where a signer was is in no answer"
    then = asked(server, tenant, "GET", f"{path}?asOf={made['updatedAt']}")
    assert then == made


def test_a_recipient_has_a_language(server: Server, operator: Operator, tenant: Tenant) -> None:
    made = draft(server, tenant, person(1, language="es"), person(2), person(3, language=None))
    assert [one["language"] for one in made["recipients"]] == ["es", None, None]
    path = f"{PATH}/{made['id']}"
    assert refused(
        server.by_key(tenant, "PATCH", path, {"recipients": [person(1, language="fr")]}), 400, "invalid_fields"
    )
    ids = [one["id"] for one in made["recipients"]]
    kept = [person(1, id=ids[0], language="es"), person(2, id=ids[1], language="en")]
    changed = asked(server, tenant, "PATCH", path, {"recipients": kept})
    assert [(one["id"], one["language"]) for one in changed["recipients"]] == [(ids[0], "es"), (ids[1], "en")]
    assert asked(server, tenant, "GET", path) == changed == asked(server, tenant, "GET", PATH)[0]
    assert asked(server, tenant, "GET", f"{path}?asOf={made['updatedAt']}")["recipients"] == made["recipients"]
    last = [one for one in asked(server, tenant, "GET", f"{path}/history") if one["type"] == "envelope.recipient_added"]
    assert [one["language"] for one in last[-1]["changes"]["recipients"]["to"]] == ["es", "en"]

    out = sent(server, operator, tenant, person(1, language="es"))
    reassign = f"{PATH}/{out['id']}/recipients/{out['recipients'][0]['id']}/reassign"
    new = {"name": "Otra", "email": "otra@example.com", "language": "es"}
    assert refused(server.by_key(tenant, "POST", reassign, new | {"language": "ES"}), 400, "invalid_fields")
    replaced = asked(server, tenant, "POST", reassign, new)
    assert [(one["state"], one["language"]) for one in replaced["recipients"]] == [
        ("reassigned", "es"),
        ("invited", "es"),
    ]
    reassign = f"{PATH}/{out['id']}/recipients/{replaced['recipients'][1]['id']}/reassign"
    again = asked(server, tenant, "POST", reassign, {"name": "Another", "email": "another@example.com"})
    assert again["recipients"][2]["language"] is None, "nobody said how the next person reads"
    asked(server, tenant, "POST", f"{PATH}/{out['id']}/void", {"reason": None})
    server.by_key(tenant, "POST", f"{PATH}/{out['id']}/purge")
    first = asked(server, tenant, "GET", f"{PATH}/{out['id']}/history")[1]["changes"]["recipients"]["to"][0]
    assert (first["language"], first["order"]) == (None, 1), "it goes with the key"


def test_only_recipients_are_let_in_and_only_in_their_turn(server: Server, operator: Operator, tenant: Tenant) -> None:
    made = sent(server, operator, tenant, person(1), person(2))
    envelope_id = from_wire(made["id"])
    assert envelope_id is not None
    other = operator.brokerage()

    def opened(address: str, tenant_id: Any = tenant.id, which: Any = envelope_id) -> None:
        command = OpenDocument(tenant_id=tenant_id, envelope_id=which, client=client(address))
        operator.run(lambda store: open_document(store, command))

    not_sent = from_wire(draft(server, tenant)["id"])
    for address, tenant_id, which in (
        ("nobody@example.com", tenant.id, envelope_id),
        ("person1@example.com", other.id, envelope_id),
        ("person1@example.com", tenant.id, from_wire(NEVER)),
        ("person1@example.com", tenant.id, not_sent),
    ):
        with pytest.raises(NotFound, match="no such envelope"):
            opened(address, tenant_id, which)
    with pytest.raises(WrongState, match="not your turn"):
        opened("person2@example.com")
    opened("person1@example.com")
    opened("person1@example.com")
    recipient = made["recipients"][0]["id"]
    replaced = asked(
        server, tenant, "POST", f"{PATH}/{made['id']}/recipients/{recipient}/reassign", person(3, email="x@example.com")
    )
    assert [one["state"] for one in replaced["recipients"]] == ["reassigned", "waiting", "invited"]
    with pytest.raises(NotFound):
        opened("person1@example.com")
    opened("x@example.com")


def test_the_portal_finds_envelopes_by_a_digest_of_the_address(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    address = f"find.{tenant.slug}@example.com"
    draft(server, tenant, person(1, email=address))
    made = sent(server, operator, tenant, person(1, email=address.upper()))
    about = {"tenant": tenant.id, "address": email_key(address), "limit": 10}

    def found() -> list[Any]:
        async def read(store: EventStore) -> list[Any]:
            return await store.database.tenant_rows(tenant.id, envelope_recipients.OF_ADDRESS, about)

        return operator.run(read)

    assert [(to_wire(row[0]), row[2:]) for row in found()] == [(made["id"], ("invited", "sent", True))]
    asked(server, tenant, "POST", f"{PATH}/{made['id']}/void", {"reason": "No"})
    asked(server, tenant, "POST", f"{PATH}/{made['id']}/purge")
    assert found() == []
    assert server.by_key(tenant, "GET", f"{PATH}/{made['id']}").status == 404


def test_two_signers_at_once_complete_it_once(server: Server, operator: Operator, tenant: Tenant) -> None:
    made = sent(server, operator, tenant, *(person(n) for n in range(1, 6)), inOrder=False)
    envelope_id = from_wire(made["id"])
    assert envelope_id is not None

    async def all_at_once(store: EventStore) -> None:
        signers = (f"person{n}@example.com" for n in (*range(1, 6), *range(1, 6)))
        await asyncio.gather(*(sign(store, tenant.id, envelope_id, one) for one in signers))

    operator.run(all_at_once)
    found = asked(server, tenant, "GET", f"{PATH}/{made['id']}")
    assert found["state"] == "completing"
    types = [one["type"] for one in asked(server, tenant, "GET", f"{PATH}/{made['id']}/history")]
    assert types.count("envelope.signed") == 5 and types[-1] == "envelope.signed"


def test_a_void_and_a_signature_at_once_leave_one_of_them(server: Server, operator: Operator, tenant: Tenant) -> None:
    made = sent(server, operator, tenant)
    envelope_id = from_wire(made["id"])
    assert envelope_id is not None

    async def both(store: EventStore) -> list[Any]:
        declining = DeclineDocument(
            tenant_id=tenant.id, envelope_id=envelope_id, client=client("person1@example.com"), reason="No"
        )
        acts = (sign(store, tenant.id, envelope_id, "person1@example.com"), decline_document(store, declining))
        return list(await asyncio.gather(*acts, return_exceptions=True))

    outcomes = operator.run(both)
    assert sum(isinstance(one, WrongState) for one in outcomes) == 1, outcomes
    assert not any(isinstance(one, Exception) and not isinstance(one, DomainError) for one in outcomes)
    assert asked(server, tenant, "GET", f"{PATH}/{made['id']}")["state"] in ("completing", "declined")


def test_agents_see_the_envelopes_of_contacts_and_of_their_leads(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    agent, other = (operator.staff(tenant.id, "agent", name) for name in ("Ana", "Ben"))
    contact = asked(server, tenant, "POST", "/api/contacts", {"firstName": "Jane", "lastName": "Doe"}, 201)
    person_of = {"name": "Jane Doe", "email": "jane@example.com", "assignedToId": agent.id}
    lead = asked(server, tenant, "POST", "/api/leads", person_of, 201)
    of_contact = draft(server, tenant, contactId=contact["id"])["id"]
    of_lead = draft(server, tenant, leadId=lead["id"], contactId=contact["id"])["id"]
    of_neither = draft(server, tenant)["id"]

    def seen(staff: Any) -> set[str]:
        whole = {one["id"] for one in server.ask("GET", PATH, headers=staff.bearer).json}
        each = {
            one
            for one in (of_contact, of_lead, of_neither)
            if server.ask("GET", f"{PATH}/{one}", headers=staff.bearer).status == 200
        }
        assert whole & {of_contact, of_lead, of_neither} == each
        return each

    assert seen(agent) == {of_contact, of_lead} and seen(other) == {of_contact}
    broker = operator.staff(tenant.id, "broker", "Bo")
    assert seen(broker) == {of_contact, of_lead, of_neither}
    body = {"subject": "Listing", "leadId": lead["id"]}
    assert server.ask("POST", PATH, body, other.bearer).status == 400, "the lead is not the agent's"
    for action in ("send", "void", "purge"):
        assert server.ask("POST", f"{PATH}/{of_lead}/{action}", None, other.bearer).status == 404
    foreign = operator.brokerage()
    assert server.by_key(foreign, "GET", f"{PATH}/{of_contact}").status == 404
    assert server.by_key(foreign, "DELETE", f"{PATH}/{of_contact}").status == 404


def test_plans_and_roles(server: Server, operator: Operator, tenant: Tenant) -> None:
    starter, grow = operator.brokerage("Starter"), operator.brokerage("Grow")
    refused(server.by_key(starter, "GET", PATH), 403, "plan_required")
    body = {"subject": "Offer", "provider": "docusign"}
    answer = server.by_key(grow, "POST", PATH, body)
    assert (answer.status, answer.json["requiredPlan"]) == (403, "Elite")
    assert server.by_key(tenant, "POST", PATH, body).status == 201

    made = sent(server, operator, tenant)
    completed(operator, tenant, made, "person1@example.com")
    path = f"{PATH}/{made['id']}/purge"
    broker, owner = (operator.staff(tenant.id, role) for role in ("broker", "brokerage_owner"))
    refused(server.by_key(tenant, "POST", path), 403, "role_not_allowed")
    refused(server.ask("POST", path, None, broker.bearer), 403, "role_not_allowed")
    announced = server.ask("POST", path, None, owner.bearer)
    assert (announced.status, announced.json["state"]) == (200, "completed")
    assert announced.json["purgeAt"] > aureum_time(now() + timedelta(days=13))
    again = server.ask("POST", path, None, owner.bearer)
    assert again.json == announced.json


def test_a_draft_is_changed_as_a_whole_and_keeps_what_stays(server: Server, operator: Operator, tenant: Tenant) -> None:
    made = ready(server, operator, tenant, person(1), person(2))
    path = f"{PATH}/{made['id']}"
    first = made["recipients"][0]
    recipients = [{"id": first["id"], "name": "Jane Roe", "email": "jane.roe@example.com"}, person(3)]
    changed = asked(server, tenant, "PATCH", path, {"recipients": recipients, "subject": "Counter-offer"})
    assert [one["name"] for one in changed["recipients"]] == ["Jane Roe", "Person 3"]
    assert [one["recipientId"] for one in changed["fields"]] == [first["id"]], "the field of the second went along"
    stale = server.ask("PATCH", path, {"subject": "X"}, {**tenant.bearer, "If-Match": '"v1"'})
    refused(stale, 412, "version_stale")
    text = refused(server.by_key(tenant, "POST", f"{path}/send"), 400, "invalid_fields")
    assert text == "Person 3 has no signature field. Place one first."
    assert server.by_key(tenant, "DELETE", path).status == 204
    assert server.by_key(tenant, "GET", path).status == 404
    assert server.by_key(tenant, "DELETE", path).status == 404
    after = asked(server, tenant, "GET", f"{PATH}/{sent(server, operator, tenant)['id']}")
    refused(server.by_key(tenant, "DELETE", f"{PATH}/{after['id']}"), 409, "wrong_state")
    refused(server.by_key(tenant, "PATCH", f"{PATH}/{after['id']}", {"subject": "X"}), 409, "wrong_state")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "subject"),
        ({"subject": " \u200b "}, "subject"),
        ({"subject": "a\0b"}, "subject"),
        ({"subject": "x" * 201}, "subject"),
        ({"subject": 7}, "subject"),
        ({"subject": "Offer", "deadlineDays": 121}, "deadlineDays"),
        ({"subject": "Offer", "deadlineDays": "soon"}, "deadlineDays"),
        ({"subject": "Offer", "provider": "fax"}, "provider"),
        ({"subject": "Offer", "contactId": NEVER}, "contactId"),
        ({"subject": "Offer", "leadId": "x"}, "leadId"),
        ({"subject": "Offer", "recipients": {}}, "recipients"),
        ({"subject": "Offer", "recipients": [person(1, email="nobody")]}, "recipients[0].email"),
        ({"subject": "Offer", "recipients": [person(1, order=0)]}, "recipients[0].order"),
        ({"subject": "Offer", "recipients": [person(1, role="witness")]}, "recipients[0].role"),
        ({"subject": "Offer", "recipients": [person(1), person(2, email="PERSON1@example.com")]}, "email"),
        ({"subject": "Offer", "recipients": [person(n) for n in range(1, 22)]}, "recipients"),
        ({"subject": "Offer", "recipients": [person(1, contactId=NEVER)]}, "contactId"),
    ],
)
def test_bad_drafts_are_refused_with_the_field(
    server: Server, tenant: Tenant, body: dict[str, Any], field: str
) -> None:
    answer = server.by_key(tenant, "POST", PATH, body)
    refused(answer, 400, "invalid_fields")
    assert field in answer.json["fields"], answer.body


def test_bad_fields_and_acts_are_refused(server: Server, operator: Operator, tenant: Tenant) -> None:
    made = draft(server, tenant)
    path, recipient = f"{PATH}/{made['id']}", made["recipients"][0]["id"]
    document = attach(operator, tenant, made["id"])
    place = {"recipientId": recipient, "documentId": document, "kind": "signature"}
    on_page = {"page": 1, "x": 1, "y": 1.5, "width": 100, "height": 20}
    for wrong in (
        {},
        {"anchor": "/sig:buyer/", "page": 1},
        on_page | {"page": 3},
        on_page | {"x": 600},
        on_page | {"x": -1},
        on_page | {"x": 1e308},
        on_page | {"y": "top"},
        on_page | {"recipientId": NEVER},
        on_page | {"documentId": "x"},
        on_page | {"kind": "stamp"},
        on_page | {"label": "x" * 201},
    ):
        refused(server.by_key(tenant, "PATCH", path, {"fields": [place | wrong]}), 400, "invalid_fields")
    twice = asked(server, tenant, "PATCH", path, {"fields": [place | on_page]})["fields"]
    refused(server.by_key(tenant, "PATCH", path, {"fields": twice * 2}), 400, "invalid_fields")
    anchored = [place | {"anchor": "/sig:seller/"}]
    asked(server, tenant, "PATCH", path, {"fields": anchored})
    assert "does not stand in" in refused(server.by_key(tenant, "POST", f"{path}/send"), 400, "invalid_fields")
    asked(server, tenant, "PATCH", path, {"fields": twice})
    made = asked(server, tenant, "POST", f"{path}/send")
    for deadline in ("2020-01-01", made["deadline"][:-5] + "Z", "9999-12-31", "soon", None):
        answer = server.by_key(tenant, "POST", f"{path}/extend", {"deadline": deadline})
        assert answer.status == 400, (deadline, answer.body)
    asked(server, tenant, "POST", f"{path}/recipients/{recipient}/remind")
    text = refused(server.by_key(tenant, "POST", f"{path}/recipients/{recipient}/remind"), 409, "wrong_state")
    assert "within the last day" in text
    for unknown in (NEVER, "x"):
        refused(server.by_key(tenant, "POST", f"{path}/recipients/{unknown}/remind"), 404, "not_found")


def test_what_is_sent_stays_when_a_purge_comes_at_the_same_moment(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    """The key is destroyed only with an event that says so."""
    made = ready(server, operator, tenant)
    envelope_id = from_wire(made["id"])
    assert envelope_id is not None
    asked(server, tenant, "POST", f"{PATH}/{made['id']}/send")
    command = PurgeEnvelope(tenant_id=tenant.id, envelope_id=envelope_id, announce=True)
    with pytest.raises(WrongState, match="Void it first"):
        operator.run(lambda store: purge_envelope(store, command, ORIGIN))
    assert asked(server, tenant, "GET", f"{PATH}/{made['id']}")["subject"] == "Offer"
