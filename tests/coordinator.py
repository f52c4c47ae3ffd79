"""Databases for tests where AUREUM_TEST_DATABASE_URL leads to a coordinator of Citus, one of the same name a node.

To make one takes as long as many tests. So a database that a test has done with is emptied, and the next test gets it.
The database of the URL says which nodes there are.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from aureum.store.cipher import MasterKey
from aureum.store.postgres.migrate import migrate

NODES = "SELECT nodename, nodeport, shouldhaveshards FROM pg_dist_node WHERE isactive ORDER BY groupid"
"""The coordinator first."""

CREATE = sql.SQL("CREATE DATABASE {}")
ALONE = "SET citus.enable_create_database_propagation = off"
SHARDS = sql.SQL("ALTER DATABASE {} SET citus.shard_count = 4")

FILLED = """
SELECT c.relname::text FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND c.relname NOT IN ('migrations', 'installed_functions', 'data_steps', 'sealing')
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
SEQUENCES = "SELECT c.relname::text FROM pg_class c WHERE c.relkind = 'S' AND c.relnamespace = 'public'::regnamespace"

free: dict[str, list[str]] = {}
"""The URLs of databases that no test has now, by the coordinator's."""


def is_coordinator(server_url: str) -> bool:
    """Whether the database of *server_url* has Citus."""
    with psycopg.connect(server_url) as connection:
        found = connection.execute("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')").fetchone()
    return found == (True,)


def at(server_url: str, name: str, port: int, database: str) -> str:
    """The URL of *database* on another node."""
    parts = urlsplit(server_url)
    login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return urlunsplit(parts._replace(netloc=f"{login}{name}:{port}", path=f"/{database}"))


def make(server_url: str, master_key: bytes) -> str:
    """A new database on every node, migrated."""
    with psycopg.connect(server_url) as connection:
        nodes = connection.execute(NODES).fetchall()
    name = f"aureum_test_{uuid4().hex}"
    for host, port, _ in nodes:
        with psycopg.connect(at(server_url, host, port, "postgres"), autocommit=True) as connection:
            connection.execute(ALONE)
            connection.execute(CREATE.format(sql.Identifier(name)))
        with psycopg.connect(at(server_url, host, port, name), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION citus")
    (first, port, shards), *others = nodes
    url = at(server_url, first, port, name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SHARDS.format(sql.Identifier(name)))
        connection.execute("SELECT citus_set_coordinator_host(%s, %s)", [first, port])
        for host, its_port, _ in others:
            connection.execute("SELECT citus_add_node(%s, %s)", [host, its_port])
        connection.execute("SELECT citus_set_node_property(%s, %s, 'shouldhaveshards', %s)", [first, port, shards])
    asyncio.run(migrate(url, MasterKey(master_key)))
    return url


def empty(url: str, master_key: bytes) -> None:
    """Leave nothing of what a test has stored."""
    with psycopg.connect(url, autocommit=True) as connection:
        ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        connection.execute(f"{ours} AND pid <> pg_backend_pid() AND application_name = 'aureum'".encode())
        for (name,) in connection.execute(FILLED).fetchall():
            if connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(name))).fetchone():
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        for (name,) in connection.execute(SEQUENCES).fetchall():
            connection.execute("SELECT setval(%s, 1, false)", [name])
        connection.execute("INSERT INTO heads (tenant_id) VALUES ('00000000-0000-0000-0000-000000000000')")
    asyncio.run(migrate(url, MasterKey(master_key)))


@contextmanager
def lent(server_url: str, master_key: bytes) -> Iterator[str]:
    """An empty database for a test."""
    waiting = free.setdefault(server_url, [])
    url = waiting.pop() if waiting else make(server_url, master_key)
    yield url
    empty(url, master_key)
    waiting.append(url)
