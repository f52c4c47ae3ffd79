"""Starts the process that forks for jobs (``forker``), and asks it for one.

There is one such process for each of ours that looks at documents, from its first job on. It knows none of our settings
and credentials, and says nothing: its messages may quote a file.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
from asyncio import StreamReader, StreamWriter, open_unix_connection, timeout
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

import orjson
import structlog

from aureum.domain.errors import Busy
from aureum.pdf.forker import ENDED, NAME_BYTES, STARTED

MOST_ANSWER = 16 * 2**20

PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG", "TZ", "LD_LIBRARY_PATH")
PASSED_ON_FROM = ("PYTHON", "LC_")
"""What the process is told of our environment, by names and their beginnings. All else may be a secret: our settings,
and the credentials of a bucket or of a database."""

KILLED = -signal.SIGKILL

LARGEST_CODE = 255

log = structlog.get_logger()


@dataclass(frozen=True)
class Forker:
    """The process that forks, ours alone: a process that we fork must start its own."""

    control: socket.socket
    process: "subprocess.Popen[bytes]"
    starter: int

    def ask(self, name: str, *passed: int) -> None:
        """Ask for the job *name*. Raises OSError if the process has ended."""
        socket.send_fds(self.control, [name.encode().ljust(NAME_BYTES)[:NAME_BYTES]], passed)


_forker: Forker | None = None
_starting = threading.Lock()


def forker() -> Forker:
    """The process, started if there is none. Raises Busy."""
    global _forker
    with _starting:
        if _forker is None or _forker.starter != os.getpid():
            end()
            _forker = start()
        return _forker


def give_up(ended: Forker) -> None:
    """Another process is started next time."""
    with _starting:
        if _forker is ended:
            end()


def start() -> Forker:
    """Another process. Raises Busy."""
    ours, theirs = socket.socketpair()
    # To wait for room would stop the event loop; there is room for thousands of jobs.
    ours.setblocking(False)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "aureum.pdf.forker"],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if is_passed_on(name)},
            # Ctrl-C is for its starter, who decides.
            start_new_session=True,
        )
    except OSError as error:
        ours.close()
        log.warning("pdf_job_not_started", error=type(error).__name__)
        raise Busy(retry_after=5) from error
    finally:
        theirs.close()
    # It may end long before there is another job, and is not left behind as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    return Forker(ours, process, os.getpid())


@atexit.register
def end() -> None:
    """Let the process end: it does when no process can ask it any more."""
    global _forker
    if _forker is not None:
        _forker.control.close()
        _forker = None


def is_passed_on(name: str) -> bool:
    """Whether the process may know a variable of ours."""
    return name in PASSED_ON or name.startswith(PASSED_ON_FROM)


async def run_forked(name: str, arguments: object, file: bytes | BinaryIO, seconds: float) -> tuple[int, bytes]:
    """The exit code of the job, negative for a signal, and its answer. Raises Busy if it cannot be started, or if it is
    not known how it ended."""
    for _ in range(2):
        # The process may end between two jobs, or be killed: then another one is asked.
        if (ended := await run_once(name, arguments, file, seconds)) is not None:
            return ended
    log.warning("pdf_job_not_started", error="the process that forks has ended twice")
    raise Busy(retry_after=5)


async def run_once(name: str, arguments: object, file: bytes | BinaryIO, seconds: float) -> tuple[int, bytes] | None:
    """The same, or None if the process ended before the job was started."""
    passed = [] if isinstance(file, bytes) else [file.fileno()]
    asked = forker()
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            asked.ask(name, theirs.fileno(), *passed)
        except OSError:
            ours.close()
            give_up(asked)
            return None
    reader, writer = await open_unix_connection(sock=ours)
    try:
        async with timeout(seconds):
            if not await is_started(reader):
                give_up(asked)
                return None
            return await talk(reader, writer, arguments, file)
    except TimeoutError:
        return KILLED, b""
    finally:
        # Whatever still runs is killed now.
        writer.transport.abort()


async def is_started(reader: StreamReader) -> bool:
    """Whether the job has begun: until then, the connection may end with the process that forks."""
    try:
        return await reader.read(len(STARTED)) == STARTED
    except ConnectionError:
        return False


async def talk(
    reader: StreamReader, writer: StreamWriter, arguments: object, file: bytes | BinaryIO
) -> tuple[int, bytes]:
    """Give the job what it works on, and read its answer up to the code that ends it. Raises Busy if the code does not
    come: then the guard was killed, and nothing is known of the file."""
    size = len(file) if isinstance(file, bytes) else None
    writer.write(orjson.dumps({"arguments": arguments, "bytes": size}) + b"\n")
    if isinstance(file, bytes):
        writer.write(file)
    output = bytearray()
    # A job that has ended early reads no more; its exit code says why.
    with suppress(ConnectionError):
        while part := await reader.read(2**16):
            output += part
            if len(output) > MOST_ANSWER:
                return KILLED, b""
    code = ENDED.unpack(output[-ENDED.size :])[0] if len(output) >= ENDED.size else None
    # The end of an answer, which is text, is a far larger number.
    if code is None or abs(code) > LARGEST_CODE:
        log.warning("pdf_job_lost")
        raise Busy(retry_after=5)
    return code, bytes(output[: -ENDED.size])
