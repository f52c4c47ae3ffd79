"""The locks of the embedded server: `flock`s on files, which end with their processes, however these die."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from aureum.store.postgres.embedded_programs import EmbeddedDatabaseError

PATIENCE = 300.0  # seconds: recovery after a crash may take minutes; a server that has died is noticed at once
PAUSE = 0.02


def open_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def try_lock(path: Path) -> int | None:
    """The descriptor that holds the lock until it is closed, or None if another process holds it."""
    descriptor = open_file(path)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_free(path: Path, within: float = 0) -> bool:
    """Whether no process holds the lock, now or after *within* seconds at most."""
    deadline = time.monotonic() + within
    while (descriptor := try_lock(path)) is None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(PAUSE)
    os.close(descriptor)
    return True


@contextmanager
def lock(path: Path) -> Iterator[int]:
    """Wait for the lock and hold it; its descriptor."""
    deadline = time.monotonic() + 2 * PATIENCE  # its holder may be waiting for a recovery
    while (descriptor := try_lock(path)) is None:
        if time.monotonic() >= deadline:
            raise EmbeddedDatabaseError(
                f"Another process has been starting or stopping the database for too long. It holds {path}."
            )
        time.sleep(PAUSE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
