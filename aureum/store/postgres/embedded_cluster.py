"""The cluster of the embedded server and its processes: made, started, stopped. All of it is called under
`postgres.lock` (`embedded.py`)."""

import os
import shutil
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from aureum.store.postgres.embedded_locks import PATIENCE, PAUSE, is_free, lock, open_file, try_lock
from aureum.store.postgres.embedded_programs import (
    EmbeddedDatabaseError,
    ServerUser,
    make_directory,
    run_program,
    server_user,
    spawn_program,
)

SILENT_TIME = 3  # seconds: for a server that is to be stopped
ANSWER_TIME = 10  # seconds: for one try to connect, and for killed processes to end
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


def make_cluster(data_dir: Path, user: ServerUser) -> None:
    new = data_dir / "postgres.new"
    # It is made under the server's lock, which initdb inherits: if we are killed, the next start waits for it to end.
    with lock(data_dir / "postgres.server") as server_lock:
        if new.exists():  # its making was cut short
            shutil.rmtree(new)
        make_directory(new, user)
        code, output = run_program("initdb", new, user, INITDB, PATIENCE, keep=(server_lock,))
        if code != 0:
            message = f"No database could be made in {data_dir}:\n{output}"
            raise EmbeddedDatabaseError(with_space_left(data_dir, message))
        new.rename(data_dir / "postgres")
    directory = os.open(data_dir, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def run(data_dir: Path, user: ServerUser) -> None:
    """Return when the server answers; start it if none of its processes lives."""
    log, launched = data_dir / "postgres.log", False
    deadline = time.monotonic() + PATIENCE
    while (refusal := _refusal(data_dir / "postgres")) is not None:
        if "FATAL:" in refusal and "the database system is " not in refusal:  # is starting up, is shutting down, …
            raise EmbeddedDatabaseError(f"The database in {data_dir} runs but refuses connections: {refusal}")
        # After a kill -9, the server's other processes may live for a moment; two servers must never meet.
        if (server_lock := try_lock(data_dir / "postgres.server")) is not None:
            try:
                if launched:
                    said = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
                    message = f"The database in {data_dir} does not start. The end of {log}:\n{said}"
                    raise EmbeddedDatabaseError(with_space_left(data_dir, message))
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
        psycopg.connect(url_of(cluster, "postgres", "postgres"), connect_timeout=ANSWER_TIME).close()
    except psycopg.OperationalError as error:
        return str(error)
    return None


def _is_silent(cluster: Path) -> bool:
    """Whether the server neither lets us in nor says why not."""
    try:
        psycopg.connect(url_of(cluster, "postgres", "postgres"), connect_timeout=SILENT_TIME).close()
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
    descriptor = open_file(log)
    try:
        process = spawn_program("postgres", data_dir / "postgres", user, options, descriptor, keep=(server_lock,))
    finally:
        os.close(descriptor)
    # A thread waits for it, or it would stay a zombie when it dies, and PostgreSQL takes zombies for living servers.
    threading.Thread(target=process.wait, name="embedded-postgres", daemon=True).start()


def make_database(cluster: Path) -> None:
    url = url_of(cluster, "postgres", "postgres")
    with psycopg.connect(url, autocommit=True, connect_timeout=ANSWER_TIME) as connection:
        if not connection.execute("SELECT FROM pg_roles WHERE rolname = 'aureum'").rowcount:
            connection.execute("CREATE ROLE aureum LOGIN CREATEDB CREATEROLE")
        if not connection.execute("SELECT FROM pg_database WHERE datname = 'aureum'").rowcount:
            connection.execute("CREATE DATABASE aureum OWNER aureum")


def stop_unless_used(data_dir: Path) -> None:
    """To be called under postgres.lock, so that no other process comes in between."""
    if not is_free(data_dir / "postgres.users") or is_free(data_dir / "postgres.server"):
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
    if code != 0 and not is_free(data_dir / "postgres.server", within=ANSWER_TIME):
        raise EmbeddedDatabaseError(f"The database in {data_dir} does not stop: {output}")


def url_of(cluster: Path, user: str, database: str) -> str:
    return f"postgresql://{user}@/{database}?host={quote(str(cluster), safe='')}&port=5432"


def with_space_left(data_dir: Path, message: str) -> str:
    free = shutil.disk_usage(data_dir).free if data_dir.exists() else LITTLE_SPACE
    if free >= LITTLE_SPACE:
        return message
    return f"{message}\nThe disk of {data_dir} is full, or nearly: {free >> 20} MB are left. Free some space."
