"""``aureum audit list``: every resource of a kind as it was at a moment, as JSON or CSV."""

from __future__ import annotations

import sys
from contextlib import aclosing
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.audit import moment
from aureum.cli.installation import Installation, installation, run, tenant_of
from aureum.cli.options import Json, Slug, examples
from aureum.cli.output import Refused, whole_document

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

EXAMPLES = examples(
    "aureum audit list leads --brokerage example --as-of 2026-01-31T12:00:00Z > leads.json",
    "aureum audit list contacts --brokerage example --as-of 2026-01-31 --csv > contacts.csv",
)

NAMES = {
    "leads": "lead_list",
    "contacts": "contact_list",
    "properties": "property_list",
    "tasks": "task_list",
    "showings": "tour_list",
    "subscribers": "subscriber_list",
}
"""What the command calls each list, and its read model."""

OF_SOME = {"lead_list": ("suspect",), "tour_list": ("suspect", "noShow"), "subscriber_list": ("suspect",)}
"""Fields that only some resources have; in CSV they come last."""


def audit_list(
    resource: Annotated[str, typer.Argument(metavar="RESOURCE", help=f"One of: {', '.join(NAMES)}.")],
    slug: Slug,
    as_of: Annotated[str | None, typer.Option(help="The moment, such as 2026-01-31T12:00:00Z. Default: now.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for a spreadsheet.")] = False,
    as_json: Json = False,
) -> None:
    """List leads or other resources as of a moment.

    Replays the whole log, so nothing that was changed later shows. The resources have the fields of the API. JSON is
    the default.
    """
    if resource not in NAMES:
        raise Refused(f"There is no list {resource!r}. The lists are: {', '.join(NAMES)}.")
    if as_csv and as_json:
        raise typer.BadParameter("Choose one of --csv and --json.")
    with installation() as here, whole_document() as document:
        run(write(here, slug, resource, as_of, document, as_csv=as_csv))
    sys.stdout.flush()


async def write(
    here: Installation, slug: str, resource: str, as_of: str | None, document: IO[str], *, as_csv: bool
) -> None:
    """The whole document. The security log says that it was made. Raises NotFound, Invalid."""
    from datetime import UTC, datetime

    import orjson

    from aureum.app import open_store
    from aureum.commands.clock import on_clock
    from aureum.registry import LISTS
    from aureum.store.event_log import rows_on
    from aureum.store.lists_as_of import rows_as_of
    from aureum.store.postgres.database import connect
    from aureum.store.postgres.watch import Watch
    from aureum.store.security_log import ON_COMMAND_LINE, Noted, record

    model = next(one for one in LISTS if one.table == NAMES[resource])
    until, watch = moment(as_of), Watch(here.settings.database_long_timeout)
    prepared = here.settings.prepared_statements
    async with (
        open_store(here.settings, here.url, here.key) as store,
        await connect(here.url, prepared=prepared, watch=watch) as connection,
    ):
        tenant_id = await tenant_of(store.database, slug)
        (until,) = await on_clock(store.database, tenant_id, until)
        key = await store.tenant_key(tenant_id)
        await record(store, Noted("export", tenant_id=tenant_id, about=f"{resource}, {ON_COMMAND_LINE}"))
        async with aclosing(rows_as_of(rows_on(connection), key, model, until or datetime.now(UTC))) as rows:
            if as_csv:
                await write_csv(rows, document, OF_SOME.get(model.table, ()))
                return
            before = "["
            async for row, _ in rows:
                document.write(before + orjson.dumps(row["doc"]).decode())
                before = ","
            document.write("[]\n" if before == "[" else "]\n")


async def write_csv(
    rows: AsyncGenerator[tuple[dict[str, Any], int], None], document: IO[str], of_some: tuple[str, ...]
) -> None:
    """A line a resource below the names of its fields."""
    from aureum.domain.csv_cells import BOM, lines

    names: list[str] = []
    async for row, _ in rows:
        if not names:
            names = [name for name in row["doc"] if name not in of_some] + list(of_some)
            document.write(BOM + lines([names]).decode())
        document.write(lines([[cell(row["doc"].get(name)) for name in names]]).decode())


def cell(value: Any) -> str:
    """A value as text; what has parts is JSON."""
    import orjson

    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
