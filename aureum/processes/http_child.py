"""A process that answers requests."""

import asyncio
import math
import resource
import socket
from pathlib import Path

import structlog
import uvicorn

from aureum.app import open_aureum
from aureum.http.server.connections import connection_limit
from aureum.http.server.revalidating_protocol import RevalidatingProtocol
from aureum.http.server.routes import make_app
from aureum.processes.resident import leave_alone_what_stays
from aureum.processes.uvicorn_settings import COMMON
from aureum.settings import Settings

FEW_CONNECTIONS = 500

DRAIN_SECONDS = 20
"""How long requests under way may go on after SIGTERM."""

HURRY_SECONDS = 2.0
"""How long a wait for the database may last from then on."""

log = structlog.get_logger()


async def serve_http(
    settings: Settings, url: str, key: bytes, stop: asyncio.Event, listener: socket.socket, model: Path | None
) -> None:
    """Answer requests on *listener* until *stop*; then finish those under way. *model* is where the routing model's
    process answers."""
    async with open_aureum(settings, url, key, model) as aureum:
        app = make_app(aureum)
        app.connections.limit = connections_allowed(settings)
        config = uvicorn.Config(
            app,
            http=RevalidatingProtocol,
            loop="uvloop",
            timeout_graceful_shutdown=DRAIN_SECONDS,
            timeout_keep_alive=math.ceil(settings.idle_timeout),
            **COMMON,
        )
        server = uvicorn.Server(config)
        leave_alone_what_stays()

        async def when_stopped() -> None:
            await stop.wait()
            server.should_exit = True
            app.state.listeners.end()
            aureum.database.watch.hurry(HURRY_SECONDS)

        watchers = [asyncio.create_task(when_stopped()), asyncio.create_task(app.connections.watch())]
        await server.serve(sockets=[listener])
        for watcher in watchers:
            watcher.cancel()


def connections_allowed(settings: Settings) -> int:
    """How many connections this process takes, by the files that it may open. A low number is logged."""
    open_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = connection_limit(open_files, settings.pool_size, settings.max_connections)
    if limit < FEW_CONNECTIONS and settings.max_connections is None:
        log.warning(
            "few_open_files",
            open_files=open_files,
            connections=limit,
            then="raise the limit of open files (ulimit -n, LimitNOFILE) for more connections",
        )
    return limit
