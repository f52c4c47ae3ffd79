"""A worker as a process of its own, for tests that kill it. SIGTERM tells it to stop.

Its arguments are the database's URL, the seconds of a lease, those of an attempt and, if it is to be no test's
impatient one, those between two looks.
"""

import asyncio
import signal
import sys
from ipaddress import ip_network

import uvloop

from aureum.store.cipher import MasterKey, TenantKeys
from aureum.webhooks.worker.worker_settings import WorkerSettings
from aureum.worker.worker import run_worker
from tests.conftest import MASTER_KEY

LOOPBACK = (ip_network("127.0.0.0/8"),)


async def main(url: str, lease_seconds: float, timeout_seconds: float, poll_seconds: float = 0.05) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = WorkerSettings(
        allow_networks=LOOPBACK,
        lease_seconds=lease_seconds,
        timeout_seconds=timeout_seconds,
        poll_seconds=poll_seconds,
    )
    await run_worker(url, TenantKeys(MasterKey(MASTER_KEY)), stop, settings=settings)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], *map(float, sys.argv[2:])))
