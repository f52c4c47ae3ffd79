"""Starting the model's process, and starting it again when it dies.

Whoever starts it listens on the socket itself, so that clients can connect while the model still loads, and find the
same path after a restart.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aureum.routing.embedding import DEFAULT

RESTART_SECONDS = 1.0
RESTART_SECONDS_MOST = 60.0
"""How long a restart waits at most: each death soon after the start doubles the wait."""
SOON_SECONDS = 30.0
LOOK_SECONDS = 0.1
STOP_SECONDS = 5.0
BACKLOG = 128

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""The model is small: more threads take cores from those who wait for it."""


def listen(path: Path) -> socket.socket:
    """The socket on which the model's process will answer; only this user may connect."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(BACKLOG)
    return listener


def start(listener: socket.socket, model: str = DEFAULT) -> "subprocess.Popen[bytes]":
    """The process. It ends when its standard input is closed."""
    return subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-m", "aureum.routing.model_server", str(listener.fileno()), model],
        stdin=subprocess.PIPE,
        pass_fds=[listener.fileno()],
        env={**os.environ, **ONE_THREAD},
    )


def end(process: "subprocess.Popen[bytes]") -> None:
    """Close its standard input, and wait until it has ended; it is killed if it does not."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class ModelProcess:
    """The model's process while ``with`` lasts. ``path`` is where clients connect; ``look_after``, called now and then,
    starts it again when it has died."""

    def __init__(self, model: str = DEFAULT) -> None:
        self.model = model
        self.wait = RESTART_SECONDS
        self.starts = 0

    def __enter__(self) -> "ModelProcess":
        self.folder = tempfile.TemporaryDirectory(prefix="aureum-model-")
        self.path = Path(self.folder.name) / "socket"
        self.listener = listen(self.path)
        self._start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.listener.close()
        end(self.process)
        self.folder.cleanup()

    def _start(self) -> None:
        self.process = start(self.listener, self.model)
        self.started = time.monotonic()
        self.starts += 1

    def look_after(self) -> None:
        """Start it again if it is dead, and has been started long enough ago."""
        lived = time.monotonic() - self.started
        if self.process.poll() is None or lived < self.wait:
            return
        self.wait = min(2 * self.wait, RESTART_SECONDS_MOST) if lived < SOON_SECONDS else RESTART_SECONDS
        end(self.process)
        self._start()


@asynccontextmanager
async def model_process(model: str = DEFAULT) -> AsyncIterator[ModelProcess]:
    """The model's process, looked after by the event loop."""
    with ModelProcess(model) as process:

        async def look() -> None:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                process.look_after()

        looking = asyncio.create_task(look())
        try:
            yield process
        finally:
            looking.cancel()
