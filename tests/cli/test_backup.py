"""``aureum backup`` and ``restore``: what was there is there again, in an empty database, with the same master key."""

import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from aureum.cli.backup import ABOUT, DUMP
from tests.cli.conftest import Terminal
from tests.conftest import fresh_database

EMPTY = "template0"


@pytest.fixture
def elsewhere(server_url: str) -> Iterator[str]:
    """An empty database."""
    with fresh_database(server_url, EMPTY) as url:
        yield url


def tables(url: str) -> int:
    with psycopg.connect(url) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return int(count)


def test_what_was_there_is_there_again(terminal: Terminal, elsewhere: str, tmp_path: Path) -> None:
    slug = terminal.brokerage()
    lead = terminal.capture(slug, email="jane@example.com")
    before = terminal.json("audit", "lead", str(lead.number))
    file = tmp_path / "one.backup"
    made = terminal.json("backup", "--file", str(file))
    assert made["events"] >= 1 and made["bytes"] == file.stat().st_size and file.stat().st_mode & 0o777 == 0o600
    refused = terminal.run("backup", "--file", str(file))
    assert refused.code == 1 and "is there already. Name a new file." in refused.err
    terminal.capture(slug, email="later@example.com")

    terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", elsewhere)
    restored = terminal.json("restore", "--file", str(file))
    assert restored["brokerages"] == made["brokerages"]
    assert terminal.json("audit", "lead", str(lead.number)) == before, "personal data is read with the same key"
    assert terminal.json("audit", "verify", "--brokerage", slug) == {"ok": True, "events": 1}
    assert {one["differences"] for one in terminal.json("projections", "rebuild", "--verify", "--brokerage", slug)} == {
        0
    }
    # What goes on there is appended as before, under row level security as before.
    Terminal(terminal.monkeypatch, terminal.capsys, elsewhere).capture(slug, email="new@example.com")
    with psycopg.connect(elsewhere) as connection:
        connection.execute("SET ROLE aureum_service")
        assert connection.execute("SELECT count(*) FROM events").fetchall() == [(0,)]
    again = terminal.run("restore", "--file", str(file))
    assert again.code == 1 and again.err.startswith("The database is not empty, so nothing was restored.")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def flipped(file: Path) -> None:
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(whole)


def other_dump(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        about = archive.read(ABOUT)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(DUMP, b"PGDMP")
        archive.writestr(ABOUT, about)


def words(file: Path) -> None:
    file.write_text("This is no backup.")


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (cut, "is not a backup of Aureum, or it was cut short."),
        (flipped, "is damaged: its contents are not what was backed up."),
        (other_dump, "is damaged: its contents are not what was backed up."),
        (words, "is not a backup of Aureum, or it was cut short."),
        (Path.unlink, "cannot be read: No such file or directory."),
    ],
)
def test_a_damaged_backup_restores_nothing(
    terminal: Terminal, elsewhere: str, tmp_path: Path, damage: Callable[[Path], object], why: str
) -> None:
    file = tmp_path / "one.backup"
    terminal.json("backup", "--file", str(file))
    damage(file)
    terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", elsewhere)
    ended = terminal.run("restore", "--file", str(file))
    assert ended.code == 1 and why in ended.err
    assert tables(elsewhere) == 0


def test_the_key_is_not_in_it_and_must_be_the_same(terminal: Terminal, elsewhere: str, tmp_path: Path) -> None:
    file = tmp_path / "one.backup"
    terminal.json("backup", "--file", str(file))
    terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", elsewhere)
    terminal.monkeypatch.setenv("AUREUM_MASTER_KEY", b64encode(b"x" * 32).decode())
    ended = terminal.run("restore", "--file", str(file))
    assert ended.code == 1 and ended.err.startswith("The backup was made with another master key")
    # With the embedded database no new key is made, which would only be the wrong one.
    terminal.monkeypatch.delenv("AUREUM_DATABASE_URL")
    terminal.monkeypatch.delenv("AUREUM_MASTER_KEY")
    ended = terminal.run("restore", "--file", str(file))
    assert ended.code == 1 and ended.err.startswith("The backup was made with another master key")
    assert tables(elsewhere) == 0


def test_what_cannot_be_written_leaves_nothing(terminal: Terminal, tmp_path: Path) -> None:
    ended = terminal.run("backup", "--file", str(tmp_path / "none" / "one.backup"))
    assert ended.code == 1 and "cannot be written: No such file or directory." in ended.err
    assert list(tmp_path.iterdir()) == []
