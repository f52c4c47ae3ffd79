"""``aureum serve``, ``worker``, ``demo`` and ``run``: the commands that make the system live."""

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Annotated

import structlog
import typer
import uvloop

from aureum.app import open_store
from aureum.cli_output import note, say
from aureum.demo import Demo, make_demo
from aureum.log import configure
from aureum.operator import Installation, installation
from aureum.process import deliver, until_told
from aureum.serve import listen, serve
from aureum.store.embedded import EmbeddedServer
from aureum.store.embedded_programs import EmbeddedDatabaseError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")]
Workers = Annotated[int, typer.Option(min=1, max=256, help="How many HTTP processes.")]
NoWorker = Annotated[bool, typer.Option("--no-worker", help="Deliver no webhooks here: 'aureum worker' does.")]

DEMO_URL = "http://localhost:8000"

TRY = """
The demo brokerage, Snake River Realty, is there: three agents, forty leads over the last sixty days.

  URL        {url}
  Panel      {url}/admin
  API key    {key}
  Owner      {email}
  Password   {password}

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

log = structlog.get_logger()


def serve_command(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    no_worker: NoWorker = False,
    as_json: Json = False,
) -> None:
    """Answer requests and deliver webhooks until SIGTERM, then drain."""
    with listen(host, port) as listener, served() as (_, look_after):
        serve(
            listener,
            workers=workers,
            deliver=not no_worker,
            ready=lambda url: announce(url, as_json),
            look_after=look_after,
        )


@contextlib.contextmanager
def served() -> Iterator[tuple[Installation, Callable[[], None]]]:
    """The installation, and what looks after its database while it is served."""
    with installation() as here:
        configure(here.settings.log_level)
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


def announce(url: str, as_json: bool) -> None:
    """The line that scripts wait for."""
    say(as_json, {"url": url}, f"Aureum is ready at {url}")
    sys.stdout.flush()


def worker_command(as_json: Json = False) -> None:
    """Deliver webhooks only, until SIGTERM; what is under way is finished."""
    with installation() as here:
        configure(here.settings.log_level)
        say(as_json, {"delivering": True}, "Delivering webhooks.")
        sys.stdout.flush()
        uvloop.run(until_told(lambda stop: deliver(here.settings, here.url, here.key, stop, None), supervised=False))


def demo_command(as_json: Json = False) -> None:
    """Make the demo brokerage on localhost, with users, a key and sample data. Safe to repeat."""
    with installation() as here:
        demo = asyncio.run(made(here))
    document = {
        "url": DEMO_URL,
        "apiKey": demo.api_key,
        "admin": {"email": demo.email, "password": demo.password},
    }
    people = f"{'Made' if demo.created else 'There is already'} the demo brokerage on localhost.\n"
    people += f"API key: {demo.api_key}\nOwner: {demo.email}, password {demo.password}\nNext: aureum serve"
    say(as_json, document, people)


async def made(here: Installation) -> Demo:
    """The demo brokerage of *here*."""
    async with open_store(here.settings, here.url, here.key) as store:
        return await make_demo(store, here.key)


def run_command(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1) -> None:
    """Everything on this machine: the demo, the server, the worker, and what to try."""
    with listen(host, port) as listener, served() as (here, look_after):
        note("Making the demo brokerage, if it is not there yet ...")
        demo = asyncio.run(made(here))

        def ready(url: str) -> None:
            announce(url, False)
            sys.stdout.write(hints(url, demo))
            sys.stdout.flush()

        serve(listener, workers=workers, deliver=True, ready=ready, look_after=look_after)


def hints(url: str, demo: Demo) -> str:
    """What to try. The demo's brokerage is found by the name ``localhost``: if the URL has another, curl sends it."""
    named = url.replace("127.0.0.1", "localhost").replace("[::1]", "localhost")
    host = "" if named.startswith("http://localhost:") else "-H 'Host: localhost' "
    return TRY.format(
        url=named, host=host, key=demo.api_key, email=demo.email, password=demo.password, form=FORM, stop=STOP
    )
