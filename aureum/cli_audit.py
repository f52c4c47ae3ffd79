"""``aureum audit``: a lead's history replayed from its first event, and the chain of hashes verified."""

import asyncio
import sys
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer
from psycopg_pool import ConnectionPool
from rich.console import Console
from rich.progress import Progress

from aureum.app import open_store
from aureum.domain import ids
from aureum.domain.errors import Invalid, NotFound
from aureum.domain.lead import Lead
from aureum.http.fields import parse_time
from aureum.http.history import history_of
from aureum.operator import Installation, every_tenant, installation, say, table
from aureum.projections import lead_list
from aureum.store import chain
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.database import Database, connect
from aureum.store.event_store import EventStore, Stream
from aureum.store.history import tenant_repository

app = typer.Typer(no_args_is_help=True, help="Replay and verify what was recorded.")

NO_LEAD = "There is no lead {text!r}. Give its id (c...) or its number."


@app.command("lead")
def audit_lead(
    lead: Annotated[str, typer.Argument(help="The lead's id, or its number.")],
    as_of: Annotated[str | None, typer.Option(help="A moment, such as 2026-01-31T12:00:00Z; itself included.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Replay a lead: every event with who, what and when, and the state that they add up to."""
    until = moment(as_of)
    with installation() as here:
        tenant_id, stream = asyncio.run(load(here, lead))
        kept = [recorded for recorded in stream.events if until is None or recorded.event.timestamp <= until]
        if not kept:
            raise NotFound("The lead did not exist at that time.")
        state = replayed(here, tenant_id, kept[0].event.originator_id, kept[-1].event.originator_version)
    entries = history_of(Stream(kept, None))
    lead_id = ids.to_wire(state.id)
    document = {"id": lead_id, "events": entries, "state": state_of(state)}
    rows = [(e["version"], e["at"], e["type"], who(e["actor"]), what(e["changes"])) for e in entries]
    say(as_json, document, table(f"Lead {lead_id}", ("", "At", "Event", "Actor", "Changes"), rows))
    if not as_json:
        for name, value in document["state"].items():
            Console(highlight=False).print(f"  {name}: {value if value is not None else '-'}", markup=False)


def moment(text: str | None) -> datetime | None:
    """Raises Invalid."""
    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        raise Invalid("as-of", "as-of must be a time such as 2026-01-31T12:00:00Z.") from error


async def load(here: Installation, text: str) -> tuple[UUID, Stream]:
    """The tenant and the stream of the lead that *text* names. Raises NotFound."""
    async with open_store(here.settings, here.url, here.key) as store:
        tenant_id, lead_id = await find(store.database, text)
        return tenant_id, await lead_stream(store, tenant_id, lead_id, text)


async def find(database: Database, text: str) -> tuple[UUID, UUID]:
    """(tenant, lead) by wire id or number. Raises NotFound."""
    lead_id = ids.from_wire(text)
    if lead_id is not None:
        rows = await database.rows(lead_list.TENANT_OF_ID, {"lead": lead_id})
    elif text.isascii() and text.isdigit() and len(text) <= 18:
        rows = await database.rows(lead_list.TENANT_OF_NUMBER, {"number": int(text)})
    else:
        rows = []
    if not rows:
        raise NotFound(NO_LEAD.format(text=text))
    return rows[0][0], rows[0][1]


async def lead_stream(store: EventStore, tenant_id: UUID, lead_id: UUID, text: str) -> Stream:
    """Raises NotFound if the stream is not a lead's."""
    stream = await store.load(tenant_id, lead_id)
    if not stream.events or not isinstance(stream.events[0].event, Lead.Captured):
        raise NotFound(NO_LEAD.format(text=text))
    return stream


def replayed(here: Installation, tenant_id: UUID, lead_id: UUID, version: int) -> Lead:
    """The lead as it was at *version*, by the library's repository."""
    keys = TenantKeys(MasterKey(here.key))
    with ConnectionPool(here.url, min_size=1, max_size=2, kwargs={"autocommit": True}, open=True) as pool:
        lead: Lead = tenant_repository(pool, tenant_id, keys).get(lead_id, version=version)
        return lead


def state_of(lead: Lead) -> dict[str, Any]:
    """The lead as the API shows it, and what only staff see."""
    shown = lead_list.document(lead, lead.id, lead.created_on, lead.modified_on)
    return shown | {
        "number": lead.number,
        "version": lead.version,
        "phoneE164": lead.phone_e164,
        "notes": lead.notes,
        "sourceDomain": lead.source_domain,
        "routing": lead.routing,
    }


def who(actor: dict[str, Any]) -> str:
    """An actor in one word or two."""
    return f"{actor['type']} {actor['id']}" if actor["id"] else str(actor["type"])


def what(changes: dict[str, dict[str, Any]]) -> str:
    """Changes, one a line."""
    return "\n".join(f"{name}: {short(change['from'])} → {short(change['to'])}" for name, change in changes.items())


def short(value: Any) -> str:
    """A value in at most 40 characters."""
    text = "-" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= 40 else text[:39] + "…"


@app.command("verify")
def audit_verify(
    slug: Annotated[str | None, typer.Option("--brokerage", help="One brokerage's slug; without it all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Recompute every hash: finds a flipped byte, a missing row, a swapped pair, and says where."""
    with installation() as here:
        events, broken = asyncio.run(verify_all(here, slug, quiet=as_json))
    if broken:
        say(as_json, {"ok": False, "events": events, "broken": broken}, describe(broken))
        sys.exit(1)
    say(as_json, {"ok": True, "events": events}, f"{events} events stand as they were appended.")


async def verify_all(here: Installation, slug: str | None, *, quiet: bool) -> tuple[int, list[dict[str, Any]]]:
    """How many events were verified, and where a log is broken."""
    events = 0
    broken = []
    async with Database(here.url) as database, await connect(here.url) as connection:
        tenants = [tenant async for tenant in every_tenant(database, slug)]
        if slug is None:
            tenants.insert(0, (ids.PLATFORM, "platform"))
        with Progress(console=Console(stderr=True), disable=quiet) as progress:
            bar = progress.add_task("Verifying", total=len(tenants))
            for tenant_id, name in tenants:
                found = await chain.verify(connection, tenant_id)
                if isinstance(found, chain.Broken):
                    broken.append({"brokerage": name, "position": found.position, "what": found.what})
                else:
                    events += found.events
                progress.advance(bar)
    return events, broken


def describe(broken: list[dict[str, Any]]) -> str:
    """A line for each brokerage whose log is broken."""
    return "\n".join(f"{b['brokerage']}: broken at position {b['position']}: {b['what']}" for b in broken)
