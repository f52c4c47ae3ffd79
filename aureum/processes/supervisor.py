"""``serve``: one supervisor, N HTTP processes on one listening socket and, unless told otherwise, a delivery worker.

The supervisor holds no connection and answers nothing: it starts processes, starts them again when they die, passes
SIGTERM on, and waits until all have drained. If it is killed itself, its processes notice and end.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from aureum.log import hung_up
from aureum.metrics import SHARED
from aureum.routing.model_process import ONE_THREAD

READY_SECONDS = 60
STOP_SECONDS = 40
"""Longer than requests and attempts may take to end: 20 and 17 s."""
RESTART_SECONDS = 1.0
LOOK_SECONDS = 0.1
BACKLOG = 2048


class ServeError(Exception):
    """Serving cannot begin, or did not; the message says why and what to do."""


@dataclass
class Child:
    """A process and how it is started."""

    arguments: tuple[str, ...]
    process: "subprocess.Popen[bytes]"
    started: float


@dataclass
class StopSignals:
    """How often the supervisor was told to stop: after the second time it does not wait any more. ``hang_ups`` are the
    SIGHUPs that mean nothing."""

    times: int = 0
    hang_ups: int = 0


def listen(host: str, port: int) -> socket.socket:
    """The listening socket that all HTTP processes share. Raises ServeError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "this is no name of a host"
        raise ServeError(
            f"Cannot listen on {host} port {port}: {why}. Choose another with --host and --port."
        ) from error
    return listener


def serve(
    listener: socket.socket,
    *,
    workers: int,
    deliver: bool,
    ready: Callable[[str], None],
    look_after: Callable[[], None] = lambda: None,
    model: Path | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain. *ready* is told the base URL once it answers; *look_after* is called
    now and then for whatever else must live, such as the process of the routing model, which answers at *model*. The
    processes read the settings that this one has read. Raises ServeError.
    """
    signalled = StopSignals()
    with (
        signals(signalled),
        tempfile.TemporaryDirectory(prefix="aureum-metrics-", ignore_cleanup_errors=True) as shared,
    ):
        children: list[Child] = []
        try:
            http = ("http", str(listener.fileno()), *([str(model)] if model is not None else []))
            children += [start(http, listener, shared) for _ in range(workers)]
            if deliver:
                children.append(start(("worker", demo_url(listener)), listener, shared))
            if wait_until_ready(children, listener, shared, signalled, look_after):
                ready(base_url(listener))
            while not signalled.times:
                restart_dead(children, listener, shared)
                look_after()
                if signalled.hang_ups:
                    signalled.hang_ups = 0
                    hung_up()
                time.sleep(LOOK_SECONDS)
        finally:
            # Close our listener first, so that no client waits in a queue that is no longer served.
            listener.close()
            stop_all(children, signalled)


@contextmanager
def signals(signalled: StopSignals) -> Iterator[None]:
    """Count SIGTERM, SIGINT and SIGHUP in *signalled*, and leave the handlers as they were."""

    def tell(number: int, frame: object) -> None:
        signalled.times += 1

    def hang_up(number: int, frame: object) -> None:
        signalled.hang_ups += 1

    handlers = {signal.SIGTERM: tell, signal.SIGINT: tell}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        # A terminal that is closed ends what was started in it. A service has none: it may be told by mistake.
        handlers[signal.SIGHUP] = tell if sys.stderr.isatty() else hang_up
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start(arguments: tuple[str, ...], listener: socket.socket, shared: str) -> Child:
    """Start ``aureum.processes.child``, with its measurements in the directory *shared*."""
    process = subprocess.Popen(  # noqa: S603  our own module, no shell
        [sys.executable, "-m", "aureum.processes.child", *arguments],
        env=ONE_THREAD | os.environ | {SHARED: shared},
        stdin=subprocess.PIPE,
        stdout=2,  # standard output is for what scripts read
        pass_fds=[listener.fileno()] if arguments[0] == "http" else [],
        # Ctrl-C is the supervisor's; it tells the others.
        start_new_session=True,
    )
    return Child(arguments, process, time.monotonic())


def wait_until_ready(
    children: list[Child], listener: socket.socket, shared: str, signalled: StopSignals, look_after: Callable[[], None]
) -> bool:
    """Whether some process answers that it is ready; not, if told to stop before. A process that is killed meanwhile is
    started again; one that ends by itself has a reason that will be there the next time too. Raises ServeError."""
    deadline = time.monotonic() + READY_SECONDS
    while not signalled.times:
        if any((code := child.process.poll()) is not None and code >= 0 for child in children):
            raise ServeError("A process ended before it was ready; the log above says why.")
        restart_dead(children, listener, shared)
        look_after()
        if answers(listener):
            return True
        if time.monotonic() > deadline:
            raise ServeError(f"The server did not answer within {READY_SECONDS} seconds; the log above says why.")
        time.sleep(LOOK_SECONDS)
    return False


def restart_dead(children: list[Child], listener: socket.socket, shared: str) -> None:
    """Start again what has died, once a second at most."""
    for place, child in enumerate(children):
        if child.process.poll() is not None and time.monotonic() - child.started > RESTART_SECONDS:
            close_input(child)
            mark_process_dead(child.process.pid, shared)  # type: ignore[no-untyped-call]  # the library has none
            children[place] = start(child.arguments, listener, shared)


def stop_all(children: list[Child], signalled: StopSignals) -> None:
    """SIGTERM to all, and wait until they have drained; a child that has not in time, or at the second signal, is
    killed."""
    for child in children:
        if child.process.poll() is None:
            child.process.terminate()
    begun, said = time.monotonic(), False
    while any(child.process.poll() is None for child in children):
        waited = time.monotonic() - begun
        if waited > 1 and not said and sys.stderr.isatty():
            sys.stderr.write("Finishing what is under way. Ctrl-C once more stops at once.\n")
            said = True
        if signalled.times > 1 or waited > STOP_SECONDS:
            for child in children:
                child.process.kill()
        time.sleep(LOOK_SECONDS / 2)
    for child in children:
        close_input(child)


def close_input(child: Child) -> None:
    """Close our end of a dead process's standard input."""
    assert child.process.stdin is not None
    child.process.stdin.close()


LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  looked up, not bound


def near(listener: socket.socket) -> tuple[str, int]:
    """Where this machine itself reaches the server: on loopback if it listens everywhere."""
    host, port = listener.getsockname()[:2]
    return LOOPBACK.get(host, host), port


def base_url(listener: socket.socket) -> str:
    """The server's URL for this machine."""
    host, port = near(listener)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def demo_url(listener: socket.socket) -> str:
    """The URL of the demonstration, whose domain is localhost."""
    return f"http://localhost:{near(listener)[1]}"


def answers(listener: socket.socket) -> bool:
    """Whether some process answers that it is ready."""
    host, port = near(listener)
    connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
