"""Makes what the read models declare and the database lacks: tables and columns, indexes, rights and row security, and
the columns of the head row that name the live version and the step which made it.

Compared first, so that a database that has all of it takes no lock. Indexes are made while requests go on.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.projections.list_sql import columns, indexes, table
from aureum.registry import LISTS, VERSIONED

COLUMNS = """
SELECT c.relname::text, a.attname::text, coalesce(pg_get_expr(d.adbin, d.adrelid), '')
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY (%s)
"""
"""Of each table its columns, with what they are by themselves."""

INDEXES = """
SELECT c.relname::text, i.indisvalid
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
 WHERE c.relnamespace = current_schema()::regnamespace
"""

PROTECTED = """
SELECT c.relname::text
  FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY (%s) AND c.relrowsecurity
   AND has_table_privilege('aureum_service', c.oid, 'SELECT')
   AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'own_tenant')
"""

PROTECT = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own_tenant ON {table};
CREATE POLICY own_tenant ON {table} TO aureum_service
       USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON {table} TO aureum_service
"""
"""The second wall: the service sees only the tenant that its transaction names (docs/decisions/hot-reads.md)."""


RETIRED = ("lead_list_person",)
"""Indexes that others have taken the place of: gone once these are there."""

BEGIN = "UPDATE heads SET {name}_step = {step} WHERE position = 0"


async def lacking(connection: AsyncConnection[Any]) -> list[str]:
    """The statements that make what is not there, in their order; each is run by itself."""
    names = [model.table for model in LISTS]
    found: dict[str, dict[str, str]] = {}
    for name, column, default in await rows(connection, COLUMNS, [["heads", *names]]):
        found.setdefault(name, {})[column] = default
    valid = dict(await rows(connection, INDEXES))
    protected = {name for (name,) in await rows(connection, PROTECTED, [names])}
    statements = list(heads(found.get("heads", {})))
    for model in LISTS:
        if model.table not in found:
            statements.append(table(model))
        else:
            there = found[model.table]
            statements += [
                f"ALTER TABLE {model.table} ADD COLUMN {column}"
                for name, column in columns(model).items()
                if name not in there
            ]
        if model.table not in protected:
            statements.append(PROTECT.replace("{table}", model.table))
        for name, index in indexes(model).items():
            if valid.get(name) is False:
                # Making it was broken off.
                statements.append(f"DROP INDEX {name}")
            if not valid.get(name):
                statements.append(f"CREATE INDEX CONCURRENTLY {name} ON {index}")
    return statements + [f"DROP INDEX CONCURRENTLY {name}" for name in RETIRED if name in valid]


def heads(there: dict[str, str]) -> Iterator[str]:
    """What the head row lacks. Where a read model is new, no step of it has made anything of what there is already, and
    it is rebuilt. A tenant that has nothing yet, or begins after that, has what the present step makes."""
    for model in VERSIONED:
        for column, default in ((f"{model.NAME}_version", 1), (f"{model.NAME}_step", 0)):
            if column not in there:
                yield f"ALTER TABLE heads ADD COLUMN {column} integer NOT NULL DEFAULT {default}"
        if there.get(f"{model.NAME}_step") != str(model.STEP_VERSION):
            yield f"ALTER TABLE heads ALTER COLUMN {model.NAME}_step SET DEFAULT {model.STEP_VERSION}"
            yield BEGIN.replace("{name}", model.NAME).replace("{step}", str(model.STEP_VERSION))
    for model in LISTS:
        if model.searched and f"{model.table}_searched" not in there:
            yield f"ALTER TABLE heads ADD COLUMN {model.table}_searched uuid NOT NULL DEFAULT '{UUID(int=0)}'"


async def rows(connection: AsyncConnection[Any], query: str, parameters: list[Any] | None = None) -> list[Any]:
    """What *query* finds."""
    return await (await connection.execute(query.encode(), parameters)).fetchall()
