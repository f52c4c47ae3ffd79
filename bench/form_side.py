"""One side of ``bench.form``: a version of Aureum that is ready for forms, until its standard input ends.

``bench.form`` runs this text in the checkout of that version, with its packages. So it uses only what every version
since 0.4.1 has, and asks for the rest.
"""

import asyncio
import importlib
import json
import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from aureum.app import open_store
from aureum.settings import Settings
from aureum.store.metadata import COMMAND_LINE, Origin
from bench.databases import database
from bench.processes import MASTER_KEY, aureum
from bench.tenants import Tenant, open_tenants, settle

ROUTING = "aureum.commands.routing"
"""What changes how a brokerage routes, where that can be changed."""


async def routed(url: str, tenants: list[Tenant], mode: str) -> None:
    """The brokerages route by *mode*."""
    commands: Any = importlib.import_module(ROUTING)
    settings: Any = importlib.import_module("aureum.domain.routing.settings")
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        for tenant in tenants:
            change = commands.ChangeRouting(tenant_id=tenant.tenant_id, routing=settings.Routing(mode=mode))
            await commands.change_routing(store, change, Origin(COMMAND_LINE))


def main(server_url: str, name: str, mode: str) -> None:
    """Say where the forms go, and wait."""
    with tempfile.TemporaryDirectory(prefix="aureum-bench-") as directory, database(server_url, name) as url:
        tenants = asyncio.run(open_tenants(url))
        routes = find_spec(ROUTING) is not None
        if routes:
            asyncio.run(routed(url, tenants, mode))
        settle(url)
        with aureum(url, Path(directory)) as server:
            about = {
                "port": server.port,
                "pids": [process.pid for process in server.processes],
                "url": url,
                "hosts": [tenant.host for tenant in tenants],
                "mode": mode if routes else "its own way",
            }
            print(json.dumps(about), flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main(*json.loads(os.environ["AUREUM_BENCH_SIDE"]))
