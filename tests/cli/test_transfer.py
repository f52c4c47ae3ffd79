"""``aureum export`` and ``import``: what they say and refuse, and that a process that is killed has done nothing."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest

from tests.cli.conftest import Terminal
from tests.conftest import fresh_database

ROOT = Path(__file__).parent.parent.parent

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(scope="module")
def elsewhere(server_url: str, template: str) -> Iterator[str]:
    """The database of another installation."""
    with fresh_database(server_url, template) as url:
        yield url


@pytest.fixture
def other(terminal: Terminal, elsewhere: str) -> Callable[[], None]:
    """Goes to the other installation."""
    return lambda: terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", elsewhere)


def rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def everything(url: str) -> list[Any]:
    """How many rows there are in each table: what an import that failed must leave as it was."""
    tables = [name for (name,) in rows(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
    return [(name, rows(url, f"SELECT count(*) FROM {name}")) for name in tables if name != "rate_limits"]


def test_a_brokerage_moves(terminal: Terminal, elsewhere: str, other: Callable[[], None], tmp_path: Path) -> None:
    slug = terminal.brokerage()
    lead = terminal.capture(slug, email="jane@example.com")
    (secret := tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    file = tmp_path / "moved.jsonl"
    made = terminal.json("export", "--brokerage", slug, "--file", str(file), "--passphrase-file", str(secret))
    assert made["events"] == 1 and made["bytes"] == file.stat().st_size and file.stat().st_mode & 0o777 == 0o600
    assert b"jane" not in file.read_bytes().lower()
    again = terminal.run("export", "--brokerage", slug, "--file", str(file))
    assert again.code == 1 and "is there already. Name a new file." in again.err
    here = terminal.run("import", "--file", str(file), "--slug", "another", "--passphrase-file", str(secret))
    assert here.code == 1 and f"is here already, as '{slug}'" in here.err
    before = terminal.json("audit", "lead", str(lead.number))

    other()
    untouched = everything(elsewhere)
    for arguments, why in (
        ((), "The personal data in the file is encrypted."),
        (("--passphrase-file", str(wrong(tmp_path))), "The passphrase is not the one with which the file was made"),
        (("--slug", "WWW"), "A slug has 1 to 63"),
        (("--passphrase-file", str(tmp_path / "none")), "cannot be read: No such file or directory."),
        (("--passphrase-file", str(short(tmp_path))), "must have at least 12 characters"),
    ):
        refused = terminal.run("import", "--file", str(file), *arguments)
        assert refused.code == 1 and why in refused.err, refused
    assert everything(elsewhere) == untouched
    done = terminal.json("import", "--file", str(file), "--slug", "moved", "--passphrase-file", str(secret))
    assert (done["slug"], done["events"], done["hash"]) == ("moved", 1, made["hash"])
    assert terminal.json("audit", "verify", "--brokerage", "moved") == {"ok": True, "events": 1}
    assert terminal.json("audit", "verify")["ok"]
    after = terminal.json("audit", "lead", before["id"])
    assert after["state"]["email"] == "jane@example.com" and after["events"] == before["events"]
    twice = terminal.run("import", "--file", str(file), "--passphrase-file", str(secret))
    assert twice.code == 1 and "is here already, as 'moved'" in twice.err


def wrong(folder: Path) -> Path:
    (file := folder / "wrong").write_text("another passphrase")
    return file


def short(folder: Path) -> Path:
    (file := folder / "short").write_text("short")
    return file


Lines = list[dict[str, Any]]


def lines_of(file: Path) -> Lines:
    return [orjson.loads(line) for line in file.read_bytes().splitlines()]


def changed(lines: Lines) -> bytes:
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


def with_field(lines: Lines, name: str, value: Any) -> bytes:
    """A line that only the folding of events can refuse."""
    return other_data(lines, 2, fields=lines[2]["data"]["fields"] | {name: value})


def resealed(lines: Lines) -> bytes:
    """Lines that were altered, with a hash that fits."""
    return ended(lines, changed(lines[:-1]))


def ended(lines: Lines, whole: bytes) -> bytes:
    """*whole* with a last line that fits."""
    about = {"events": 2, "lines": len(lines) - 1, "hash": sha256(whole).hexdigest()}
    return whole + changed([lines[-1] | {"data": about}])


def other_field(lines: Lines, place: int, **attributes: Any) -> bytes:
    return resealed([line | attributes if n == place else line for n, line in enumerate(lines)])


def other_data(lines: Lines, place: int, **data: Any) -> bytes:
    return other_field(lines, place, data=lines[place]["data"] | data)


def other_about(lines: Lines, **about: Any) -> bytes:
    """Another description in the first line."""
    return other_data(lines, 0, **about)


NESTED = b"[" * 400 + b"]" * 400
"""It can be read, but not be written again."""

DAMAGES: list[tuple[Callable[[Lines], bytes], str]] = [
    (lambda lines: changed(lines)[:-200], "it was cut short"),
    (lambda lines: changed(lines[:-1]), "ends at line 4 without its last line"),
    (lambda lines: changed(lines) + b"{}\n", "Line 6 follows the last line"),
    (lambda lines: changed(lines).replace(b"Jane", b"Jana"), "its lines are not those that were exported"),
    (
        lambda lines: changed(lines[:2]) + b"{no json\n" + changed(lines[3:]),
        "Line 3 cannot be imported: it is not JSON",
    ),
    (lambda lines: b"This is no export.", "This file was not written by 'aureum export'."),
    (lambda lines: changed([lines[0] | {"data": lines[0]["data"] | {"format": 2}}]), "in a form that this version"),
    (
        lambda lines: other_field(lines, 2, type="lead.new"),
        "Line 3 cannot be imported: this version of Aureum does",
    ),
    (lambda lines: other_field(lines, 2, schemaversion=99), "does not know the event type 'lead.captured'"),
    (lambda lines: other_field(lines, 2, sequence="7"), "the event at position 1 is missing before it"),
    (lambda lines: other_field(lines, 3, streamversion=1, subject=lines[2]["subject"]), "stands twice in the file"),
    (lambda lines: other_field(lines, 3, streamversion=2), "a version of a stream is missing"),
    (lambda lines: other_field(lines, 2, time="9999-12-31T00:00:00Z"), "its time is in the future"),
    (lambda lines: other_field(lines, 2, time="yesterday"), "Line 3 cannot be imported: it is not an event as"),
    (lambda lines: other_field(lines, 2, data=[]), "Line 3 cannot be imported: it is not an event as"),
    (lambda lines: other_data(lines, 2, metadata={}), "Line 3 cannot be imported: it is not an event as"),
    (
        lambda lines: other_data(lines, 2, metadata=lines[2]["data"]["metadata"] | {"actor": {"type": "user"}}),
        "Line 3 cannot be imported: it is not an event as",
    ),
    (lambda lines: other_data(lines, 2, fields={"timestamp": 1}), "its number is not among those in the first line"),
    (lambda lines: ended(lines, changed(lines[:-1]).replace(b'"new"', NESTED, 1)), "do not make a brokerage"),
    (lambda lines: other_field(lines, 1, streamversion=2), "Line 2 cannot be imported: it is not the next event"),
    (lambda lines: other_about(lines, numbers=None), "does not say which numbers"),
    (lambda lines: other_about(lines, numbers={"lead_numbers": ["x", 1, 1]}), "does not say which numbers"),
    (lambda lines: other_about(lines, turns=[["x"]]), "do not make a brokerage"),
    (lambda lines: other_about(lines, logo={"image": "PHN2Zy8+"}), "do not make a brokerage (Invalid)"),
    (lambda lines: other_about(lines, position=10**17), "it is not the last event of the log"),
    (lambda lines: with_field(lines, "timestamp", 10**18), "do not make a brokerage (OverflowError)"),
    (lambda lines: with_field(lines, "status", "x\x00"), "do not make a brokerage"),
    (lambda lines: with_field(lines, "assigned_to", "nobody"), "do not make a brokerage"),
    (lambda lines: with_field(lines, "status", "gone"), "differs from the data of the other installation"),
    (lambda lines: resealed([*lines[:2], *lines[3:]]), "the event at position 1 is missing"),
]
"""What is done to a file, and why it is refused then."""


def test_a_damaged_file_imports_nothing(
    terminal: Terminal, elsewhere: str, other: Callable[[], None], tmp_path: Path
) -> None:
    slug = terminal.brokerage()
    for _ in range(2):
        terminal.capture(slug)
    file, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    terminal.json("export", "--brokerage", slug, "--file", str(file))
    lines = lines_of(file)
    assert [line["type"] for line in lines] == [
        "aureum.export.begun",
        "brokerage.opened",
        "lead.captured",
        "lead.captured",
        "aureum.export.ended",
    ]
    other()
    untouched = everything(elsewhere)
    for damage, why in DAMAGES:
        broken.write_bytes(damage(lines))
        ended = terminal.run("import", "--file", str(broken))
        assert ended.code == 1 and why in ended.err, ended
    assert everything(elsewhere) == untouched
    assert terminal.json("import", "--file", str(file))["events"] == 2


def test_an_import_that_is_killed_has_done_nothing(
    terminal: Terminal, elsewhere: str, other: Callable[[], None], tmp_path: Path
) -> None:
    slug = terminal.brokerage()
    terminal.capture(slug)
    file = tmp_path / "killed.jsonl"
    made = terminal.json("export", "--brokerage", slug, "--file", str(file))
    other()
    command = [sys.executable, "-m", "tests.transfer.killed", elsewhere, str(file)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=100, check=True)
    assert int(done.stdout) > 10, "the log, each list, and the brokerage itself"
    assert terminal.json("audit", "verify", "--brokerage", slug) == {"ok": True, "events": 1}
    whole = {one["differences"] for one in terminal.json("projections", "rebuild", "--verify", "--brokerage", slug)}
    assert whole == {0}
    again = tmp_path / "again.jsonl"
    assert terminal.json("export", "--brokerage", slug, "--file", str(again))["state"] == made["state"]


WAITING = """
SELECT FROM pg_locks WHERE relation = 'unsubscribe_tokens'::regclass AND NOT granted
"""


def test_an_export_that_is_killed_leaves_no_file_of_that_name(terminal: Terminal, tmp_path: Path) -> None:
    slug = terminal.brokerage()
    terminal.capture(slug, email="jane@example.com")
    file = tmp_path / "killed.jsonl"
    command = [sys.executable, "-m", "aureum", "export", "--brokerage", slug, "--file", str(file)]
    with psycopg.connect(terminal.url) as holder, psycopg.connect(terminal.url, autocommit=True) as watcher:
        # The export reads this table last, when all events are written.
        holder.execute("LOCK TABLE unsubscribe_tokens")
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not watcher.execute(WAITING).fetchall():
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
        assert process.wait(timeout=60) == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith("killed.jsonl.") and left.suffix == ".unfinished"
    assert left.stat().st_mode & 0o777 == 0o600
    assert terminal.json("export", "--brokerage", slug, "--file", str(file))["events"] == 1
    assert file.stat().st_mode & 0o777 == 0o600 and left.exists()


def test_an_export_that_fails_leaves_no_file(terminal: Terminal, tmp_path: Path) -> None:
    slug = terminal.brokerage()
    lead = terminal.capture(slug)
    file = tmp_path / "half.jsonl"
    damage = "UPDATE events SET data = '{' WHERE stream_id = %s"
    with psycopg.connect(terminal.url) as connection:
        connection.execute(damage, [lead.id])
    ended = terminal.run("export", "--brokerage", slug, "--file", str(file))
    assert ended.code == 1 and "The event at position 1 cannot be read." in ended.err
    assert list(tmp_path.iterdir()) == []
    gone = terminal.run("export", "--brokerage", slug, "--file", str(tmp_path / "none" / "half.jsonl"))
    assert gone.code == 1 and "cannot be written: No such file or directory." in gone.err


def test_of_two_imports_at_once_one_succeeds(
    terminal: Terminal, elsewhere: str, other: Callable[[], None], tmp_path: Path
) -> None:
    slug = terminal.brokerage()
    terminal.capture(slug)
    file = tmp_path / "twice.jsonl"
    terminal.json("export", "--brokerage", slug, "--file", str(file))
    other()
    command = [sys.executable, "-m", "aureum", "import", "--file", str(file)]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], said
    assert [text for text in said if "is here already" in text], said


def test_the_slug_is_taken(terminal: Terminal, other: Callable[[], None], tmp_path: Path) -> None:
    slug = terminal.brokerage()
    file = tmp_path / "taken.jsonl"
    made = terminal.json("export", "--brokerage", slug, "--file", str(file))
    assert made["events"] == 0
    other()
    terminal.json("brokerage", "create", "--name", "B", "--slug", slug, "--plan", "grow")
    refused = terminal.run("import", "--file", str(file))
    assert refused.code == 1 and f"The slug '{slug}' is taken by another brokerage here." in refused.err
    assert terminal.json("import", "--file", str(file), "--slug", f"x{slug[:50]}")["events"] == 0
