"""``aureum routing rehearse``: past leads routed again under other settings, here and now; nothing is changed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.installation import tenant_of, with_store
from aureum.cli.options import Json, Slug, examples, group
from aureum.cli.output import Refused, progress, say, table, whole_document
from aureum.domain.errors import Invalid

if TYPE_CHECKING:
    from uuid import UUID

    from rich.progress import Progress

    from aureum.commands.routed import Team
    from aureum.domain.routing.rehearsal import Rehearsal, Rehearsed
    from aureum.domain.routing.settings import Routing
    from aureum.http.api.routing.rehearsal_fields import Staff
    from aureum.store.event_store import EventStore

app = group("How leads find their agents.")

AGO = re.compile(r"(?P<number>[1-9][0-9]{0,3})(?P<unit>[dh])", re.ASCII)

NO_SINCE = "since must be a number of days or hours such as 30d or 12h, a date such as 2026-11-01, or a time."
NO_FILE = "The settings cannot be read: {file} {why}."
NOT_SETTINGS = "The settings in {file} are not valid: {why}"

MOVED_SHOWN = 20
"""Leads that would have gone elsewhere, in the table for people: the newest ones."""


@app.callback()
def about() -> None:
    """What stands before the command; without it typer takes a single command for the whole program."""


@app.command(
    "rehearse",
    epilog=examples(
        "aureum routing rehearse --brokerage example",
        "aureum routing rehearse --brokerage example --settings new.json --since 30d",
        "aureum routing rehearse --brokerage example --settings new.json --csv > rehearsal.csv",
    ),
)
def rehearse_command(
    slug: Slug,
    settings: Annotated[
        Path | None,
        typer.Option(help="A file with routing settings in JSON, as the API takes them. Default: those of now."),
    ] = None,
    since: Annotated[str, typer.Option(help="Since when: 30d, 12h, a date or a time.")] = "30d",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the leads one by one, as CSV.")] = False,
    as_json: Json = False,
) -> None:
    """Route past leads again under other settings.

    Shows who would have got them, and how the load of the agents shifts. Nothing is changed. Turns and daily caps count
    as if the settings had been in force; agents have the profiles, caps and absences that they have now.
    """
    if as_csv and as_json:
        raise typer.BadParameter("Choose one of --csv and --json.")
    from aureum.commands.rehearsal_model import model_for
    from aureum.settings import load_settings

    sent = None if settings is None else read(settings)

    async def work(store: EventStore) -> None:
        with progress(quiet=as_json) as bars:
            run = await begin(store, await tenant_of(store.database, slug), sent, settings, since, bars)
            async with model_for(run.team.routing, load_settings().routing_model):
                if as_json:
                    await print_json(run)
                elif as_csv:
                    await print_csv(run)
                else:
                    people = await for_people(run)
        if not as_json and not as_csv:
            say(False, None, people)

    with_store(work)


def read(file: Path) -> Any:
    """The document in *file*. Raises Refused."""
    import orjson

    try:
        return orjson.loads(file.read_bytes())
    except OSError as error:
        raise Refused(NO_FILE.format(file=file, why=f"cannot be opened ({error.strerror})")) from error
    except orjson.JSONDecodeError as error:
        raise Refused(NO_FILE.format(file=file, why="is not JSON")) from error


@dataclass
class Run:
    """A rehearsal under way."""

    store: EventStore
    tenant_id: UUID
    team: Team
    rehearsal: Rehearsal
    staff: Staff
    since: datetime
    first: int
    head: int
    bars: Progress

    async def leads(self) -> AsyncIterator[tuple[tuple[Any, ...], Rehearsed]]:
        """One lead after the other: its row as jobs keep it, and what else is known of it."""
        from aureum.commands.rehearsing import rehearse
        from aureum.commands.routing_rehearsals import row_of

        before = self.first - 1
        bar = self.bars.add_task("Rehearsing", total=max(self.head - before, 0))
        async for last, found in rehearse(self.store, self.tenant_id, self.team, self.rehearsal, before, self.head):
            for place, one in enumerate(found, self.rehearsal.leads - len(found) + 1):
                yield row_of(place, one), one
            self.bars.update(bar, completed=last - self.first + 1)


async def begin(store: EventStore, tenant_id: UUID, sent: Any, file: Path | None, since: str, bars: Progress) -> Run:
    """A rehearsal of what was *sent*. Raises Invalid, Refused, Unavailable."""
    from aureum.commands.rehearsing import begun, rehearsed_team
    from aureum.commands.routed import team_of
    from aureum.commands.webhook_replays import HEAD, first_since
    from aureum.projections import users

    at = await moment(store, tenant_id, since)
    about = {"tenant": tenant_id}
    staff = {
        user_id: (number, name)
        for user_id, number, name, *_ in await store.database.tenant_rows(tenant_id, users.ASSIGNABLE, about)
    }
    team = await team_of(store, tenant_id)
    routing = team.routing if sent is None else await wanted(store, tenant_id, sent, staff, file)
    team = await rehearsed_team(store, tenant_id, team, routing)
    ((head,),) = await store.database.tenant_rows(tenant_id, HEAD, about)
    first = await first_since(store, tenant_id, at, included=True)
    rehearsal = await begun(store, tenant_id, team, first, at)
    return Run(store, tenant_id, team, rehearsal, staff, at, first, head, bars)


async def wanted(store: EventStore, tenant_id: UUID, sent: Any, staff: Staff, file: Path | None) -> Routing:
    """The settings in the file, checked as the API checks them. Raises Refused."""
    from aureum.commands.routing import check_agents
    from aureum.domain.routing.settings import check
    from aureum.http.api.routing.setting_fields import RoutingUpdate, settings
    from aureum.http.wire.errors import InvalidRequest
    from aureum.http.wire.validation import validate

    try:
        found = check(settings(validate(RoutingUpdate, sent), {number: one for one, (number, _) in staff.items()}))
        await check_agents(store, tenant_id, found)
    except (Invalid, InvalidRequest) as error:
        why = error.text if isinstance(error, InvalidRequest) else str(error)
        raise Refused(NOT_SETTINGS.format(file=file, why=why)) from error
    return found


async def moment(store: EventStore, tenant_id: UUID, given: str) -> datetime:
    """When the rehearsal begins; a date is its midnight on the brokerage's clock. Raises Invalid."""
    from aureum.commands.clock import on_clock
    from aureum.domain import ids
    from aureum.http.wire.times import parse_time

    ago = AGO.fullmatch(given.strip())
    if ago is not None:
        number = int(ago["number"])
        return ids.now() - (timedelta(days=number) if ago["unit"] == "d" else timedelta(hours=number))
    try:
        (at,) = await on_clock(store.database, tenant_id, parse_time(given))
    except ValueError as error:
        raise Invalid("since", NO_SINCE) from error
    assert at is not None
    return at


async def print_json(run: Run) -> None:
    """One document: the leads, then what has come of all of them."""
    import orjson

    from aureum.domain.ids import leads_time
    from aureum.http.api.routing.rehearsal_fields import lead_document, shift_document

    with whole_document() as document:
        document.write('{"items":[')
        comma = ""
        async for row, one in run.leads():
            because = [{"said": said, "profile": profile} for said, profile in one.because or ()]
            shown = lead_document(row, run.staff) | {"because": because}
            document.write(comma + orjson.dumps(shown).decode())
            comma = ","
        end = {"since": leads_time(run.since)} | shift_document(run.rehearsal, run.staff)
        document.write("]," + orjson.dumps(end).decode()[1:] + "\n")


async def print_csv(run: Run) -> None:
    """A line a lead."""
    from aureum.http.api.routing.rehearsal_fields import csv_head, csv_of

    with whole_document() as document:
        document.write(csv_head())
        async for row, _ in run.leads():
            document.write(csv_of([row], run.staff))


async def for_people(run: Run) -> str:
    """How the load shifts, and the newest leads that would have gone elsewhere."""
    from collections import deque

    from aureum.http.api.routing.rehearsal_fields import csv_row, shift_document

    moved: deque[Any] = deque(maxlen=MOVED_SHOWN)
    async for row, one in run.leads():
        if one.moved:
            moved.append(row)
    shift = shift_document(run.rehearsal, run.staff)
    load = [(one["name"], one["had"], one["would_have"]) for one in shift["agents"]]
    load.append(("(pond)", shift["pond"]["had"], shift["pond"]["would_have"]))
    erased = f" {shift['erased']} of erased persons stay where they are." if shift["erased"] else ""
    said = f"{shift['leads']} leads and tours, of which {shift['moved']} would have gone elsewhere.{erased}"
    parts = [said, table("Load", ("agent", "had", "would have"), load)]
    if moved:
        rows = [csv_row(named(row), run.staff) for row in moved]
        shown = [(f"{row[0]} {row[1]}", row[2], row[4] or "(pond)", row[6] or "(pond)", row[10]) for row in rows]
        title = f"Would have gone elsewhere (the newest {len(shown)} of {shift['moved']}; --csv has all)"
        parts.append(table(title, ("what", "routed at", "had", "would have", "why"), shown))
    return "\n\n".join(parts)


def named(row: tuple[Any, ...]) -> dict[str, Any]:
    """A lead's row by its columns."""
    from aureum.projections.routing_rehearsals import LEAD

    return dict(zip(LEAD, row, strict=True))
