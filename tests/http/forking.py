"""HTTP processes of one that has imported what they need; ``aureum serve`` itself is in ``tests/e2e``."""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import BinaryIO

from aureum.routing.model_process import ONE_THREAD


class Forked:
    """A process of another's making, with what tests use of ``subprocess.Popen``."""

    def __init__(self, stdin: BinaryIO, told: BinaryIO) -> None:
        self.stdin = stdin
        self._told = told
        self._code: int | None = None
        self.pid = int(told.readline())

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"the process {self.pid}", timeout or 0)
        return code

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended, and is about to be told
                os.kill(self.pid, number)

    def _ended(self, within: float | None) -> int | None:
        if self._code is None and select.select([self._told], [], [], within)[0]:
            self._code = int(self._told.readline())
            self._told.close()
        return self._code


def fork(
    kind: str,
    listener: socket.socket,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    stderr: BinaryIO,
    open_files: int | None = None,
) -> Forked:
    """A process of that *kind* (``aureum.processes.child``) on *listener*, that may open so many files."""
    message = {"arguments": [kind, *arguments], "environment": dict(environment), "open_files": open_files}
    read, stdin = os.pipe()
    told, write = os.pipe()
    passed = (listener.fileno(), read, stderr.fileno(), write)
    socket.send_fds(preloaded(), [json.dumps(message).encode()], passed)
    os.close(read)
    os.close(write)
    return Forked(os.fdopen(stdin, "wb"), os.fdopen(told, "rb", buffering=0))


@cache
def preloaded() -> socket.socket:
    """Where ``tests.http.preloaded`` takes orders, one process for all tests of this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-m", "tests.http.preloaded", str(theirs.fileno())]
        # Threads would not be in the processes that are forked; as the supervisor has it.
        environment = os.environ | ONE_THREAD
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])

    def end() -> None:
        ours.close()
        process.wait(60)

    atexit.register(end)
    return ours
