"""Completion: shells get scripts that work, and completing reads no settings and opens no database."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal

PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
BROKEN = {"AUREUM_DATABASE_URL": "not a URL", "AUREUM_POOL_SIZE": "many"}
"""Settings that nothing may be done with."""


def in_shell(home: Path, *command: str) -> str:
    """What a command prints, with that home and without settings that could be used."""
    done = subprocess.run(
        command,
        env={"HOME": str(home), "PATH": PATH, "TERM": "dumb", **BROKEN},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    assert not (home / ".local" / "share" / "aureum").exists()
    return done.stdout


def completed_by_bash(home: Path, load: str, line: str) -> set[str]:
    """What bash offers for the last word of *line*, after it has read *load*."""
    words = [*shlex.split(line), *([""] if line.endswith(" ") else [])]
    script = (
        f"{load}; COMP_WORDS=({' '.join(map(shlex.quote, words))}); COMP_CWORD={len(words) - 1}; "
        "_aureum_completion aureum; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    return set(in_shell(home, "bash", "--norc", "-c", script).split())


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("aureum br", {"brokerage"}),
        ("aureum webhook r", {"remove", "rotate-secret", "retry-parked"}),
        ("aureum user create --pass", {"--password-stdin"}),
        ("aureum api-key revoke --", {"--brokerage", "--yes", "--json", "--help"}),
    ],
)
def test_bash_completes(tmp_path: Path, line: str, offered: set[str]) -> None:
    assert completed_by_bash(tmp_path, 'eval "$(aureum --show-completion bash)"', line) == offered


def test_what_is_installed_for_bash_completes(tmp_path: Path) -> None:
    said = in_shell(tmp_path, "aureum", "--install-completion", "bash")
    assert said.startswith("Completion for bash is installed in ") and said.count("\n") == 1
    assert completed_by_bash(tmp_path, "source ~/.bashrc", "aureum audit v") == {"verify"}


@pytest.mark.parametrize(
    ("shell", "file"), [("zsh", ".zfunc/_aureum"), ("fish", ".config/fish/completions/aureum.fish")]
)
def test_other_shells_get_their_file(tmp_path: Path, shell: str, file: str) -> None:
    in_shell(tmp_path, "aureum", "--install-completion", shell)
    installed = (tmp_path / file).read_text()
    assert installed == in_shell(tmp_path, "aureum", "--show-completion", shell)
    assert f"_AUREUM_COMPLETE=complete_{shell}" in installed
    if shutil.which(shell):
        in_shell(tmp_path, shell, "-n", str(tmp_path / file))


@pytest.mark.parametrize(
    ("shell", "variables", "offered"),
    [
        ("zsh", {}, "remove"),
        ("fish", {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}, "remove\tRemove an endpoint permanently."),
    ],
)
def test_other_shells_are_answered(tmp_path: Path, shell: str, variables: dict[str, str], offered: str) -> None:
    asked = {"_AUREUM_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": "aureum webhook rem", **variables}
    set_all = [f"{name}={value}" for name, value in asked.items()]
    assert offered in in_shell(tmp_path, "env", *set_all, "aureum")


@pytest.mark.parametrize("option", ["--show-completion", "--install-completion"])
def test_the_shell_in_use_is_taken_or_asked_for(terminal: Terminal, tmp_path: Path, option: str) -> None:
    terminal.monkeypatch.setenv("HOME", str(tmp_path))
    ended = terminal.run(option, "tcsh")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"Name a shell, one of: bash, zsh, fish. For example: aureum {option} bash\n"
    said = in_shell(tmp_path, "bash", "--norc", "-c", f"aureum {option}; exit")
    assert "complete -o default -F _aureum_completion aureum" in said or "for bash is installed" in said
