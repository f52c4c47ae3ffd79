"""``aureum`` as a process: run to its end, or started and watched until it says that it is ready; and who lives."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.conftest import MASTER_KEY

PATIENCE = 60.0
READY = "Aureum is ready at "


class Ended(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output. Fails if there is anything else."""
        assert self.out.count("\n") == 1 and self.out.endswith("\n"), self.out
        return json.loads(self.out)


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Running:
    """A started ``aureum``; its output goes to files."""

    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    @property
    def url(self) -> str:
        """The base URL, once it is ready, from either form of the line that says so."""
        line = self.out.read_text().splitlines()[0]
        url: str = line.removeprefix(READY) if line.startswith(READY) else json.loads(line)["url"]
        return url

    def until_said(self, text: str) -> None:
        """Wait until *text* stands on standard output."""
        eventually(lambda: text in self.out.read_text() or self.process.poll() is not None)
        assert text in self.out.read_text(), self.err.read_text()

    def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] = {}, host: str = "localhost"
    ) -> Answer:
        """One request on a connection of its own, with *host* as the Host."""
        parts = urlsplit(self.url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
        content = None if body is None else json.dumps(body)
        about = {"Host": host, **({} if body is None else {"Content-Type": "application/json"}), **headers}
        try:
            connection.request(method, path, content, about)
            response = connection.getresponse()
            return Answer(
                response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            )
        finally:
            connection.close()

    def logged(self) -> list[dict[str, Any]]:
        """The lines of the log. Fails if one of them is no JSON object."""
        return [json.loads(line) for line in self.err.read_text().splitlines()]

    def children(self) -> list[int]:
        """The processes that it has started and that live: HTTP, worker, the embedded database."""
        return [pid for pid, (parent, _) in processes().items() if parent == self.process.pid and lives(pid)]

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


@dataclass
class System:
    """An installation: its environment, and everything that was started in it."""

    directory: Path
    settings: dict[str, str]
    started: list[Running] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUREUM_")}
        return inherited | self.settings

    def run(self, *arguments: str, stdin: str | bytes = "") -> Ended:
        """Run a command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "aureum", *arguments],
            env=self.environment,
            cwd=self.directory,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=PATIENCE,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """The document that a command prints; it must succeed and say nothing else."""
        ended = self.run(*arguments, "--json", stdin=stdin)
        assert ended.code == 0 and ended.err == "", ended
        return ended.json

    def start(self, *arguments: str) -> Running:
        """Start a command that goes on."""
        out, err = (self.directory / f"{len(self.started)}.{name}" for name in ("out", "err"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "aureum", *arguments],
                env=self.environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
        running = Running(process, out, err)
        self.started.append(running)
        return running

    def serve(self, *arguments: str) -> Running:
        """``aureum serve`` on a free port, ready."""
        running = self.start("serve", "--port", "0", *arguments)
        running.until_said(READY)
        return running


@contextmanager
def system(database_url: str | None = None, **settings: str) -> Iterator[System]:
    """An installation of its own: with an embedded database on an empty directory, or on *database_url*, migrated. The
    routing model, which takes seconds and 160 MB, is for the tests that ask for it."""
    with tempfile.TemporaryDirectory(prefix="aureum-e2e-", ignore_cleanup_errors=True) as directory:
        given = {"AUREUM_DATA_DIR": f"{directory}/data", "AUREUM_ROUTING_MODEL": "none"}
        if database_url is not None:
            given |= {"AUREUM_DATABASE_URL": database_url, "AUREUM_MASTER_KEY": b64encode(MASTER_KEY).decode()}
        made = System(Path(directory), given | settings)
        try:
            yield made
        finally:
            for running in made.started:
                if running.process.poll() is None:
                    running.process.terminate()
            for running in made.started:
                running.process.wait(PATIENCE)


def eventually(holds: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until *holds* says something true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.02)


def processes() -> dict[int, tuple[int, str]]:
    """Every process of this machine: its parent and its state."""
    if not Path("/proc/self/stat").exists():
        command = ["ps", "-A", "-o", "pid=,ppid=,stat="]
        listed = subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE).stdout.decode()
        lines = (line.split() for line in listed.splitlines())
        return {int(pid): (int(parent), state) for pid, parent, state in lines}
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            # The second field is the name, in parentheses, and may hold anything.
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            found[int(stat.parent.name)] = (int(parent), state)
    return found


def lives(pid: int) -> bool:
    """Whether the process is there, and no zombie."""
    state = processes().get(pid)
    return state is not None and not state[1].startswith("Z")


def descendants(pid: int) -> set[int]:
    """The process and all that it, and they, have started."""
    found, every = {pid}, processes()
    while more := {child for child, (parent, _) in every.items() if parent in found} - found:
        found |= more
    return found


def kill(pid: int) -> None:
    """No chance to clean up."""
    os.kill(pid, signal.SIGKILL)
