"""``aureum projections``: the read models, how far they are, and rebuilding them while everything goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.installation import Installation, installation, run, tenants_of
from aureum.cli.options import Json, OneOrAll, examples, group
from aureum.cli.output import progress, say, table

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

app = group("Read models: tables that are built from the events.")

LIVE_ROWS = (
    "SELECT '{name}', count(*) FROM {name} x JOIN heads h USING (tenant_id) WHERE x.read_version = h.{name}_version"
)
ALL_ROWS = "SELECT '{name}', count(*) FROM {name}"


def counting() -> str:
    """What counts the live rows of each read model."""
    from aureum.registry import READ_MODELS, VERSIONED

    return " UNION ALL ".join(
        (LIVE_ROWS if model in VERSIONED else ALL_ROWS).replace("{name}", model.NAME) for model in READ_MODELS
    )


@app.command("list", epilog=examples("aureum projections list"))
def list_command(as_json: Json = False) -> None:
    """List read models, row counts and what can be rebuilt."""
    from aureum.registry import READ_MODELS
    from aureum.store.postgres.database import Database
    from aureum.store.postgres.watch import Watch
    from aureum.store.rebuild.rebuild import REBUILDABLE

    async def count(here: Installation) -> dict[str, int]:
        async with Database(here.url, watch=Watch(here.settings.database_long_timeout)) as database:
            return dict(await database.rows(counting()))

    with installation() as here:
        counts = run(count(here))
    can = {model.NAME for model in REBUILDABLE}
    found = [
        {"name": model.NAME, "rows": counts[model.NAME], "rebuildable": model.NAME in can} for model in READ_MODELS
    ]
    shown = [(one["name"], one["rows"], "yes" if one["rebuildable"] else "") for one in found]
    say(as_json, found, table("Read models", ("name", "rows", "rebuildable"), shown))


@app.command(
    "rebuild",
    epilog=examples("aureum projections rebuild", "aureum projections rebuild lead_list --brokerage example"),
)
def rebuild_command(
    names: Annotated[
        list[str] | None, typer.Argument(help="The read models. Default: all that can be rebuilt.")
    ] = None,
    slug: OneOrAll = None,
    as_json: Json = False,
) -> None:
    """Rebuild read models from the events. Writes continue meanwhile.

    The new rows are built beside the live ones, and replace them once they are complete.
    """
    from aureum.store.rebuild.rebuild import REBUILDABLE, rebuildable

    wanted = [rebuildable(name).NAME for name in dict.fromkeys(names or [model.NAME for model in REBUILDABLE])]
    with installation() as here, progress(quiet=as_json) as bars:
        done = run(rebuild_all(here, wanted, slug, bars))
    columns = ("brokerage", "read model", "events", "rows", "seconds")
    say(as_json, done, table("Rebuilt", columns, [tuple(one.values()) for one in done]))


async def rebuild_all(here: Installation, wanted: list[str], slug: str | None, bars: Progress) -> list[dict[str, Any]]:
    """One entry for each brokerage and read model."""
    from aureum.store.cipher import MasterKey, TenantKeys
    from aureum.store.postgres.database import Database
    from aureum.store.postgres.watch import Watch
    from aureum.store.rebuild.rebuild import rebuild

    keys = TenantKeys(MasterKey(here.key))
    done = []
    async with Database(here.url) as database:
        tenants = await tenants_of(database, slug)
    whole = bars.add_task("Rebuilding", total=len(tenants) * len(wanted))
    for tenant_id, name in tenants:
        for model in wanted:
            bar = bars.add_task(f"{name} {model}", total=None)

            def show(folded: int, length: int, bar: TaskID = bar) -> None:
                bars.update(bar, completed=folded, total=length)

            made = await rebuild(
                here.url,
                keys,
                model,
                tenant_id,
                show,
                prepared=here.settings.prepared_statements,
                watch=Watch(here.settings.database_long_timeout),
            )
            # One bar in all, and one for what is at work: hundreds of brokerages do not fill the screen.
            bars.remove_task(bar)
            bars.advance(whole)
            done.append(
                {
                    "brokerage": name,
                    "name": model,
                    "events": made.events,
                    "rows": made.rows,
                    "seconds": round(made.seconds, 3),
                }
            )
    return done
