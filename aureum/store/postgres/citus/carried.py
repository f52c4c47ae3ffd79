"""The function that Citus carries to the node of its tenant: the append (docs/decisions/citus.md)."""

from typing import Any

from psycopg import AsyncConnection

CARRIED = """
SELECT EXISTS (
           SELECT FROM pg_catalog.pg_dist_object o
            WHERE o.classid = 'pg_proc'::regclass AND o.objid = to_regprocedure(%s)
              AND o.distribution_argument_index IS NOT NULL
       )
"""

CARRY = "SELECT create_distributed_function(%s::regprocedure, 'p_tenant', colocate_with => 'heads')"
"""It is made on all nodes, with the types and functions that it needs."""


async def are_carried(connection: AsyncConnection[Any], signature: str) -> bool:
    """Whether the nodes have the function. Raises the driver's errors."""
    return await (await connection.execute(CARRIED, [signature])).fetchone() == (True,)


async def carry(connection: AsyncConnection[Any], signature: str) -> None:
    """Give it to the nodes. Raises the driver's errors."""
    await connection.execute(CARRY, [signature])
