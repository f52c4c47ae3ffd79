"""A real PostgreSQL for every test that asks for one: the server of AUREUM_TEST_DATABASE_URL, or an embedded one.

``database_url`` is a fresh, migrated database, copied from a template that is migrated once a run;
``module_database_url`` the same for all tests of a module that leave nothing behind or do not mind. The server may be a
coordinator of Citus (``coordinator.py``).
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from aureum.processes.resident import collect_seldom, leave_alone_what_stays
from aureum.routing.model_process import listen, start
from aureum.store.cipher import MasterKey
from aureum.store.postgres import embedded
from aureum.store.postgres.migrate import migrate
from tests import coordinator

collect_seldom()

# To copy files is half the work, but waits for the disk where there is one.
COPIED = sql.SQL("FILE_COPY" if "shm" in Path(tempfile.gettempdir()).parts else "WAL_LOG")

MASTER_KEY = b"a master key for the tests only!"


def pytest_collection_finish() -> None:
    """Spare the garbage collector the tests themselves and what they import, which it would walk again and again."""
    leave_alone_what_stays()


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A server whose role may create databases and roles."""
    given = os.environ.get("AUREUM_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="aureum-tests-") as directory, embedded.start(Path(directory)) as server:
        yield server.url


def with_database(url: str, name: str) -> str:
    """*url* with another database's name."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def execute(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def drop(server_url: str, name: str) -> None:
    """Drop a database and end our connections to it; WITH (FORCE) may not end those of autovacuum."""
    ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {} AND usename = current_user"
    for left in reversed(range(5)):
        try:
            execute(server_url, sql.SQL(ours).format(sql.Literal(name)))
            break
        except psycopg.errors.InsufficientPrivilege:
            # A session that is just beginning or ending belongs to no user for a moment.
            if not left:
                raise
            time.sleep(0.1)
    execute(server_url, sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """The name of a migrated database that tests copy; none on a coordinator of Citus, where nothing can be copied."""
    if coordinator.is_coordinator(server_url):
        yield ""
        return
    name = f"aureum_template_{uuid4().hex}"
    execute(server_url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    asyncio.run(migrate(with_database(server_url, name), MasterKey(MASTER_KEY)))
    yield name
    drop(server_url, name)


@contextmanager
def fresh_database(server_url: str, template: str) -> Iterator[str]:
    """A copy of the template, dropped at the end; on a coordinator of Citus, one that is emptied at the end."""
    if not template:
        with coordinator.lent(server_url, MASTER_KEY) as url:
            yield url
        return
    name = f"aureum_test_{uuid4().hex}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}")
    execute(server_url, create.format(sql.Identifier(name), sql.Identifier(template), COPIED))
    yield with_database(server_url, name)
    drop(server_url, name)


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """A fresh, migrated database."""
    with fresh_database(server_url, template) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(server_url: str, template: str) -> Iterator[str]:
    """A fresh, migrated database for a whole module."""
    with fresh_database(server_url, template) as url:
        yield url


@pytest.fixture(scope="session")
def model_path() -> Iterator[Path]:
    """Where the process of the routing model answers, one for all tests that ask for it."""
    with tempfile.TemporaryDirectory(prefix="aureum-model-") as folder:
        path = Path(folder) / "socket"
        with listen(path) as listener:
            process = start(listener)
            yield path
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(30) == 0
