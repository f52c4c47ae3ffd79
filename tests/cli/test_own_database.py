"""A database of the operator's own: what its role needs, and what is said when it lacks that."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.cli.conftest import Terminal

PASSWORD = "invented for this test"


@contextmanager
def owned_database(server_url: str, *, member: bool) -> Iterator[str]:
    """The URL of an empty database that belongs to a role without any other rights than, perhaps, that membership."""
    name = f"aureum_owner_{uuid4().hex}"
    role = sql.Identifier(name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(PASSWORD)))
        # Since PostgreSQL 16, only a member can give something to a role.
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
        if member:
            connection.execute(sql.SQL("GRANT aureum_service TO {}").format(role))
        try:
            parts = urlsplit(server_url)
            host = parts.netloc.rpartition("@")[2]
            netloc = f"{name}:{PASSWORD.replace(' ', '%20')}@{host}"
            yield urlunsplit(parts._replace(netloc=netloc, path=f"/{name}"))
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(role))
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def test_an_owner_that_is_a_member_needs_nothing_more(terminal: Terminal, server_url: str) -> None:
    with owned_database(server_url, member=True) as url:
        terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", url)
        assert "0004_row_security.sql" in terminal.json("migrate")["ran"]
        slug = terminal.brokerage()
        terminal.json("api-key", "create", "--brokerage", slug, "--name", "K")
        # Reads as the service's role, one tenant at a time.
        assert len(terminal.json("api-key", "list", "--brokerage", slug)) == 1
        assert terminal.json("audit", "verify")["ok"] is True
        assert {one["brokerage"] for one in terminal.json("projections", "rebuild")} == {slug}


def test_an_owner_without_rights_is_told_what_is_missing(terminal: Terminal, server_url: str) -> None:
    with owned_database(server_url, member=False) as url:
        terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", url)
        ended = terminal.run("migrate")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("The database's role may not do this. It must own the database, and either have ")
    assert PASSWORD not in ended.err


def test_the_password_in_the_url_is_not_shown(terminal: Terminal, server_url: str) -> None:
    with owned_database(server_url, member=False) as url:
        terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", url)
        said = terminal.run("settings")
    assert PASSWORD not in said.out and "%20for" not in said.out and ":***@" in said.out
