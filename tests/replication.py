"""Two real PostgreSQL 15 of a test's own, a primary and a standby that follows it, on free ports of the loopback
address."""

import contextlib
import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
DATABASE = "aureum"
PATIENCE = 60

SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
wal_level = replica
max_wal_senders = 4
wal_keep_size = '256MB'
hot_standby = on
"""


@dataclass
class Postgres:
    """One server, in its directory."""

    data: Path
    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return url_of(self.host)

    def control(self, *arguments: str) -> None:
        """What ``pg_ctl`` does with it."""
        run("pg_ctl", "--silent", f"--pgdata={self.data}", f"--timeout={PATIENCE}", *arguments)

    def start(self) -> None:
        options = f"--options=-p {self.port}"
        self.control("start", options, f"--log={self.data}.log")

    def stop(self) -> None:
        """As in a power cut."""
        self.control("stop", "--mode=immediate")

    def promote(self) -> None:
        """Make a primary of it; returns when it takes writes."""
        self.control("promote")

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def position(self) -> str:
        """How far it has come: what it has written, or replayed."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(
                "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text"
            ).fetchone()
        assert row is not None
        return str(row[0])


def url_of(*hosts: str, **parameters: str) -> str:
    """The URL of the database at one of *hosts*."""
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    return f"postgresql://aureum@{','.join(hosts)}/{DATABASE}" + (f"?{query}" if query else "")


def run(program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL to its end; it refuses to work as root."""
    path = PROGRAMS / program
    assert path.exists(), "Install PostgreSQL 15 (Debian's package postgresql-15)."
    lent = ["runuser", "-u", "postgres", "--"] if getpass.getuser() == "root" else []
    command = [*lent, str(path), *arguments]
    done = subprocess.run(
        command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=PATIENCE
    )
    assert done.returncode == 0, f"{command}: {done.stderr.decode()}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextlib.contextmanager
def replicated(*, synchronous: bool) -> Iterator[tuple[Postgres, Postgres]]:
    """A primary with an empty database, and its standby. With *synchronous* nothing is acknowledged that the standby
    has not written."""
    directory = Path(tempfile.mkdtemp(prefix="aureum-replicated-"))
    if getpass.getuser() == "root":
        shutil.chown(directory, "postgres")
    primary, standby = (Postgres(directory / name, free_port()) for name in ("primary", "standby"))
    try:
        run("initdb", f"--pgdata={primary.data}", "--username=aureum", "--auth=trust", "--locale=C.UTF-8", "--no-sync")
        with (primary.data / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS)
        primary.start()
        with psycopg.connect(f"postgresql://aureum@{primary.host}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        follows = f"host=127.0.0.1 port={primary.port} user=aureum application_name=standby"
        run(
            *("pg_basebackup", f"--pgdata={standby.data}", f"--dbname={follows}", "--write-recovery-conf"),
            *("--checkpoint=fast", "--no-sync"),
        )
        standby.start()
        if synchronous:
            primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
            primary.execute("SELECT pg_reload_conf()")
        caught_up(primary, standby)
        yield primary, standby
    finally:
        for server in (standby, primary):
            if (server.data / "postmaster.pid").exists():
                server.stop()
        shutil.rmtree(directory)


def caught_up(primary: Postgres, standby: Postgres) -> None:
    """Wait until the standby shows all that the primary has."""
    deadline, goal = time.monotonic() + PATIENCE, as_number(primary.position())
    while as_number(standby.position()) < goal:
        assert time.monotonic() < deadline, "The standby does not follow."
        time.sleep(0.02)


def as_number(position: str) -> int:
    """A position in the log of writes, to be compared."""
    high, low = position.split("/")
    return (int(high, 16) << 32) + int(low, 16)
