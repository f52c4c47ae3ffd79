"""A process that rebuilds a read model in small steps, and is killed at one of them: ``python -m`` this with the URL,
the tenant, the name, and at which step; 0 for none. It prints how many events it folded."""

import asyncio
import os
import signal
import sys
from uuid import UUID

from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.rebuild import list as rebuild_list
from aureum.store.rebuild import rebuild as rebuilding
from tests.conftest import MASTER_KEY


def main(url: str, tenant: str, name: str, at: int) -> None:
    rebuild_list.BATCH_EVENTS = 4
    rebuild_list.BATCH_ROWS = 2
    rebuilding.FOLLOW_POSITIONS = 4
    steps = 0

    def kill(_: int, __: int) -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)

    made = asyncio.run(rebuilding.rebuild(url, TenantKeys(MasterKey(MASTER_KEY)), name, UUID(tenant), kill))
    print(made.events)


if __name__ == "__main__":
    _, url, tenant, name, at = sys.argv
    main(url, tenant, name, int(at))
