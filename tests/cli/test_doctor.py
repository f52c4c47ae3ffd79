"""``aureum doctor``: what is wrong or needs a decision, and which Host leads to which brokerage."""

import asyncio
import json
import re
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from aureum import __version__
from aureum.cli.checks.machine import LEAST_ROOM, room
from aureum.cli.doctor import MOST_TOLD
from aureum.cli.installation import tenant_of
from aureum.commands.envelopes.drafting import AttachDocument, DraftEnvelope, attach_document, draft_envelope
from aureum.domain.envelope_parts import Document
from aureum.domain.ids import to_wire
from aureum.settings import load_settings
from aureum.settings.mail import FROM_WHOM, NO_MAIL_SERVER
from aureum.store.blobs.chunks import CHUNK
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from tests.cli.conftest import Terminal
from tests.conftest import fresh_database
from tests.mail.mail_server import mail_server_thread
from tests.store.blobs.test_keeping import KEY, stream


@pytest.fixture
def alone(terminal: Terminal, server_url: str, template: str) -> Iterator[Terminal]:
    """A terminal with a database that no other test has used."""
    with fresh_database(server_url, template) as url:
        terminal.url = url
        terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", url)
        yield terminal


def wrong(terminal: Terminal, logged: str = "") -> list[dict[str, Any]]:
    """What is wrong; the exit status and the text for people must say the same. Only *logged* is on standard error."""
    as_json, plain = terminal.run("doctor", "--json"), terminal.run("doctor")
    found = [one for one in as_json.json["findings"] if one["wrong"]]
    assert (as_json.code, plain.code) == ((1, 1) if found else (0, 0)), (as_json, plain)
    assert as_json.json["ok"] == (not found)
    for err in (as_json.err, plain.err):
        assert [json.loads(line)["event"] for line in err.splitlines()] == logged.split()
    assert all(one["text"] in plain.out for one in found)
    return found


def change(terminal: Terminal, statement: str, *parameters: object) -> None:
    with psycopg.connect(terminal.url, autocommit=True) as connection:
        assert connection.execute(statement.encode(), parameters).rowcount != 0, statement


def test_nothing_is_wrong(alone: Terminal) -> None:
    alone.json("demo")
    document = alone.json("doctor")
    told = {"check": "hosts", "text": "localhost leads to demo.", "wrong": False, "host": "localhost"}
    directory = str(load_settings().data_dir / "mail")
    no_mail = {"check": "mail", "text": NO_MAIL_SERVER, "wrong": False, "directory": directory}
    assert document["ok"] and document["findings"] == [no_mail, {**told, "brokerage": "demo"}]
    said = alone.run("doctor")
    people = f"No problems found.\n\n{NO_MAIL_SERVER}\nlocalhost leads to demo.\n\nThe installation\n\n"
    assert (said.code, said.err) == (0, "") and said.out.startswith(people)


def test_how_the_installation_stands(alone: Terminal) -> None:
    alone.json("demo")
    state, said = alone.json("doctor")["state"], alone.run("doctor").out
    assert list(state) == ["program", "disk", "database", "extensions", "pooler", "login", "clock", "archive", "behind"]
    assert state["program"]["aureum"] == __version__ and f"Aureum {__version__}, Python 3." in said
    assert state["disk"]["free"] > 0 and re.search(r"\d GB free at /", said)
    assert int(state["database"]["version"].partition(".")[0].split()[0]) >= 15
    assert {"btree_gin", "pg_trgm"} <= set(state["extensions"]) and "pg_trgm " in said
    assert state["pooler"] == {"found": False}
    assert abs(state["clock"]["seconds"]) < 5
    # There is no worker here, so that all that the demo has made is ahead of what follows the logs.
    assert all(events > 40 for events in state["behind"].values()) and {"mail", "timers"} <= set(state["behind"])
    assert state["login"]["name"] and f"{state['login']['name']}, " in said


def test_people_are_shown_the_first_hosts_and_programs_all(alone: Terminal) -> None:
    domains = [word for n in range(MOST_TOLD + 3) for word in ("--domain", f"w{n}.example.com")]
    alone.json("brokerage", "create", "--name", "B", "--slug", "b", "--plan", "grow", *domains)
    assert len(alone.json("doctor")["findings"]) == MOST_TOLD + 4
    assert "\n... and 4 more: --json lists them.\n" in alone.run("doctor").out


def test_a_mail_server_that_does_not_work(alone: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    alone.monkeypatch.setenv("AUREUM_SMTP_URL", f"smtp://me:hidden@127.0.0.1:{port}")
    (found,) = wrong(alone)
    assert (found["check"], found["text"]) == ("mail", FROM_WHOM)
    alone.monkeypatch.setenv("AUREUM_MAIL_FROM", "crm@example.com")
    (away,) = wrong(alone)
    assert (away["server"], away["error"]) == (f"127.0.0.1:{port}", "connect")
    assert "hidden" not in str(away)


def test_a_mail_server_that_works_and_one_that_knows_us_not(alone: Terminal) -> None:
    alone.monkeypatch.setenv("AUREUM_MAIL_FROM", "crm@example.com")
    with mail_server_thread(login=(b"me", b"right")) as port:
        alone.monkeypatch.setenv("AUREUM_SMTP_URL", f"smtp://me:right@127.0.0.1:{port}?starttls=never")
        assert wrong(alone) == []
        alone.monkeypatch.setenv("AUREUM_SMTP_URL", f"smtp://me:hidden@127.0.0.1:{port}?starttls=never")
        (found,) = wrong(alone)
        assert (found["error"], "Check the user and password" in found["text"]) == ("login_refused", True)
        assert "hidden" not in str(found)
        alone.monkeypatch.setenv("AUREUM_SMTP_URL", f"smtp://me:right@127.0.0.1:{port}")
        (found,) = wrong(alone)
        assert (found["error"], "?starttls=optional" in found["text"]) == ("starttls_missing", True)


def test_settings_that_are_none(alone: Terminal, tmp_path: Path) -> None:
    alone.monkeypatch.setenv("AUREUM_TRUSTED_PROXYS", "10.0.0.0/8")
    (tmp_path / ".env").write_text("AUREUM_LOGLEVEL=debug\nAUREUM_EMPTY=\nOTHER=1\n")
    found = wrong(alone)
    assert [(one["check"], one["name"]) for one in found] == [
        ("settings", "AUREUM_LOGLEVEL"), ("settings", "AUREUM_TRUSTED_PROXYS"),
    ]  # fmt: skip
    assert [one["text"].partition(" is no setting and does nothing. ")[2] for one in found] == [
        "Did you mean AUREUM_LOG_LEVEL?", "Did you mean AUREUM_TRUSTED_PROXIES?",
    ]  # fmt: skip


def test_settings_that_cannot_be_used(alone: Terminal) -> None:
    alone.monkeypatch.setenv("AUREUM_POOL_SIZE", "many")
    (found,) = wrong(alone)
    assert found["text"] == "Set AUREUM_POOL_SIZE to a whole number, 1 or more, for example 4."
    alone.monkeypatch.delenv("AUREUM_POOL_SIZE")
    alone.monkeypatch.delenv("AUREUM_MASTER_KEY")
    (found,) = wrong(alone)
    assert found["check"] == "settings" and found["text"].startswith("AUREUM_MASTER_KEY is not set")


def test_a_routing_model_that_is_not_there(alone: Terminal) -> None:
    for model, module in (("no.such:model", "no.such"), ("tests.routing.no_model:made", "tests.routing.no_model")):
        alone.monkeypatch.setenv("AUREUM_ROUTING_MODEL", model)
        (found,) = wrong(alone)
        assert (found["check"], found["model"], found["module"]) == ("routing", model, module)
        assert f"The routing model {model} needs the module {module}, which cannot be found." in found["text"]
    for model in ("none", "bundled", "tests.routing.other_model:counting"):
        alone.monkeypatch.setenv("AUREUM_ROUTING_MODEL", model)
        assert wrong(alone) == []


def test_a_database_that_cannot_be_used(alone: Terminal, server_url: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"postgresql://aureum:hush@127.0.0.1:{nobody.getsockname()[1]}/aureum"
        alone.monkeypatch.setenv("AUREUM_DATABASE_URL", url)
        (found,) = wrong(alone)
    assert found["check"] == "database" and found["text"].startswith("The database cannot be reached: ")
    with fresh_database(server_url, "template1") as empty:
        alone.monkeypatch.setenv("AUREUM_DATABASE_URL", empty)
        (found,) = wrong(alone)
    assert found["check"] == "database" and found["text"].endswith("must run first. Run: aureum migrate")
    alone.monkeypatch.setenv("AUREUM_DATABASE_URL", alone.url)
    alone.monkeypatch.setenv("AUREUM_MASTER_KEY", b64encode(bytes(32)).decode())
    (found,) = wrong(alone)
    assert found["text"].startswith("AUREUM_MASTER_KEY does not open this database")


def test_no_database_is_made(terminal: Terminal, tmp_path: Path) -> None:
    for name in ("AUREUM_DATABASE_URL", "AUREUM_MASTER_KEY"):
        terminal.monkeypatch.delenv(name)
    terminal.monkeypatch.setenv("AUREUM_DATA_DIR", str(tmp_path / "data"))
    (found,) = wrong(terminal)
    assert found["check"] == "database" and "There is no database in" in found["text"]
    assert not (tmp_path / "data").exists()


def test_a_disk_that_is_nearly_full(tmp_path: Path, terminal: Terminal) -> None:
    terminal.monkeypatch.delenv("AUREUM_DATABASE_URL")
    terminal.monkeypatch.setenv("AUREUM_DATA_DIR", str(tmp_path))
    (tmp_path / "postgres").mkdir()
    settings = load_settings()
    assert LEAST_ROOM == 1024**3
    terminal.monkeypatch.setattr("aureum.cli.checks.machine.LEAST_ROOM", 2**70)
    (found,) = room(settings)
    assert found.check == "disk" and re.search(r"has \d+ MB left\. When it is full, nothing can be stored", found.text)


def test_clocks_that_are_apart(alone: Terminal) -> None:
    assert wrong(alone) == []
    change(alone, "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql "
           "AS $$SELECT pg_catalog.clock_timestamp() - interval '7 s'$$")  # fmt: skip
    name = urlsplit(alone.url).path.removeprefix("/")
    change(alone, f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog')
    (found,) = wrong(alone)
    assert found["check"] == "clock" and 6 < found["seconds"] < 8
    assert re.match(r"The clock of this machine is \+[67]\.\d seconds off the database's\.", found["text"])


@contextmanager
def pooler(url: str) -> Iterator[str]:
    """What clients see of a pooler: connections whose process in the server is another than they were told."""
    target = urlsplit(url)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def told(data: bytes) -> bytes:
        return re.sub(rb"K\x00\x00\x00\x0c.{4}", b"K\x00\x00\x00\x0c\x00\x00\x00\x07", data, count=1, flags=re.DOTALL)

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Any) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(change(data))
                await writer.drain()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (target.hostname or "").startswith("/") or not target.hostname:
            path = dict(part.split("=") for part in target.query.split("&"))["host"].replace("%2F", "/")
            up_reader, up_writer = await asyncio.open_unix_connection(f"{path}/.s.PGSQL.{target.port or 5432}")
        else:
            up_reader, up_writer = await asyncio.open_connection(target.hostname, target.port)
        both = copy(reader, up_writer, lambda data: data), copy(up_reader, writer, told)
        await asyncio.gather(*both, return_exceptions=True)

    loop = asyncio.new_event_loop()

    async def begin() -> asyncio.Server:
        return await asyncio.start_server(connected, sock=listener)

    async def end() -> None:
        server.close()
        copying = asyncio.all_tasks() - {asyncio.current_task()}
        for task in copying:
            task.cancel()
        await asyncio.gather(*copying, return_exceptions=True)

    server = loop.run_until_complete(begin())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        user = f"{target.username}:{target.password or ''}@" if target.username else ""
        yield f"postgresql://{user}127.0.0.1:{port}{target.path}"
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_a_pooler_in_between(alone: Terminal) -> None:
    with pooler(alone.url) as url:
        alone.monkeypatch.setenv("AUREUM_DATABASE_URL", url)
        alone.monkeypatch.setenv("AUREUM_PREPARED_STATEMENTS", "true")
        (found,) = wrong(alone, logged="pooler_found")
        assert found["check"] == "pooler" and "Set it to false" in found["text"]
        alone.monkeypatch.setenv("AUREUM_PREPARED_STATEMENTS", "false")
        assert wrong(alone) == []
        assert [one["check"] for one in alone.json("doctor")["findings"]] == ["pooler", "mail"]


def test_a_brokerage_that_no_host_leads_to(alone: Terminal) -> None:
    slug = alone.brokerage()
    assert wrong(alone) == []
    _, told = alone.json("doctor")["findings"]
    assert (told["check"], told["host"], told["brokerage"]) == ("hosts", None, slug)
    assert told["text"].startswith(f"No Host leads to the brokerage {slug}: it has no domain")
    alone.monkeypatch.setenv("AUREUM_BASE_DOMAIN", "crm.example.com")
    assert [one["check"] for one in alone.json("doctor")["findings"]] == ["mail"]


def test_read_models_that_a_rebuild_would_mend(alone: Terminal) -> None:
    slug = alone.brokerage()
    alone.capture(slug)
    assert wrong(alone) == []
    change(alone, "UPDATE lead_counts SET leads = leads + 1")
    change(
        alone,
        "INSERT INTO rebuilds (tenant_id, read_model, read_version, owner, claimed_at, lease_until)"
        " SELECT tenant_id, 'task_list', 2, gen_random_uuid(), now() - interval '1 h', now() - interval '59 min'"
        "   FROM brokerages",
    )
    found = wrong(alone)
    assert [(one["check"], one["brokerage"]) for one in found] == [("read models", slug)] * 2
    assert [one["name"] for one in found] == ["task_list", "lead_counts"]
    for one in found:
        command = one["text"].partition("Run: aureum ")[2]
        assert alone.run(*command.split()).code == 0, command
    assert wrong(alone) == []


def test_webhooks_that_are_not_sent(alone: Terminal) -> None:
    slug = alone.brokerage()
    made = alone.json(
        "webhook", "create", "--brokerage", slug, "--url", "https://example.com/x?token=hush", "--event", "lead.*"
    )
    assert wrong(alone) == [], "it has only just happened"
    change(alone, "UPDATE events SET recorded_at = recorded_at - interval '10 min'")
    (found,) = wrong(alone)
    assert found["check"] == "worker" and found["seconds"] > 500 and "aureum worker" in found["text"]
    change(alone, "UPDATE events SET recorded_at = recorded_at + interval '10 min'")
    alone.json("webhook", "disable", made["id"], "--brokerage", slug)
    assert wrong(alone) == [], "that was wanted"
    change(alone, "UPDATE webhook_endpoints SET disabled = 'failing'")
    (found,) = wrong(alone)
    assert (found["brokerage"], found["id"], found["reason"]) == (slug, made["id"], "failing")
    assert "hush" not in found["text"] and f"aureum webhook enable {made['id']} --brokerage {slug}" in found["text"]
    alone.json("webhook", "remove", made["id"], "--brokerage", slug, "--yes")
    change(
        alone,
        "INSERT INTO webhook_parked (tenant_id, position, stream_id, cause, reason)"
        " SELECT tenant_id, 1, gen_random_uuid(), 1, 'ValueError' FROM brokerages",
    )
    (found,) = wrong(alone)
    assert (found["brokerage"], found["events"]) == (slug, 1)


def test_documents_that_are_not_whole(alone: Terminal) -> None:
    slug = alone.brokerage()
    kept, damaged, empty = uuid4(), uuid4(), uuid4()

    async def put(store: EventStore) -> str:
        tenant = await tenant_of(store.database, slug)
        await store.tenant_key(tenant)
        blobs = KeptBlobs(store.database)
        for document, size in ((kept, 2 * CHUNK), (damaged, 2 * CHUNK + 1), (empty, 0)):
            await blobs.put(tenant, document, KEY, stream(bytes(size)), of=uuid4())
        return to_wire(tenant)

    tenant = alone.in_store(put)
    assert wrong(alone) == []
    change(alone, "DELETE FROM document_chunks WHERE document_id = %s AND n = 2", damaged)
    (found,) = wrong(alone)
    assert (found["check"], found["document"], found["tenant"]) == ("documents", to_wire(damaged), tenant)
    alone.monkeypatch.setenv("AUREUM_DOCUMENTS_QUOTA_GB", "0.0011")
    assert [one.get("brokerage") for one in wrong(alone)] == [None, slug]
    change(alone, "DELETE FROM documents WHERE document_id <> %s", empty)
    change(alone, "UPDATE documents SET in_bucket = true")
    (found,) = wrong(alone)
    assert found["documents"] == 1 and "AUREUM_DOCUMENTS_URL is not set" in found["text"]


def test_leads_that_do_not_go_on(alone: Terminal) -> None:
    slug = alone.brokerage()
    lead = alone.capture(slug)
    timer = (
        "INSERT INTO timers (tenant_id, lead_id, due_at, version) SELECT tenant_id, stream_id, now() + %s::interval, 1 "
        "FROM events WHERE stream_id = %s"
    )
    change(alone, timer, "-1 minute", lead.id)
    assert wrong(alone) == []
    change(alone, "UPDATE timers SET due_at = now() - interval '12 minutes'")
    (found,) = wrong(alone)
    assert (found["check"], found["brokerage"], found["leads"]) == ("timers", slug, 1)
    assert "12 minutes ago" in found["text"] and "aureum worker" in found["text"]
    change(alone, "UPDATE timers SET due_at = now() + interval '1 hour', failures = 3")
    (found,) = wrong(alone)
    assert "tried again" in found["text"]
    change(alone, "UPDATE brokerages SET disabled = true")
    assert wrong(alone) == []


def test_envelopes_that_are_not_sealed(alone: Terminal) -> None:
    slug = alone.brokerage()
    insert = (
        "INSERT INTO sealings (tenant_id, envelope_id, due_at, version, failures, error, parked) "
        "SELECT tenant_id, %s, now() + %s::interval, 1, %s, %s, %s FROM brokerages WHERE slug = %s"
    )
    for due, failures, error, parked in (
        ("1 minute", 1, None, False),
        ("-6 minutes", 0, None, False),
        ("1 hour", 4, "busy", False),
        ("1 hour", 1, "PdfReadError while sealing", True),
    ):
        change(alone, insert, uuid4(), due, failures, error, parked, slug)
    found = wrong(alone)
    assert [one["check"] for one in found] == ["sealing"] * 3
    texts = " ".join(one["text"] for one in found)
    assert "no worker seals it" in texts and "failed 4 times (busy)" in texts and "retry-sealing" in texts
    assert alone.run("esign", "retry-sealing", "--json").json == [{"brokerage": slug, "envelopes": 1}]
    assert len(wrong(alone)) == 2
    assert alone.run("esign", "retry-sealing", "--json").json == []


def test_envelopes_that_wait_for_docusign(alone: Terminal) -> None:
    slugs = [alone.brokerage() for _ in range(2)]
    insert = (
        "INSERT INTO docusign_envelopes (tenant_id, envelope_id, step, due_at, version, failures) "
        "SELECT tenant_id, %s, 'follow', now() + %s::interval, 1, %s FROM brokerages WHERE slug = %s"
    )
    for due, failures, slug in (
        ("14 minutes", 0, slugs[0]),
        (None, 9, slugs[0]),
        ("1 hour", 3, slugs[0]),
        ("-1 minute", 2, slugs[1]),
        ("-6 minutes", 0, slugs[1]),
    ):
        change(alone, insert, uuid4(), due, failures, slug)
    failing, waiting = wrong(alone)
    assert [(one["check"], one["brokerage"], one["envelopes"]) for one in (failing, waiting)] == [
        ("docusign", slugs[0], 1),
        ("docusign", slugs[1], 1),
    ]
    assert f"aureum esign check --brokerage {slugs[0]}" in failing["text"] and "no worker" in waiting["text"]


def test_a_document_that_an_envelope_names_and_nothing_has(alone: Terminal) -> None:
    slug = alone.brokerage()
    stored, lost = uuid4(), uuid4()

    async def drafted(store: EventStore) -> None:
        tenant = await tenant_of(store.database, slug)
        origin = Origin(COMMAND_LINE)
        envelope, _ = await draft_envelope(store, DraftEnvelope(tenant_id=tenant, subject="Offer"), origin)
        await KeptBlobs(store.database).put(tenant, stored, KEY, stream(b"%PDF"), of=envelope.id)
        for document in (stored, lost):
            command = AttachDocument(
                tenant_id=tenant,
                envelope_id=envelope.id,
                document=Document(
                    id=document,
                    name="Offer.pdf",
                    sha256="ab" * 32,
                    bytes=4,
                    pages=1,
                    anchors=(),
                    sizes=((612.0, 792.0),),
                ),
            )
            await attach_document(store, command, origin)

    alone.in_store(drafted)
    (found,) = wrong(alone)
    assert (found["check"], found["document"]) == ("documents", to_wire(lost))
    assert "an envelope names it, and nothing of it is stored" in found["text"]
