"""Templates over HTTP: an envelope that is begun from one has its own copies of the documents, a person for each role,
and the fields of the roles; and whatever is refused or broken off leaves nothing."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from aureum.commands.envelopes.drafting import NewRecipient
from aureum.commands.envelopes.from_template import DraftFromTemplate, draft_from_template
from aureum.commands.envelopes.templates import RemoveTemplate, remove_template
from aureum.commands.kept_bytes import delete_gone, sweep_unsure
from aureum.domain.errors import Conflict, Invalid, NotFound
from aureum.domain.ids import from_wire
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.sending import asked, refused
from tests.http.serving import Server
from tests.pdf.making import document

PATH = "/api/envelope-templates"
OFFER = document(2, "Offer /sig:buyer/ and /sig:seller/", "and on /date:buyer/")
LEDGER = "SELECT document_id, subject_id FROM documents WHERE tenant_id = %(tenant)s AND NOT gone"
STORED = "SELECT doc FROM envelope_template_list WHERE tenant_id = %(tenant)s AND template_id = %(id)s"
LONG_AGO = "UPDATE documents SET begun_at = begun_at - interval '2 days' WHERE tenant_id = %(tenant)s RETURNING 1"
ROLES = [{"name": "buyer"}, {"name": "seller", "order": 2}, {"name": "broker", "role": "copy"}]


def person(name: str, role: str | None) -> dict[str, Any]:
    return {"name": name, "email": f"{name.lower()}@example.com"} | ({"templateRole": role} if role else {})


CAST = [person("Jane", "buyer"), person("Li", "seller"), person("Bo", "broker")]


def uploaded(server: Server, tenant: Tenant, template: Any, name: str = "Offer.pdf") -> Any:
    headers = {"Content-Type": "application/pdf"}
    answer = server.by_key(tenant, "POST", f"{PATH}/{template['id']}/documents?name={name}", OFFER, headers)
    assert answer.status == 201, answer.body
    return answer.json


def a_template(server: Server, tenant: Tenant) -> Any:
    """One with a document and three fields."""
    new = {"name": "Offer", "subject": "Your offer", "message": "Please sign.", "roles": ROLES, "deadlineDays": 9}
    made = asked(server, tenant, "POST", PATH, new, 201)
    one = uploaded(server, tenant, made)
    fields = [
        {"role": "buyer", "documentId": one["id"], "kind": "signature", "anchor": "/sig:buyer/"},
        {"role": "seller", "documentId": one["id"], "kind": "signature", "anchor": "/sig:seller/"},
        {"role": "buyer", "documentId": one["id"], "kind": "date"}
        | dict.fromkeys(("x", "y", "width", "height", "page"), 1),
    ]
    return asked(server, tenant, "PATCH", f"{PATH}/{made['id']}", {"fields": fields})


async def swept(store: EventStore) -> None:
    blobs = KeptBlobs(store.database)
    await sweep_unsure(store, blobs)
    await delete_gone(store.database, blobs)


def test_an_envelope_begins_from_a_template(server: Server, operator: Operator, tenant: Tenant) -> None:
    template = a_template(server, tenant)
    assert template == asked(server, tenant, "GET", f"{PATH}/{template['id']}")
    assert [template] == asked(server, tenant, "GET", PATH)
    assert [one["order"] for one in template["roles"]] == [1, 2, 1]
    got = server.by_key(tenant, "GET", f"{PATH}/{template['id']}/documents/{template['documents'][0]['id']}")
    assert (got.body, got.headers["cache-control"]) == (OFFER, "no-store")

    new = {"templateId": template["id"], "recipients": [*CAST, person("Kim", None)], "subject": "Offer for 1 Elm"}
    key = {"Idempotency-Key": "from-a-template"}
    first = server.by_key(tenant, "POST", "/api/envelopes", new, key)
    again = server.by_key(tenant, "POST", "/api/envelopes", new, key)
    assert first.status == again.status == 201 and first.body == again.body
    made = first.json
    assert (made["subject"], made["message"], made["deadlineDays"]) == ("Offer for 1 Elm", "Please sign.", 9)
    assert [(one["name"], one["role"], one["order"]) for one in made["recipients"]] == [
        ("Jane", "signer", 1),
        ("Li", "signer", 2),
        ("Bo", "copy", 1),
        ("Kim", "signer", 1),
    ]
    names = {one["id"]: one["name"] for one in made["recipients"]}
    assert [(names[one["recipientId"]], one["kind"], one["anchor"], one["page"]) for one in made["fields"]] == [
        ("Jane", "signature", "/sig:buyer/", None),
        ("Li", "signature", "/sig:seller/", None),
        ("Jane", "date", None, 1),
    ]
    (copy,) = made["documents"]
    assert copy["id"] != template["documents"][0]["id"] and copy["sha256"] == template["documents"][0]["sha256"]
    kept = operator.rows(LEDGER, tenant=tenant.id)
    assert sorted(of for _, of in kept) == sorted(map(from_wire, (template["id"], made["id"])))  # type: ignore[type-var]

    # It is a draft like any other: a person with another name goes on with the same fields, and it can be sent.
    here = f"/api/envelopes/{made['id']}"
    people = [{name: one[name] for name in ("id", "name", "email", "role", "order")} for one in made["recipients"][:3]]
    people[0]["name"] = "Jane Doe"
    changed = asked(server, tenant, "PATCH", here, {"recipients": people})
    assert [one["name"] for one in changed["recipients"]] == ["Li", "Bo", "Jane Doe"] and changed["fields"] == made[
        "fields"
    ]
    assert asked(server, tenant, "POST", f"{here}/send")["state"] == "sent"

    # What is done to the template later changes no envelope, and its bytes go with it.
    assert server.by_key(tenant, "DELETE", f"{PATH}/{template['id']}").status == 204
    refused(server.by_key(tenant, "GET", f"{PATH}/{template['id']}"), 404, "not_found")
    operator.run(swept)
    assert operator.rows(LEDGER, tenant=tenant.id) == [(from_wire(copy["id"]), from_wire(made["id"]))]
    assert server.by_key(tenant, "GET", f"{here}/documents/{copy['id']}").body == OFFER


def test_each_role_needs_one_person(server: Server, operator: Operator, tenant: Tenant) -> None:
    template = a_template(server, tenant)
    before = operator.rows(LEDGER, tenant=tenant.id)
    other = a_template(server, operator.brokerage())

    def why(recipients: Any, template_id: str | None = template["id"], **more: Any) -> str:
        body = {"subject": "Offer", "templateId": template_id, "recipients": recipients} | more
        answer = server.by_key(tenant, "POST", "/api/envelopes", body)
        assert answer.status == 400, answer.body
        return str(answer.json["error"])

    assert "Name a person for the role seller" in why([CAST[0], CAST[2]])
    assert "no role buyers. Its roles: buyer, seller, broker." in why([*CAST, person("Kim", "buyers")])
    assert "only one person for the role buyer" in why([*CAST, person("Kim", "buyer")])
    assert "name the template by templateId" in why(CAST, None)
    assert "Each one needs its own address" in why([*CAST, CAST[0] | {"templateRole": None}])
    assert "templateId must be" in why(CAST, other["id"]) and "templateId must be" in why(CAST, "c" + "0" * 24 + "1")
    assert "contactId" in why(CAST, contactId=template["id"])
    refused(server.by_key(tenant, "POST", "/api/envelopes", {"recipients": []}), 400, "invalid_fields")
    assert operator.rows(LEDGER, tenant=tenant.id) == before
    assert asked(server, tenant, "GET", "/api/envelopes") == []


def test_what_is_broken_off_leaves_no_bytes(
    server: Server, operator: Operator, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = a_template(server, tenant)
    before = operator.rows(LEDGER, tenant=tenant.id)
    template_id = from_wire(template["id"])
    assert template_id is not None
    people = (("Jane", "buyer"), ("Li", "seller"), ("Bo", "broker"))
    cast = tuple(NewRecipient(name=name, email=f"{name}@example.com", template_role=role) for name, role in people)
    command = DraftFromTemplate(tenant_id=tenant.id, template_id=template_id, recipients=cast)

    def broken_by(error: BaseException) -> None:
        async def work(store: EventStore) -> None:
            async def fails(*_: Any, **__: Any) -> Any:
                raise error

            monkeypatch.setattr(store, "append", fails)
            with pytest.raises(type(error)):
                await draft_from_template(store, KeptBlobs(store.database), command, ORIGIN)

        operator.run(work)

    broken_by(Conflict())
    assert operator.rows(LEDGER, tenant=tenant.id) == before, "refused: deleted at once"
    broken_by(asyncio.CancelledError())
    assert len(operator.rows(LEDGER, tenant=tenant.id)) == 2, "as after a kill -9"
    operator.rows(LONG_AGO, tenant=tenant.id)
    operator.run(swept)
    assert operator.rows(LEDGER, tenant=tenant.id) == before, "the sweep keeps what the template names, and no other"


def test_a_template_is_made_of_an_envelope(server: Server, operator: Operator, tenant: Tenant) -> None:
    template = a_template(server, tenant)
    draft = {"templateId": template["id"], "recipients": [*CAST, person("Kim", None)], "subject": "Jane's offer"}
    envelope = asked(server, tenant, "POST", "/api/envelopes", draft, 201)
    new = {"name": "Again", "subject": "Your offer", "envelopeId": envelope["id"]}
    made = asked(server, tenant, "POST", PATH, new, 201)
    assert made == asked(server, tenant, "GET", f"{PATH}/{made['id']}")
    assert [(one["name"], one["role"], one["order"]) for one in made["roles"]] == [
        ("buyer", "signer", 1),
        ("seller", "signer", 2),
        ("broker", "copy", 1),
        ("signer 1", "signer", 1),
    ]
    assert (made["deadlineDays"], made["message"]) == (9, None)
    assert [(one["role"], one["kind"], one["anchor"]) for one in made["fields"]] == [
        (one["role"], one["kind"], one["anchor"]) for one in template["fields"]
    ]
    assert [one["anchors"] for one in made["documents"]] == [["/sig:buyer/", "/sig:seller/", "/date:buyer/"]]
    stored = operator.rows(STORED, tenant=tenant.id, id=from_wire(made["id"]))
    assert not any(name in str(stored) for name in ("Jane", "jane@", "Kim")), "its persons stay behind"

    # Erasing a person leaves the template as it is: nothing in it is of a person.
    kept = operator.rows(LEDGER, tenant=tenant.id)
    owner = operator.staff(tenant.id, "brokerage_owner")
    erased = server.ask("POST", "/api/v1/admin/people/erase", {"email": "jane@example.com"}, owner.bearer)
    assert erased.status == 202 and erased.json["records"] == {"envelope": 1}, erased.body
    assert made == asked(server, tenant, "GET", f"{PATH}/{made['id']}")
    assert [row for row in kept if row[1] == from_wire(made["id"])] == [
        row for row in operator.rows(LEDGER, tenant=tenant.id) if row[1] == from_wire(made["id"])
    ]

    for wrong in ({"envelopeId": template["id"]}, {"envelopeId": "c" + "0" * 24 + "1"}, {"roles": ROLES}):
        refused(server.by_key(tenant, "POST", PATH, new | wrong), 400, "invalid_fields")
    theirs = operator.brokerage()
    refused(server.by_key(theirs, "POST", PATH, new), 400, "invalid_fields")


def test_a_document_is_replaced_and_the_history_says_so(server: Server, operator: Operator, tenant: Tenant) -> None:
    template = a_template(server, tenant)
    here, pdf = f"{PATH}/{template['id']}", {"Content-Type": "application/pdf"}
    old = template["documents"][0]["id"]
    before = asked(server, tenant, "GET", f"{here}/history")
    new = document(1, "Offer /sig:buyer/")
    where = f"{here}/documents?name=New.pdf&replaces={old}"
    key = pdf | {"Idempotency-Key": "replacing"}
    first, again = (server.by_key(tenant, "POST", where, new, key) for _ in range(2))
    assert first.status == 201 and first.body == again.body and first.json["anchors"] == ["/sig:buyer/"]
    elsewhere = where.replace(old, first.json["id"])
    refused(server.by_key(tenant, "POST", elsewhere, new, key), 409, "idempotency_key_reused")
    after = asked(server, tenant, "GET", here)
    assert [one["id"] for one in after["documents"]] == [first.json["id"]]
    assert [(one["id"], one["documentId"]) for one in after["fields"]] == [
        (one["id"], first.json["id"]) for one in template["fields"] if one["anchor"] != "/sig:seller/"
    ]
    assert operator.rows(LEDGER, tenant=tenant.id) == [(from_wire(first.json["id"]), from_wire(template["id"]))]
    refused(server.by_key(tenant, "POST", where, new, pdf), 404, "not_found")
    assert server.by_key(tenant, "GET", f"{here}/documents/{old}").status == 404

    history = asked(server, tenant, "GET", f"{here}/history")
    assert [one["type"] for one in history[len(before) :]] == [
        "envelope_template.document_attached",
        "envelope_template.fields_placed",
    ]
    assert all(one["changes"] for one in history)
    moment = before[-1]["at"]
    assert asked(server, tenant, "GET", f"{here}?asOf={moment}")["documents"][0]["id"] == old
    assert asked(server, tenant, "GET", f"{here}/history?asOf={moment}") == before


def test_a_template_that_is_removed_while_an_envelope_begins(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    template = a_template(server, tenant)
    template_id = from_wire(template["id"])
    assert template_id is not None
    people = (("Jane", "buyer"), ("Li", "seller"), ("Bo", "broker"))
    cast = tuple(NewRecipient(name=name, email=f"{name}@example.com", template_role=role) for name, role in people)
    command = DraftFromTemplate(tenant_id=tenant.id, template_id=template_id, recipients=cast)

    class Slow(KeptBlobs):
        async def get(self, *of: Any) -> Any:
            removal = RemoveTemplate(tenant_id=tenant.id, template_id=command.template_id)
            with suppress(NotFound):
                await remove_template(store_of[0], removal, ORIGIN)
            async for part in super().get(*of):
                yield part

    store_of: list[EventStore] = []

    async def work(store: EventStore) -> None:
        store_of.append(store)
        with pytest.raises(Invalid, match="templateId must be"):
            await draft_from_template(store, Slow(store.database), command, ORIGIN)
        await swept(store)

    operator.run(work)
    assert operator.rows(LEDGER, tenant=tenant.id) == []


def test_brokers_write_and_agents_read(server: Server, operator: Operator, tenant: Tenant) -> None:
    template = a_template(server, tenant)
    here = f"{PATH}/{template['id']}"
    agent, broker = (operator.staff(tenant.id, role) for role in ("agent", "broker"))
    assert server.ask("GET", here, None, agent.bearer).json == template
    for method, path, body in (
        ("POST", PATH, {"name": "Mine", "subject": "Mine"}),
        ("PATCH", here, {"name": "Mine"}),
        ("DELETE", here, None),
        ("DELETE", f"{here}/documents/{template['documents'][0]['id']}", None),
        ("POST", f"{here}/documents", OFFER),
    ):
        headers = agent.bearer | ({"Content-Type": "application/pdf"} if body is OFFER else {})
        assert server.ask(method, path, body, headers).status == 403, (method, path)
    begun = server.ask("POST", "/api/envelopes", {"templateId": template["id"], "recipients": CAST}, agent.bearer)
    assert (begun.status, begun.json["subject"]) == (201, "Your offer")

    stale = server.ask("PATCH", here, {"name": "Other"}, broker.bearer | {"If-Match": '"v1"'})
    assert stale.status == 412
    renamed = server.ask("PATCH", here, {"name": "Other", "roles": ROLES[1:]}, broker.bearer)
    assert renamed.json["name"] == "Other" and [one["role"] for one in renamed.json["fields"]] == ["seller"]
    assert server.ask("DELETE", f"{here}/documents/{template['documents'][0]['id']}", None, broker.bearer).status == 204
    left = asked(server, tenant, "GET", here)
    assert (left["documents"], left["fields"]) == ([], [])
    bad = {"fields": [{"role": "seller", "documentId": template["documents"][0]["id"], "kind": "date", "anchor": "x"}]}
    refused(server.by_key(tenant, "PATCH", here, bad), 400, "invalid_fields")
    starter = operator.brokerage("Starter")
    assert asked(server, starter, "GET", PATH, status=403)["upgrade"]
