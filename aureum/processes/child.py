"""The processes that ``serve`` starts: ``python -m aureum.processes.child http FD [MODEL]``, where MODEL is the
socket of the routing model, and the same with ``worker``.

Each reads the settings itself, joins the embedded database if that is what they say, and ends when it is told to
(SIGTERM, SIGINT) or when the supervisor is gone, which shows as the end of its standard input. The last to leave stops
the embedded database: killing the supervisor leaves nothing behind.
"""

import asyncio
import gc
import math
import os
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path

import structlog
import uvicorn
import uvloop
from prometheus_client import Counter

from aureum.app import open_aureum
from aureum.domain.errors import DomainError
from aureum.domain.ids import to_wire
from aureum.http.server.connections import connection_limit
from aureum.http.server.revalidating_protocol import RevalidatingProtocol
from aureum.http.server.routes import make_app
from aureum.log import configure, hung_up, places
from aureum.mail.letters.about import LetterSettings
from aureum.mail.queue.observing import Observed as MailObserved
from aureum.mail.worker.counters import MailCounters
from aureum.mail.worker.mail_settings import MailSettings
from aureum.metrics import GAUGES, WorkerMetrics, forget_process
from aureum.processes.uvicorn_settings import COMMON
from aureum.processes.worker_page import WorkerPage, shown
from aureum.settings import Settings, SettingsError, load_settings
from aureum.settings.mail import mail_directory, mail_from
from aureum.settings.master_key import master_key
from aureum.settings.smtp import smtp_server
from aureum.store.cipher import MasterKey, TenantKeys, WrongMasterKey
from aureum.store.postgres import embedded
from aureum.store.postgres.embedded_programs import EmbeddedDatabaseError
from aureum.store.postgres.watch import Watch
from aureum.webhooks.queue.observing import Observed
from aureum.webhooks.worker.counters import Counters
from aureum.webhooks.worker.worker_settings import WorkerSettings
from aureum.worker.worker import run_worker

OPEN_FILES = 65_536

FEW_CONNECTIONS = 500

DRAIN_SECONDS = 20
"""How long requests under way may go on after SIGTERM."""

HURRY_SECONDS = 2.0
"""How long a wait for the database may last from then on."""

UNLIMITED = 1 << 62

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
            aureum.database.watch.hurry(HURRY_SECONDS)

        watchers = [asyncio.create_task(when_stopped()), asyncio.create_task(app.connections.watch())]
        await server.serve(sockets=[listener])
        for watcher in watchers:
            watcher.cancel()


def allow_open_files() -> None:
    """As many as the system lets a process have, up to 65,536: each connection is one. Many begin with 1,024."""
    begun_with, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(most, OPEN_FILES)
    if begun_with != resource.RLIM_INFINITY and begun_with < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def connections_allowed(settings: Settings) -> int:
    """How many connections this process takes, by the files that it may open; few are told."""
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


def leave_alone_what_stays() -> None:
    """Spare the garbage collector the program's own modules and classes, which it would walk again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def deliver(
    settings: Settings,
    url: str,
    key: bytes,
    stop: asyncio.Event,
    listener: socket.socket | None = None,
    local_url: str | None = None,
) -> None:
    """Deliver webhooks and send mail until *stop*; what is under way is finished. On *listener* the worker shows its
    measurements. *local_url* is where this machine reaches the server, for mails of the demonstration."""
    metrics = WorkerMetrics()
    worker = WorkerSettings(
        allow_networks=settings.webhook_allow_networks,
        pool_size=settings.pool_size,
        prepared=settings.prepared_statements,
        database_timeout=settings.database_timeout,
        routing_model=settings.routing_model,
    )
    watch = Watch(settings.database_timeout, metrics.database_timeouts.inc)
    page = nullcontext() if listener is None else shown(WorkerPage(settings, url, metrics, watch), listener)
    leave_alone_what_stays()
    async with page:
        await run_worker(
            url,
            TenantKeys(MasterKey(key)),
            stop,
            settings=worker,
            counters=MeteredCounters(metrics),
            watch=watch,
            mail=mail_settings(settings, local_url),
            mail_counters=MeteredMailCounters(metrics),
        )


class MeteredCounters(Counters):
    """The worker's counters, shown to Prometheus as well."""

    def __init__(self, metrics: WorkerMetrics) -> None:
        super().__init__()
        self.metrics = metrics
        # Looking a child up by its labels costs more than adding.
        self.children: dict[str, Counter] = {}

    def ended(self, outcome: str) -> None:
        super().ended(outcome)
        child = self.children.get(outcome)
        if child is None:
            child = self.children[outcome] = self.metrics.attempts.labels(outcome)
        child.inc()

    def flying(self, attempts: int) -> None:
        super().flying(attempts)
        self.metrics.in_flight.set(attempts)

    def attempted_first(self, lag: timedelta) -> None:
        super().attempted_first(lag)
        self.metrics.delivery_lag.observe(lag.total_seconds())

    def attempted(self, error: str | None, seconds: float) -> None:
        super().attempted(error, seconds)
        self.metrics.observe_attempt(error, seconds)

    def hosts_open(self, hosts: int) -> None:
        super().hosts_open(hosts)
        self.metrics.open_hosts.set(hosts)

    def mended(self, lanes: int) -> None:
        super().mended(lanes)
        self.metrics.mended.inc(lanes)

    def observed(self, found: Observed) -> None:
        super().observed(found)
        values = {name: getattr(found, name) for name in GAUGES}
        self.metrics.show_queue(values, {to_wire(tenant): age for tenant, age in found.oldest_due.items()})


class MeteredMailCounters(MailCounters):
    """What the worker has done with mail, shown to Prometheus as well."""

    def __init__(self, metrics: WorkerMetrics) -> None:
        super().__init__()
        self.metrics = metrics

    def ended(self, outcome: str) -> None:
        super().ended(outcome)
        self.metrics.mails.labels(outcome).inc()

    def accepted_first(self, lag: timedelta) -> None:
        super().accepted_first(lag)
        self.metrics.mail_lag.observe(lag.total_seconds())

    def observed(self, found: MailObserved) -> None:
        super().observed(found)
        self.metrics.show_mail(found.due, found.oldest_due)


def mail_settings(settings: Settings, local_url: str | None) -> MailSettings:
    """What the settings say of mail; *local_url* is where this machine reaches the server. Raises SettingsError."""
    server = None if settings.smtp_url is None else smtp_server(settings.smtp_url)
    letters = LetterSettings(
        settings.base_domain, settings.public_url, local_url, settings.confirmation_limit or UNLIMITED
    )
    return MailSettings(mail_from(settings), server, mail_directory(settings), letters=letters)


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
def database(settings: Settings) -> Iterator[str]:
    """The URL of the database, whose schema is up to date already. Raises EmbeddedDatabaseError."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    with embedded.start(settings.data_dir) as server:
        yield server.url


def main(arguments: list[str]) -> None:
    """What the supervisor calls."""
    settings = load_settings()
    configure(settings.log_level)
    allow_open_files()
    key = master_key(settings)
    with database(settings) as url:
        match arguments:
            case ["http", descriptor, *model_paths]:
                listener = socket.socket(fileno=int(descriptor))
                model = Path(model_paths[0]) if model_paths else None

                async def work(stop: asyncio.Event) -> None:
                    await serve_http(settings, url, key, stop, listener, model)

            case ["worker", *local_urls]:

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
