"""``aureum serve``, ``worker``, ``demo`` and ``run``: the commands that make the system live. On standard output they
say when they are ready, and nothing else; they log on standard error.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.installation import Installation, installation, run
from aureum.cli.options import Json
from aureum.cli.output import note, say

if TYPE_CHECKING:
    import asyncio

    from aureum.demo.demo import Demo
    from aureum.routing.model_process import ModelProcess
    from aureum.settings import Settings
    from aureum.store.postgres.embedded import EmbeddedServer

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port. 0 picks a free one.")]
Workers = Annotated[int, typer.Option(min=1, max=256, help="The number of HTTP processes.")]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        help="Serve /metrics, /healthz and /readyz on this port. 0 picks a free one. Default: AUREUM_METRICS_PORT.",
    ),
]
NoWorker = Annotated[bool, typer.Option("--no-worker", help="Leave webhooks, mail and timers to 'aureum worker'.")]

DEMO_URL = "http://localhost:8000"

TRY = """
The demo brokerage, Snake River Realty, has three agents and forty leads from the last sixty days.

  URL        {url}
  Panel      {url}/admin
  API key    {key}
  Owner      {email}
  Password   {password}
  Mail       {mail}
  Portal     {url}/portal, as a client: {client}

Try, in another terminal:

  curl -s {host}{url}/api/leads/count

  curl -s {host}{url}/api/contact -H 'Content-Type: application/json' -d '{form}'

  curl -s {host}'{url}/api/leads?limit=3' -H 'Authorization: Bearer {key}'

{stop}
"""
STOP = "Stop with Ctrl-C."
"""The last line that is said."""

FORM = (
    '{"firstName": "John", "lastName": "Smith", "email": "john.smith@example.com", "subject": "A condo downtown", '
    '"message": "Hello, I saw the loft near the river."}'
)

LOOK_SECONDS = 1.0
PAUSE_SECONDS = 5.0


def serve_command(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    no_worker: NoWorker = False,
    as_json: Json = False,
) -> None:
    """Serve HTTP and deliver webhooks and mail until SIGTERM.

    On SIGTERM it finishes the requests and deliveries in progress. Logs go to standard error. Standard output has one
    line, once the server is ready.
    """
    from aureum.processes.supervisor import listen, serve

    with listen(host, port) as listener, routing_model() as model, served(sweeps=not no_worker) as (_, look_after):
        serve(
            listener,
            workers=workers,
            deliver=not no_worker,
            ready=lambda url: announce(url, as_json, {"url": url}),
            look_after=both(look_after, model),
            model=None if model is None else model.path,
        )


@contextlib.contextmanager
def routing_model() -> Iterator[ModelProcess | None]:
    """The process of the routing model, or None if the settings want none. It loads while everything else starts."""
    from aureum.routing.model_process import ModelProcess
    from aureum.settings import NO_MODEL, load_settings

    settings = load_settings()
    if settings.routing_model == NO_MODEL:
        yield None
        return
    with ModelProcess(settings.routing_model) as process:
        yield process


def both(look_after: Callable[[], None], model: ModelProcess | None) -> Callable[[], None]:
    """What looks after the database, and after the model's process."""

    def look() -> None:
        look_after()
        if model is not None:
            model.look_after()

    return look


@contextlib.contextmanager
def served(*, sweeps: bool) -> Iterator[tuple[Installation, Callable[[], None]]]:
    """The installation, and what looks after its database while it is served. With *sweeps* a worker is part of it,
    which works for all brokerages."""
    import structlog

    from aureum.cli.logins import too_much
    from aureum.log import configure
    from aureum.settings.mail import NO_MAIL_SERVER, mail_from
    from aureum.settings.names import misnamed

    with installation(told=True, rebuilding=True, sweeps=sweeps) as here:
        configure(here.settings.log_level)
        for sentence in misnamed():
            structlog.get_logger().warning("unknown_setting", reason=sentence)
        mail_from(here.settings)
        if reason := run(too_much(here.settings)):
            structlog.get_logger().warning("login_owns_tables", reason=reason)
        if here.settings.smtp_url is None and here.settings.database_url is not None:
            structlog.get_logger().warning("no_mail_server", reason=NO_MAIL_SERVER)
        keeper = None if here.server is None else Keeper(here.server)
        try:
            yield here, keeper.look if keeper is not None else lambda: None
        finally:
            if keeper is not None:
                keeper.finish()


class Keeper:
    """Starts the embedded database again when it has died; in a thread, so that a recovery holds up nothing else."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.server = server
        self.thread: threading.Thread | None = None
        self.next_look = 0.0

    def look(self) -> None:
        """To be called often: looks once a second."""
        now = time.monotonic()
        if now < self.next_look or (self.thread is not None and self.thread.is_alive()):
            return
        self.next_look = now + LOOK_SECONDS
        if self.server.has_died():
            self.next_look = now + PAUSE_SECONDS
            self.thread = threading.Thread(target=self._revive, name="revive-database")
            self.thread.start()

    def _revive(self) -> None:
        import structlog

        from aureum.store.postgres.embedded_programs import EmbeddedDatabaseError

        log = structlog.get_logger()
        log.warning("database_died", then="starting it again")
        try:
            self.server.revive()
        except EmbeddedDatabaseError as error:
            log.error("database_not_started", reason=str(error))
        else:
            log.info("database_started")

    def finish(self) -> None:
        """Wait for what is under way: the server must not start after it was stopped."""
        if self.thread is not None:
            self.thread.join()


def announce(url: str, as_json: bool, document: dict[str, Any], hints: str = "") -> None:
    """What scripts wait for: a line that begins alike, or *document*; people read *hints* below."""
    say(as_json, document, f"Aureum is ready at {url}\n{hints}".rstrip("\n"))
    sys.stdout.flush()


def worker_command(metrics_port: MetricsPort = None, as_json: Json = False) -> None:
    """Deliver webhooks and mail until SIGTERM, without HTTP.

    On SIGTERM it finishes the deliveries in progress. Logs go to standard error.
    """
    import uvloop

    from aureum.processes.child import until_told
    from aureum.processes.supervisor import base_url, listen
    from aureum.processes.worker_child import deliver
    from aureum.settings import load_settings

    with contextlib.ExitStack() as stack:
        settings = load_settings()
        port = settings.metrics_port if metrics_port is None else metrics_port
        listener = None if port is None else stack.enter_context(listen(settings.metrics_host, port))
        here, _ = stack.enter_context(served(sweeps=True))
        url = None if listener is None else base_url(listener)
        where = "" if url is None else f" Metrics at {url}/metrics."
        say(
            as_json,
            {"delivering": True} | ({} if url is None else {"url": url}),
            f"Delivering webhooks and mail.{where}",
        )
        sys.stdout.flush()

        async def work(stop: asyncio.Event) -> None:
            await deliver(here.settings, here.url, here.key, stop, listener)

        uvloop.run(until_told(work, supervised=False))


def demo_command(as_json: Json = False) -> None:
    """Create the demo brokerage on localhost. Safe to repeat.

    Creates users, a key and sample data. The key and the password are unique to this installation.
    """
    with installation(rebuilding=True) as here:
        demo = run(made(here))
    done = "Created the demo brokerage" if demo.created else "The demo brokerage already exists"
    people = f"{done} on localhost.\n"
    people += f"API key: {demo.api_key}\nOwner: {demo.email}, password {demo.password}\n"
    people += f"Client: {demo.client}, who signs in at /portal with a mail\nNext: aureum serve"
    say(as_json, credentials(DEMO_URL, demo), people)


def credentials(url: str, demo: Demo) -> dict[str, Any]:
    """What a program needs to try the demo."""
    return {
        "url": url,
        "apiKey": demo.api_key,
        "admin": {"email": demo.email, "password": demo.password},
        "client": {"email": demo.client},
    }


async def made(here: Installation) -> Demo:
    """The demo brokerage of *here*."""
    from aureum.app import open_store
    from aureum.demo.demo import make_demo

    async with open_store(here.settings, here.url, here.key) as store:
        await store.database.hear_the_time()
        return await make_demo(store, here.key)


def run_command(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1, as_json: Json = False) -> None:
    """Start the demo, server and worker on this machine.

    Prints commands to try, and runs until Ctrl-C or SIGTERM. Logs go to standard error.
    """
    from aureum.processes.supervisor import listen, serve

    with listen(host, port) as listener, routing_model() as model, served(sweeps=True) as (here, look_after):
        note("Preparing the demo brokerage ...")
        demo = run(made(here))

        def ready(url: str) -> None:
            announce(url, as_json, credentials(at_localhost(url), demo), hints(url, demo, here.settings))

        serve(
            listener,
            workers=workers,
            deliver=True,
            ready=ready,
            look_after=both(look_after, model),
            model=None if model is None else model.path,
        )


def hints(url: str, demo: Demo, settings: Settings) -> str:
    """What to try. The demo's brokerage is found by the name ``localhost``: if the URL has another, curl sends it."""
    named = at_localhost(url)
    host = "" if named.startswith("http://localhost:") else "-H 'Host: localhost' "
    return TRY.format(
        url=named,
        host=host,
        key=demo.api_key,
        email=demo.email,
        password=demo.password,
        client=demo.client,
        mail=where_mail_goes(settings),
        form=FORM,
        stop=STOP,
    )


def where_mail_goes(settings: Settings) -> str:
    """The mail server, or the directory of the files."""
    from aureum.settings.mail import mail_directory
    from aureum.settings.smtp import smtp_server

    if settings.smtp_url is not None:
        return f"sent to {smtp_server(settings.smtp_url).name}"
    return f"written to files in {mail_directory(settings)}"


def at_localhost(url: str) -> str:
    """*url* by the name that the demo's brokerage is found by, if it is on loopback."""
    return url.replace("127.0.0.1", "localhost").replace("[::1]", "localhost")
