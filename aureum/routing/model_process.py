"""Starting the model's process, and starting it again when it dies.

Its starter listens on the socket itself, so that clients can connect while the model still loads, and find the same
path after a restart. Beside the socket, a file tells clients that the model has died or cannot be loaded: they need not
wait for it to load.
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

import structlog

BUNDLED = "bundled"
"""The name of the model that ships."""

RESTART_SECONDS = 1.0
RESTART_SECONDS_MOST = 60.0
"""How long a restart waits at most: each death soon after the start doubles the wait."""
SOON_SECONDS = 30.0
LOOK_SECONDS = 0.1
STOP_SECONDS = 5.0
BACKLOG = 128

CANNOT_LOAD = 3
"""The exit code of a model that cannot be loaded, this time or the next."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""The model is small: more threads take cores from those who wait for it."""

OURS = "AUREUM_"
"""How settings begin. Some are secrets, which are none of a model's business."""

log = structlog.get_logger()


def failure_of(path: Path) -> Path:
    """The file that says why there is no model on the socket *path*."""
    return path.with_name("failed")


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


def start(listener: socket.socket, model: str = BUNDLED) -> "subprocess.Popen[bytes]":
    """The process. It ends when its standard input is closed."""
    return subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-m", "aureum.routing.model_server", str(listener.fileno()), model],
        stdin=subprocess.PIPE,
        stdout=2,  # standard output is for what scripts read
        pass_fds=[listener.fileno()],
        env={name: value for name, value in os.environ.items() if not name.startswith(OURS)} | ONE_THREAD,
        # Ctrl-C is for its starter, who decides.
        start_new_session=True,
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
    starts it again when it has died. One that cannot be loaded stays away."""

    def __init__(self, model: str = BUNDLED) -> None:
        self.model = model
        self.wait = RESTART_SECONDS
        self.starts = 0
        self.told = False

    def __enter__(self) -> "ModelProcess":
        # The process removes the folder itself if its starter is killed.
        self.folder = tempfile.TemporaryDirectory(prefix="aureum-model-", ignore_cleanup_errors=True)
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
        self.told = False

    def look_after(self) -> None:
        """Start it again if it is dead, and has been started long enough ago."""
        code = self.process.poll()
        if code is None:
            return
        if not self.told:
            self.told = True
            self._tell(code)
        lived = time.monotonic() - self.started
        if code == CANNOT_LOAD or lived < self.wait:
            return
        self.wait = min(2 * self.wait, RESTART_SECONDS_MOST) if lived < SOON_SECONDS else RESTART_SECONDS
        end(self.process)
        self._start()

    def _tell(self, code: int) -> None:
        failure = failure_of(self.path)
        if code == CANNOT_LOAD:
            log.error(
                "routing_model_not_loaded",
                reason=failure.read_text(),
                then="leads are routed without it; mend AUREUM_ROUTING_MODEL and start again",
            )
            return
        failure.touch()
        log.warning("routing_model_died", code=code, then="starting it again; leads are routed without it meanwhile")


@asynccontextmanager
async def model_process(model: str = BUNDLED) -> AsyncIterator[ModelProcess]:
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
