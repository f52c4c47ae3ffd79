"""``aureum audit checkpoint`` and ``aureum audit log``: what an auditor takes away to verify a log elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aureum.cli.files import new_file
from aureum.cli.installation import installation, run, tenant_of
from aureum.cli.options import Json, OneOrAll, Slug, examples
from aureum.cli.output import Refused, say

if TYPE_CHECKING:
    from aureum.cli.installation import Installation

EXAMPLES = examples("aureum audit checkpoint --file /mnt/elsewhere/checkpoints.jsonl")
LOG_EXAMPLES = examples("aureum audit log --brokerage example --file example.csv")


def audit_checkpoint(
    file: Annotated[Path, typer.Option(help="The file that the checkpoints are added to.")],
    slug: OneOrAll = None,
    as_json: Json = False,
) -> None:
    """Sign the current end of each brokerage's log.

    Adds a line for each log to a file. Keep it where the administrators of the database cannot change it: 'aureum audit
    verify --checkpoint' then finds a log whose end was cut off or that was rebuilt. The printed public key is enough to
    verify.
    """
    from aureum.store.signed_checkpoints import public_text, signing_key

    with installation() as here:
        lines = run(sign_heads(here, slug))
        public = public_text(signing_key(here.key).public_key())
    append(file, lines)
    say(
        as_json,
        {"checkpoints": len(lines), "publicKey": public},
        f"{len(lines)} checkpoints were added to {file}.\nPublic key: {public}",
    )


async def sign_heads(here: Installation, slug: str | None) -> list[bytes]:
    """A line for each log. Raises NotFound."""
    from aureum.store.postgres.database import Database
    from aureum.store.signed_checkpoints import signed_heads, signing_key

    async with Database(here.url, prepared=here.settings.prepared_statements) as database:
        tenant_id = None if slug is None else await tenant_of(database, slug)
        return [head.line for head in await signed_heads(database, signing_key(here.key), tenant_id)]


def append(file: Path, lines: list[bytes]) -> None:
    """Add whole lines to *file*, and see that they are on the disk. Raises Refused."""
    from aureum.worker.checkpointing import add_lines

    try:
        add_lines(file, lines)
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}.") from error


def audit_log(
    slug: Slug,
    file: Annotated[Path, typer.Option(help="The new file for the log.")],
    as_json: Json = False,
) -> None:
    """Write a brokerage's stored events to a file, for an auditor.

    The file holds the rows as they are stored: personal data stays encrypted. 'aureum audit verify --log' and
    docs/samples/verify_log.py verify it without a database.
    """
    with installation() as here:
        size = run(write_log(here, slug, file))
    say(as_json, {"bytes": size}, f"The log of {slug} was written to {file}.")


async def write_log(here: Installation, slug: str, file: Path) -> int:
    """How many bytes were written. Raises NotFound, Refused."""
    from aureum.store.log_file import copied
    from aureum.store.postgres.database import Database, connect
    from aureum.store.postgres.watch import Watch

    prepared, watch = here.settings.prepared_statements, Watch(here.settings.database_long_timeout)
    async with Database(here.url, prepared=prepared) as database:
        tenant_id = await tenant_of(database, slug)
    with new_file(file) as out:
        async with await connect(here.url, prepared=prepared, watch=watch) as connection:
            async for block in copied(connection, tenant_id):
                out.write(block)
        return out.tell()
