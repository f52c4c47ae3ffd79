"""``aureum csv import``: what comes in, what is refused, and what an interrupted import does when it is run again."""

import csv
import io
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from aureum.cli.installation import tenant_of
from aureum.domain.csv_cells import BOM, read_back
from aureum.store.event_store import EventStore
from tests.cli.conftest import Terminal

PEOPLE = (
    "First name,Last name,Email,Phone,Tags,Notes\r\n"
    'Zoë,Smith,zoe@example.com,(208) 555-0123,"vip, north end",x\r\n'
    "Jane,Doe,JANE@example.com,,,\r\n"
    ",,nobody@example.com,,,\r\n"
    "Jane,Roe,jane@Example.com,,,\r\n"
    "Otto,Roe,otto at example,,,'=1+1\r\n"
)
CONTACTS = "SELECT doc FROM contact_list WHERE tenant_id = %(tenant)s ORDER BY contact_id"
COUNT = "SELECT count(*), count(DISTINCT doc::json ->> 'email') FROM contact_list WHERE tenant_id = %(tenant)s"
EVENTS = "SELECT type, convert_from(metadata, 'UTF8') FROM events WHERE tenant_id = %(tenant)s ORDER BY position"


def rows(terminal: Terminal, slug: str, query: str) -> list[Any]:
    async def work(store: EventStore) -> list[Any]:
        tenant_id = await tenant_of(store.database, slug)
        return await store.database.tenant_rows(tenant_id, query, {"tenant": tenant_id})

    return terminal.in_store(work)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_bytes(PEOPLE.encode())
    return path


def test_contacts_come_in_and_refused_rows_go_out(terminal: Terminal, people: Path) -> None:
    slug = terminal.brokerage()
    command = ("csv", "import", "contacts", str(people), "--brokerage", slug)

    rehearsed = terminal.json(*command, "--dry-run")
    assert [rehearsed[name] for name in ("import", "made", "updated", "skipped", "refused")] == [None, 2, 0, 1, 2]
    assert rehearsed["map"] == {
        "First name": "firstName",
        "Last name": "lastName",
        "Email": "email",
        "Phone": "phone",
        "Tags": "tags",
        "Notes": None,
    }
    assert rows(terminal, slug, COUNT) == [(0, 0)]

    done = terminal.json(*command, "--yes")
    assert [done[name] for name in ("made", "updated", "skipped", "refused")] == [2, 0, 1, 2]
    found = rows(terminal, slug, CONTACTS)
    assert (
        len(found) == 2 and '"phoneE164":"+12085550123"' in found[0][0] and '"tags":["vip","north end"]' in found[0][0]
    )

    errors = people.with_name("people.csv.errors.csv")
    assert stat.S_IMODE(errors.stat().st_mode) == 0o600
    text = errors.read_text(encoding="utf-8")
    told = list(csv.DictReader(io.StringIO(text.removeprefix(BOM), newline="")))
    assert [row["Not imported because"] for row in told] == [
        "A name is required.",
        "email must be a valid email address.",
    ]
    assert read_back(told[1]["Notes"]) == "=1+1"

    # Corrected, the file of the refused rows is imported like any other.
    errors.write_text(text.replace(" at ", "@").replace(",nobody", "Nobody,nobody").replace("example,", "example.com,"))
    again = terminal.json("csv", "import", "contacts", str(errors), "--brokerage", slug, "--yes")
    assert (again["made"], again["refused"]) == (2, 0)

    same = terminal.json(*command, "--yes")
    assert [same[name] for name in ("made", "skipped")] == [0, 3], "what is known is skipped"
    update = terminal.json(*command, "--yes", "--duplicates", "update")
    assert [update[name] for name in ("made", "updated", "skipped")] == [0, 1, 2], "only Jane has another name now"
    make = terminal.json(*command, "--yes", "--duplicates", "make")
    assert (make["made"], make["refused"]) == (3, 2)
    assert sum(done["import"] in origin for _, origin in rows(terminal, slug, EVENTS)) == 2


def test_leads_are_routed_if_wanted_and_not_doubled(terminal: Terminal, tmp_path: Path) -> None:
    slug = terminal.brokerage()
    terminal.json("user", "create", "--brokerage", slug, "--email", f"a@{slug}.example.com", "--name", "Ann Lee",
                  "--role", "agent", "--password-stdin", stdin="correct horse battery staple\n")  # fmt: skip
    terminal.capture(slug, email="known@example.com")
    file = tmp_path / "leads.csv"
    file.write_text(
        "Name;Mail;Assigned to;Status;Lost because;Created (America/Boise)\n"
        "New One;new@example.com;ann lee;lost;chose another agent;2024-03-09 10:30\n"
        "Known;KNOWN@example.com;;contacted;;\n"
        "New Too;new@example.com;;;;\n"
        "Who;who@example.com;Nobody Here;;;\n",
        encoding="utf-16",
    )
    command = ("csv", "import", "leads", str(file), "--brokerage", slug, "--yes")

    done = terminal.json(*command)
    assert [done[name] for name in ("made", "updated", "skipped", "refused", "encoding")] == [1, 0, 2, 1, "UTF-16"]
    ((doc,),) = rows(terminal, slug, "SELECT doc FROM lead_list WHERE tenant_id = %(tenant)s AND source = 'import'")
    assert '"createdAt":"2024-03-09T17:30:00.000Z"' in doc and '"lostReason":"chose_another_agent"' in doc
    assert '"assignedToId":null' not in doc
    update = terminal.json(*command, "--duplicates", "update")
    assert [update[name] for name in ("made", "updated", "skipped", "refused")] == [0, 2, 1, 1]
    made = [kind for kind, _ in rows(terminal, slug, EVENTS) if kind == "lead.captured"]
    assert len(made) == 2
    # The only agent gets what names no agent, if that is wanted.
    file.write_text("Name,Mail\nRo Uted,ro@example.com\n")
    assert terminal.json(*command, "--route")["made"] == 1
    ((doc,),) = rows(
        terminal, slug, "SELECT doc FROM lead_list WHERE tenant_id = %(tenant)s ORDER BY number DESC LIMIT 1"
    )
    assert '"firstName":"Ro"' in doc and '"assignedToId":null' not in doc


def test_properties_keep_what_must_be_unique(terminal: Terminal, tmp_path: Path) -> None:
    slug = terminal.brokerage()
    file, mapping = tmp_path / "homes.csv", tmp_path / "map.json"
    file.write_text(
        "Address,City,State,MLS #,Asking,Kind,Photos\n"
        '1 Oak St,Boise,ID,007,"$300,000",House,https://example.com/a.jpg\n'
        "1 Oak St,Boise,ID,007,,\n"
        "1 Oak St,Boise,ID,,,\n"
        "2 Elm St,Boise,ID,,450k,Condo\n"
    )
    mapping.write_text('{"Asking": "price", "Kind": "propertyType"}')
    command = ("csv", "import", "properties", str(file), "--brokerage", slug, "--map", str(mapping), "--yes")
    done = terminal.json(*command)
    assert [done[name] for name in ("made", "skipped", "refused")] == [2, 2, 0]
    again = terminal.json(*command, "--duplicates", "make")
    assert [again[name] for name in ("made", "skipped", "refused")] == [2, 0, 2], "an MLS id is one property's"
    docs = "".join(doc for (doc,) in rows(terminal, slug, "SELECT doc FROM property_list WHERE tenant_id = %(tenant)s"))
    assert '"price":450000,' in docs and '"slug":"1-oak-st-2"' in docs and "https://example.com/a.jpg" in docs

    undo = ("undo", "--brokerage", slug, "--import", done["import"])
    rehearsed = terminal.json(*undo, "--dry-run")
    assert ([one["back"] for one in rehearsed["resources"]], rehearsed["left"]) == ([["removed"], ["removed"]], [])
    assert terminal.json(*undo, "--yes") == rehearsed
    assert len(rows(terminal, slug, "SELECT 1 FROM property_list WHERE tenant_id = %(tenant)s")) == 2
    gone = terminal.json("audit", "property", rehearsed["resources"][0]["id"])
    assert gone["state"]["removed"] is True and gone["events"][-1]["type"] == "property.removed"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("contacts", "nope.csv"), "cannot be read"),
        (("tasks", "people.csv"), "resource must be one of: contacts, leads, properties."),
        (("contacts", "people.csv", "--duplicates", "merge"), "duplicates must be one of: skip, update, make."),
        (("contacts", "people.csv", "--map", "people.csv"), "is not a JSON object"),
        (("properties", "people.csv"), "No column is address or city or state."),
        (("contacts", "people.csv"), "Confirm with --yes"),
    ],
)
def test_what_cannot_be_done_is_said(
    terminal: Terminal, people: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(people.parent)
    slug = terminal.brokerage()
    ended = terminal.run("csv", "import", *arguments, "--brokerage", slug)
    assert ended.code in (1, 2) and says in ended.err
    assert rows(terminal, slug, "SELECT 1 FROM imports WHERE tenant_id = %(tenant)s") == []


def broken_off(terminal: Terminal, slug: str, ends: list[signal.Signals], *command: str) -> Any:
    """What a command prints in the end that is run again and again: each of *ends* comes when it has made or removed
    several hundred contacts."""
    left = list(ends)
    while True:
        with subprocess.Popen(
            [sys.executable, "-m", "aureum", *command, "--brokerage", slug, "--yes", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ,
        ) as process:
            before = rows(terminal, slug, COUNT)[0][0]
            while process.poll() is None and left:
                if abs(rows(terminal, slug, COUNT)[0][0] - before) >= 300:
                    process.send_signal(left.pop(0))
                    break
                time.sleep(0.01)
            said, _ = process.communicate()
            if process.returncode == 0:
                assert left == []
                return json.loads(said)
            # Ctrl+C, or kill -9.
            assert process.returncode in (130, -signal.SIGKILL)


def test_what_is_broken_off_goes_on_and_does_nothing_twice(terminal: Terminal, tmp_path: Path) -> None:
    slug = terminal.brokerage()
    file = tmp_path / "many.csv"
    with file.open("w") as written:
        written.write("First name,Last name,Email\n")
        # Every other one without an address: no duplicate is known by that.
        written.writelines(f"P{n},Q,{f'p{n}@example.com' if n % 2 else ''}\n" for n in range(1_500))

    ends = [signal.SIGKILL, signal.SIGINT]
    done = broken_off(terminal, slug, ends, "csv", "import", "contacts", str(file))
    assert (done["made"], rows(terminal, slug, COUNT)) == (1_500, [(1_500, 750)])
    undone = broken_off(terminal, slug, [signal.SIGKILL], "undo", "--import", done["import"])
    assert (undone["left"], rows(terminal, slug, COUNT)) == ([], [(0, 0)])


def test_an_import_is_undone_on_the_command_line(terminal: Terminal, people: Path) -> None:
    slug = terminal.brokerage()
    done = terminal.json("csv", "import", "contacts", str(people), "--brokerage", slug, "--yes")
    undo = ("undo", "--brokerage", slug, "--import", done["import"])

    rehearsed = terminal.json(*undo, "--dry-run")
    assert (rehearsed["undone"], rehearsed["left"]) == (2, []) and rows(terminal, slug, COUNT) == [(2, 2)]
    undone = terminal.json(*undo, "--yes")
    assert undone == rehearsed and rows(terminal, slug, COUNT) == [(0, 0)]
    assert terminal.json(*undo, "--yes")["undone"] == 0
    running = "UPDATE imports SET state = 'running', stored = true WHERE tenant_id = %(tenant)s RETURNING 1"

    async def runs_again(store: EventStore) -> None:
        await store.database.rows(running, {"tenant": await tenant_of(store.database, slug)})

    terminal.in_store(runs_again)
    assert "is running" in terminal.run(*undo, "--yes").err
    assert terminal.json("audit", "verify", "--brokerage", slug)["ok"]
    assert terminal.run("undo", "--brokerage", slug).code == 1
    assert terminal.run(*undo, "--from", "2026-01-01").code == 1
    assert terminal.run("undo", "--brokerage", slug, "--import", "nope").code == 1
