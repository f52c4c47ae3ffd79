"""``aureum audit lead``: a lead's history replayed from its first event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.installation import Installation, installation, run
from aureum.cli.options import Json, examples, group
from aureum.cli.output import say
from aureum.domain import ids
from aureum.domain.errors import Invalid, NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from aureum.store.event_store import EventStore, Recorded, Stream
    from aureum.store.postgres.database import Database

app = group("Replay and verify the event log.")

NO_LEAD = "There is no lead {text!r}. Give its id (c...) or its number."


@app.command("lead", epilog=examples("aureum audit lead 1001", "aureum audit lead 1001 --as-of 2026-01-31T12:00:00Z"))
def audit_lead(
    lead: Annotated[str, typer.Argument(metavar="ID", help="The lead's id, or its number.")],
    as_of: Annotated[
        str | None, typer.Option(help="Show the state at this moment, such as 2026-01-31T12:00:00Z.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the history and the state of a lead.

    Replays the lead's events, and shows who caused each of them and when.
    """
    from aureum.http.contract.history import history_of

    with installation() as here:
        stream, until = run(load(here, lead, moment(as_of)))
        kept = stream.until(until)
        if not kept.events:
            raise NotFound(f"The lead did not exist at that time. It was captured at {shown_time(stream.events[0])}.")
    entries, now = history_of(kept), state_of(kept)
    people = f"Lead {now['id']}\n\n{history_for_people(entries)}\n\nState\n{lines(now)}"
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


async def load(here: Installation, text: str, until: datetime | None) -> tuple[Stream, datetime | None]:
    """The stream of the lead that *text* names, and *until* on the tenant's clock. Raises NotFound."""
    from aureum.app import open_store
    from aureum.commands.clock import on_clock

    async with open_store(here.settings, here.url, here.key) as store:
        tenant_id, lead_id = await find(store.database, text)
        (until,) = await on_clock(store.database, tenant_id, until)
        return await lead_stream(store, tenant_id, lead_id, text), until


async def find(database: Database, text: str) -> tuple[UUID, UUID]:
    """(tenant, lead) by wire id or number. Raises NotFound."""
    from aureum.projections import lead_list

    lead_id = ids.from_wire(text)
    rows: list[Any] = []
    if lead_id is not None:
        rows = await database.rows(lead_list.TENANT_OF_ID, {"lead": lead_id})
    elif text.isascii() and text.isdigit() and len(text) <= 18:
        rows = await database.rows(lead_list.TENANT_OF_NUMBER, {"number": int(text)})
    if not rows:
        raise NotFound(NO_LEAD.format(text=text))
    return rows[0][0], rows[0][1]


async def lead_stream(store: EventStore, tenant_id: UUID, lead_id: UUID, text: str) -> Stream:
    """Raises NotFound if the stream is not a lead's."""
    from aureum.domain.lead import Lead

    stream = await store.load(tenant_id, lead_id)
    if not stream.events or not isinstance(stream.events[0].event, Lead.Captured):
        raise NotFound(NO_LEAD.format(text=text))
    return stream


def state_of(stream: Stream) -> dict[str, Any]:
    """The lead as the API shows it, and what only staff see."""
    from aureum.domain.routing import reasons
    from aureum.projections import lead_list

    lead = stream.aggregate()
    shown = lead_list.document(lead, lead.id, lead.created_on, lead.modified_on)
    return shown | {
        "number": lead.number,
        "version": lead.version,
        "phoneE164": lead.phone_e164,
        "notes": lead.notes,
        "sourceDomain": lead.source_domain,
        "routing": reasons.shown(lead_list.routed_of(lead), ids.to_wire, whole=True),
        **({"erased": True} if lead.erased else {}),
    }


def history_for_people(entries: Sequence[dict[str, Any]]) -> str:
    """A paragraph an event: version, time, type, actor; below it what changed."""
    paragraphs = []
    for entry in entries:
        head = f"{entry['version']:>3}  {entry['at']}  {entry['type']}  by {who(entry['actor'])}"
        paragraphs.append(
            "\n".join([head, *(f"       {what(name, change)}" for name, change in entry["changes"].items())])
        )
    return "\n".join(paragraphs)


def shown_time(recorded: Recorded) -> str:
    """When an event happened."""
    return ids.aureum_time(recorded.event.timestamp)


def who(actor: dict[str, Any]) -> str:
    """An actor in one word or two."""
    return f"{actor['type']} {actor['id']}" if actor["id"] else str(actor["type"])


def what(name: str, change: dict[str, Any]) -> str:
    """One change; of what was not there before, only what it is now."""
    before = "" if change["from"] is None else f"{text_of(change['from'])} → "
    return f"{name}: {before}{text_of(change['to'])}"


def text_of(value: Any) -> str:
    """A value for people, line ends shown as such so that none can pass for another field."""
    import orjson

    text = "-" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
    return text.replace("\n", "⏎")


def lines(state: dict[str, Any]) -> str:
    """The state, a line a field."""
    return "\n".join(f"  {name}: {text_of(value)}" for name, value in state.items())
