"""Forks HTTP processes that have imported what they need, for ``forking``: ``python -m tests.http.preloaded FD``.

To import it, and to make the OpenAPI document, takes more CPU than most tests. Each process has a second one as its
parent, which says how it ended.
"""

import gc
import json
import os
import resource
import signal
import socket
import sys
from typing import NamedTuple

# First, as in each process of ours: it keeps out what they do without.
import aureum.processes.sparing

# isort: split
import aureum.processes.http_child  # noqa: F401  # what the processes are made of
from aureum.commands.ranking import warm_up
from aureum.http.server.routes import published
from aureum.processes.child import run

LONGEST = 1 << 16


class Job(NamedTuple):
    """What a forked process runs."""

    arguments: list[str]
    environment: dict[str, str]
    open_files: int | None


def forked(control: socket.socket) -> Job | None:
    """Fork a process for each message on *control*. Returns in these, and, with None, in this one when that ends."""
    while True:
        message, passed, _, _ = socket.recv_fds(control, LONGEST, 4)
        if not message:
            return None
        while reaped():
            pass
        if not os.fork():
            control.close()
            return watched(message, *passed)
        for descriptor in passed:
            os.close(descriptor)


def reaped() -> bool:
    """Whether one of the processes that watch had ended."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def watched(message: bytes, listener: int, stdin: int, stderr: int, told: int) -> Job:
    """Fork a process, and return in it; the one that forked it says on *told* its id and how it ended, and ends too."""
    if pid := os.fork():
        for descriptor in (listener, stdin, stderr):
            os.close(descriptor)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.write(told, b"%d\n" % pid)
        os.write(told, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os._exit(0)
    os.dup2(stdin, 0)
    os.dup2(stderr, 2)
    for descriptor in (stdin, stderr, told):
        os.close(descriptor)
    asked = json.loads(message)
    kind, *others = asked["arguments"]
    return Job([kind, str(listener), *others], asked["environment"], asked["open_files"])


def main() -> None:
    warm_up()
    published(None)
    gc.collect()
    gc.freeze()
    job = forked(socket.socket(fileno=int(sys.argv[1])))
    if job is None:
        return
    os.environ.clear()
    os.environ.update(job.environment)
    if job.open_files is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (job.open_files, job.open_files))
    run(job.arguments)


if __name__ == "__main__":
    main()
