"""The command line, the same for people and for scripts: ``--json`` prints one JSON document and nothing else there."""

import signal
import sys
from functools import cache
from typing import Annotated, Any

import typer

from aureum import __version__
from aureum.cli import (
    access,
    archive,
    audit,
    audit_checkpoints,
    audit_list,
    audit_security,
    audit_verify,
    backup,
    brokerages,
    completion,
    doctor,
    esign,
    importing,
    newsletter,
    parked,
    people,
    people_export,
    profiles,
    projections,
    routing,
    serve,
    transfer,
    undoing,
    users,
    webhooks,
)
from aureum.cli.installation import installation, name_unknown_settings, run
from aureum.cli.options import Json, examples, group
from aureum.cli.output import Refused, plain_refusals, prepare_streams, say

app = group(
    "Aureum: the back end of a real-estate CRM.",
    epilog=examples("aureum run", "aureum COMMAND --help", "aureum --install-completion")
    + "\n\n"
    + "Exit status: 0 on success, 1 on an error, 2 on wrong usage. With --json an "
    'error is a JSON document, too: {"error": "..."}.',
)


def say_version(asked: bool) -> None:
    """Print the version and end."""
    if asked:
        typer.echo(f"aureum {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[bool, typer.Option("--version", callback=say_version, help="Print the version.")] = False,
    show: Annotated[
        bool,
        typer.Option(completion.SHOW, help="Print completion for bash, zsh or fish."),
    ] = False,
    install: Annotated[
        bool,
        typer.Option(completion.INSTALL, help="Install completion for that shell. Default: the current shell."),
    ] = False,
) -> None:
    """What stands before the command. Both options for completion are read by ``completion``."""


@app.command("settings", epilog=examples("aureum settings"))
def settings_command(as_json: Json = False) -> None:
    """List the settings with their meanings and values. Secrets are masked."""
    from aureum.settings.listing import describe_settings

    lines = describe_settings()
    name_unknown_settings()
    people = "\n\n".join(
        f"{line.name} = {line.value}\n    {line.meaning}\n    default: {line.default}" for line in lines
    )
    say(as_json, [line._asdict() for line in lines], people)


UP_TO_DATE = "The database is up to date."


@app.command("migrate", epilog=examples("aureum migrate", "aureum migrate --dry-run"))
def migrate_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be run, and change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Bring the database up to date. On a coordinator of Citus this also distributes the tables."""
    from aureum.cli.upgrade import upgrade, would_run

    with installation(migrated=False) as here:
        if dry_run:
            left = run(would_run(here.settings, here.url))
            say(as_json, {"would_run": left}, "Would run " + ", ".join(left) + "." if left else UP_TO_DATE)
            return
        ran = run(upgrade(here.settings, here.url, here.key, quiet=as_json))
    say(as_json, {"ran": ran}, "Ran " + ", ".join(ran) + "." if ran else UP_TO_DATE)


@app.command("openapi", epilog=examples("aureum openapi > openapi.json", "aureum openapi --markdown > reference.md"))
def openapi_command(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print docs/reference.md, the document as Markdown.")
    ] = False,
    errors: Annotated[bool, typer.Option("--errors", help="Print docs/errors.md, the list of error codes.")] = False,
    as_json: Json = False,
) -> None:
    """Print the OpenAPI document of the API.

    Needs neither a server nor a database. The document is indented, and with --json on one line.
    """
    if markdown + errors + as_json > 1:
        raise typer.BadParameter("Choose one of --markdown, --errors and --json.")
    import json

    if errors:
        from aureum.http.openapi.error_catalogue import catalogue

        sys.stdout.write(catalogue())
        return
    from aureum.http.server.routes import described
    from aureum.settings import load_settings

    document = described(load_settings().public_url)
    if markdown:
        from aureum.http.openapi.markdown import page

        sys.stdout.write(page(document))
    elif as_json:
        say(True, document, "")
    else:
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


app.command("run", epilog=examples("aureum run", "aureum run --port 9000"))(serve.run_command)
app.command("serve", epilog=examples("aureum serve --host 0.0.0.0 --workers 4"))(serve.serve_command)
app.command("worker", epilog=examples("aureum worker"))(serve.worker_command)
app.command("demo", epilog=examples("aureum demo"))(serve.demo_command)
app.command("doctor", epilog=examples("aureum doctor"))(doctor.doctor_command)
app.command("backup", epilog=backup.BACKUP_EXAMPLES)(backup.backup_command)
app.command("restore", epilog=backup.RESTORE_EXAMPLES)(backup.restore_command)
app.command("export", epilog=transfer.EXPORT_EXAMPLES)(transfer.export_command)
app.command("import", epilog=transfer.IMPORT_EXAMPLES)(transfer.import_command)
app.command("archive", epilog=archive.EXAMPLES)(archive.archive_command)
app.command("undo", epilog=undoing.EXAMPLES)(undoing.undo_command)
app.add_typer(brokerages.app, name="brokerage")
app.add_typer(users.user, name="user")
users.user.command("profile", epilog=profiles.EXAMPLES)(profiles.user_profile)
app.add_typer(access.api_key, name="api-key")
webhooks.app.command("retry-parked", epilog=examples("aureum webhook retry-parked"))(parked.retry_parked_command)
app.add_typer(webhooks.app, name="webhook")
app.add_typer(newsletter.app, name="newsletter")
people.app.command("export", epilog=people_export.EXAMPLES)(people_export.export)
app.add_typer(people.app, name="person")
app.add_typer(projections.app, name="projections")
app.add_typer(routing.app, name="routing")
audit.app.command("list", epilog=audit_list.EXAMPLES)(audit_list.audit_list)
audit.app.command("security", epilog=audit_security.EXAMPLES)(audit_security.audit_security)
audit.app.command("verify", epilog=audit_verify.EXAMPLES)(audit_verify.audit_verify)
audit.app.command("checkpoint", epilog=audit_checkpoints.EXAMPLES)(audit_checkpoints.audit_checkpoint)
audit.app.command("log", epilog=audit_checkpoints.LOG_EXAMPLES)(audit_checkpoints.audit_log)
app.add_typer(audit.app, name="audit")
app.add_typer(importing.app, name="csv")
app.add_typer(esign.app, name="esign")


@cache
def command_line() -> Any:
    """All commands, as typer makes them of the functions; tests run hundreds in one process."""
    return typer.main.get_command(app)


def terminated(number: int, frame: object) -> None:
    """SIGTERM ends a command like Ctrl-C: what it has opened is closed, the embedded database stops."""
    sys.exit(128 + number)


def main(arguments: list[str] | None = None) -> None:
    """What ``aureum`` runs. Ends with SystemExit."""
    signal.signal(signal.SIGTERM, terminated)
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    prepare_streams(as_json)
    with plain_refusals(as_json):
        try:
            "".join(arguments).encode()
        except UnicodeEncodeError:
            raise Refused("The arguments must be text in UTF-8.") from None
        completion.prepare()
        if not completion.completed(arguments):
            # Not by typer itself: a mistyped command is told as a document too.
            sys.exit(command_line()(arguments, prog_name="aureum", standalone_mode=False) or 0)
