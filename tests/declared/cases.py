"""What notes have, of which nothing but ``notes.py`` knows. ``test_notes.py`` runs this."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from aureum.domain.ids import from_wire
from aureum.registry import LISTS
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.postgres.migrate import migrate, pending
from aureum.store.rebuild.rebuild import rebuild
from tests.conftest import MASTER_KEY
from tests.declared.notes import LIST
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import as_staff
from tests.http.serving import Answer, Server, served


@pytest.fixture(scope="module")
def url(module_database_url: str) -> str:
    return module_database_url


@pytest.fixture(scope="module")
def server(url: str) -> Iterator[Server]:
    with served(url) as one:
        yield one


@pytest.fixture(scope="module")
def operator(url: str) -> Iterator[Operator]:
    with Operator.opened(url) as one:
        yield one


@pytest.fixture
def tenant(operator: Operator) -> Tenant:
    return operator.brokerage()


def note(server: Server, tenant: Tenant, text: str = "Buy milk", colour: str = "yellow") -> Answer:
    made = server.by_key(tenant, "POST", "/api/notes", {"text": text, "colour": colour})
    assert made.status == 201, made.body
    return made


def link(answer: Answer, relation: str) -> str:
    (found,) = [one for one in answer.headers["link"].split(", ") if f'rel="{relation}"' in one]
    return found[1 : found.index(">")]


def test_lists_filters_and_pages(server: Server, tenant: Tenant) -> None:
    made = [note(server, tenant, f"note {n}", colour).json["id"] for n, colour in enumerate(("pink", "yellow", "pink"))]
    assert server.by_key(tenant, "GET", "/api/notes").ids == made[::-1]
    assert server.by_key(tenant, "GET", "/api/notes?colour=pink").ids == [made[2], made[0]]
    assert server.by_key(tenant, "GET", "/api/notes?colour=green").status == 400
    first = server.by_key(tenant, "GET", "/api/notes?colour=pink&limit=1")
    assert first.ids == [made[2]]
    assert server.by_key(tenant, "GET", link(first, "next")).ids == [made[0]]


def test_etags_and_what_changed_since(server: Server, tenant: Tenant) -> None:
    one = note(server, tenant)
    path = f"/api/notes/{one.json['id']}"
    listed = server.by_key(tenant, "GET", "/api/notes?limit=9")
    for address, known in (("/api/notes?limit=9", listed), (path, one)):
        assert server.by_key(tenant, "GET", address, headers={"If-None-Match": known.etag}).status == 304
    changed = server.by_key(tenant, "PATCH", path, {"colour": "pink"}, {"If-Match": one.etag})
    assert changed.json["colour"] == "pink"
    assert server.by_key(tenant, "PATCH", path, {"colour": "yellow"}, {"If-Match": one.etag}).status == 412
    again = server.by_key(tenant, "GET", "/api/notes?limit=9", headers={"If-None-Match": listed.etag})
    assert again.json == [changed.json]
    assert server.by_key(tenant, "GET", link(listed, "delta")).json == [changed.json]
    gone = server.by_key(tenant, "GET", "/api/notes?colour=yellow&limit=9")
    assert gone.json == []


def test_as_it_was_and_its_history(server: Server, tenant: Tenant) -> None:
    one = note(server, tenant).json
    path = f"/api/notes/{one['id']}"
    server.by_key(tenant, "PATCH", path, {"colour": "pink"})
    assert server.by_key(tenant, "GET", f"{path}?asOf={one['createdAt']}").json == one
    history = server.by_key(tenant, "GET", f"{path}/history").json
    assert [entry["type"] for entry in history] == ["note.written", "note.recoloured"]
    assert history[1]["changes"] == {"colour": {"from": "yellow", "to": "pink"}}


def test_rebuilt_and_the_same(server: Server, tenant: Tenant, url: str) -> None:
    one = note(server, tenant)
    path = f"/api/notes/{one.json['id']}"
    listed = server.by_key(tenant, "GET", "/api/notes?limit=9")
    made = asyncio.run(rebuild(url, TenantKeys(MasterKey(MASTER_KEY)), "note_list", tenant.id))
    assert (made.events, made.rows) == (1, 1)
    for address, known in (("/api/notes?limit=9", listed), (path, one)):
        again = server.by_key(tenant, "GET", address, headers={"If-None-Match": known.etag})
        assert (again.status, again.json) == (200, known.json), "never 304 after a rebuild"


def test_row_security_rights_and_indexes(server: Server, operator: Operator, tenant: Tenant, url: str) -> None:
    other = operator.brokerage()
    for one in (tenant, other):
        note(server, one)
    stranger = server.by_key(other, "GET", "/api/notes").json[0]["id"]
    assert server.by_key(tenant, "GET", f"/api/notes/{stranger}").status == 404
    with psycopg.connect(url) as connection:
        indexes = "SELECT indexname FROM pg_indexes WHERE tablename = 'note_list' ORDER BY 1"
        assert connection.execute(indexes).fetchall() == [
            ("note_list_colour",),
            ("note_list_pkey",),
            ("note_list_updated",),
        ]
        connection.execute("SET LOCAL ROLE aureum_service")
        assert connection.execute("SELECT FROM note_list").fetchall() == []
        connection.execute(f"SET LOCAL aureum.tenant_id = '{tenant.id}'".encode())
        assert connection.execute("SELECT DISTINCT tenant_id FROM note_list").fetchall() == [(tenant.id,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM note_list")


def test_the_document_and_the_panel(server: Server, operator: Operator, tenant: Tenant) -> None:
    described = json.loads(server.ask("GET", "/openapi.json").body)
    assert {"get", "post"} <= set(described["paths"]["/api/notes"])
    assert {"note.created", "note.updated"} <= set(described["webhooks"])
    note(server, tenant, "Ask about the roof")
    reader = as_staff(server, operator.staff(tenant.id, "brokerage_owner"))
    listed = reader.get("/admin/notes").body.decode()
    assert "Ask about the roof" in listed
    assert re.search(r'<a href="/admin/notes" aria-current="page"><svg[^\n]*</svg>Notes</a>', listed, re.DOTALL)


def test_a_webhook_is_sent(server: Server, tenant: Tenant) -> None:
    hook = {"url": "https://example.com/", "events": ["note.*"]}
    assert server.by_key(tenant, "POST", "/api/webhooks", hook).status == 201
    one = note(server, tenant).json
    server.by_key(tenant, "PATCH", f"/api/notes/{one['id']}", {"colour": "pink"})
    feed = server.by_key(tenant, "GET", "/api/events?events=note.*").json
    events: list[Any] = feed["events"] if isinstance(feed, dict) else feed
    assert [(event["event"], event["data"]["colour"]) for event in events] == [
        ("note.created", "yellow"),
        ("note.updated", "pink"),
    ]


def test_the_database_has_what_it_declares(url: str) -> None:
    assert LIST in LISTS
    assert asyncio.run(pending(url)) == []
    assert asyncio.run(migrate(url, MasterKey(MASTER_KEY))) == []


def test_ids(server: Server, tenant: Tenant) -> None:
    assert from_wire(note(server, tenant).json["id"]) is not None
