"""``aureum backup`` and ``aureum restore``: a whole installation as one file, without its master key."""

from __future__ import annotations

import hashlib
import hmac
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.backup_documents import add_documents, restore_documents
from aureum.cli.files import new_file
from aureum.cli.installation import Installation, installation, run
from aureum.cli.options import Json, examples
from aureum.cli.output import Refused, note, say

if TYPE_CHECKING:
    from aureum.settings import Settings

BACKUP_EXAMPLES = examples("aureum backup --file /mnt/elsewhere/aureum.backup")
RESTORE_EXAMPLES = examples("aureum restore --file /mnt/elsewhere/aureum.backup")

ABOUT, DUMP = "about.json", "database.dump"

COUNTS = "SELECT (SELECT count(*) FROM brokerages), (SELECT COALESCE(sum(position), 0)::int8 FROM heads), now()"

NOT_EMPTY = (
    "The database is not empty, so nothing was restored. Restore into a new one: set AUREUM_DATABASE_URL to an empty "
    "database, or AUREUM_DATA_DIR to a new directory."
)
OTHER_KEY = (
    "The backup was made with another master key, and without that one its personal data cannot be read. Set "
    "AUREUM_MASTER_KEY to the key of the installation that was backed up."
)
NO_BACKUP = "{file} is not a backup of Aureum, or it was cut short."
OLDER = (
    "The backup is of PostgreSQL {theirs}, and this database is of version {ours}. Restore into version {theirs} or a "
    "newer one."
)
CHANGED = "{file} is damaged: its contents are not what was backed up."


def backup_command(
    file: Annotated[Path, typer.Option(help="The new file for the backup.")],
    as_json: Json = False,
) -> None:
    """Back up the database to a file.

    The installation keeps running meanwhile. The file has everything except the master key: keep the key in another
    place. Documents are encrypted in it, also those of a bucket. Other personal data is in clear text in the file, as
    in the database, so protect both.
    """
    with installation() as here:
        about = write(here, file, *run(observe(here)))
    people = f"{about['brokerages']} brokerages and {about['events']} events were backed up to {file}."
    say(as_json, about | {"bytes": file.stat().st_size}, people + " The master key is not in it.")


async def observe(here: Installation) -> tuple[int, dict[str, Any]]:
    """The server's major version, and what the backup says of what it is of."""
    from aureum.domain.ids import aureum_time
    from aureum.store.postgres.database import connect

    async with await connect(here.url) as connection:
        ((brokerages, events, now),) = await (await connection.execute(COUNTS)).fetchall()
        major = connection.info.server_version // 10_000
    return major, {"madeAt": aureum_time(now), "brokerages": brokerages, "events": events}


def write(here: Installation, file: Path, major: int, observed: dict[str, Any]) -> dict[str, Any]:
    """Make the file; what it says of itself. A file that is there already is left alone. Raises Refused, DumpError."""
    import orjson

    from aureum import __version__
    from aureum.store.postgres.dumps import dump

    digest = hashlib.sha256()
    with new_file(file) as out, zipfile.ZipFile(out, "w") as archive:
        with archive.open(DUMP, "w", force_zip64=True) as dumped:

            def take(block: bytes) -> None:
                digest.update(block)
                dumped.write(block)

            dump(here.url, major, take)
        # What was put after the dump is too much, and is left out when it is restored.
        documents = run(add_documents(here, archive))
        about = {"aureum": __version__, "postgresql": major, **observed, "masterKey": fingerprint(here.key)}
        about |= {"sha256": digest.hexdigest(), "documents": documents}
        archive.writestr(ABOUT, orjson.dumps(about))
    return about


def restore_command(
    file: Annotated[Path, typer.Option(help="The backup.")],
    as_json: Json = False,
) -> None:
    """Restore a backup into an empty database.

    The master key must be the one of the installation that was backed up. An older version's backup is brought up to
    date. Documents that were in a bucket go to the bucket that is set now, or into the database. Webhooks and mails
    that were waiting when the backup was made are sent.
    """
    from aureum.cli.upgrade import upgrade
    from aureum.settings import load_settings

    about = read(file)
    check_key(load_settings(), about)
    with installation(migrated=False) as here:
        run(fill(here, file, about))
        run(upgrade(here.settings, here.url, here.key, quiet=as_json))
        with zipfile.ZipFile(file) as archive:
            run(restore_documents(here, archive))
    people = (
        f"{about['brokerages']} brokerages and {about['events']} events were restored. Verify them: aureum audit verify"
    )
    say(as_json, about, people)


async def fill(here: Installation, file: Path, about: dict[str, Any]) -> None:
    """Restore what was dumped. Raises Refused, DumpError; then the database is as empty as it was."""
    from aureum.store.postgres.database import connect
    from aureum.store.postgres.dumps import is_empty, prepare_role, restore

    async with await connect(here.url) as connection:
        major = connection.info.server_version // 10_000
        if not await is_empty(connection):
            raise Refused(NOT_EMPTY)
        if major < about["postgresql"]:
            raise Refused(OLDER.format(theirs=about["postgresql"], ours=major))
        await prepare_role(connection)
    note("Restoring ...")
    with zipfile.ZipFile(file) as archive, archive.open(DUMP) as dumped:
        restore(here.url, major, dumped)


def read(file: Path) -> dict[str, Any]:
    """What the backup says of itself; its contents have been compared with that. Raises Refused."""
    import orjson

    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(file) as archive:
            about: dict[str, Any] = orjson.loads(archive.read(ABOUT))
            with archive.open(DUMP) as dumped:
                while block := dumped.read(1 << 20):
                    digest.update(block)
            if digest.hexdigest() != about["sha256"]:
                raise Refused(CHANGED.format(file=file))
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from error
    except zipfile.BadZipFile as error:
        raise Refused((CHANGED if "CRC" in str(error) else NO_BACKUP).format(file=file)) from error
    except (KeyError, ValueError, EOFError) as error:
        raise Refused(NO_BACKUP.format(file=file)) from error
    return about


def check_key(settings: Settings, about: dict[str, Any]) -> None:
    """Before anything is made, also no new key. Raises Refused, SettingsError."""
    from aureum.settings.master_key import master_key

    missing = settings.master_key is None and settings.database_url is None
    if missing and not (settings.data_dir / "master.key").exists():
        raise Refused(OTHER_KEY)
    if not hmac.compare_digest(fingerprint(master_key(settings)), str(about["masterKey"])):
        raise Refused(OTHER_KEY)


def fingerprint(master_key: bytes) -> str:
    """By which a key is recognized; nothing of it can be learnt from that."""
    return hmac.digest(master_key, b"aureum backup", hashlib.sha256).hex()[:32]
