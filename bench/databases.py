"""A server to measure on, and databases of our own on it: an embedded one, or that of AUREUM_BENCH_DATABASE_URL."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from aureum.store.postgres import embedded

VARIABLE = "AUREUM_BENCH_DATABASE_URL"
DROPS = 60


@contextmanager
def server() -> Iterator[str]:
    """The URL of a server whose role may create databases (and, for Aureum's migrations, roles)."""
    given = os.environ.get(VARIABLE)
    if given:
        yield given
        return
    with embedded.throwaway() as started:
        yield started.url


@contextmanager
def database(server_url: str, name: str) -> Iterator[str]:
    """A new database, dropped at the end; one that an earlier run left behind is dropped first."""
    name = f"aureum_bench_{name}"
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            drop_patiently(connection, drop)


def drop_patiently(connection: psycopg.Connection[Any], drop: sql.Composed) -> None:
    """Drop a database that autovacuum may be at work in, which only a superuser could break off."""
    for _ in range(DROPS - 1):
        try:
            connection.execute(drop)
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectInUse):
            time.sleep(1)
        else:
            return
    connection.execute(drop)


def version(url: str) -> str:
    """What the server says it is: ``PostgreSQL 18.6``."""
    with psycopg.connect(url) as connection:
        return f"PostgreSQL {connection.info.parameter_status('server_version')}"
