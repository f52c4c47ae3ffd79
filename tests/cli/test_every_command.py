"""What every command has, asked of the command line itself: ``--json``, ``-h``, examples that it takes, full sentences,
and a start that imports little.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from aureum import __version__
from aureum.cli.main import command_line
from aureum.domain.api_key import RATE_LIMIT
from aureum.domain.webhook_endpoint import OVERLAP_HOURS_MOST
from tests.cli.conftest import Terminal
from tests.test_docs import refused

HEAVY = (
    "aiohttp", "argon2", "asyncio", "cryptography", "eventsourcing", "icalendar", "jinja2", "orjson", "phonenumbers",
    "prometheus_client", "psycopg", "pydantic", "pydantic_core", "pydantic_settings", "rich", "starlette", "structlog",
    "uvicorn", "uvloop",
    "aureum.app", "aureum.commands", "aureum.demo", "aureum.http", "aureum.processes", "aureum.projections",
    "aureum.settings", "aureum.store", "aureum.webhooks",
)  # fmt: skip
"""What no help and no completion needs."""


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that is no group, with the words that name it."""
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, one in command.commands.items():
        yield from leaves(one, (*path, name))


LEAVES = list(leaves(command_line()))
every_command = pytest.mark.parametrize(("path", "command"), LEAVES, ids=[" ".join(path) for path, _ in LEAVES])


def test_they_are_all_there() -> None:
    assert len(LEAVES) >= 29
    assert {path[0] for path, _ in LEAVES} >= {
        "run",
        "serve",
        "worker",
        "demo",
        "migrate",
        "settings",
        "openapi",
        "doctor",
    }


@every_command
def test_it_takes_json_and_both_forms_of_help(terminal: Terminal, path: tuple[str, ...], command: Any) -> None:
    options = {option for one in command.params for option in one.opts}
    assert "--json" in options
    short, long = terminal.run(*path, "-h"), terminal.run(*path, "--help")
    assert short == long and (short.code, short.err) == (0, "")
    assert short.out.startswith(f"Usage: aureum {' '.join(path)} [OPTIONS]")
    assert "-h, --help" in short.out


@every_command
def test_its_examples_are_commands_that_are_taken(terminal: Terminal, path: tuple[str, ...], command: Any) -> None:
    said = terminal.run(*path, "-h").out
    shown = re.search(r"^  Examples?:\n((?:    .+\n)+)", said, re.MULTILINE)
    assert shown is not None, said
    lines = re.findall(r"aureum .*", re.sub(r" *\\\n +", " ", shown[1]))
    assert lines and all(line.startswith(f"aureum {' '.join(path)}") for line in lines), lines
    assert [refused(line.removeprefix("aureum "), whole=True) for line in lines] == [None] * len(lines)


@every_command
def test_its_help_speaks_in_sentences(terminal: Terminal, path: tuple[str, ...], command: Any) -> None:
    group = terminal.run(*path[:-1], "--help").out
    listed = re.search(rf"^  {path[-1]}  +(.*)$", group, re.MULTILINE)
    assert listed is not None and re.fullmatch(r"[A-Z][^\n]+[A-Za-z0-9)]\.", listed[1]), group
    assert not listed[1].endswith("...")
    for one in command.params:
        text = getattr(one, "help", None)
        assert text and (text[0].isupper() or text.startswith(("starter, ", "platform_admin, "))), one
        assert text.endswith("."), (one, text)


@pytest.mark.parametrize("path", sorted({path[:-1] for path, _ in LEAVES}), ids=" ".join)
def test_every_group_has_both_forms_of_help(terminal: Terminal, path: tuple[str, ...]) -> None:
    short, long = terminal.run(*path, "-h"), terminal.run(*path, "--help")
    assert short == long and (short.code, short.err) == (0, "") and "-h, --help" in short.out
    assert not re.search(r"^  [a-z-]+ .*\.\.\.$", short.out, re.MULTILINE), "cut short"


@every_command
def test_under_json_a_mistake_is_a_document(terminal: Terminal, path: tuple[str, ...], command: Any) -> None:
    ended = terminal.run(*path, "--json", "--no-such-option")
    assert ended.code == 2
    assert ended.json == {"error": "No such option: --no-such-option"}
    assert ended.err.endswith("Error: No such option: --no-such-option\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("nonsense",), "No such command 'nonsense'."),
        (("webhook", "nonsense"), "No such command 'nonsense'."),
        (("serve", "--port", "70000"), "Invalid value for '--port': "),
        (("audit", "lead"), "Missing argument 'ID'."),
        (("brokerage", "plan", "nobody", "grow"), "There is no brokerage with the slug 'nobody'."),
        (("openapi", "--markdown"), "Invalid value: Choose one of --markdown, --errors and --json."),
        (("serve", "--host", "no.such.host.invalid"), "Cannot listen on no.such.host.invalid port 8000: "),
    ],
)
def test_under_json_what_is_refused_is_a_document(terminal: Terminal, arguments: tuple[str, ...], error: str) -> None:
    for order in ((*arguments, "--json"), ("--json", *arguments)):
        ended = terminal.run(*order)
        assert ended.code in (1, 2) and list(ended.json) == ["error"], ended
        if order[0] != "--json":
            assert ended.json["error"].startswith(error)
        assert ended.json["error"] in ended.err


def test_what_helps_say_of_limits_is_so(terminal: Terminal) -> None:
    assert f"Requests per minute.  [default: {RATE_LIMIT}]" in terminal.run("api-key", "create", "-h").out
    assert f"0 to {OVERLAP_HOURS_MOST}." in " ".join(terminal.run("webhook", "rotate-secret", "-h").out.split())


def imported(*arguments: str, **environment: str) -> set[str]:
    """The modules that ``aureum`` has imported when it ends."""
    end = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    done = subprocess.run(
        [sys.executable, "-c", f"{end}; from aureum.__main__ import main; main()", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done
    return set(done.stderr.split())


def heavy(modules: set[str]) -> set[str]:
    """Which of *modules* take long."""
    return {module for module in modules if module.startswith(tuple(f"{name}." for name in HEAVY)) or module in HEAVY}


@pytest.mark.parametrize(
    "arguments", [("-h",), *((path, "-h") for path in ("serve", "openapi", "doctor")), ("webhook", "create", "-h")]
)
def test_a_help_imports_little(arguments: tuple[str, ...]) -> None:
    assert heavy(imported(*arguments)) == set()


def test_completing_imports_little() -> None:
    modules = imported(_AUREUM_COMPLETE="complete_bash", COMP_WORDS="aureum webhook create --", COMP_CWORD="3")
    assert {module for module in heavy(modules) if not module.startswith("pydantic")} == set(), "which typer asks"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--version",), f"aureum {__version__}\n"),
        (("--version", "--json"), f'{{"version":"{__version__}"}}\n'),
        (("--json", "--version"), f'{{"version":"{__version__}"}}\n'),
    ],
)
def test_the_version_imports_next_to_nothing(arguments: tuple[str, ...], said: str) -> None:
    modules = imported(*arguments)
    assert heavy(modules) == set() and not {"typer", "json", "typing", "aureum.cli"} & modules
    command = subprocess.run([sys.executable, "-m", "aureum", *arguments], capture_output=True, text=True, timeout=60)
    assert (command.returncode, command.stdout, command.stderr) == (0, said, "")
    if "--json" in arguments:
        assert json.loads(said) == {"version": __version__}
