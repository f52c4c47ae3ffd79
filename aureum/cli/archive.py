"""``aureum archive``: moves the older part of the logs into a table of its own, which everything still reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.audit import moment
from aureum.cli.installation import Installation, installation, run, tenants_of
from aureum.cli.options import Json, examples
from aureum.cli.output import Refused, note, progress, say, table
from aureum.domain import ids

if TYPE_CHECKING:
    from datetime import datetime

    from rich.progress import Progress

EXAMPLES = examples(
    "aureum archive --all --until 2025-01-01 --dry-run",
    "aureum archive --all --until 2025-01-01",
    "aureum archive --brokerage example --until 2025-01-01 --json",
)

WHICH = "Choose one of --brokerage and --all."
NOT_PAST = "--until must be in the past."
COLUMNS = ("brokerage", "events", "archived up to position")


def archive_command(
    until: Annotated[str, typer.Option(help="Events from before this moment are archived, such as 2025-01-01.")],
    slug: Annotated[str | None, typer.Option("--brokerage", help="The slug of one brokerage.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="All brokerages, and the platform's own log.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be archived.")] = False,
    as_json: Json = False,
) -> None:
    """Move old events to the archive table.

    Everything still reads them there: histories, rebuilds, exports, 'aureum audit verify'. The table of current events
    and its indexes get smaller. Each step moves up to 10,000 events in one transaction, after verifying their hashes.
    Writes continue meanwhile. Ctrl-C ends it and undoes the step under way. Run it again to go on.
    """
    if (slug is None) is not all_of_them:
        raise typer.BadParameter(WHICH)
    before = moment(until, "until")
    assert before is not None
    if before > ids.now():
        raise Refused(NOT_PAST)
    with installation() as here, progress(quiet=as_json) as bars:
        done = run(archive_all(here, slug, before, bars, dry_run=dry_run))
    events = sum(one["events"] for one in done)
    document = {"until": ids.aureum_time(before), "dryRun": dry_run, "events": events, "brokerages": done}
    said = f"{events} events {'would be' if dry_run else 'were'} archived."
    rows = [(one["brokerage"], one["events"], one["position"]) for one in done if one["events"]]
    say(as_json, document, f"{said}\n\n{table('Brokerages', COLUMNS, rows)}" if rows else said)


async def archive_all(
    here: Installation, slug: str | None, before: datetime, bars: Progress, *, dry_run: bool
) -> list[dict[str, Any]]:
    """One entry for each log. Raises NotFound, NotOnCitus, NotWhole, Busy, Unavailable."""
    from aureum.store import archive
    from aureum.store.postgres.database import Database, connect
    from aureum.store.postgres.watch import Watch

    watch = Watch(here.settings.database_long_timeout)
    prepared = here.settings.prepared_statements
    async with (
        Database(here.url, prepared=prepared) as database,
        await connect(here.url, prepared=prepared, watch=watch) as connection,
    ):
        archive.refuse_citus(connection)
        tenants = await tenants_of(database, slug)
        if slug is None:
            tenants.append((ids.PLATFORM, "platform"))
        done = []
        whole = bars.add_task("Archiving", total=len(tenants))
        for tenant_id, name in tenants:
            archived, last = await archive.older_part(connection, tenant_id, before)
            reached = last
            if last > archived and not dry_run:
                await archive.make_table(connection)
                bar = bars.add_task(name, total=last - archived)
                async for reached in archive.move(connection, tenant_id, last):
                    bars.update(bar, completed=reached - archived)
                bars.remove_task(bar)
            bars.advance(whole)
            done.append({"brokerage": name, "events": max(reached - archived, 0), "position": max(reached, archived)})
        if not dry_run:
            note("Vacuuming ...")
            if not await archive.vacuum(connection):
                note("It was not finished. PostgreSQL goes on by itself.")
    return done
