"""``aureum csv import``: contacts, leads or properties of a CSV file, of this program's own or another one's."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.installation import origin, tenant_of, with_store
from aureum.cli.options import Json, Slug, Yes, examples, group
from aureum.cli.output import Refused, Unconfirmed, note, say, table
from aureum.domain import ids

if TYPE_CHECKING:
    from typing import BinaryIO

    from aureum.commands.importing.imports import Import, Wanted
    from aureum.store.event_store import EventStore

app = group("Import CSV files.")

EXAMPLES = examples(
    "aureum csv import contacts people.csv --brokerage example --dry-run",
    "aureum csv import leads export.csv --brokerage example --duplicates update --map columns.json --yes",
    "aureum csv import leads export.csv --brokerage example --route --yes",
)

NO_FILE = "{file} cannot be read: {why}"
NO_MAP = '{file} is not a JSON object such as {{"Client": "name", "Old id": null}}: {why}'
CONFIRM = "{rows} rows would be imported as {resource}; --dry-run shows how. Confirm with --yes."
ERRORS = "{refused} rows were refused. They are in {file}, each with the reason. Correct and import that file."


@app.command("import", epilog=EXAMPLES)
def csv_import(
    resource: Annotated[str, typer.Argument(help="What the rows are: contacts, leads or properties.")],
    file: Annotated[Path, typer.Argument(help="The CSV file. Its first row has the names of the columns.")],
    slug: Slug,
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--map", help="A JSON file with the field of each column, or null to leave it out. Default: guessed."
        ),
    ] = None,
    duplicates: Annotated[
        str,
        typer.Option(
            help="What to do with a row whose email address is already known: skip, update (the existing resource), or "
            "make (another one). A property is known by its MLS id, or by its title and address."
        ),
    ] = "skip",
    route: Annotated[
        bool, typer.Option("--route", help="Route open leads whose row names no user, as leads from forms are.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show how the columns are read and what would be imported.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Import contacts, leads or properties from a CSV file.

    The file may come from Aureum, Follow Up Boss, HubSpot, Zillow or any other program. Refused rows are written to
    FILE.errors.csv with the reasons. If an import is interrupted, run the command again to continue it. 'aureum undo
    --import' undoes an import.
    """
    with opened(file) as content:

        async def work(store: EventStore) -> tuple[Import, list[Any]]:
            from aureum.commands.importing.imports import Wanted

            tenant_id = await tenant_of(store.database, slug)
            wanted = Wanted(tenant_id, resource, duplicates, columns(mapping), file.name, route)
            return await imported(store, wanted, content, file, dry_run=dry_run, yes=yes, quiet=as_json)

        done, read = with_store(work)
    document = {
        "import": None if dry_run else ids.to_wire(done.import_id),
        "made": done.made,
        "updated": done.updated,
        "skipped": done.skipped,
        "refused": done.refused,
        "rows": done.layout.rows,
        "encoding": done.layout.said,
        "separator": done.layout.separator,
        "preset": done.preset,
        "map": dict(done.mapping),
        "errors": str(errors_of(file)) if done.refused else None,
    }
    counts = f"{done.made} made, {done.updated} updated, {done.skipped} skipped, {done.refused} refused"
    title = f"Would be imported: {counts}" if dry_run else f"Import {ids.to_wire(done.import_id)}: {counts}"
    say(as_json, document, table(title, ("column", "field", "first row"), read))
    if done.refused and not as_json:
        note(ERRORS.format(refused=done.refused, file=errors_of(file)))


def opened(file: Path) -> BinaryIO:
    """Raises Refused."""
    try:
        return file.open("rb")
    except OSError as error:
        raise Refused(NO_FILE.format(file=file, why=error.strerror)) from error


def columns(mapping: Path | None) -> dict[str, Any] | None:
    """What ``--map`` says. Raises Refused."""
    if mapping is None:
        return None
    try:
        said = json.loads(mapping.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Refused(NO_FILE.format(file=mapping, why=error.strerror)) from error
    except (ValueError, RecursionError) as error:
        raise Refused(NO_MAP.format(file=mapping, why=error)) from error
    if not isinstance(said, dict) or not all(isinstance(field, str | None) for field in said.values()):
        raise Refused(NO_MAP.format(file=mapping, why="every value must be a field or null"))
    return said


async def imported(
    store: EventStore, wanted: Wanted, content: BinaryIO, file: Path, *, dry_run: bool, yes: bool, quiet: bool
) -> tuple[Import, list[Any]]:
    """The import when it has ended, and how the columns were read. Raises Refused, Unconfirmed, Invalid."""
    from aureum.commands.importing.imports import get_import
    from aureum.commands.importing.interrupted import begun_before, discard
    from aureum.commands.importing.running import run
    from aureum.settings import load_settings

    job = await begun_before(store, wanted, content, origin(), dry_run=dry_run)
    # What has made rows is not discarded, however it is broken off: it goes on when it is run again, and can be undone.
    may_go = not job.done
    try:
        if job.layout.guessed and not quiet:
            note("The file is not in UTF-8, so it was read as Windows-1252. Check names with accents.")
        read = [
            (name, field or "(left out)", job.samples[0][place])
            for place, (name, field) in enumerate(job.mapping.items())
        ]
        if not dry_run and not yes and not job.done:
            ask(job, read)
        if job.done and not quiet:
            note(f"Continuing after row {job.done} of {job.layout.rows}.")
        may_go = dry_run
        model = load_settings().routing_model
        await run(store, job, content, model, told=None if quiet else progress(job.layout.rows))
        done = await get_import(store, job.tenant_id, job.import_id)
        await write_errors(store, done, errors_of(file))
    except BaseException:
        if may_go:
            await discard(store, job)
        raise
    if dry_run:
        await discard(store, job)
    return done, read


def ask(job: Import, read: list[Any]) -> None:
    """Raises Unconfirmed where there is no terminal to ask at, and Refused if the answer is no."""
    if not sys.stdin.isatty():
        raise Unconfirmed(CONFIRM.format(rows=job.layout.rows, resource=job.resource))
    for name, field, _ in read:
        typer.echo(f"  {name} → {field}", err=True)
    if not typer.confirm(f"Import {job.layout.rows} rows as {job.resource}?", err=True):
        raise Refused("Nothing was imported.")


def progress(rows: int) -> Any:
    """What is told of an import that takes a while: a line on a terminal."""
    if not sys.stderr.isatty():
        return None

    def told(done: int) -> None:
        sys.stderr.write(f"\r{done:,} of {rows:,} rows" + ("\n" if done == rows else ""))
        sys.stderr.flush()

    return told


def errors_of(file: Path) -> Path:
    """Where the refused rows go."""
    return file.with_name(f"{file.name}.errors.csv")


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    with suppress(FileNotFoundError):
        path.unlink()


async def write_errors(store: EventStore, done: Import, path: Path) -> None:
    """The refused rows, for their owner's eyes only. Without any, a file of an earlier import goes. Raises Refused."""
    from aureum.commands.importing.keeping import refused_rows

    try:
        remove(path)
        if not done.refused:
            return
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as errors:
            async for part in refused_rows(store, done):
                errors.write(part)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}. The rows were imported.") from error
