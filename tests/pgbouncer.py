"""A real PgBouncer before PostgreSQL, in transaction mode: each transaction gets one of a few sessions."""

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
from urllib.parse import urlsplit, urlunsplit

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.freezer import freezer

SESSIONS = 4
"""Fewer than one process of Aureum has connections: they have to share."""

SETTINGS = """
[databases]
* = host=127.0.0.1 port={server_port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {directory}/users
pool_mode = transaction
default_pool_size = {sessions}
server_tls_sslmode = disable
"""


@dataclass
class Pooler:
    """One that runs; ``url`` leads to the database through it."""

    directory: Path
    program: str
    url: str
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, and wait until it lets connections in."""
        log = (self.directory / "log").open("ab")
        with log:
            # It refuses to work as root, and becomes this user itself.
            user = ["-u", "postgres"] if getpass.getuser() == "root" else []
            self.process = subprocess.Popen([self.program, *user, str(self.directory / "ini")], stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", urlsplit(self.url).port or 0), timeout=5).close()
                return
            except ConnectionRefusedError:
                said = (self.directory / "log").read_text()
                assert self.process.poll() is None and time.monotonic() < deadline, said
                time.sleep(0.02)

    def stop(self) -> None:
        """End it at once, with all connections."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(30)


@contextlib.contextmanager
def pgbouncer(url: str) -> Iterator[Pooler]:
    """One before the database at *url*, until the end."""
    # As a user who is not root, it finds no program of /usr/sbin on its path.
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed (Debian's package pgbouncer)")
    about = conninfo_to_dict(url)
    with (
        freezer(url) as server,
        tempfile.TemporaryDirectory(prefix="aureum-pgbouncer-") as name,
        socket.create_server(("127.0.0.1", 0)) as taken,
    ):
        directory, port = Path(name), taken.getsockname()[1]
        taken.close()
        directory.chmod(0o755)
        (directory / "users").write_text(f'"{about["user"]}" "{about.get("password") or ""}"\n')
        (directory / "ini").write_text(
            SETTINGS.format(server_port=urlsplit(server.url).port, port=port, directory=directory, sessions=SESSIONS)
        )
        parts = urlsplit(server.url)
        pooled = urlunsplit(parts._replace(netloc=parts.netloc.rpartition(":")[0] + f":{port}"))
        pooler = Pooler(directory, program, pooled)
        pooler.start()
        try:
            yield pooler
        finally:
            pooler.stop()
