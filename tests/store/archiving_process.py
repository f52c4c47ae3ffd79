"""A process that archives a tenant's log in steps of two events and is killed: ``python -m`` this with the URL, the
tenant, the last position, and ``inside`` or ``behind``. It has made two steps then, and inside the third, its rows are
moved and not committed."""

import asyncio
import os
import signal
import sys
from uuid import UUID

from aureum.store import archive
from aureum.store.postgres.database import connect


async def main(url: str, tenant_id: UUID, last: int, where: str) -> None:
    async with await connect(url) as connection:
        await archive.make_table(connection)
        for _ in range(2):
            async with connection.transaction():
                await archive.step_of(connection, tenant_id, last, 2)
        if where == "inside":
            async with connection.transaction():
                await archive.step_of(connection, tenant_id, last, 2)
                os.kill(os.getpid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _, url, tenant, last, where = sys.argv
    asyncio.run(main(url, UUID(tenant), int(last), where))
