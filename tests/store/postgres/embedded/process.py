"""Other processes that use the embedded server: real ones. Each runs PROGRAM, uses the server until its standard input
ends, and then leaves."""

import json
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root meets this, or can stage it: it becomes another user")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")

# All imports come first: the user that it may become need not be able to read Python's own files.
PROGRAM = """
import encodings.idna, json, os, pathlib, psycopg, sys
from aureum.store.postgres import embedded, embedded_programs
options = json.loads(sys.argv[1])
embedded_programs.SHARED_SOFTWARE = pathlib.Path(options.get("shared_software", "/nonexistent"))
if "groups" in options:
    os.setgroups(options["groups"])
if "become" in options:
    os.setgroups([])
    os.setgid(options["become"])
    os.setuid(options["become"])
try:
    server = embedded.start(pathlib.Path(options["data_dir"]))
except embedded.EmbeddedDatabaseError as error:
    print(json.dumps({"error": str(error)}), flush=True)
    sys.exit()
print(json.dumps({"url": server.url}), flush=True)
sys.stdin.read()
server.close()
"""


class Process:
    """Another process that uses the server. `url` or `error` is what it got."""

    def __init__(
        self,
        data_dir: Path,
        *,
        wait: bool = True,
        site: Path | None = None,
        under: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        path = [str(site), *sys.path] if site else sys.path
        self.popen = subprocess.Popen(
            [*under, sys.executable, "-W", "error", "-c", PROGRAM, json.dumps(options | {"data_dir": str(data_dir)})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path), "AUREUM_MASTER_KEY": "not-for-postgres"},
            text=True,
        )
        self.url = self.error = ""
        if wait:
            self.listen()

    def listen(self) -> None:
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        assert line, self.popen.communicate(timeout=60)[1]
        said = json.loads(line)
        self.url, self.error = said.get("url", ""), said.get("error", "")

    def leave(self) -> None:
        _, errors = self.popen.communicate(timeout=60)
        assert (self.popen.returncode, errors) == (0, "")

    def kill(self) -> None:
        self.popen.kill()
        self.popen.communicate(timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.popen.returncode is None:
            self.kill()


def query(url: str, statement: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]


def started_at(url: str) -> Any:
    return query(url, "SELECT pg_postmaster_start_time()")


def server_pid(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def runs(data_dir: Path) -> bool:
    """Whether any process of the server lives."""
    with (data_dir / "postgres.server").open("r+b") as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return True
        return False


def kill_server(data_dir: Path) -> None:
    os.kill(server_pid(data_dir), signal.SIGKILL)


def write_note(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE notes AS SELECT 'kept' AS note")


def note(url: str) -> Any:
    return query(url, "SELECT note FROM notes")


def await_true(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def error_of(data_dir: Path, **options: Any) -> str:
    """What a start in another process is refused with."""
    with Process(data_dir, **options) as process:
        assert process.error
        process.leave()
    return process.error


def ordinary_user() -> int:
    return pwd.getpwnam("nobody").pw_uid
