"""A login for processes that answer requests, which owns nothing in the database."""

import asyncio
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from aureum.store.postgres.service_role import give_rights

LOGIN = "aureum_test_requests"


def login_that_owns_nothing(url: str) -> str:
    """The URL of the same database by such a login, which has been given its rights as 'aureum migrate' gives them."""
    own = login_without_rights(url)
    asyncio.run(give_rights(url, own))
    return own


def login_without_rights(url: str) -> str:
    """The same, before it has been given any."""
    password = str(conninfo_to_dict(url).get("password") or "")
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            login, secret = sql.Identifier(LOGIN), sql.Literal(password or None)
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(login, secret))
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            # It belongs to the whole server: another run has made it.
            pass
    parts = urlsplit(url)
    secret_part = f":{quote(password, safe='')}" if password else ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{LOGIN}{secret_part}@{host}"))
