"""The processes that ``serve`` starts: ``python -m aureum.processes.child http FD [MODEL]``, where MODEL is the
socket of the routing model, and the same with ``worker``.

Each reads the settings itself, joins the embedded database if that is what they say, and ends when it is told to
(SIGTERM, SIGINT) or when the supervisor is gone, which shows as the end of its standard input. The last to leave stops
the embedded database: killing the supervisor leaves nothing behind.
"""

import asyncio
import os
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aureum.processes.sparing  # noqa: F401

# isort: split
import structlog
import uvloop

from aureum.domain.errors import DomainError
from aureum.log import configure, hung_up, places
from aureum.metrics import forget_process
from aureum.settings import Settings, SettingsError, load_settings
from aureum.settings.master_key import master_key
from aureum.store.cipher import WrongMasterKey
from aureum.store.postgres import embedded
from aureum.store.postgres.embedded_programs import EmbeddedDatabaseError

OPEN_FILES = 65_536

log = structlog.get_logger()


def allow_open_files() -> None:
    """As many as the system lets a process have, up to 65,536: each connection is one. Many begin with 1,024."""
    begun_with, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(most, OPEN_FILES)
    if begun_with != resource.RLIM_INFINITY and begun_with < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


async def until_told(work: Callable[[asyncio.Event], Awaitable[None]], *, supervised: bool) -> bool:
    """Run *work* with an event that is set on SIGTERM, SIGINT, or when the supervisor is gone; whether it is."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    orphaned = False

    def supervisor_said() -> None:
        nonlocal orphaned
        # It never says anything: what can be read is the end.
        if not os.read(sys.stdin.fileno(), 1):
            orphaned = True
            loop.remove_reader(sys.stdin.fileno())
            stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if supervised:
        # The supervisor hears of it too, and decides.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, stop.set if sys.stderr.isatty() else hung_up)
    if supervised:
        loop.add_reader(sys.stdin.fileno(), supervisor_said)
    await work(stop)
    return orphaned


@contextmanager
def database(settings: Settings, *, sweeps: bool) -> Iterator[str]:
    """The URL of the database, whose schema is up to date already; the owner's for what *sweeps* all tenants. Raises
    EmbeddedDatabaseError."""
    if settings.database_url is not None:
        yield (settings.owner_database_url or settings.database_url) if sweeps else settings.database_url
        return
    with embedded.start(settings.data_dir) as server:
        yield server.url


def main(arguments: list[str]) -> None:
    """What the supervisor calls."""
    settings = load_settings()
    configure(settings.log_level)
    allow_open_files()
    key = master_key(settings)
    with database(settings, sweeps=arguments[:1] == ["worker"]) as url:
        match arguments:
            case ["http", descriptor, *model_paths]:
                # Neither kind of process needs what the other is made of.
                from aureum.processes.http_child import serve_http

                listener = socket.socket(fileno=int(descriptor))
                model = Path(model_paths[0]) if model_paths else None

                async def work(stop: asyncio.Event) -> None:
                    await serve_http(settings, url, key, stop, listener, model)

            case ["worker", *local_urls]:
                from aureum.processes.worker_child import deliver

                async def work(stop: asyncio.Event) -> None:
                    await deliver(settings, url, key, stop, local_url=next(iter(local_urls), None))

            case _:
                sys.exit("usage: python -m aureum.processes.child http FD [MODEL] | worker [URL]")
        if uvloop.run(until_told(work, supervised=True)):
            forget_process()


def run(arguments: list[str]) -> None:
    """``main``, whose end by an error is one line in the log: of a foreseen one with its text, which quotes no personal
    data."""
    configure("info")  # until the settings say which level; they may be what is wrong
    try:
        main(arguments)
    except (DomainError, SettingsError, EmbeddedDatabaseError, WrongMasterKey) as error:
        log.error("process_ended", process=arguments[0], reason=str(error))
        sys.exit(1)
    except Exception as error:
        log.error("process_ended", process=arguments[0], error=type(error).__name__, trace=places(error))
        sys.exit(1)


if __name__ == "__main__":
    run(sys.argv[1:])
