"""``aureum audit lead`` and its like: a resource's history replayed from its first event."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from aureum.cli import audit_kinds, audit_routing
from aureum.cli.installation import Installation, installation, run
from aureum.cli.options import Json, examples, group
from aureum.cli.output import say, table, whole_document
from aureum.domain import ids
from aureum.domain.errors import Invalid, NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from aureum.cli.audit_kinds import Reading
    from aureum.store.event_store import Stream
    from aureum.store.postgres.database import Database

app = group("Replay and verify the event log.")


class Kind(NamedTuple):
    """What can be replayed: its *noun*, whether it has a number, and how it is read."""

    noun: str
    numbered: bool
    read: Callable[[], Reading]


KINDS = {
    "lead": Kind("lead", True, audit_kinds.of_lead),
    "contact": Kind("contact", False, audit_kinds.of_contact),
    "property": Kind("property", False, audit_kinds.of_property),
    "task": Kind("task", False, audit_kinds.of_task),
    "showing": Kind("showing", True, audit_kinds.of_showing),
    "user": Kind("user", True, audit_kinds.of_user),
    "api-key": Kind("API key", False, audit_kinds.of_api_key),
    "webhook": Kind("webhook", False, audit_kinds.of_webhook),
    "brokerage": Kind("brokerage", True, audit_kinds.of_brokerage),
}
"""By the name of its command."""

AN_ID = "c03haxjzzz18r2cgnk0qucb7ij"

Moment = Annotated[str | None, typer.Option(help="Show the state at this moment, such as 2026-01-31T12:00:00Z.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV, a line for each change.")]

COLUMNS = ("version", "at", "type", "actor", "actor_id", "actor_name", "request", "address", "field", "from", "to")
FOR_PEOPLE = ("version", "at", "type", "by", "field", "from", "to")


def command_of(name: str) -> None:
    """Declare the command for one kind."""
    kind = KINDS[name]
    how = "id, or its number" if kind.numbered else "id"
    article = "an" if kind.noun[0] in "aA" else "a"

    def replay(wanted: str, as_of: Moment = None, as_csv: Csv = False, as_json: Json = False) -> None:
        if as_csv and as_json:
            raise typer.BadParameter("Choose one of --csv and --json.")
        show(kind, wanted, as_of, as_csv=as_csv, as_json=as_json)

    replay.__annotations__["wanted"] = Annotated[str, typer.Argument(metavar="ID", help=f"The {kind.noun}'s {how}.")]
    sample = "1001" if kind.numbered else AN_ID
    app.command(
        name,
        help=f"Show the history and the state of {article} {kind.noun}.\n\nReplays the {kind.noun}'s events, and shows "
        "who caused each of them and when.",
        epilog=examples(
            f"aureum audit {name} {sample}",
            f"aureum audit {name} {sample} --as-of 2026-01-31T12:00:00Z --csv",
        ),
    )(replay)


for one in KINDS:
    command_of(one)


def show(kind: Kind, wanted: str, as_of: str | None, *, as_csv: bool, as_json: bool) -> None:
    """Print it. Raises NotFound, Invalid."""
    reading = kind.read()
    with installation() as here:
        stream, until, names, where = run(load(here, kind, reading, wanted, moment(as_of)))
        kept = stream.until(until)
        if not kept.events:
            begun = ids.aureum_time(stream.events[0].event.timestamp)
            raise NotFound(f"The {kind.noun} did not exist at that time. It begins at {begun}.")
    entries, now = reading.entries(kept), reading.state(kept)
    for entry in entries:
        entry.pop("savedWith", None)
        entry["actor"] = {**entry["actor"], "name": names.get(entry["actor"]["id"])}
        entry["address"] = where[entry["version"]]
    if as_csv:
        print_csv(entries)
        return
    title = f"{kind.noun[:1].upper()}{kind.noun[1:]}"
    state = table("State", ("field", "value"), [(name, text_of(value)) for name, value in now.items()])
    routed = audit_routing.for_people(now["routing"], names) if kind.noun == "lead" else None
    parts = (f"{title} {now['id']}", history_for_people(entries), state, routed)
    people = "\n\n".join(filter(None, parts))
    say(as_json, {"id": now["id"], "events": entries, "state": now}, people)


def moment(text: str | None, option: str = "as-of") -> datetime | None:
    """The time that an *option* of the command line names. Raises Invalid."""
    from aureum.http.wire.times import parse_time

    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        raise Invalid(
            option, f"{option} must be a time such as 2026-01-31T12:00:00Z, or a date such as 2026-01-31."
        ) from error


async def load(
    here: Installation, kind: Kind, reading: Reading, text: str, until: datetime | None
) -> tuple[Stream, datetime | None, dict[str, str], dict[int, str | None]]:
    """The stream that *text* names, *until* on the tenant's clock, the names of those who acted, and from where, by
    version. Raises NotFound."""
    from aureum.app import open_store
    from aureum.commands.clock import on_clock
    from aureum.domain.brokerage import Brokerage
    from aureum.store.addresses import addresses_of

    async with open_store(here.settings, here.url, here.key) as store:
        found = await audit_kinds.find(store.database, reading, text)
        stream = None if found is None else await store.load(*found)
        if found is None or stream is None or not of_kind(reading, stream):
            how = "its id (c...) or its number" if kind.numbered else "its id (c...)"
            raise NotFound(f"There is no {kind.noun} {text!r}. Give {how}.")
        tenant_id = found[1] if reading.aggregate is Brokerage else found[0]
        (until,) = await on_clock(store.database, tenant_id, until)
        metadata = [recorded.metadata for recorded in stream.events]
        key = await store.tenant_key(found[0])
        addresses = await addresses_of(store.database, key, store.tenant_key, metadata)
        versions = [recorded.event.originator_version for recorded in stream.events]
        names = await names_in(store.database, tenant_id, stream)
        return stream, until, names, dict(zip(versions, addresses, strict=True))


def of_kind(reading: Reading, stream: Stream) -> bool:
    """Whether the stream is of this kind of resource."""
    events: Any = reading.aggregate.Event
    return bool(stream.events) and isinstance(stream.events[0].event, events)


async def names_in(database: Database, tenant_id: UUID, stream: Stream) -> dict[str, str]:
    """The names of the users and keys that acted, and of the agents whom routing considered, by wire id; the platform's
    too."""
    from aureum.http.contract.history import NAMES

    actors = [recorded.metadata["actor"] for recorded in stream.events]
    acted = {ids.from_wire(actor["id"]) for actor in actors if actor["type"] in ("user", "key")} - {None}
    wanted = acted | audit_routing.agents_in(stream)
    names: dict[str, str] = {}
    for tenant in dict.fromkeys((ids.PLATFORM, tenant_id)):
        rows = await database.tenant_rows(tenant, NAMES, {"tenant": tenant, "ids": list(wanted)})
        names |= {ids.to_wire(found): name for found, name in rows}
    return names


def print_csv(entries: Sequence[Mapping[str, Any]]) -> None:
    """A line for each change; of an event that changed nothing that is shown, a line without a field."""
    from aureum.domain.csv_cells import BOM
    from aureum.domain.csv_cells import lines as csv_lines

    with whole_document() as document:
        document.write(BOM + csv_lines([COLUMNS]).decode())
        for entry in entries:
            actor = entry["actor"]
            head = [str(entry["version"]), entry["at"], entry["type"], actor["type"], actor["id"] or ""]
            head += [actor["name"] or "", entry["request"], entry["address"] or ""]
            changed = [(name, cell(one["from"]), cell(one["to"])) for name, one in entry["changes"].items()]
            document.write(csv_lines([[*head, *change] for change in changed or [("", "", "")]]).decode())
    sys.stdout.flush()


def cell(value: Any) -> str:
    """A value as text; what has parts is JSON."""
    import orjson

    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()


def history_for_people(entries: Sequence[Mapping[str, Any]]) -> str:
    """A row for each change; of an event that changed nothing that is shown, a row without a field."""
    rows = []
    for entry in entries:
        head = (entry["version"], entry["at"], entry["type"], who(entry["actor"]))
        changed = [(name, text_of(one["from"]), text_of(one["to"])) for name, one in entry["changes"].items()]
        rows += [(*head, *change) for change in changed or [("", "", "")]]
    return table("History", FOR_PEOPLE, rows)


def who(actor: Mapping[str, Any]) -> str:
    """An actor in a few words: the name, or else the id."""
    return " ".join(filter(None, (actor["type"], actor["name"] or actor["id"])))


def text_of(value: Any) -> str:
    """A value for people; of how a lead was routed, the reason."""
    if isinstance(value, dict) and "reason" in value:
        value = value["reason"]
    return "-" if value is None else cell(value)
