"""``aureum audit security``: what the security log of a brokerage says."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.audit import moment
from aureum.cli.installation import Installation, installation, run, tenant_of
from aureum.cli.options import Json, examples
from aureum.cli.output import say, table, whole_document
from aureum.domain import ids

if TYPE_CHECKING:
    from aureum.store.security_entries import Entry

EXAMPLES = examples(
    "aureum audit security --brokerage example --since 2026-01-31",
    "aureum audit security --csv > security.csv",
)

COLUMNS = ("at", "first_at", "times", "kind", "user", "key", "account", "address", "device", "about")


def audit_security(
    slug: Annotated[
        str | None, typer.Option("--brokerage", help="The brokerage's slug. Default: entries of no brokerage.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Only from this moment on, such as 2026-01-31T12:00:00Z.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for a spreadsheet.")] = False,
    as_json: Json = False,
) -> None:
    """List logins, refused API keys, exports and erasures.

    Newest first. Entries that are alike within an hour are one row with a count. AUREUM_SECURITY_LOG_DAYS sets how long
    entries are kept.
    """
    if as_csv and as_json:
        raise typer.BadParameter("Choose one of --csv and --json.")
    with installation() as here:
        found = [row_of(entry) for entry in run(load(here, slug, moment(since, "since")))]
    if as_csv:
        print_csv(found)
        return
    rows = [tuple(one[name] for name in COLUMNS) for one in found]
    say(as_json, found, table("Security log", COLUMNS, rows))


async def load(here: Installation, slug: str | None, since: datetime | None) -> list[Entry]:
    """The entries. Raises NotFound, Unavailable."""
    from aureum.app import open_store
    from aureum.commands.clock import on_clock
    from aureum.store import security_entries

    async with open_store(here.settings, here.url, here.key) as store:
        tenant_id = ids.PLATFORM if slug is None else await tenant_of(store.database, slug)
        (since,) = await on_clock(store.database, tenant_id, since)
        found, _ = await security_entries.entries(store, tenant_id, since=since)
        return found


def row_of(entry: Entry) -> dict[str, Any]:
    """An entry under the names of its columns."""
    return {
        "at": ids.aureum_time(entry.last_at),
        "first_at": ids.aureum_time(entry.first_at),
        "times": entry.times,
        "kind": entry.kind,
        "user": None if entry.user is None else entry.user[2],
        "key": None if entry.key is None else entry.key[1],
        **{name: entry.said.get(name) for name in ("account", "address", "device", "about")},
    }


def print_csv(found: list[dict[str, Any]]) -> None:
    """A line an entry."""
    from aureum.domain.csv_cells import BOM, lines

    with whole_document() as document:
        document.write(BOM + lines([COLUMNS]).decode())
        for one in found:
            document.write(lines([["" if one[name] is None else str(one[name]) for name in COLUMNS]]).decode())
    sys.stdout.flush()
