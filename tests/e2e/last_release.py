"""The last release, as it stands in git: the newest commit whose version differs from the working tree's. Its program
is taken out of the history into a folder, and runs with the packages of this environment."""

import io
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from aureum import __version__

PROJECT = Path(__file__).parents[2]
NAMES_VERSION = "aureum/__init__.py"
VERSION = re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE)

SHALLOW = (
    "The rolling upgrade is tested from the last release, and this clone's history does not reach back to it. "
    "Fetch the whole history: git fetch --unshallow"
)
NO_HISTORY = "The rolling upgrade is tested from the last release, which is taken from git; here git says: {said}"


@dataclass(frozen=True)
class Release:
    """A commit, and the version that the program has there."""

    commit: str
    version: str


def git(*arguments: str) -> bytes:
    """What git prints. A test that needs the history fails where there is none: it says how to get it."""
    done = subprocess.run(["git", "-C", str(PROJECT), *arguments], capture_output=True, timeout=60)
    if done.returncode != 0:
        shallow = subprocess.run(
            ["git", "-C", str(PROJECT), "rev-parse", "--is-shallow-repository"], capture_output=True, timeout=60
        )
        pytest.fail(SHALLOW if shallow.stdout.strip() == b"true" else NO_HISTORY.format(said=done.stderr.decode()))
    return done.stdout


def version_at(commit: str) -> str:
    """The program's version at *commit*."""
    found = VERSION.search(git("show", f"{commit}:{NAMES_VERSION}").decode())
    assert found is not None, f"{NAMES_VERSION} names no version at {commit}"
    return found[1]


def last_release() -> Release:
    """The newest commit of this branch whose version differs from the working tree's."""
    newest = "HEAD"
    for commit in git("log", "--format=%H", "--", NAMES_VERSION).decode().split():
        version = version_at(commit)
        if version != __version__:
            return Release(git("rev-parse", newest).decode().strip(), version)
        newest = f"{commit}^"
    # In a shallow clone the oldest commit has no parent, and git fails at it.
    pytest.fail(f"No commit has another version than {__version__}.")


def taken_out(release: Release, folder: Path) -> Path:
    """The program of *release*, in *folder*: to be put first on Python's path."""
    with tarfile.open(fileobj=io.BytesIO(git("archive", release.commit, "aureum"))) as archive:
        archive.extractall(folder, filter="data")
    return folder
