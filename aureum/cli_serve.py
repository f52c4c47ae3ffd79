"""``aureum serve``, ``worker``, ``demo`` and ``run``: the commands that make the system live."""

import asyncio
import sys
from typing import Annotated

import typer

from aureum.app import open_store
from aureum.demo import Demo, make_demo
from aureum.log import configure
from aureum.operator import Installation, installation, say
from aureum.process import deliver, until_told
from aureum.serve import serve

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")]
Workers = Annotated[int, typer.Option(min=1, max=256, help="How many HTTP processes.")]
NoWorker = Annotated[bool, typer.Option("--no-worker", help="Deliver no webhooks here: 'aureum worker' does.")]

DEMO_URL = "http://localhost:8000"

TRY = """
The demo brokerage, Snake River Realty, is there: three agents, forty leads over the last sixty days.

  URL        {url}
  API key    {key}
  Owner      {email}
  Password   {password}

Try, in another terminal:

  curl -s {url}/api/leads/count

  curl -s {url}/api/contact -H 'Content-Type: application/json' -d '{form}'

  curl -s '{url}/api/leads?limit=3' -H 'Authorization: Bearer {key}'

Stop with Ctrl-C.
"""

FORM = (
    '{"firstName": "John", "lastName": "Smith", "email": "john.smith@example.com", "subject": "A condo downtown", '
    '"message": "Hello, I saw the loft near the river."}'
)


def serve_command(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    no_worker: NoWorker = False,
    as_json: Json = False,
) -> None:
    """Answer requests and deliver webhooks until SIGTERM, then drain."""
    with installation() as here:
        serve(
            here.url,
            here.key,
            host=host,
            port=port,
            workers=workers,
            deliver=not no_worker,
            ready=lambda url: announce(url, as_json),
        )


def announce(url: str, as_json: bool) -> None:
    """The line that scripts wait for."""
    if as_json:
        say(True, {"url": url}, "")
    else:
        sys.stdout.write(f"Aureum is ready at {url}\n")
    sys.stdout.flush()


def worker_command(as_json: Json = False) -> None:
    """Deliver webhooks only, until SIGTERM; what is under way is finished."""
    with installation() as here:
        configure(here.settings.log_level)
        say(as_json, {"delivering": True}, "Delivering webhooks.")
        sys.stdout.flush()
        asyncio.run(until_told(lambda stop: deliver(here.settings, here.url, here.key, stop, None), supervised=False))


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
    say(as_json, document, people + f"API key: {demo.api_key}\nOwner: {demo.email}, password {demo.password}")


async def made(here: Installation) -> Demo:
    """The demo brokerage of *here*."""
    async with open_store(here.settings, here.url, here.key) as store:
        return await make_demo(store, here.key)


def run_command(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1) -> None:
    """Everything on this machine: the demo, the server, the worker, and what to try."""
    with installation() as here:
        say(False, None, "Making the demo brokerage, if it is not there yet ...")
        demo = asyncio.run(made(here))

        def ready(url: str) -> None:
            announce(url, False)
            named = url.replace("127.0.0.1", "localhost")
            hints = TRY.format(url=named, key=demo.api_key, email=demo.email, password=demo.password, form=FORM)
            sys.stdout.write(hints)
            sys.stdout.flush()

        serve(here.url, here.key, host=host, port=port, workers=workers, deliver=True, ready=ready)
