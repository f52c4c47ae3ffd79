"""Where the rows of each table are on Citus. ``aureum migrate`` asks what is not there yet, and does it.

A table whose primary key begins with ``tenant_id`` is distributed by it, beside the heads: all rows of one brokerage
are on one node, and a new table needs no line here. What is found before it is known whose it is, or is read beside
rows of any brokerage, is copied to every node. The rest stays on the coordinator.
"""

from collections.abc import Container, Iterable, Iterator
from typing import Any, NamedTuple

from psycopg import AsyncConnection, sql

FIRST = "heads"
"""All others are placed as this one is."""

EVERY_NODE = (
    # Directories: the gate and logins look in them before they know the tenant, and appends change them.
    "brokerages",
    "domains",
    "users",
    "api_keys",
    "calendar_feeds",
    "user_tokens",
    # Changed by the appends of users and brokerages.
    "password_links",
    "portal_sessions",
    # Read beside brokerages.
    "domains_seen",
    "retention_notices",
    # Read by every append.
    "given_up_writers",
)
"""In the order in which they are copied."""

COORDINATOR = (
    "data_steps",
    "installed_functions",
    "login_addresses",
    "login_failures",
    "migrations",
    "portal_moves",
    "portal_sign_ins",
    "reset_requests",
    "sealing",
)
"""No append reads or changes these, and they are of no tenant, or in the order of their arrival."""

TABLES = """
SELECT c.relname::text, c.relpersistence = 'u', coalesce((
           SELECT a.attname = 'tenant_id' FROM pg_index i
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
            WHERE i.indrelid = c.oid AND i.indisprimary
       ), false)
  FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
 ORDER BY c.relname <> %s, c.relname
"""
"""Without those of extensions: whether each is unlogged, and whether its key begins with the tenant."""

PLACED = "SELECT logicalrelid::oid::regclass::text FROM pg_dist_partition"

LOGGED = sql.SQL("ALTER TABLE {} SET LOGGED")
"""A table that is not in the log of its node cannot move to another one while it is used."""

BY_TENANT = sql.SQL("SELECT create_distributed_table({}, 'tenant_id')")
BESIDE = sql.SQL("SELECT create_distributed_table({}, 'tenant_id', colocate_with => 'heads')")
COPIED = sql.SQL("SELECT create_reference_table({})")

REACHABLE = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aureum_service' AND rolcanlogin)"
REACH = sql.SQL("ALTER ROLE aureum_service LOGIN")
"""A node asks another one as the role that reads: without a password, so each server's own rules let it in or not."""


class Unplaced(Exception):
    """A table has neither a tenant in its key nor a line here: a mistake of the program."""


class Placing(NamedTuple):
    """What is done, as the operator reads it, and its statements; each is run by itself."""

    told: str
    statements: tuple[sql.Composed | sql.SQL, ...]


def placing(tables: Iterable[tuple[str, bool, bool]], placed: Container[str]) -> Iterator[Placing]:
    """What places each of *tables* that is not *placed*: its name, whether it is unlogged, and whether its key begins
    with the tenant. Raises Unplaced."""
    for name, unlogged, of_tenant in tables:
        if name in placed or name in COORDINATOR:
            continue
        if name in EVERY_NODE:
            told, place = f"{name} on every node", COPIED
        elif of_tenant:
            told, place = f"{name} by tenant", BY_TENANT if name == FIRST else BESIDE
        else:
            raise Unplaced(name)
        logged = (LOGGED.format(sql.Identifier(name)),) if unlogged else ()
        yield Placing(told, (*logged, place.format(sql.Literal(name))))


async def lacking(connection: AsyncConnection[Any]) -> list[Placing]:
    """What distributes the tables that are not distributed yet, in its order. Raises the driver's errors."""
    tables = await (await connection.execute(TABLES, [FIRST])).fetchall()
    placed = {name for (name,) in await (await connection.execute(PLACED)).fetchall()}
    found = list(placing(tables, placed))
    if await (await connection.execute(REACHABLE)).fetchone() != (True,):
        found.append(Placing("the role aureum_service between nodes", (REACH,)))
    return found
