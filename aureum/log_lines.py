"""Where log lines go: those of one turn of the event loop together, since each write is a call of the system.

A warning or an error is written at once, with what came before it; so is anything that is logged where
no event loop runs. Lines of several processes that share a pipe must not get mixed up, so that no write is longer than
a pipe takes at once, unless one line alone is. A log that cannot be written, since the disk is full or no process reads
the pipe any more, must not stop what it tells of: those lines are lost.
"""

import asyncio
import atexit
import select
import threading
from contextlib import suppress
from typing import BinaryIO


class Lines:
    """A logger, as structlog calls the object that writes; one a process."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        # The collector of garbage may log, too, while a line is being written.
        self.lock = threading.RLock()
        self.waiting: list[bytes] = []
        self.size = 0
        self.turn_of: asyncio.AbstractEventLoop | None = None
        """The loop that will write what waits, at the end of its turn."""
        atexit.register(self.write)

    def info(self, line: bytes) -> None:
        """Write *line* at the end of this turn."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.error(line)
            return
        self._add(line)
        if self.turn_of is not loop:
            self.turn_of = loop
            loop.call_soon(self.write)

    def error(self, line: bytes) -> None:
        """Write *line* now."""
        self._add(line)
        self.write()

    debug = info
    warning = critical = exception = error

    def write(self) -> None:
        """Write what waits."""
        with self.lock:
            self._write()

    def _add(self, line: bytes) -> None:
        with self.lock:
            if self.size + len(line) >= select.PIPE_BUF:
                self._write()
            self.waiting.append(line)
            self.size += len(line) + 1

    def _write(self) -> None:
        lines, self.waiting, self.size, self.turn_of = self.waiting, [], 0, None
        if lines:
            # There is nowhere left to tell it.
            with suppress(OSError, ValueError):
                self.file.write(b"\n".join((*lines, b"")))
                self.file.flush()
