"""``serve``: one supervisor, N HTTP processes on one listening socket and, unless told otherwise, a delivery worker.

The supervisor holds no connection and answers nothing: it starts processes, starts them again when they die, passes
SIGTERM on, and waits until all have drained. If it is killed itself, its processes notice and end.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from aureum.metrics import SHARED

READY_SECONDS = 60
STOP_SECONDS = 40
RESTART_SECONDS = 1.0
LOOK_SECONDS = 0.1
BACKLOG = 2048


class ServeError(Exception):
    """Serving cannot begin, or did not; the message says why and what to do."""


@dataclass
class Child:
    """A process and how it is started."""

    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes]
    started: float


def listen(host: str, port: int) -> socket.socket:
    """The listening socket that all HTTP processes share. Raises ServeError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        raise ServeError(
            f"Cannot listen on {host} port {port}: {error.strerror}. Choose another with --host and --port."
        ) from error
    return listener


def serve(
    url: str, key: bytes, *, host: str, port: int, workers: int, deliver: bool, ready: Callable[[str], None]
) -> None:
    """Serve until SIGTERM or SIGINT, then drain. *ready* is told the base URL once it answers. Raises ServeError."""
    listener = listen(host, port)
    shared = tempfile.mkdtemp(prefix="aureum-metrics-")
    environment = os.environ | {
        "AUREUM_DATABASE_URL": url,
        "AUREUM_MASTER_KEY": b64encode(key).decode(),
        SHARED: shared,
    }
    stopping = False

    def stop(number: int, frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

    def start(*arguments: str) -> Child:
        process = subprocess.Popen(  # noqa: S603  our own module, no shell
            [sys.executable, "-m", "aureum.process", *arguments],
            env=environment,
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            # Ctrl-C is the supervisor's; it tells the others.
            start_new_session=True,
        )
        return Child(arguments, process, time.monotonic())

    children = [start("http", str(listener.fileno())) for _ in range(workers)]
    if deliver:
        children.append(start("worker"))
    try:
        announced = False
        deadline = time.monotonic() + READY_SECONDS
        while not stopping:
            if not announced and answers(listener):
                announced = True
                ready(base_url(listener))
            if not announced and time.monotonic() > deadline:
                raise ServeError(f"The server did not answer within {READY_SECONDS} seconds; the log above says why.")
            for place, child in enumerate(children):
                if child.process.poll() is not None:
                    if not announced:
                        raise ServeError("A process ended before it was ready; the log above says why.")
                    if time.monotonic() - child.started > RESTART_SECONDS:
                        children[place] = start(*child.arguments)
            time.sleep(LOOK_SECONDS)
    finally:
        stop_all(children)
        listener.close()
        shutil.rmtree(shared, ignore_errors=True)


def stop_all(children: list[Child]) -> None:
    """SIGTERM to all, and wait until they have drained; whoever has not by then is killed."""
    for child in children:
        if child.process.poll() is None:
            child.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()


def base_url(listener: socket.socket) -> str:
    """Where to reach the server from this machine."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def answers(listener: socket.socket) -> bool:
    """Whether some process answers that it is ready."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
