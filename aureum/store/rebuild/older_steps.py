"""Rebuilds what an older version of its step has made, before this version serves it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.store.cipher import TenantKeys
from aureum.store.postgres.database import connect
from aureum.store.postgres.migrate import of_older_steps
from aureum.store.postgres.watch import LONG_SECONDS, Watch
from aureum.store.rebuild.rebuild import Progress, Rebuildable, rebuild, rebuildable

LOCK_HEAD = "SELECT FROM heads WHERE tenant_id = %(tenant)s FOR NO KEY UPDATE"

NOTHING_TO_MAKE = """
UPDATE heads h SET {name}_step = %(step)s
 WHERE h.tenant_id = %(tenant)s
   AND NOT EXISTS (
           SELECT FROM {name} x WHERE x.tenant_id = h.tenant_id AND x.read_version = h.{name}_version
       )
   AND NOT EXISTS (SELECT FROM events e WHERE e.tenant_id = h.tenant_id AND e.type = ANY (%(types)s))
"""
"""Where no event is of the read model and there are no rows. The lock of the head row is held: none comes between."""

Told = Callable[[UUID, str], Progress]
"""Hears of each tenant and read model whose turn it is, and gives what hears how far it is."""


async def rebuild_older_steps(
    url: str, keys: TenantKeys, told: Told | None = None, *, prepared: bool | None = None, watch: Watch | None = None
) -> list[str]:
    """The names of the read models that were rebuilt. *url* is the owner role's.

    Raises Busy, Unavailable, WrongMasterKey; what is done by then stays done, and the next try goes on from there.
    """
    watch = watch or Watch(LONG_SECONDS)
    async with await connect(url, prepared=prepared, watch=watch) as connection:
        made = []
        for tenant_id, name in await of_older_steps(connection):
            model = rebuildable(name)
            if not await nothing_to_make(connection, tenant_id, model):
                progress = None if told is None else told(tenant_id, name)
                await rebuild(url, keys, name, tenant_id, progress, prepared=prepared, watch=watch)
                made.append(name)
    return list(dict.fromkeys(made))


async def nothing_to_make(connection: AsyncConnection[Any], tenant_id: UUID, model: Rebuildable) -> bool:
    """Whether the tenant has nothing of it, so that naming the step was enough."""
    named = {"tenant": tenant_id, "step": model.STEP_VERSION, "types": list(model.TYPES)}
    async with connection.transaction():
        await connection.execute(LOCK_HEAD, named)
        cursor = await connection.execute(NOTHING_TO_MAKE.replace("{name}", model.NAME).encode(), named)
        return cursor.rowcount == 1
