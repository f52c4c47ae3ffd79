"""``aureum projections``: the read models, how far they are, and rebuilding them while everything goes on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.background.lag import LAGS
from aureum.cli.installation import Installation, installation, run, tenants_of
from aureum.cli.options import Json, OneOrAll, examples, group
from aureum.cli.output import progress, say, table

if TYPE_CHECKING:
    from uuid import UUID

    from rich.progress import Progress, TaskID

MOST_AT_ONCE = 8
"""Each takes two connections; with more, the database gains nothing."""

app = group("Read models: tables that are built from the events.")

LIVE_ROWS = (
    "SELECT '{name}', count(*) FROM {name} x JOIN heads h USING (tenant_id) WHERE x.read_version = h.{name}_version"
)
ALL_ROWS = "SELECT '{name}', count(*) FROM {name}"

REBUILT = "SELECT read_model, max(claimed_at) FROM rebuilds GROUP BY read_model"


def counting() -> str:
    """What counts the live rows of each read model."""
    from aureum.registry import READ_MODELS, VERSIONED

    return " UNION ALL ".join(
        (LIVE_ROWS if model in VERSIONED else ALL_ROWS).replace("{name}", model.NAME) for model in READ_MODELS
    )


@app.command("list", epilog=examples("aureum projections list"))
def list_command(as_json: Json = False) -> None:
    """List read models, and how far behind the followers are.

    Read models are updated by the append itself, so they are never behind. Followers (webhooks, mail, timers) read the
    logs afterwards: lag is how many events are still ahead of them.
    """
    from aureum.registry import READ_MODELS
    from aureum.store.rebuild.rebuild import REBUILDABLE

    with installation() as here:
        counts, older, rebuilt, behind = run(observe(here, [model.NAME for model in REBUILDABLE]))
    steps = {model.NAME: model.STEP_VERSION for model in REBUILDABLE}
    found: list[dict[str, Any]] = [
        {
            "name": model.NAME,
            "kind": "read model",
            "rows": counts[model.NAME],
            "rebuildable": model.NAME in steps,
            "step": steps.get(model.NAME),
            "olderStep": older.get(model.NAME, 0),
            "lag": 0,
            "rebuiltAt": rebuilt.get(model.NAME),
        }
        for model in READ_MODELS
    ]
    found += [{"name": name, "kind": "follower", "lag": lag, "oldest": oldest} for name, lag, oldest in behind]
    models = [
        (one["name"], one["rows"], one["step"], one["olderStep"] or None, one["rebuiltAt"])
        for one in found
        if one["kind"] == "read model"
    ]
    columns = ("name", "rows", "step (can be rebuilt)", "brokerages of an older step", "last rebuilt")
    followers = table("Followers", ("name", "lag in events", "oldest of them"), behind)
    say(as_json, found, f"{table('Read models', columns, models)}\n\n{followers}")


async def observe(
    here: Installation, rebuildable: list[str]
) -> tuple[dict[str, int], dict[str, int], dict[str, str], list[tuple[str, int, str | None]]]:
    """Rows by read model, brokerages of an older step, the last rebuild, and each follower's lag."""
    from collections import Counter

    from aureum.domain.ids import aureum_time
    from aureum.store.postgres.database import Database, connect
    from aureum.store.postgres.migrate import of_older_steps
    from aureum.store.postgres.watch import Watch

    watch = Watch(here.settings.database_long_timeout)
    async with Database(here.url, watch=watch) as database, await connect(here.url, watch=watch) as connection:
        counts = dict(await database.rows(counting()))
        older = Counter(name for _, name in await of_older_steps(connection))
        rebuilt = {name: aureum_time(at) for name, at in await database.rows(REBUILT) if name in rebuildable}
        lags = await database.rows(LAGS)
    return counts, older, rebuilt, [(name, lag, oldest and aureum_time(oldest)) for name, lag, oldest in lags]


@app.command(
    "rebuild",
    epilog=examples(
        "aureum projections rebuild",
        "aureum projections rebuild lead_list --brokerage example",
        "aureum projections rebuild --parallel 4",
        "aureum projections rebuild --verify",
    ),
)
def rebuild_command(
    names: Annotated[
        list[str] | None, typer.Argument(help="The read models. Default: all that can be rebuilt.")
    ] = None,
    slug: OneOrAll = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Replace nothing. Compare what is built with the live rows.")
    ] = False,
    parallel: Annotated[
        int, typer.Option(min=1, max=MOST_AT_ONCE, help="How many brokerages to rebuild at the same time.")
    ] = 1,
    as_json: Json = False,
) -> None:
    """Rebuild read models from the events. Writes continue meanwhile.

    The new rows are built beside the live ones, and replace them once they are complete. Ctrl-C ends it and leaves the
    live rows as they were. A rebuild that was killed goes on where it stopped. With --verify the rows are compared
    instead, and each live row that is missing, extra or different is named. The exit status is then 1 if there is one.
    """
    from aureum.store.rebuild.rebuild import REBUILDABLE, rebuildable

    wanted = [rebuildable(name).NAME for name in dict.fromkeys(names or [model.NAME for model in REBUILDABLE])]
    if verify:
        verify_command(wanted, slug, as_json)
        return
    with installation() as here, progress(quiet=as_json) as bars:
        done = run(rebuild_all(here, wanted, slug, bars, parallel))
    columns = ("brokerage", "read model", "events", "rows", "seconds")
    say(as_json, done, table("Rebuilt", columns, [tuple(one.values()) for one in done]))


def verify_command(wanted: list[str], slug: str | None, as_json: bool) -> None:
    """What ``rebuild --verify`` does."""
    with installation() as here, progress(quiet=as_json) as bars:
        done = run(verify_all(here, wanted, slug, bars))
    rows = [
        (one["brokerage"], one["read_model"], row["id"], row["difference"], ", ".join(row["columns"]))
        for one in done
        for row in one["rows"]
    ]
    differences = sum(one["differences"] for one in done)
    people = f"{sum(one['compared'] for one in done)} rows compared, differences: {differences}."
    if rows:
        people += "\n\n" + table("Differences", ("brokerage", "read model", "row", "difference", "columns"), rows)
    say(as_json, done, people)
    if differences:
        sys.exit(1)


async def verify_all(here: Installation, wanted: list[str], slug: str | None, bars: Progress) -> list[dict[str, Any]]:
    """One entry for each brokerage and read model."""
    from uuid import UUID

    from aureum.domain import ids
    from aureum.store.cipher import MasterKey, TenantKeys
    from aureum.store.postgres.database import Database
    from aureum.store.postgres.watch import Watch
    from aureum.store.rebuild.verifying import verify_read_model

    keys, watch = TenantKeys(MasterKey(here.key)), Watch(here.settings.database_long_timeout)
    async with Database(here.url) as database:
        tenants = await tenants_of(database, slug)
    whole = bars.add_task("Verifying", total=len(tenants) * len(wanted))
    done = []
    for tenant_id, name in tenants:
        for model in wanted:
            found = await verify_read_model(
                here.url, keys, model, tenant_id, prepared=here.settings.prepared_statements, watch=watch
            )
            bars.advance(whole)
            rows = [
                {
                    "id": ids.to_wire(one.key) if isinstance(one.key, UUID) else one.key,
                    "difference": one.what,
                    "columns": list(one.columns),
                }
                for one in found.named
            ]
            done.append(
                {
                    "read_model": model,
                    "brokerage": name,
                    "compared": found.rows,
                    "differences": found.differences,
                    "rows": rows,
                }
            )
    return done


async def rebuild_all(
    here: Installation, wanted: list[str], slug: str | None, bars: Progress, parallel: int = 1
) -> list[dict[str, Any]]:
    """One entry for each brokerage and read model; *parallel* brokerages at the same time, each with one read model
    after the other. When one fails, those under way are cancelled, and leave nothing behind."""
    import asyncio

    from aureum.store.cipher import MasterKey, TenantKeys
    from aureum.store.postgres.database import Database
    from aureum.store.postgres.watch import Watch
    from aureum.store.rebuild.rebuild import rebuild

    keys = TenantKeys(MasterKey(here.key))
    done = []
    async with Database(here.url) as database:
        tenants = await tenants_of(database, slug)
    whole = bars.add_task("Rebuilding", total=len(tenants) * len(wanted))
    room = asyncio.Semaphore(parallel)

    async def rebuild_one(tenant_id: UUID, name: str) -> None:
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

    async def in_turn(tenant_id: UUID, name: str) -> None:
        async with room:
            await rebuild_one(tenant_id, name)

    try:
        async with asyncio.TaskGroup() as group:
            for tenant in tenants:
                group.create_task(in_turn(*tenant))
    except BaseExceptionGroup as failed:
        # The first reason: the others were cancelled for it, or fail alike.
        raise failed.exceptions[0] from None
    order = [name for _, name in tenants]
    return sorted(done, key=lambda one: order.index(one["brokerage"]))
