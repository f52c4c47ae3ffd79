"""A person is erased: nothing of the person is left in the database, in mails and in logs, and all else goes on."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from aureum.commands.erasures import resume_erasures
from aureum.store.chain import Verified, verify
from aureum.store.event_store import EventStore
from aureum.store.postgres.database import connect
from aureum.store.rebuild.rebuild import REBUILDABLE, rebuild
from aureum.store.rebuild.verifying import verify_read_model
from aureum.store.signed_checkpoints import of_tenant, read_all, signed_heads
from tests.http.api.people.dumping import database_in_bytes, files_in_bytes, found_of
from tests.http.api.routing.sending import put
from tests.http.links import delta
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server, served
from tests.mail.queued import mailing

ERASE = "/api/v1/admin/people/erase"

PERSON = {
    "first name": "Zoraïde",
    "last name": "Quettabyte",
    "other name": "Zorabella",
    "address": "Zoraide.Q@Quetta.example.com",
    "other address": "zoraide+home@quetta.example.com",
    "phone": "+1 (208) 555-0177",
    "E.164": "+12085550177",
    "subject": "Wharf loft with a kiln room",
    "message": "My ex-husband Ferdinand must not hear of this",
    "page": "/lofts/quetta-harbor",
    "notes": "Prefers Tuesdays, allergic to lilies",
    "call": "Talked about the Bluewater mortgage",
    "lost": "Moves to Reykjavik instead",
    "task": "Send Zoraïde the lilies contract",
    "task text": "She keeps the spare key at Ferdinand's",
    "tour": "Is there room for a harpsichord?",
    "tour time": "right after my dialysis",
    "subscriber": "Zora-Newsletter",
}
"""Every text that is the person's own."""


BEHIND = """
SELECT count(*) FROM heads h
 CROSS JOIN unnest(ARRAY['webhooks', 'mail', 'figures', 'timers']) AS c (consumer)
  LEFT JOIN checkpoints p ON p.tenant_id = h.tenant_id AND p.consumer = c.consumer
 WHERE h.tenant_id = %(tenant)s AND (p.position IS NULL OR p.position < h.position)
"""

UNSENT = "SELECT count(*) FROM mails WHERE tenant_id = %(tenant)s AND state <> 'sent'"

SAID_AGAIN = """
UPDATE webhook_attempts a SET answer = m.body FROM webhook_messages m
 WHERE m.tenant_id = a.tenant_id AND m.position = a.position
RETURNING 1
"""
"""As endpoints do that answer with what they were sent."""

MESSAGES = "SELECT body FROM webhook_messages WHERE tenant_id = %(tenant)s ORDER BY position"


def lived(server: Server, operator: Operator, tenant: Tenant) -> dict[str, Any]:
    """All that a brokerage learns of the person, by forms, the API and staff; ids by what they are."""
    owner = operator.staff(tenant.id, "brokerage_owner")
    agents = [operator.staff(tenant.id, "agent") for _ in range(2)]
    put(server, owner, mode="round_robin", learn_from_reassignments=True)

    def by_key(method: str, path: str, body: Any = None) -> Any:
        answer = server.by_key(tenant, method, path, body, {"Idempotency-Key": path} if method == "POST" else None)
        assert answer.status < 300, (path, answer.body)
        return answer.json

    hooks = {"url": "https://hooks.example.com/", "events": ["lead.*", "contact.*", "showing.*", "task.*"]}
    by_key("POST", "/api/webhooks", hooks)
    form = server.form(
        tenant,
        {"Idempotency-Key": "form"},
        firstName=PERSON["first name"],
        lastName=PERSON["last name"],
        email=PERSON["address"],
        phone=PERSON["phone"],
        subject=PERSON["subject"],
        message=PERSON["message"],
        source_page=PERSON["page"],
    )
    assert form.status == 200, form.body
    lead = by_key("GET", "/api/leads")[0]
    number = form.json["lead_id"]
    mine = f"/api/v1/admin/leads/{number}"
    (other_agent,) = [one.number for one in agents if one.id != lead["assignedToId"]]
    change = {"assigned_agent_id": other_agent, "notes": PERSON["notes"], "status": "lost"}
    assert server.ask("PATCH", mine, change | {"lost_note": PERSON["lost"]}, owner.bearer).status == 200
    by_key("POST", f"/api/leads/{lead['id']}/activities", {"type": "call", "text": PERSON["call"]})
    by_key("POST", f"/api/leads/{lead['id']}/convert")
    contact = by_key("GET", f"/api/leads/{lead['id']}")["contactId"]
    named = {"firstName": PERSON["other name"], "lastName": PERSON["last name"], "email": PERSON["other address"]}
    merged = by_key("POST", "/api/contacts", named)["id"]
    by_key("POST", f"/api/contacts/{contact}/merge", {"with": merged})
    about = {"title": PERSON["task"], "description": PERSON["task text"], "leadId": lead["id"]}
    task = by_key("POST", "/api/tasks", about)["id"]
    by_key("PATCH", f"/api/tasks/{task}", {"title": f"Soon: {PERSON['task']}"})
    visit = {"listing_id": "7", "name": f"{PERSON['first name']} {PERSON['last name']}", "email": PERSON["address"]}
    visit |= {"phone": PERSON["phone"], "message": PERSON["tour"], "preferred_time": PERSON["tour time"]}
    assert server.ask("POST", "/api/tours", visit, host=tenant.domain).status == 200
    subscribed = {"email": PERSON["other address"].upper(), "first_name": PERSON["subscriber"]}
    assert server.ask("POST", "/api/newsletter/subscribe", subscribed, host=tenant.domain).status == 200
    view = {"name": "Her", "page": "leads", "query": "q=zoraide.q%40quetta.example.com"}
    for query in (view, view | {"name": "Others", "query": "q=else"}):
        assert server.ask("POST", "/api/me/views", query, owner.bearer).status == 201
    return {"owner": owner, "number": number, "lead": lead["id"], "contact": contact, "merged": merged, "task": task}


async def worked(url: str, store: EventStore, tenant: Tenant, mails: Path) -> None:
    """Let a worker follow the log to its end, and send what it has made of it."""
    async with mailing(url, None, mails), asyncio.timeout(60):
        while await left(store, tenant):  # noqa: ASYNC110 - it is in the database
            await asyncio.sleep(0.05)


async def left(store: EventStore, tenant: Tenant) -> int:
    """What a worker has not done yet."""
    rows = [await store.database.rows(query, {"tenant": tenant.id}) for query in (BEHIND, UNSENT)]
    return sum(count for ((count,),) in rows)


def test_nothing_of_the_person_is_left_and_all_else_goes_on(database_url: str, tmp_path: Path) -> None:
    mails = tmp_path / "mail"
    key = Ed25519PrivateKey.generate()
    with served(database_url, data_dir=str(tmp_path)) as server, Operator.opened(database_url) as operator:
        tenant = operator.brokerage()
        other = server.lead(tenant, name="Someone Else", email="else@example.com")
        known = lived(server, operator, tenant)
        operator.run(lambda store: worked(database_url, store, tenant, mails))
        operator.rows(SAID_AGAIN)
        before = found_of(PERSON, database_in_bytes(database_url)) | found_of(PERSON, files_in_bytes(mails))
        assert {name for _, name, _ in before} == set(PERSON), "what is not found before proves nothing afterwards"
        changes = {kind: delta(server.by_key(tenant, "GET", f"/api/{kind}?limit=500")) for kind in GONE}
        signed = operator.run(lambda store: signed_heads(store.database, key, tenant.id))

        for role, status in {"agent": 403, "broker": 403}.items():
            who = operator.staff(tenant.id, role).bearer
            assert server.ask("POST", ERASE, {"lead_id": known["number"]}, who).status == status
        rehearsed = server.ask("POST", ERASE, {"lead_id": known["number"], "dry_run": True}, known["owner"].bearer)
        assert rehearsed.json["records"] == {"lead": 1, "contact": 2, "showing": 1, "subscriber": 1, "task": 1}
        blocked = next(file for file in mails.iterdir() if found_of(PERSON, files_in_bytes(file)))
        blocked.unlink()
        blocked.mkdir()
        headers = known["owner"].bearer | {"Idempotency-Key": "erase"}
        erased = server.ask("POST", ERASE, {"lead_id": known["number"]}, headers)
        assert (erased.status, erased.json["erased"]) == (202, 6), erased.body
        assert b"erasure_left_to_worker" in server.log.read_bytes(), "a file that cannot be removed"
        blocked.rmdir()
        assert len(operator.run(lambda store: resume_erasures(store, tenant.id, mails))) == 6
        kept = {(one["what"], one["id"]) for one in erased.json["kept"]}
        assert kept == {("history", None), ("backups", None)}
        again = server.ask("POST", ERASE, {"lead_id": known["number"]}, headers)
        assert (again.headers["idempotent-replayed"], again.body) == ("true", erased.body)
        asked = server.ask("POST", ERASE, {"email": PERSON["address"]}, known["owner"].bearer)
        assert (asked.status, asked.json) == (202, {"id": None, "erased": 0, "records": {}, "kept": []})
        assert server.ask("POST", ERASE, {"lead_id": known["number"]}, known["owner"].bearer).json["erased"] == 6

        views = server.ask("GET", "/api/me/views", headers=known["owner"].bearer)
        assert [view["name"] for view in views.json] == ["Others"]
        assert found_of(PERSON, files_in_bytes(mails)) == set()
        operator.run(lambda store: worked(database_url, store, tenant, mails))
        assert found_of(PERSON, database_in_bytes(database_url)) == set()
        assert found_of(PERSON, files_in_bytes(mails, server.log)) == set()

        apart = server.by_key(tenant, "POST", f"/api/contacts/{known['contact']}/unmerge", {"merge": known["merged"]})
        assert apart.status == 409, apart.body
        for kind, path in changes.items():
            told = {one["id"]: one for one in server.by_key(tenant, "GET", path).json}
            for name in GONE[kind]:
                assert told[known[name]] == {"id": known[name], "removed": True}
                assert server.by_key(tenant, "GET", f"/api/{kind}/{known[name]}").status == 404
                history = server.by_key(tenant, "GET", f"/api/{kind}/{known[name]}/history")
                if kind != "tasks":
                    assert history.json[-1]["changes"] == {"erased": {"from": None, "to": True}}, history.body
        assert [one["id"] for one in server.leads(tenant)] == [other["id"]]
        bodies = [orjson.loads(body) for (body,) in operator.rows(MESSAGES, tenant=tenant.id)]
        gone = {(body["event"], body["data"]["id"]) for body in bodies if body["data"].get("erased")}
        assert gone >= {("lead.updated", known["lead"]), ("contact.updated", known["contact"])}
        assert server.ask("GET", "/api/leads/count", host=tenant.domain).json["total"] == 1

        async def checked(store: EventStore) -> None:
            async with await connect(database_url) as connection:
                heads = of_tenant(read_all([one.line for one in signed], key.public_key()), tenant.id)
                assert isinstance(await verify(connection, tenant.id, signed=heads), Verified)
            for model in REBUILDABLE:
                compared = await verify_read_model(database_url, store.keys, model.NAME, tenant.id)
                assert compared.differences == 0, (model.NAME, compared.named)
                await rebuild(database_url, store.keys, model.NAME, tenant.id)

        operator.run(checked)
        assert [one["id"] for one in server.leads(tenant)] == [other["id"]]
        assert found_of(PERSON, database_in_bytes(database_url)) == set()


GONE = {"leads": ("lead",), "contacts": ("contact", "merged"), "tasks": ("task",)}
"""Which of the records are in which list."""
