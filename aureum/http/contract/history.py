"""A stream as an auditor reads it: one entry an event, with who, what, when, and from what to what."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from starlette.responses import Response

from aureum.commands.undoing import saves_of
from aureum.domain.aggregate import PersonErased, ResourceRemoved
from aureum.domain.ids import PLATFORM, aureum_time, from_wire, to_wire
from aureum.domain.lead import Lead
from aureum.domain.routing import reasons
from aureum.domain.tour import Tour
from aureum.domain.undoing import PARTS, undoable
from aureum.http.access.roles import ADMIN, OWNER
from aureum.http.contract.answers import answer, encoded, living_etag, not_modified
from aureum.http.contract.endpoint import Context
from aureum.http.contract.resource import AsOf, as_it_was, loaded_ever
from aureum.projections import activity_list, lead_list
from aureum.projections.changes import changes
from aureum.projections.document_list import DocumentList, Row
from aureum.store.addresses import addresses_of
from aureum.store.event_store import Recorded, Stream

NAMES = """
SELECT user_id, name FROM users WHERE tenant_id = %(tenant)s AND user_id = ANY(%(ids)s)
 UNION ALL
SELECT key_id, name FROM api_keys WHERE tenant_id = %(tenant)s AND key_id = ANY(%(ids)s)
"""
"""The users and API keys of a brokerage by their ids, disabled and revoked ones included."""


async def get_history(
    context: Context,
    model: DocumentList,
    stream_id: UUID,
    missing: str,
    as_of: AsOf,
    made: Callable[[Stream], list[dict[str, Any]]] | None = None,
) -> Response:
    """The history of one resource, until ``asOf`` if that is given. *made* makes the entries of a stream, by itself
    those of the list *model*. Raises NotFound with *missing*."""
    whole = await loaded_ever(context, model, stream_id, missing)
    stream = as_it_was(whole, as_of.as_of)
    history = (made or partial(history_in, model))(stream)
    saves = saves_of(whole)
    can_be = undoable_in(whole, saves)
    for one, recorded in zip(history, stream.events, strict=True):
        one["savedWith"] = saves[one["version"]][0]
        one["undoable"] = one["version"] in can_be
        one["undoes"] = recorded.metadata.get("undoes")
    return await with_names(context, stream, history, len(whole.events))


def undoable_in(stream: Stream, saves: Mapping[int, Sequence[int]]) -> set[int]:
    """The versions that ``POST …/undo`` can undo now. *saves* as of ``saves_of``."""
    undone = {recorded.metadata.get("undoes") for recorded in stream.events}
    events = [recorded.event for recorded in stream.events]
    if type(events[0].mutate(None)) not in PARTS or isinstance(events[-1], PersonErased | ResourceRemoved):
        return set()
    return {version for version in undoable(events, saves) if undone.isdisjoint(saves[version])}


async def with_names(
    context: Context,
    stream: Stream,
    history: Sequence[dict[str, Any]],
    *state: object,
    tenant_id: UUID | None = None,
) -> Response:
    """The entries of *stream*, each actor with its name: of the caller's brokerage, or of *tenant_id*; platform admins
    are named to each other. The names may change without an event of the stream, so the ETag covers them, and *state*
    besides."""
    of = context.tenant_id if tenant_id is None else tenant_id
    ids = {from_wire(one["actor"]["id"]) for one in history if one["actor"]["type"] in ("user", "key")} - {None}
    asked = sorted(ids, key=str)
    names: dict[str, str] = {}
    for tenant in (of, PLATFORM) if context.caller.role == ADMIN and of != PLATFORM else (of,):
        rows = await context.app.database.tenant_rows(tenant, NAMES, {"tenant": tenant, "ids": asked})
        names |= {to_wire(found): name for found, name in rows}
    where = await where_from(context, of, stream)
    for one in history:
        one["actor"] = {**one["actor"], "name": names.get(one["actor"]["id"])}
        one["address"] = where.get(one["version"])
    version = stream.events[-1].event.originator_version
    etag = living_etag(version, context.caller.read_version or None, *state, *sorted(names.items()))
    return not_modified(context.request, etag) or answer(encoded(history), headers={"ETag": etag})


async def where_from(context: Context, tenant_id: UUID, stream: Stream) -> dict[int, str | None]:
    """The client's address of each version, for owners and platform admins. Others learn nothing of where their
    colleagues work."""
    if context.caller.role not in (OWNER, ADMIN):
        return {}
    store = context.app.store
    metadata = [recorded.metadata for recorded in stream.events]
    key = await store.tenant_key(tenant_id)
    found = await addresses_of(store.database, key, store.tenant_key, metadata)
    return {recorded.event.originator_version: address for recorded, address in zip(stream.events, found, strict=True)}


def history_in(model: DocumentList, stream: Stream) -> list[dict[str, Any]]:
    """The entries of a stream of the list *model*, oldest first."""
    return entries(model, stream, lambda row: row["doc"], lambda event: unseen(event, "phoneE164"))


def history_of(stream: Stream, *, brief: bool = False) -> list[dict[str, Any]]:
    """The entries of a lead's stream. A caller who reads a lead's history may read its notes, and how it found its
    agent, too, though a lead itself has neither in the Aureum API. *brief* is for agents."""

    # Most events change nothing of it, and to word it takes longer than all the rest.
    worded: tuple[object, dict[str, Any] | None] = (None, None)

    def shown(row: Row) -> Row:
        nonlocal worded
        details = row["details"]
        of = [details.get(name) for name in ("routing", "because", "routed_to")]
        if worded[0] != of:
            worded = (of, reasons.shown(details, to_wire, brief=brief, whole=True))
        routing = worded[1]
        offer = reasons.offer_shown(row["doc"], details, to_wire, aureum_time)
        return {**row["doc"], "notes": details["notes"], "routing": routing, "offer": offer}

    return entries(
        lead_list.LIST,
        stream,
        shown,
        lambda event: unseen(event, "phoneE164"),
    )


def entries(
    model: DocumentList,
    stream: Stream,
    shown: Callable[[Row], Row],
    unseen: Callable[[Any], dict[str, Any]],
) -> list[dict[str, Any]]:
    """One an event: what it changed in what is *shown* of a row, or else what the event says that is *unseen* there."""
    made = []
    row: Row | None = None
    before: Row = {}
    for recorded in stream.events:
        row = model.step(row, recorded.event)
        assert row is not None, "a stream begins with the event that makes the row"
        after = shown(row)
        made.append(entry(recorded, changes(before, after) or unseen(recorded.event)))
        before = after
    return made


def unseen(event: Any, phone: str) -> dict[str, Any]:
    """What *event* says of fields that the lead is not shown with: no entry is without changes. *phone* is what the
    dialect calls the normalised number, which changes alone when the brokerage's country has."""
    match event:
        case PersonErased():
            return {"erased": {"from": None, "to": True}}
        case Lead.DetailsChanged(details=dict() as details) | Tour.DetailsChanged(details=dict() as details):
            named = {phone if name == "phone_e164" else name: value for name, value in details.items()}
            return {name: {"from": None, "to": value} for name, value in named.items()}
        case Lead.Overdue():
            return {
                "overdue": {"from": None, "to": {"minutes": event.minutes, "reason": reasons.overdue(event.minutes)}}
            }
        case Lead.DetailsChanged() | Tour.DetailsChanged():
            return {"details": {"from": None, "to": event.details}}
    return activity_list.changes(event)


def entry(recorded: Recorded, changed: dict[str, Any]) -> dict[str, Any]:
    """One event on the wire."""
    return {
        "version": recorded.event.originator_version,
        "type": recorded.event.TOPIC,
        "at": aureum_time(recorded.event.timestamp),
        "actor": recorded.metadata["actor"],
        "request": recorded.metadata["request"],
        "changes": changed,
    }
