"""``aureum backup`` and ``restore``: what was there is there again, in an empty database, with the same master key."""

import asyncio
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from aureum.cli.backup import ABOUT, DUMP
from aureum.commands.seal_certificates import seal_certificate
from aureum.domain.envelope import Envelope
from aureum.pdf.verifying import Trusted, Verdict, verify
from aureum.signing.completing import sealing_round
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from tests.cli.conftest import Terminal
from tests.conftest import fresh_database
from tests.signing.deals import CONTRACT, Deal, envelope_of, sealed_file, sent_deal, sign
from tests.signing.templates import a_template, begun_from
from tests.stores import open_brokerage

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


def test_an_envelope_and_a_template_go_on_from_the_moment_of_the_backup(
    terminal: Terminal, elsewhere: str, tmp_path: Path
) -> None:
    """One of two has signed. That the other one signed later is lost with the database, so it is to be done again."""
    people = ("jane@example.com", "joe@example.com")

    async def half_signed(store: EventStore) -> tuple[Deal, UUID]:
        tenant = await open_brokerage(store)
        deal = await sent_deal(store, tenant, CONTRACT, signers=people)
        await sign(store, deal, people[0])
        return deal, await a_template(store, tenant)

    deal, template = terminal.in_store(half_signed)

    async def signed_by_all(store: EventStore) -> Envelope:
        await sign(store, deal, people[1])
        await sealing_round(store, KeptBlobs(store.database), None, 0, asyncio.Event())
        return await envelope_of(store, deal)

    file = tmp_path / "one.backup"
    terminal.json("backup", "--file", str(file))
    assert terminal.in_store(signed_by_all).state == "completed"

    terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", elsewhere)
    terminal.json("restore", "--file", str(file))
    there = Terminal(terminal.monkeypatch, terminal.capsys, elsewhere)
    restored = there.in_store(lambda store: envelope_of(store, deal))
    assert (restored.state, [one.state for one in restored.recipients.values()]) == ("sent", ["signed", "invited"])
    envelope = there.in_store(signed_by_all)
    assert envelope.state == "completed"

    async def kept(store: EventStore) -> tuple[Verdict, bytes]:
        ((document_id, sealed),) = envelope.sealed.items()
        whole = await sealed_file(store, deal, document_id, sealed)
        found = await seal_certificate(store, deal.tenant_id)
        assert found is not None and whole.startswith(CONTRACT)
        verdict = await asyncio.to_thread(verify, whole, [Trusted(one.certificate, one.chain) for one in found.issued])
        _, original = await begun_from(store, deal.tenant_id, template)
        return verdict, original

    verdict, original = there.in_store(kept)
    assert (verdict.unchanged, verdict.problems, original) == (True, (), CONTRACT)


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
