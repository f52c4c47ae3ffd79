"""The login of processes that answer requests, where it is not the owner: ``aureum migrate`` gives it its rights. It
can change neither tables nor events, and in the tables of brokerages it sees those rows whose tenant its transaction
names (``aureum/service_rights.py``).

The rights belong to the group ``aureum_requests``, so that a backup can be restored beside any login.
"""

from collections.abc import AsyncIterator

import psycopg
from psycopg import sql

from aureum.domain.errors import DomainError
from aureum.service_rights import ADDS, EVERYWHERE, LESS, OF_THE_TENANT, READS, WRITES
from aureum.store.postgres.connection import Connection
from aureum.store.postgres.database import connect
from aureum.store.postgres.migrate import be_the_only_one, what_is_newer
from aureum.store.postgres.watch import LONG_SECONDS, Watch

GROUP_EXISTS = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aureum_requests')"

# Another database of the same server may be given its rights at the same time: roles belong to the server.
MAKE_GROUP = """
DO $$
BEGIN
    CREATE ROLE aureum_requests NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$
"""

JOIN_GROUP = """
DO $$
BEGIN
    IF NOT pg_has_role({member}, {group}, 'MEMBER') THEN
        GRANT {role} TO {to};
    END IF;
EXCEPTION WHEN unique_violation THEN
    NULL;
END
$$
"""

ON_UTC = "ALTER ROLE CURRENT_USER IN DATABASE {database} SET timezone = 'UTC'"
"""By the login itself, as the first migration does it for the owner."""

TABLES = """
SELECT c.relname::text, EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'own_tenant')
  FROM pg_class c
  JOIN pg_class h ON h.oid = to_regclass('heads')
 WHERE c.relnamespace = h.relnamespace AND c.relowner = h.relowner AND c.relkind IN ('r', 'p')
   AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
 ORDER BY c.relname
"""
"""The owner's tables without those that are read as a part of another one, and whether a transaction sees the rows of
the tenant alone that it names."""

LACKING = """
SELECT t.name
  FROM unnest(%(tables)s::text[], %(rights)s::text[], %(policed)s::boolean[]) AS t (name, rights, policed)
 WHERE EXISTS (
           SELECT FROM unnest(string_to_array(t.rights, ',')) AS r (given)
            WHERE CASE WHEN btrim(r.given) = 'DELETE'
                  THEN NOT has_table_privilege('aureum_requests', t.name, 'DELETE')
                  ELSE NOT has_any_column_privilege('aureum_requests', t.name, btrim(split_part(r.given, '(', 1)))
                  END
       )
    OR t.policed AND NOT EXISTS (
           SELECT FROM pg_policy p WHERE p.polrelid = to_regclass(t.name) AND p.polname = 'requests'
       )
"""
"""The tables of which the group lacks a right, or sees no row."""

SEQUENCES = """
SELECT c.relname::text
  FROM pg_sequence s
  JOIN pg_class c ON c.oid = s.seqrelid
  JOIN pg_class h ON h.oid = to_regclass('heads')
 WHERE c.relnamespace = h.relnamespace AND c.relowner = h.relowner
   AND NOT has_sequence_privilege('aureum_requests', s.seqrelid, 'USAGE')
"""
"""Those of which the group may take no number."""

READS_LEDGER = """
SELECT bool_and(has_table_privilege(t.name, 'SELECT'))
  FROM unnest(ARRAY['heads', 'migrations', 'installed_functions']) AS t (name)
"""
"""Whether the login can find out which version has brought the database up to date."""

MEMBERS = """
SELECT pg_has_role('aureum_requests', 'aureum_service', 'MEMBER') AND pg_has_role(%s::name, 'aureum_requests', 'MEMBER')
"""

PLACE = "SELECT current_database()::text, to_regclass('heads')::oid::int8, pg_postmaster_start_time()"
"""By which a database is known again."""

POLICIES = {
    READS: "FOR SELECT TO aureum_requests USING (true)",
    ADDS: "FOR INSERT TO aureum_requests WITH CHECK (true)",
}
"""By the rights: of a table that is open for less than everything."""

OWN_TENANT = "TO aureum_requests USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid)"

BY_AN_ADMINISTRATOR = """
The owner's role may not give the login {login} what it needs. Let an administrator of PostgreSQL run this once, then \
run 'aureum migrate' again:

    CREATE ROLE aureum_requests NOLOGIN;  -- unless it exists
    GRANT aureum_service TO aureum_requests;
    GRANT aureum_requests TO {login};
"""


class RightsNotGiven(DomainError):
    """The owner's role may not make roles."""

    def __init__(self, login: str) -> None:
        super().__init__(BY_AN_ADMINISTRATOR.format(login=f'"{login}"').strip())


class OtherDatabase(DomainError):
    """AUREUM_OWNER_DATABASE_URL and AUREUM_DATABASE_URL lead to different databases. They must differ in the login
    alone."""

    def __init__(self) -> None:
        super().__init__(" ".join((type(self).__doc__ or "").split()))


async def owns(url: str, watch: Watch | None = None) -> bool:
    """Whether the login of *url* owns the tables, or could become their owner. Raises Unavailable."""
    async with await connect(url, watch=watch) as connection:
        return not connection.owns_nothing


async def lacks_rights(connection: Connection) -> bool:
    """Whether the login of *connection* owns nothing, and has not all the rights that ``give_rights`` gives. What a
    newer version has given is enough: it may give less of a table that this one does not know. Raises the driver's
    errors."""
    if not connection.owns_nothing:
        return False
    async for _ in lacking(connection, await login_of(connection)):
        reads = await (await connection.execute(READS_LEDGER)).fetchone() == (True,)
        return not (reads and await what_is_newer(connection))
    return False


async def login_of(connection: Connection) -> str:
    """The login as the server knows it; a pooler may have been given another name. Raises the driver's errors."""
    row = await (await connection.execute("SELECT session_user::text")).fetchone()
    assert row is not None
    return str(row[0])


async def check_same(owner: Connection, service: Connection) -> None:
    """Raises OtherDatabase."""
    places = [await (await one.execute(PLACE)).fetchone() for one in (owner, service)]
    if places[0] != places[1]:
        raise OtherDatabase


async def give_rights(owner_url: str, service_url: str, watch: Watch | None = None) -> list[str]:
    """Give the login of *service_url*, unless it owns the tables itself, what it lacks; ``["rights"]`` if that was
    anything. Raises Busy, Unavailable, OtherDatabase, RightsNotGiven."""
    watch = watch or Watch(LONG_SECONDS)
    async with await connect(service_url, watch=watch) as service, await connect(owner_url, watch=watch) as owner:
        await check_same(owner, service)
        if not service.owns_nothing:
            return []
        await owner.execute("SET lock_timeout = '60s'")
        await be_the_only_one(owner)
        await service.execute(sql.SQL(ON_UTC).format(database=sql.Identifier(service.info.dbname)))
        login, given = await login_of(service), []
        try:
            # Each by itself: the lock on a table is held for a moment, and never together with another one's.
            async for statement in lacking(owner, login):
                given.append(await owner.execute(statement))
        except psycopg.errors.InsufficientPrivilege as error:
            raise RightsNotGiven(login) from error
    return ["rights"] if given else []


async def lacking(connection: Connection, login: str) -> AsyncIterator[sql.Composed]:
    """What gives *login* what it lacks: each a transaction of its own, in their order, and each to be run before the
    next is asked for. Raises the driver's errors."""
    if await (await connection.execute(GROUP_EXISTS)).fetchone() != (True,):
        yield sql.SQL(MAKE_GROUP).format()
    if await (await connection.execute(MEMBERS, [login])).fetchone() != (True,):
        for member, group in (("aureum_requests", "aureum_service"), (login, "aureum_requests")):
            names = {"role": sql.Identifier(group), "to": sql.Identifier(member)}
            yield sql.SQL(JOIN_GROUP).format(member=sql.Literal(member), group=sql.Literal(group), **names)
    tables = await (await connection.execute(TABLES)).fetchall()
    rights = {name: given for name, _ in tables if (given := LESS.get(name, WRITES))}
    own = {name for name, of_tenant in tables if of_tenant and name not in EVERYWHERE}
    asked = {"tables": list(rights), "rights": list(rights.values()), "policed": [name not in own for name in rights]}
    for (name,) in await (await connection.execute(LACKING, asked)).fetchall():
        yield opened(name, rights[name], policed=name not in own)
    for (name,) in await (await connection.execute(SEQUENCES)).fetchall():
        yield sql.SQL("GRANT USAGE ON SEQUENCE {} TO aureum_requests").format(sql.Identifier(name))


def opened(name: str, rights: str, *, policed: bool) -> sql.Composed:
    """What opens one table; *policed* if no policy that it has is for this group."""
    table = sql.Identifier(name)
    grant = sql.SQL("GRANT {rights} ON {table} TO aureum_requests").format(rights=sql.SQL(rights), table=table)
    if not policed:
        return grant
    only = OWN_TENANT if name in OF_THE_TENANT else POLICIES.get(rights, "TO aureum_requests USING (true)")
    return sql.SQL(
        "{grant}; DROP POLICY IF EXISTS requests ON {table}; CREATE POLICY requests ON {table} {only}"
    ).format(grant=grant, table=table, only=sql.SQL(only))
