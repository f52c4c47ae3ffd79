"""Imports over the API, done as the worker does them."""

import asyncio
import csv
import io
from collections import Counter
from typing import Any

import pytest

from aureum.commands.importing.batches import once
from aureum.commands.importing.claiming import claim
from aureum.commands.importing.csv_file import rows_of
from aureum.commands.importing.keeping import file_of
from aureum.commands.importing.running import batches, begun
from aureum.domain.csv_cells import BOM
from aureum.projections import lead_list
from aureum.store.event_store import EventStore
from aureum.worker.importing import import_round
from tests.http.api.routing.sending import change, lead, put, sent
from tests.http.api.routing.test_same_person import as_folded
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Answer, Server

PATH = "/api/v1/admin/imports"
PEOPLE = "Nombre;Apellidos;Correo;Etiqueta\nZoë;Smith;z@example.com;vip\nJane;Doe;jane;\n;;;\nOtto;Roe;;a,b\n"
KEPT = """
SELECT (SELECT count(*) FROM import_parts WHERE tenant_id = %(tenant)s),
       (SELECT count(*) FROM import_keys WHERE tenant_id = %(tenant)s)
"""
OPEN = """
SELECT 1 FROM imports
 WHERE state IN ('checking', 'running', 'undoing') AND (held_until IS NULL OR held_until < clock_timestamp())
"""
LOSE = "DELETE FROM import_parts WHERE tenant_id = %(tenant)s RETURNING 1"
LEAVE = "UPDATE imports SET held_until = now() WHERE tenant_id = %(tenant)s RETURNING 1"
CLEAR = "SELECT 1 FROM import_parts WHERE strpos(encode(sealed, 'escape'), %(word)s) > 0"


async def import_all(store: EventStore) -> None:
    """What the worker does about imports."""
    stop = asyncio.Event()
    stop.set()
    while await store.database.rows(OPEN):
        await import_round(store, stop)


@pytest.fixture
def broker(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "broker", "Bea Broker")


def uploaded(server: Server, who: Staff, content: bytes, query: str, media: str = "text/csv", **more: str) -> Answer:
    headers = who.bearer | {"Content-Type": media} | {name.replace("_", "-"): value for name, value in more.items()}
    return server.ask("POST", f"{PATH}?{query}", content, headers)


def told(server: Server, who: Staff, job: Any) -> Any:
    answer = server.ask("GET", f"{PATH}/{job['id']}", None, who.bearer)
    assert answer.status == 200, answer.body
    return answer.json


def acted(server: Server, who: Staff, job: Any, what: str, body: Any = None) -> Answer:
    return server.ask("POST", f"{PATH}/{job['id']}/{what}", body, who.bearer)


def test_a_file_is_checked_and_then_imported(server: Server, operator: Operator, tenant: Tenant, broker: Staff) -> None:
    answer = uploaded(server, broker, PEOPLE.encode("cp1252"), "resource=contacts&dry_run=true")
    job = answer.json
    assert (answer.status, job["status"], job["rows"], job["encoding_guessed"]) == (202, "checking", 3, True)
    assert [(one["column"], one["field"]) for one in job["columns"]] == [
        ("Nombre", "firstName"),
        ("Apellidos", "lastName"),
        ("Correo", "email"),
        ("Etiqueta", "tags"),
    ]
    assert job["columns"][0]["samples"] == ["Zoë", "Jane", "Otto"]
    assert operator.rows(CLEAR, word="z@example.com") == [], "what is stored is sealed"
    operator.run(import_all)
    checked = told(server, broker, job)
    assert [checked[name] for name in ("status", "made", "refused", "progress")] == ["checked", 2, 1, 1]
    assert server.by_key(tenant, "GET", "/api/contacts").json == []

    started = acted(server, broker, job, "start", {"map": {"Etiqueta": None}, "duplicates": "update"})
    assert (started.status, started.json["status"], started.json["made"]) == (202, "running", 0)
    operator.run(import_all)
    done = told(server, broker, job)
    assert [done[name] for name in ("status", "made", "updated", "skipped", "refused")] == ["completed", 2, 0, 0, 1]
    otto, zoe = server.by_key(tenant, "GET", "/api/contacts").json
    assert (zoe["firstName"], zoe["tags"], otto["tags"]) == ("Zoë", [], [])
    history = server.by_key(tenant, "GET", f"/api/contacts/{zoe['id']}/history").json
    assert history[0]["actor"] == {"type": "user", "id": broker.id, "name": "Bea Broker"}

    errors = server.ask("GET", f"{PATH}/{job['id']}/errors.csv", None, broker.bearer)
    (row,) = csv.DictReader(io.StringIO(errors.body.decode().removeprefix(BOM), newline=""))
    assert (row["Nombre"], row["Not imported because"]) == ("Jane", "email must be a valid email address.")
    assert operator.rows(KEPT, tenant=tenant.id) == [(0, 0)], "the file is not kept any longer"
    assert acted(server, broker, job, "start").status == 409
    assert acted(server, broker, job, "cancel").status == 409
    listed = server.ask("GET", PATH, None, broker.bearer).json["imports"]
    assert [one["id"] for one in listed] == [job["id"]]
    assert "z@example.com" not in server.logged() and "Zoë" not in server.logged()


def test_a_form_may_hold_the_file_and_the_options(server: Server, operator: Operator, broker: Staff) -> None:
    fields = {"resource": "leads", "map": '{"Who": "name", "Tel": "phone"}'}
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in fields.items()]
    named = '--b\r\nContent-Disposition: form-data; name="file"; filename="my leads.csv"'
    file = f"{named}\r\n\r\nWho,Tel\r\nJane Doe,208-555-0123"
    body = "\r\n".join([*parts, file, "--b--", ""]).encode()
    answer = uploaded(server, broker, body, "", "multipart/form-data; boundary=b")
    assert (answer.status, answer.json["file_name"]) == (202, "my leads.csv"), answer.body
    operator.run(import_all)
    assert told(server, broker, answer.json)["made"] == 1
    (lead,) = server.ask("GET", "/api/v1/admin/leads", None, broker.bearer).json["items"]
    assert (lead["source"], lead["assigned_agent_id"], lead["routing"]) == ("import", None, None)


@pytest.mark.parametrize(
    ("content", "query", "media", "status", "says"),
    [
        (b"Name\nx\n", "", "text/csv", 422, "resource is required"),
        (b"Name\nx\n", "resource=tours", "text/csv", 422, "permitted"),
        (b"", "resource=contacts", "text/csv", 422, "field required"),
        (b"PK\x03\x04", "resource=contacts", "text/csv", 422, "not a CSV file"),
        (b"Old\nx\n", "resource=contacts", "text/csv", 422, "No column is a name"),
        (b"Name\nx\n", "resource=contacts&map=[]", "text/csv", 422, "map must be a JSON object"),
        (b"Name\nx\n", 'resource=contacts&map={"Name":"nope"}', "text/csv", 422, "The fields are"),
        (b"Name\nx\n", "resource=contacts", "application/json", 415, "text/csv"),
        (b"--b\r\n\r\n", "resource=contacts", "multipart/form-data; boundary=b", 422, "cut off"),
        (b"--b--\r\n", "resource=contacts", "multipart/form-data", 422, "cannot be read"),
    ],
)
def test_what_cannot_be_imported_is_refused(
    server: Server, broker: Staff, content: bytes, query: str, media: str, status: int, says: str
) -> None:
    answer = uploaded(server, broker, content, query, media)
    assert (answer.status, says in answer.body.decode()) == (status, True), answer.body


def test_only_leaders_import_and_one_file_is_one_import(
    server: Server, operator: Operator, tenant: Tenant, broker: Staff
) -> None:
    agent = operator.staff(tenant.id, "agent")
    assert uploaded(server, agent, b"Name\nx\n", "resource=contacts").status == 403
    first = uploaded(server, broker, b"Name\nx\n", "resource=contacts", Idempotency_Key="one")
    again = uploaded(server, broker, b"Name\nx\n", "resource=contacts", Idempotency_Key="one")
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    assert uploaded(server, broker, b"Name\ny\n", "resource=contacts", Idempotency_Key="one").status == 409
    other = operator.brokerage()
    foreign = operator.staff(other.id, "brokerage_owner")
    assert server.ask("GET", f"{PATH}/{first.json['id']}", None, foreign.bearer).status == 404
    cancelled = acted(server, broker, first.json, "cancel")
    assert (cancelled.status, cancelled.json["status"]) == (202, "cancelled")
    assert acted(server, broker, first.json, "cancel").json["status"] == "cancelled"
    assert operator.rows(KEPT, tenant=tenant.id) == [(0, 0)]
    too_large = uploaded(server, broker, b"", "resource=contacts", Content_Length="50000001")
    assert too_large.status == 413


@pytest.mark.parametrize("resource", ["contacts", "leads"])
def test_a_worker_that_was_killed_between_two_steps_leaves_nothing_to_do_twice(
    server: Server, operator: Operator, tenant: Tenant, broker: Staff, resource: str
) -> None:
    lines = "".join(f"P{n},Q,{f'p{n}@example.com' if n % 2 or resource == 'leads' else ''}\n" for n in range(250))
    job = uploaded(server, broker, f"First name,Last name,Email\n{lines}".encode(), f"resource={resource}").json

    async def killed(store: EventStore) -> None:
        """The rows of the first batch were appended, and nothing says so."""
        claimed = await claim(store)
        assert claimed is not None
        with await file_of(store, claimed) as file:
            batch = next(batches(rows_of(file, claimed.layout), 0))
            made = await once(store, await begun(store, claimed), batch, again=True)
        assert made.made == 100

    operator.run(killed)
    operator.run(import_all)
    assert told(server, broker, job)["done"] == 0, "the other worker's for a minute"
    operator.rows(LEAVE, tenant=tenant.id)
    operator.run(import_all)
    done = told(server, broker, job)
    assert [done[name] for name in ("status", "made", "skipped", "refused")] == ["completed", 250, 0, 0]
    assert len(server.by_key(tenant, "GET", f"/api/{resource}").ids) == 250


def test_an_undo_takes_back_what_nobody_has_changed_since(
    server: Server, operator: Operator, tenant: Tenant, broker: Staff
) -> None:
    for name in ("Ann", "Bob"):
        known = {"firstName": name, "lastName": "Old", "email": f"{name}@example.org"}
        assert server.by_key(tenant, "POST", "/api/contacts", known).status == 201
    names = (("Ann", "New"), ("Bob", "New"), ("Gone", "G"), ("Touched", "T"), ("Used", "U"))
    people = "First,Last,Email\n" + "".join(f"{first},{last},{first}@example.org\n" for first, last in names)
    job = uploaded(server, broker, people.encode(), "resource=contacts&duplicates=update").json
    assert acted(server, broker, job, "undo").status == 409, "it is running"
    operator.run(import_all)
    assert [told(server, broker, job)[name] for name in ("made", "updated")] == [3, 2]
    by_name = {one["firstName"]: one for one in server.by_key(tenant, "GET", "/api/contacts").json}
    for name in ("Bob", "Touched"):
        path = f"/api/contacts/{by_name[name]['id']}"
        assert server.by_key(tenant, "PATCH", path, {"lastName": "Later"}).status == 200
    task = {"title": "Call", "contactId": by_name["Used"]["id"]}
    assert server.by_key(tenant, "POST", "/api/tasks", task).status == 201

    asked = acted(server, broker, job, "undo")
    assert (asked.status, asked.json["status"]) == (202, "undoing")
    operator.run(import_all)
    undone = told(server, broker, job)
    assert [undone[name] for name in ("status", "undone", "kept")] == ["undone", 2, 3]
    assert acted(server, broker, job, "undo").json["status"] == "undone"

    after = {one["firstName"]: one["lastName"] for one in server.by_key(tenant, "GET", "/api/contacts").json}
    assert after == {"Ann": "Old", "Bob": "Later", "Touched": "Later", "Used": "U"}
    assert server.by_key(tenant, "GET", f"/api/contacts/{by_name['Gone']['id']}").status == 404
    # The file comes in again as if it were new.
    again = uploaded(server, broker, people.encode(), "resource=contacts").json
    operator.run(import_all)
    assert [told(server, broker, again)[name] for name in ("made", "skipped")] == [1, 4]


def test_what_cannot_go_on_says_so(server: Server, operator: Operator, tenant: Tenant, broker: Staff) -> None:
    job = uploaded(server, broker, b"Name\nNora\n", "resource=contacts").json
    operator.rows(LOSE, tenant=tenant.id)
    operator.run(import_all)
    failed = told(server, broker, job)
    assert (failed["status"], failed["problem"]) == (
        "failed",
        "The file of this import is no longer kept. Import it again.",
    )


def test_leads_that_name_no_agent_are_routed_if_that_is_wanted(
    server: Server, operator: Operator, tenant: Tenant, broker: Staff
) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner")
    team = [operator.staff(tenant.id, "agent", name) for name in ("Ana", "Ben", "Cora")]
    put(server, owner, mode="round_robin")
    change(server, owner, team[2], daily_cap=1)
    known = {"firstName": "Kim", "lastName": "Known", "email": "kim@example.org"}
    contact = server.by_key(tenant, "POST", "/api/contacts", known).json["id"]
    served = lead(server, owner, sent(server, tenant, **known))
    names = {agent.number: agent.id for agent in team}
    shown = {"name": "Tora Tour", "email": "tora@example.org", "assignedToId": team[1].id}
    assert server.by_key(tenant, "POST", "/api/showings", shown).status == 201
    people = "First,Last,Email,Status,Assigned to\n" + "".join(
        f"{first},Doe,{first}@example.org,{status},{user}\n"
        for first, status, user in (
            *((f"New{place}", "", "") for place in range(6)), ("Old", "lost", ""), ("Named", "", "Cora")
        )
    )  # fmt: skip
    people += "Kim,Known,kim@example.org,new,\nKim,Known,kim@example.org,contacted,\n"
    people += "Tour,Tora,TORA@example.org,new,\n"
    people += "Pat,X,pat@example.org,,\nX,Pat,PAT@example.org,,\n"
    refused = uploaded(server, broker, people.encode(), "resource=contacts&route=true")
    assert refused.status == 422 and b"route is for leads only" in refused.body
    job = uploaded(server, broker, people.encode(), "resource=leads&duplicates=make&route=true").json
    assert job["route"] is True
    operator.run(import_all)
    assert [told(server, broker, job)[name] for name in ("status", "made")] == ["completed", 13]

    made = {(one["firstName"], one["status"]): one for one in server.leads(tenant, "?source=import")}
    new = Counter(made[f"New{place}", "new"]["assignedToId"] for place in range(6))
    pat = made["Pat", "new"]["assignedToId"], made["X", "new"]["assignedToId"]
    assert pat[0] == pat[1], "a person of two rows has one agent"
    # Cora has had one lead that day at most, and Ana and Ben took turns.
    had = new + Counter((pat[0], names[served["assigned_agent_id"]]))
    assert had[team[2].id] == 1 and abs(had[team[0].id] - had[team[1].id]) <= 1 and sum(had.values()) == 8
    assert made["Old", "lost"]["assignedToId"] is None and made["Named", "new"]["assignedToId"] == team[2].id
    for status in ("new", "contacted"):
        of_kim = made["Kim", status]
        assert (of_kim["contactId"], of_kim["assignedToId"]) == (contact, names[served["assigned_agent_id"]])
    assert made["Tour", "new"]["assignedToId"] == team[1].id
    for who, why in (
        ("Kim", "The client's agent"),
        ("Tour", "The client's agent: this agent has an earlier showing"),
        ("New0", "Round robin"),
    ):
        one = server.by_key(tenant, "GET", f"/api/leads/{made[who, 'new']['id']}").json
        assert one["routing"]["reason"].startswith(why)
    as_folded(operator, tenant, lead_list.LIST)
    # The turns count for the forms that come next.
    later = [lead(server, owner, sent(server, tenant))["assigned_agent_id"] for _ in range(2)]
    assert sorted(later) == sorted(agent.number for agent in team[:2])
