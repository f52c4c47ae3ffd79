"""The HTTP processes that are measured, started as ``aureum serve`` starts them, and what they cost."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from aureum.metrics import SHARED
from aureum.processes.supervisor import answers, listen

MASTER_KEY = b"a master key for the bench only!"
POOL_SIZE = 4
"""The default of AUREUM_POOL_SIZE."""

READY_SECONDS = 60
STOP_SECONDS = 30
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """Processes that share one port, and the database behind them."""

    port: int
    processes: tuple["subprocess.Popen[bytes]", ...]
    url: str

    def cpu_seconds(self) -> tuple[float, float] | None:
        """What the processes and their database sessions have used so far; None where the machine does not tell."""
        try:
            sessions = [cpu_seconds(pid) for pid in session_pids(self.url)]
            return sum(cpu_seconds(process.pid) for process in self.processes), sum(sessions)
        except FileNotFoundError:
            return None


SESSIONS = """
SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def session_pids(url: str) -> list[int]:
    """The processes that serve the sessions of a database; the pids mean nothing if the server is elsewhere."""
    with psycopg.connect(url) as connection:
        return [pid for (pid,) in connection.execute(SESSIONS)]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process. Raises FileNotFoundError where there is no /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def resident_megabytes(pid: int) -> float:
    """Memory of a process that is in RAM. Raises FileNotFoundError where there is no /proc."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def environment(url: str, metrics: str) -> dict[str, str]:
    """The settings as shipped, but for the form's rate limit, which loopback would reach at once."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUREUM_")}
    return inherited | {
        "AUREUM_DATABASE_URL": url,
        "AUREUM_MASTER_KEY": b64encode(MASTER_KEY).decode(),
        "AUREUM_FORM_RATE_LIMIT": "0",
        # Where mails would be files.
        "AUREUM_DATA_DIR": f"{metrics}/data",
        SHARED: metrics,
    }


@contextmanager
def serving(
    command: Sequence[str], variables: Mapping[str, str], log: Path, url: str, count: int = 1, more: Sequence[str] = ()
) -> Iterator[Server]:
    """*count* processes of ``python -m`` *command*, the listening socket's descriptor and *more* behind it, until the
    end."""
    listener = listen("127.0.0.1", 0)
    with log.open("ab") as errors, listener:
        processes = tuple(
            subprocess.Popen(
                [sys.executable, "-m", *command, str(listener.fileno()), *more],
                env=variables,
                stdin=subprocess.PIPE,
                stderr=errors,
                pass_fds=[listener.fileno()],
            )
            for _ in range(count)
        )
        try:
            wait_until_ready(listener, processes, log)
            yield Server(listener.getsockname()[1], processes, url)
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(STOP_SECONDS)
                assert process.stdin is not None
                process.stdin.close()


def wait_until_ready(
    listener: socket.socket, processes: Sequence["subprocess.Popen[bytes]"], log: Path, ready: float = READY_SECONDS
) -> None:
    """Until it answers and every process has taken its place. Raises RuntimeError."""
    deadline = time.monotonic() + ready
    while not answers(listener):
        if any(process.poll() is not None for process in processes) or time.monotonic() > deadline:
            raise RuntimeError(f"A server does not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)


@contextmanager
def aureum(
    url: str,
    directory: Path,
    *,
    module: str = "aureum.processes.child",
    count: int = 1,
    model: Path | None = None,
    replicas: str = "",
) -> Iterator[Server]:
    """HTTP processes of the product on a database and its *replicas*, their log in a file; *model* is where a routing
    model answers."""
    more = () if model is None else (str(model),)
    with (
        tempfile.TemporaryDirectory(dir=directory, prefix="metrics-") as metrics,
        serving(
            [module, "http"],
            environment(url, metrics) | {"AUREUM_REPLICA_URLS": replicas},
            directory / "aureum.log",
            url,
            count,
            more,
        ) as server,
    ):
        # They share the port, so that asking there does not tell who answers; each opens its metrics when it is up.
        deadline = time.monotonic() + READY_SECONDS
        while not all(list(Path(metrics).glob(f"*_{process.pid}.db")) for process in server.processes):
            if time.monotonic() > deadline:
                raise RuntimeError("Only some of the processes start.")
            time.sleep(0.02)
        yield server
