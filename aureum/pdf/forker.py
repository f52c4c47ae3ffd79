"""Keeps the libraries of the jobs loaded, and forks a process for each job: ``python -m aureum.pdf.forker``.

To load the libraries takes a second of processor time, to fork a few milliseconds. ``forking`` starts this process with
the first job and asks it over standard input, a socket; without jobs it ends after a time. Each job comes with a
connection of its own and, if its caller has the file open, the file. This process reads neither: what is in a file of
others stays in the process of its job. A guard between the two ends the job when its caller is gone, and tells the
caller how the job ended. Without its guard a job ends, too.
"""

import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NoReturn

import orjson

from aureum.pdf.jobs import LIBRARIES, answer, limit
from aureum.pdf.refusing import MOST_SEALED

NAME_BYTES = 16
"""What asks for a job: its name, filled up with spaces, with the connection and, if there is one, the file."""

STARTED = b"+"
"""What a guard says first. A connection that ends without it can be asked for again."""

ENDED = struct.Struct("!i")
"""What a guard says last: the exit code of the job, negative for a signal. Between the two stands the job's answer."""

IDLE_SECONDS = 300.0

PARENT_DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG`` of Linux."""


def serve(control: socket.socket) -> None:
    """Fork for each job that comes, until the caller is gone or there was no job for a while."""
    # The system takes away the guards that have ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control.settimeout(IDLE_SECONDS)
    while True:
        try:
            said, received, _, _ = socket.recv_fds(control, NAME_BYTES, 2)
        except TimeoutError:
            return
        if not said:
            return
        name = said.decode().rstrip()
        load(name)
        if os.fork() == 0:
            control.close()
            in_this_process(partial(guard, name, *received))
        for one in received:
            os.close(one)


def load(name: str) -> None:
    """Import what the job *name* needs, if it is not there."""
    for library in LIBRARIES.get(name, ()):
        importlib.import_module(library)
    # What stays is shared with the jobs, whose garbage collector does not touch it.
    gc.freeze()


def guard(name: str, asked: int, file: int | None = None) -> None:
    """Have the job done in a process of its own. Kill it if its caller closes the connection."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=asked) as connection, suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(STARTED)
        # The job alone holds the other end: it is closed when the job ends, however it ends.
        alive, held = os.pipe()
        ours = os.getpid()
        job = os.fork()
        if job == 0:
            end_with(ours)
            os.close(alive)
            in_this_process(partial(work, name, connection, file))
        os.close(held)
        events = select.poll()
        events.register(connection, 0)  # only that it is closed, which is always told
        events.register(alive, 0)
        if alive not in {which for which, _ in events.poll()}:
            os.kill(job, signal.SIGKILL)
        _, status = os.waitpid(job, 0)
        connection.sendall(ENDED.pack(os.waitstatus_to_exitcode(status)))


def end_with(parent: int) -> None:
    """Have the system kill this process when its *parent* ends, however it ends. Only Linux can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def work(name: str, connection: socket.socket, file: int | None) -> None:
    """One job: the arguments come in a line, then the file, unless it came open."""
    limit()
    with connection.makefile("rb") as sent:
        head = orjson.loads(sent.readline())
        if file is None:
            data = sent.read(head["bytes"])
        else:
            with open(file, "rb") as opened:
                # One byte more, so that a file that is too large is seen to be.
                data = opened.read(MOST_SEALED + 1)
    connection.sendall(answer(name, head["arguments"], data))


def in_this_process(do: Callable[[], None]) -> NoReturn:
    """Do this and end, without what the process that was forked would still have done."""
    code = 1
    try:
        do()
        code = 0
    finally:
        os._exit(code)


def main() -> None:
    """Standard input is the socket that is asked over; jobs get none."""
    control = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    serve(control)


if __name__ == "__main__":
    main()
