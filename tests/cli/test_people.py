"""What people read: whole in a pipe, fitting in a terminal, and never commands to the terminal."""

import json
import os
import pty
import re
import subprocess
import sys
import termios
from fcntl import ioctl
from struct import pack
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum import __version__
from aureum.cli.output import columns_of, plain, table
from tests.cli.conftest import Terminal

NAME = "The Snake River Realty and Land Company of Southern Idaho, Established 1911"


def in_a_terminal(columns: int, *arguments: str, answer: str = "", raw: bool = False, code: int | None = 0) -> str:
    """What a command prints on a terminal of that width where *answer* is typed, without colours unless *raw*."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, pack("HHHH", 24, columns, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-m", "aureum", *arguments],
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, answer.encode())
    said = b""
    try:
        while chunk := os.read(ours, 10_000):
            said += chunk
    except OSError:  # Linux says EIO when the other side is closed
        pass
    finally:
        os.close(ours)
    assert code in (process.wait(60), None), said
    text = said.decode().replace("\r\n", "\n")
    return text if raw else re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_nothing_is_cut_in_a_pipe(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    created = terminal.json("api-key", "create", "--brokerage", slug, "--name", NAME)
    ended = terminal.run("api-key", "list", "--brokerage", slug)
    (row,) = [line for line in ended.out.splitlines() if created["id"] in line]
    assert NAME in row and created["key"][:12] in row and "…" not in ended.out


URL = "https://hooks.example.com/aureum/v1/endpoints/0123456789/abcdefghij?tenant=snake-river&region=boise-idaho"


@pytest.mark.parametrize("columns", [30, 200])
def test_what_is_copied_from_a_table_is_whole_however_narrow_the_terminal(terminal: Terminal, columns: int) -> None:
    slug = terminal.brokerage()
    key = terminal.json("api-key", "create", "--brokerage", slug, "--name", NAME)
    hook = terminal.json("webhook", "create", "--brokerage", slug, "--url", URL, "--event", "lead.*")
    keys = in_a_terminal(columns, "api-key", "list", "--brokerage", slug)
    hooks = in_a_terminal(columns, "webhook", "list", "--brokerage", slug)
    listed = in_a_terminal(columns, "brokerage", "list")
    for text, said in ((key["id"], keys), (NAME, keys), (hook["id"], hooks), (URL, hooks), (slug, listed)):
        assert text in said and "…" not in said, said
    beside = any(URL in line and hook["id"] in line for line in hooks.splitlines())
    assert beside == (columns >= 200), "a table where there is room, else a line for each column"
    for line in keys.splitlines():
        assert len(line) <= columns or NAME in line or key["id"] in line


def test_a_table_counts_the_columns_that_letters_take() -> None:
    said = table("T", ("name", "plan"), [("李小龍", "x"), ("Zoe\u0301", "y"), ("a\nb", "z"), (None, 1)])
    assert said == "T\n\nname    plan\n──────  ────\n李小龍  x\nZoe\u0301     y\na⏎b     z\n        1"
    assert table("Webhooks", ("id", "url"), []) == "Webhooks: none."


@given(
    st.lists(st.lists(st.text(max_size=40), min_size=3, max_size=3), min_size=1, max_size=4),
    st.integers(min_value=1, max_value=160),
)
def test_a_table_of_any_width_holds_every_value_whole(rows: list[list[str]], width: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aureum.cli.output.terminal_columns", lambda: width)
        lines = table("T", ("id", "url", "name"), rows).split("\n")
    cells = [plain(cell).replace("\n", "⏎").rstrip() for row in rows for cell in row]
    text = "\n".join(lines)
    assert all(cell in text for cell in cells)
    as_table = lines[3].startswith("─")
    assert len(lines) == (4 + len(rows) if as_table else 2 + 4 * len(rows) - 1)
    if as_table:
        assert all(columns_of(line) <= width for line in lines[2:])


@pytest.mark.parametrize("encoding", ["latin-1"])
def test_no_letter_fails_where_the_terminal_does_not_know_it(terminal: Terminal, encoding: str) -> None:
    slug = f"b-{uuid4().hex}"
    for arguments in (
        ("brokerage", "create", "--name", "李小龍 & Söhne", "--slug", slug, "--plan", "grow"),
        ("brokerage", "list"),
        ("brokerage", "list", "--json"),
        ("brokerage", "plan", "李", "grow", "--json"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "aureum", *arguments],
            env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
            capture_output=True,
            timeout=60,
        )
        assert (done.returncode, b"should not have happened" in done.stderr) == (int("李" in arguments), False), done
        if "--json" in arguments:
            document = json.loads(done.stdout.decode("utf-8"))
            assert "李小龍" in str(document) or "'李'" in document["error"]


def test_nothing_is_coloured_where_no_colour_is_wanted(terminal: Terminal) -> None:
    terminal.monkeypatch.setenv("NO_COLOR", "1")
    for command in (("settings",), ("brokerage", "list"), ("audit", "verify"), ("brokerage", "plan", "nobody", "grow")):
        said = in_a_terminal(80, *command, raw=True, code=None)
        assert not re.search(r"\x1b\[[0-9;]*[3-4][0-9]m", said), said


def test_secrets_are_one_piece_however_narrow_the_terminal(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    said = in_a_terminal(
        30, "webhook", "create", "--brokerage", slug, "--url", "https://example.com", "--event", "lead.created"
    )
    assert re.search(r"^whsec_\S{44}$", said, re.MULTILINE)


def test_settings_name_every_variable_whole(terminal: Terminal) -> None:
    said = in_a_terminal(80, "settings")
    for name in ("AUREUM_DATABASE_URL", "AUREUM_WEBHOOK_ALLOW_NETWORKS", "AUREUM_PREPARED_STATEMENTS"):
        assert re.search(rf"^{name} = ", said, re.MULTILINE)
    assert "AUREUM_MASTER_KEY = set, not shown" in said


def test_bars_are_on_standard_error_and_only_in_a_terminal(terminal: Terminal) -> None:
    assert terminal.run("audit", "verify").err == ""
    assert "Verifying" in in_a_terminal(80, "audit", "verify")
    assert "Verifying" not in in_a_terminal(80, "audit", "verify", "--json")


def test_a_rebuild_tells_its_rate_and_the_time_that_is_left(terminal: Terminal) -> None:
    terminal.capture(terminal.brokerage())
    said = in_a_terminal(120, "projections", "rebuild")
    assert re.search(r"Rebuilding +\S+ +0% +-:--:--", said), "at the beginning the time is not known"
    assert re.search(r"Rebuilding +\S+ +100% +0:00:00 +[0-9,]+/s", said), said


@pytest.mark.parametrize("hostile", ["\x1b[2J\x1b]0;owned\x07", "\x9b31m", "\u202etxt.exe", "line\rover", "[bold]x[/]"])
def test_what_visitors_wrote_is_shown_and_not_obeyed(terminal: Terminal, hostile: str) -> None:
    lead = terminal.capture(terminal.brokerage(), message=f"Hello {hostile} there")
    said = terminal.run("audit", "lead", str(lead.number)).out
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", said)
    assert f"Hello {plain(hostile)} there" in said


def test_a_message_of_several_lines_passes_for_no_other_field(terminal: Terminal) -> None:
    lead = terminal.capture(terminal.brokerage(), message="Hello\n  status: converted")
    said = terminal.run("audit", "lead", str(lead.number)).out
    assert "Hello⏎  status: converted" in said
    fields = [line.split()[0] for line in said.partition("\nState\n")[2].splitlines() if line.strip()]
    assert fields.count("status") == fields.count("message") == 1


def test_help_is_there_for_every_command(terminal: Terminal) -> None:
    top = terminal.run("--help")
    assert top.code == 0
    for command in ("run", "serve", "worker", "demo", "migrate", "settings", "brokerage", "user", "api-key", "webhook"):
        assert re.search(rf"^  {command}\s+\S", top.out, re.MULTILINE), command
        assert terminal.run(command, "--help").out.startswith(f"Usage: aureum {command} ")


def test_the_version(terminal: Terminal) -> None:
    assert terminal.run("--version") == (0, f"aureum {__version__}\n", "")


def test_a_reader_that_leaves_early_is_no_error(terminal: Terminal) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "aureum", "settings"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    process.wait(60)
    assert "Traceback" not in said and "Error" not in said, said
