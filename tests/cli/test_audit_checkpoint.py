"""Signed checkpoints find what the chain alone cannot: an end that was cut off with its head, and a log that was made
anew. In the database, in a file without a database, and by the sample that uses nothing of ours: all three agree.
"""

import re
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from aureum.store import chain
from aureum.store.log_file import LOG
from tests.cli.conftest import Terminal

SAMPLE = Path("docs/samples/verify_log.py").resolve()
PAGE = Path("docs/how-to/prove-the-log.md").resolve()

ROWS = chain.EVENTS.replace("%(first)s", "0").replace("%(last)s", "1000").replace("%(limit)s", "1000")


def without_aureum(log: Path, checkpoints: Path, key: str) -> tuple[int, str]:
    """What the sample says, in a Python that has no packages."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SAMPLE), str(log), str(checkpoints), key],
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def cut_off(connection: psycopg.Connection, tenant: UUID) -> None:
    """The last event goes, and the head is made to fit."""
    where = "WHERE tenant_id = %(tenant)s AND position = %(position)s"
    connection.execute(f"DELETE FROM events {where}", {"tenant": tenant, "position": 4})
    connection.execute(
        f"UPDATE heads SET position = 3, hash = (SELECT hash FROM events {where}) WHERE tenant_id = %(tenant)s",
        {"tenant": tenant, "position": 3},
    )


def made_anew(connection: psycopg.Connection, tenant: UUID) -> None:
    """An event says something else, and every hash after it is computed again."""
    flip = "UPDATE events SET data = set_byte(data, 5, get_byte(data, 5) # 1) WHERE tenant_id = %s AND position = 2"
    connection.execute(flip, [tenant])
    before = b""
    with connection.cursor(binary=True) as cursor:
        for row in cursor.execute(ROWS, {"tenant": tenant}).fetchall():
            position, stream, version, kind, schema_version, data, metadata, recorded_at, _ = row
            before = chain.next_hash(
                before, tenant.bytes, stream, version, position, schema_version, recorded_at, kind, data, metadata
            )
            cursor.execute(
                "UPDATE events SET hash = %s WHERE tenant_id = %s AND position = %s", [before, tenant, position]
            )
    connection.execute("UPDATE heads SET hash = %s WHERE tenant_id = %s", [before, tenant])


@pytest.mark.parametrize(
    ("tampering", "position", "what"),
    [
        (cut_off, 4, "the end was cut off: the log ends at 3, but a checkpoint of position 4 was signed at "),
        (made_anew, 4, "the log was rewritten: position 4 is not as it was when a checkpoint of it was signed at "),
    ],
)
def test_what_the_chain_cannot_find(
    terminal: Terminal, tmp_path: Path, tampering: object, position: int, what: str
) -> None:
    slug = terminal.brokerage()
    for n in range(4):
        terminal.capture(slug, email=f"{n}@example.com")
    checkpoints, log, forged = tmp_path / "checkpoints.jsonl", tmp_path / "log.csv", tmp_path / "forged.csv"
    made = terminal.json("audit", "checkpoint", "--brokerage", slug, "--file", str(checkpoints))
    assert made["checkpoints"] == 1
    key = made["publicKey"]
    terminal.json("audit", "log", "--brokerage", slug, "--file", str(log))
    signed = ("--checkpoint", str(checkpoints))
    offline = ("audit", "verify", *signed, "--public-key", key, "--log")

    whole = {"ok": True, "events": 4}
    assert terminal.json("audit", "verify", "--brokerage", slug, *signed) == whole
    assert terminal.json(*offline, str(log)) == whole
    assert without_aureum(log, checkpoints, key)[0] == 0

    tenant = UUID(log.read_text().splitlines()[1].split(",")[0])
    with psycopg.connect(terminal.url) as connection:
        assert callable(tampering)
        tampering(connection, tenant)
    terminal.json("audit", "log", "--brokerage", slug, "--file", str(forged))
    assert terminal.json("audit", "verify", "--brokerage", slug)["ok"], "the chain alone agrees"

    for command in (("audit", "verify", "--brokerage", slug, *signed), (*offline, str(forged))):
        ended = terminal.run(*command, "--json")
        (broken,) = ended.json["broken"]
        assert (ended.code, broken["brokerage"], broken["position"]) == (1, slug, position)
        assert broken["what"].startswith(what)
    code, said = without_aureum(forged, checkpoints, key)
    assert code == 1 and what.partition(":")[0] in said


def test_a_log_that_is_gone_is_missed(terminal: Terminal, tmp_path: Path) -> None:
    slug = terminal.brokerage()
    lead = terminal.capture(slug)
    checkpoints = tmp_path / "checkpoints.jsonl"
    terminal.json("audit", "checkpoint", "--file", str(checkpoints))
    with psycopg.connect(terminal.url) as connection:
        (tenant,) = connection.execute("SELECT tenant_id FROM events WHERE stream_id = %s", [lead.id]).fetchone() or ()
        for table in ("events", "heads", "brokerages"):
            connection.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [tenant])
    assert tenant not in [
        UUID(one["brokerage"]) for one in terminal.run("audit", "verify", "--json").json.get("broken", ())
    ]
    ended = terminal.run("audit", "verify", "--checkpoint", str(checkpoints), "--json")
    assert (
        ended.code == 1 and {"brokerage": slug, "position": 0, "what": "the tenant has no head"} in ended.json["broken"]
    )


def test_refusals_say_what_to_do(terminal: Terminal, tmp_path: Path) -> None:
    slug, other = terminal.brokerage(), terminal.brokerage()
    terminal.capture(slug)
    terminal.capture(other)
    checkpoints, log = tmp_path / "checkpoints.jsonl", tmp_path / "log.csv"
    key = terminal.json("audit", "checkpoint", "--brokerage", slug, "--file", str(checkpoints))["publicKey"]
    terminal.json("audit", "log", "--brokerage", other, "--file", str(log))
    line = checkpoints.read_text()
    (tmp_path / "altered.jsonl").write_text(line.replace('"position":1', '"position":2'))
    (tmp_path / "short.jsonl").write_text(line[:-20])
    (tmp_path / "words.csv").write_text("tenant_id,position\n1,2\n")
    verify = ("audit", "verify", "--public-key", key)
    for command, sentence in {
        (*verify, "--checkpoint", str(tmp_path / "none")): "cannot be read: No such file or directory.",
        (
            *verify,
            "--checkpoint",
            str(tmp_path / "altered.jsonl"),
        ): "Line 1 of the checkpoints is not signed with this key",
        (*verify, "--checkpoint", str(tmp_path / "short.jsonl")): "Line 1 of the checkpoints is not a checkpoint",
        (*verify[:-1], "x", "--checkpoint", str(checkpoints)): "A public key is 32 bytes in base64",
        (*verify, "--log", str(log)): "--log needs --checkpoint and --public-key",
        (*verify, "--checkpoint", str(checkpoints), "--log", str(log)): "so it proves nothing",
        (*verify, "--checkpoint", str(checkpoints), "--log", str(tmp_path / "words.csv")): "This is not a log",
        ("audit", "verify", "--brokerage", other, "--checkpoint", str(checkpoints)): "so it proves nothing",
        ("audit", "log", "--brokerage", slug, "--file", str(log)): "is there already. Name a new file.",
        ("audit", "checkpoint", "--file", str(tmp_path)): "cannot be written: Is a directory.",
    }.items():
        ended = terminal.run(*command)
        assert ended.code == 1 and sentence in ended.err, (command, ended)
    for name in ("altered.jsonl", "short.jsonl"):
        assert without_aureum(log, tmp_path / name, key)[0] == 1
    assert without_aureum(tmp_path / "words.csv", checkpoints, key)[0] == 2


def test_the_page_for_auditors_has_the_statement_that_we_use() -> None:
    def words(text: str) -> list[str]:
        return re.sub(r"\s+", " ", text).strip().split(" ")

    (line,) = [line for line in PAGE.read_text().splitlines() if "\\copy" in line]
    statement = (
        LOG.replace("{tenant}", "'TENANT'").replace("COPY", "\\copy", 1).replace("TO STDOUT", "TO 'example.csv'")
    )
    assert words(line.replace("(SELECT", "( SELECT").replace("position)", "position )")) == words(statement)
