"""The command line, the same for people and for scripts: ``--json`` prints one JSON document and nothing else there."""

import asyncio
import json
import signal
import sys
from typing import Annotated

import typer

from aureum import (
    __version__,
    cli_access,
    cli_audit,
    cli_brokerages,
    cli_doctor,
    cli_newsletter,
    cli_parked,
    cli_projections,
    cli_serve,
    cli_webhooks,
)
from aureum.cli_output import Refused, plain_refusals, say
from aureum.http.error_catalogue import catalogue
from aureum.http.openapi import document
from aureum.http.openapi_markdown import page
from aureum.http.routes import ENDPOINTS
from aureum.operator import installation
from aureum.settings import describe_settings, load_settings
from aureum.upgrade import upgrade

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def say_version(asked: bool) -> None:
    """Print the version and end."""
    if asked:
        typer.echo(f"aureum {__version__}")
        raise typer.Exit


@app.callback(help="Aureum: the back end of real-estate brokerages.")
def about(
    version: Annotated[bool, typer.Option("--version", callback=say_version, help="Print the version.")] = False,
) -> None:
    """What stands before the command."""


@app.command("settings")
def settings_command(as_json: Json = False) -> None:
    """List the settings with their meaning. Secrets are masked."""
    lines = describe_settings()
    people = "\n\n".join(
        f"{line.name} = {line.value}\n    {line.meaning}\n    default: {line.default}" for line in lines
    )
    say(as_json, [line._asdict() for line in lines], people)


@app.command("migrate")
def migrate_command(as_json: Json = False) -> None:
    """Bring the database up to date."""
    with installation(migrated=False) as here:
        ran = asyncio.run(upgrade(here.settings, here.url, here.key))
    say(as_json, {"ran": ran}, "Ran " + ", ".join(ran) + "." if ran else "The database is up to date.")


@app.command("openapi")
def openapi_command(
    markdown: Annotated[bool, typer.Option("--markdown", help="As docs/reference.md has it.")] = False,
    errors: Annotated[
        bool, typer.Option("--errors", help="The codes of refusals, as docs/errors.md has them.")
    ] = False,
) -> None:
    """Print the OpenAPI document. Needs neither a server nor a database."""
    if errors:
        typer.echo(catalogue(), nl=False)
        return
    described = document(ENDPOINTS, load_settings().public_url)
    typer.echo(page(described) if markdown else json.dumps(described, indent=2, ensure_ascii=False), nl=not markdown)


for command in (cli_serve.run_command, cli_serve.serve_command, cli_serve.worker_command, cli_serve.demo_command):
    app.command(command.__name__.removesuffix("_command"))(command)
app.command("doctor")(cli_doctor.doctor_command)
app.add_typer(cli_brokerages.app, name="brokerage")
app.add_typer(cli_access.user, name="user")
app.add_typer(cli_access.api_key, name="api-key")
cli_webhooks.app.command("retry-parked")(cli_parked.retry_parked_command)
app.add_typer(cli_webhooks.app, name="webhook")
app.add_typer(cli_newsletter.app, name="newsletter")
app.add_typer(cli_projections.app, name="projections")
app.add_typer(cli_audit.app, name="audit")


def terminated(number: int, frame: object) -> None:
    """SIGTERM ends a command like Ctrl-C: what it has opened is closed, the embedded database stops."""
    sys.exit(128 + number)


def main(arguments: list[str] | None = None) -> None:
    """What ``aureum`` runs. Ends with SystemExit."""
    signal.signal(signal.SIGTERM, terminated)
    arguments = sys.argv[1:] if arguments is None else arguments
    with plain_refusals():
        try:
            "".join(arguments).encode()
        except UnicodeEncodeError:
            raise Refused("The arguments must be text in UTF-8.") from None
        app(arguments, prog_name="aureum")
