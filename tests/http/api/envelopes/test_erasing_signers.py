"""Erasing a person who signs: drafts and ended envelopes go, what others may still sign stops it, and what was signed
by all is kept for them, with the reason and until when."""

from typing import Any

from aureum.commands.person import find_person
from aureum.commands.portal.feeds import open_client_feed
from aureum.domain.ids import from_wire
from aureum.http.api.people.exporting import everything
from aureum.store.event_store import EventStore
from tests.http.operator import Operator, Tenant
from tests.http.sending import asked, completed, draft, person, refused, sent
from tests.http.serving import Server
from tests.pdf.papers import contract

CONTRACT = contract(1)

ERASE = "/api/v1/admin/people/erase"

KEYS = "SELECT count(*) FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = ANY (%(subjects)s)"
ROWS = """
SELECT (SELECT count(*) FROM envelope_list WHERE tenant_id = %(tenant)s AND envelope_id = ANY (%(subjects)s))
     + (SELECT count(*) FROM envelope_recipients WHERE tenant_id = %(tenant)s AND envelope_id = ANY (%(subjects)s))
     + (SELECT count(*) FROM envelope_timers WHERE tenant_id = %(tenant)s AND envelope_id = ANY (%(subjects)s))
"""


def test_each_state_has_its_fate(server: Server, operator: Operator) -> None:
    tenant = operator.brokerage()
    owner = operator.staff(tenant.id, "brokerage_owner")
    jane = person(1, name="Jane Secret", email="jane.secret@example.com")
    john = person(2, email="john@example.com")
    contact = asked(
        server, tenant, "POST", "/api/contacts", {"firstName": "Jane", "lastName": "Secret"} | only(jane), 201
    )

    def made(*people: dict[str, Any], act: str = "", **fields: Any) -> dict[str, Any]:
        one = sent(server, operator, tenant, *people, **fields)
        if act:
            asked(server, tenant, "POST", f"/api/envelopes/{one['id']}/{act}")
        found: dict[str, Any] = one
        return found

    drafted = draft(server, tenant, jane | {"email": "Jane.Secret@EXAMPLE.com"})
    of_contact = draft(server, tenant, john, contactId=contact["id"])
    voided = made(jane, john, act="void")
    others = draft(server, tenant, john)
    signed = made(jane)
    completed(operator, tenant, signed, "jane.secret@example.com")
    open_one = made(jane, subject="Listing")

    body = {"email": "jane.secret@example.com"}
    for rehearsed in (True, False):
        answer = server.ask("POST", ERASE, body | {"dry_run": rehearsed}, owner.bearer)
        assert answer.status == 409 and "(Listing). Void the envelope" in answer.json["detail"], answer.body
    asked(server, tenant, "POST", f"/api/envelopes/{open_one['id']}/void")

    gone = [one["id"] for one in (drafted, of_contact, voided, open_one)]
    rehearsal = server.ask("POST", ERASE, body | {"dry_run": True}, owner.bearer).json
    answer = server.ask("POST", ERASE, body, owner.bearer)
    assert answer.status == 202, answer.body
    assert answer.json["records"] == rehearsal["records"] == {"contact": 1, "envelope": 4}
    (kept,) = [one for one in answer.json["kept"] if one["what"] == "envelope"]
    until = asked(server, tenant, "GET", f"/api/envelopes/{signed['id']}")["retainUntil"]
    assert kept["id"] == signed["id"] and f"until {until}" in kept["why"]

    for one in gone:
        refused(server.by_key(tenant, "GET", f"/api/envelopes/{one}"), 404, "not_found")
    assert {one["id"] for one in asked(server, tenant, "GET", "/api/envelopes")} == {others["id"], signed["id"]}
    about = {"tenant": tenant.id, "subjects": [from_wire(one) for one in gone]}
    assert operator.rows(KEYS, **about) == operator.rows(ROWS, **about) == [(0,)]
    history = asked(server, tenant, "GET", f"/api/envelopes/{voided['id']}/history")
    assert history[-1]["type"] == "envelope.purged" and "secret" not in str(history).lower()
    assert [one["changes"] for one in history if one["type"] == "envelope.document_attached"], "hashes remain"
    assert "ab" * 32 in str(history)


def test_an_export_has_the_persons_envelopes_without_the_other_parties(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    email = f"export.{tenant.slug}@example.com"
    made = sent(server, operator, tenant, person(1, email=email), person(2, name="Other Party"))

    async def exported(store: EventStore) -> dict[str, Any]:
        return await everything(store, tenant.id, await find_person(store, tenant.id, email=email))

    (record,) = operator.run(exported)["records"]
    assert record["type"] == "envelope" and record["data"]["id"] == made["id"]
    assert [one["email"] for one in record["data"]["recipients"]] == [email, None]
    assert "Other Party" not in str(record) and record["history"][-1]["type"] == "envelope.recipient_invited"


def only(one: dict[str, Any]) -> dict[str, Any]:
    """The address alone."""
    return {"email": one["email"]}


def test_an_address_that_is_only_a_recipient_is_a_person_too(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner")
    email = f"only.{tenant.slug}@example.com"
    made = sent(server, operator, tenant, person(1, email=email))
    asked(server, tenant, "POST", f"/api/envelopes/{made['id']}/void")
    answer = server.ask("POST", ERASE, {"email": email}, owner.bearer)
    assert answer.status == 202 and answer.json["records"] == {"envelope": 1}, answer.body
    again = server.ask("POST", ERASE, {"email": email}, owner.bearer)
    assert again.json["erased"] == 0


def test_nothing_of_the_portal_and_no_answer_of_an_upload_outlasts_an_envelope(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner")
    only, client = (f"{who}.{tenant.slug}@example.com" for who in ("only", "client"))
    asked(
        server,
        tenant,
        "POST",
        "/api/contacts",
        {"firstName": "C", "lastName": "D", "email": client, "type": "BUYER"},
        201,
    )
    asked(server, tenant, "POST", "/api/leads", {"name": "Lee Lead", "email": f"lead.{client}"}, 201)
    made = sent(
        server, operator, tenant, *(person(n, email=one) for n, one in enumerate((only, client, f"lead.{client}"), 1))
    )
    asked(server, tenant, "POST", f"/api/envelopes/{made['id']}/void")

    async def with_feeds(store: EventStore) -> None:
        for one in (only, client, f"lead.{client}"):
            await open_client_feed(store.database, await store.tenant_key(tenant.id), one, f"secret of {one}")

    operator.run(with_feeds)
    headers = {"Authorization": f"Bearer {tenant.key}", "Content-Type": "application/pdf", "Idempotency-Key": "u"}
    drafted = draft(server, tenant)
    uploads = f"/api/envelopes/{drafted['id']}/documents?name=Plan.pdf"
    for _ in range(2):
        assert server.ask("POST", uploads, CONTRACT, headers).status == 201
    answers = "SELECT count(*) FROM idempotency_keys WHERE tenant_id = %(t)s"
    assert operator.rows(answers, t=tenant.id) == [(1,)]

    for one in (made, drafted):
        assert server.ask("POST", f"/api/envelopes/{one['id']}/purge", None, owner.bearer).status == 200
    assert operator.rows(answers, t=tenant.id) == [(0,)], "the answer names the document"
    feeds = "SELECT count(*) FROM portal_feeds WHERE tenant_id = %(t)s"
    assert operator.rows(feeds, t=tenant.id) == [(2,)], "the contact and the lead still have theirs"
