"""``aureum export`` and ``aureum import``: a brokerage's whole log as a file, and the same brokerage elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.files import new_file
from aureum.cli.installation import Installation, installation, run, tenant_of
from aureum.cli.options import Json, Slug, examples
from aureum.cli.output import Refused, progress, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress

    from aureum.transfer.exporting import Exported
    from aureum.transfer.importing import Imported
    from aureum.transfer.sealing import LineSeal

EXPORT_EXAMPLES = examples(
    "aureum export --brokerage example --file example.jsonl --passphrase-file passphrase.txt",
    "aureum export --brokerage example --file example.jsonl",
)
IMPORT_EXAMPLES = examples(
    "aureum import --file example.jsonl --passphrase-file passphrase.txt",
    "aureum import --file example.jsonl --slug example-boise",
)

PassphraseFile = Annotated[
    Path | None,
    typer.Option(help="A file whose first line is the passphrase that seals personal data."),
]

SHORT = "The passphrase must have at least {least} characters."
UNREADABLE = "{file} cannot be read: {error}."
IN_CLEAR = " It has personal data in clear text: protect the file, or export with --passphrase-file."


def export_command(
    slug: Slug,
    file: Annotated[Path, typer.Option(help="The new file.")],
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Export a brokerage's whole log to a file.

    The file is JSON Lines, with one CloudEvent per line. 'aureum import' creates the same brokerage from it on another
    installation. The brokerage keeps working meanwhile. Passwords, keys and other secrets are not in the file.
    """
    passphrase = None if passphrase_file is None else read_passphrase(passphrase_file)
    with installation() as here, progress(quiet=as_json) as bars:
        done = write(here, slug, file, passphrase, bars)
    people = f"{done.events} events of {slug} were exported to {file}."
    document = {"events": done.events, "hash": done.hash, "state": done.state, "bytes": file.stat().st_size}
    say(as_json, document, people + (IN_CLEAR if passphrase is None else ""))


def write(here: Installation, slug: str, file: Path, passphrase: bytes | None, bars: Progress) -> Exported:
    """Write the file. Raises NotFound, Refused."""
    from aureum.transfer.lines import Broken
    from aureum.transfer.sealing import LineSeal

    with new_file(file) as out:
        seal = None if passphrase is None else LineSeal.new(passphrase)
        try:
            return run(export_to(here, slug, out, seal, shown(bars, bars.add_task("Exporting", total=None))))
        except Broken as error:
            raise Refused(str(error)) from error


async def export_to(
    here: Installation, slug: str, out: IO[bytes], seal: LineSeal | None, progress: Callable[[int, int], None]
) -> Exported:
    """Write the log of the brokerage to *out*. Raises NotFound, Broken, OSError."""
    from aureum.app import open_store
    from aureum.store.blobs.opening import open_blobs
    from aureum.store.cipher import MasterKey, TenantKeys
    from aureum.store.event_log import open_tenant_key
    from aureum.store.postgres.database import Database, connect
    from aureum.store.postgres.watch import Watch
    from aureum.store.security_log import ON_COMMAND_LINE, Noted, record
    from aureum.transfer.exporting import export

    prepared, watch = here.settings.prepared_statements, Watch(here.settings.database_long_timeout)
    async with Database(here.url, prepared=prepared) as database:
        tenant_id = await tenant_of(database, slug)
        async with await connect(here.url, prepared=prepared, watch=watch) as connection:
            key = await open_tenant_key(connection, TenantKeys(MasterKey(here.key)), tenant_id)
            blobs = open_blobs(here.settings, database)
            exported = await export(connection, key, out.write, blobs, seal, progress)
    async with open_store(here.settings, here.url, here.key) as store:
        await record(store, Noted("export", tenant_id=tenant_id, about=f"the whole log, {ON_COMMAND_LINE}"))
    return exported


def import_command(
    file: Annotated[Path, typer.Option(help="The file that 'aureum export' wrote.")],
    slug: Annotated[
        str | None, typer.Option(help="The brokerage's slug on this installation. Default: its slug in the file.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Import a brokerage that another installation has exported.

    The brokerage is imported completely or not at all. If the command is interrupted, run it again. No webhooks and
    mails are sent about past events. Afterwards users need new passwords, API keys must be created again, and webhooks
    are disabled until you enable them.
    """
    from aureum.transfer.numbers import NumbersTaken
    from aureum.transfer.reading import Unreadable
    from aureum.transfer.sealing import WrongPassphrase

    passphrase = None if passphrase_file is None else read_passphrase(passphrase_file)
    with installation() as here, progress(quiet=as_json) as bars:
        try:
            with file.open("rb") as lines:
                done = run(read(here, lines, slug, passphrase, bars))
        except OSError as error:
            raise Refused(UNREADABLE.format(file=file, error=error.strerror)) from error
        except (Unreadable, NumbersTaken, WrongPassphrase) as error:
            raise Refused(str(error)) from error
    document = {
        "id": done.id,
        "slug": done.slug,
        "events": done.events,
        "hash": done.hash,
        "added": done.arrival,
        "domainsLeftOut": list(done.domains),
        "loginsDisabled": list(done.logins),
        "numbersRenewed": list(done.renewed),
        "notCompared": list(done.uncompared),
    }
    say(as_json, document, summary(done))


async def read(
    here: Installation, lines: IO[bytes], slug: str | None, passphrase: bytes | None, bars: Progress
) -> Imported:
    """Import a file. Raises Unreadable, WrongPassphrase, NumbersTaken, OSError."""
    from aureum.domain.errors import Invalid
    from aureum.http.api.brokerages.brokerage_domains import brokerage_domains
    from aureum.store.cipher import MasterKey
    from aureum.store.postgres.database import connect
    from aureum.store.postgres.watch import Watch
    from aureum.transfer.importing import import_brokerage
    from aureum.transfer.reading import ExportFile

    def may_have(domain: str) -> bool:
        try:
            return brokerage_domains([domain], here.settings.base_domain) == (domain,)
        except Invalid:
            return False

    def progress_of(what: str) -> Callable[[int, int], None]:
        return shown(bars, bars.add_task(f"Importing {what}", total=None))

    prepared, watch = here.settings.prepared_statements, Watch(here.settings.database_long_timeout)
    async with await connect(here.url, prepared=prepared, watch=watch) as connection:
        file = ExportFile(lines, passphrase)
        return await import_brokerage(
            connection, MasterKey(here.key), file, slug=slug, may_have=may_have, progress_of=progress_of
        )


def shown(bars: Progress, bar: Any) -> Callable[[int, int], None]:
    """Returns a function that shows on *bar* how much of how much is done."""

    def show(done: int, length: int) -> None:
        bars.update(bar, completed=done, total=length)

    return show


def summary(done: Imported) -> str:
    """The result for the operator, with what is left to do."""
    lines = [
        f"{done.events} events were imported. The brokerage's slug is {done.slug}.",
        "Set passwords ('aureum user set-password') or invite users, create new API keys, and enable the webhooks "
        "after their receivers have the new secrets.",
    ]
    if done.domains:
        lines.append(f"Domains left out, because a brokerage cannot have them here: {', '.join(done.domains)}.")
    if done.logins:
        lines.append(f"Users disabled, because their addresses already have a login here: {', '.join(done.logins)}.")
    if done.renewed:
        lines.append(f"Numbers that were taken here are new: {', '.join(done.renewed)}.")
    if done.uncompared:
        lines.append(f"Not compared, because another version built them there: {', '.join(done.uncompared)}.")
    return "\n".join(lines)


def read_passphrase(file: Path) -> bytes:
    """The first line of *file*. Raises Refused."""
    from aureum.transfer.sealing import LEAST_CHARACTERS

    try:
        with file.open("rb") as opened:
            passphrase = opened.readline(4096).rstrip(b"\r\n")
    except OSError as error:
        raise Refused(UNREADABLE.format(file=file, error=error.strerror)) from error
    if len(passphrase.decode("utf-8", "replace")) < LEAST_CHARACTERS:
        raise Refused(SHORT.format(least=LEAST_CHARACTERS))
    return passphrase
