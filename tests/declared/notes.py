"""Notes: a resource with two fields and one filter. Everything about it stands in this file."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field
from starlette.responses import Response

from aureum import resources
from aureum.domain import aggregate as base
from aureum.domain import ids
from aureum.domain.aggregate import Aggregate
from aureum.domain.ids import aureum_time, to_wire
from aureum.projections.document_list import DocumentList, Row, View
from aureum.projections.emits import TIMES, Emits
from aureum.projections.list_filters import UPDATED_SINCE, is_now
from aureum.resources import Resource

NO_NOTE = "There is no such note."
COLOURS = ("yellow", "pink")


class Note(Aggregate):
    """The aggregate."""

    text: str
    colour: str

    def __init__(self) -> None:
        """Written.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a note's events."""

    class Written(Event, base.Created):
        """The note was written."""

        TOPIC: ClassVar[str] = "note.written"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("text",))

        text: str
        colour: str

        def apply(self, aggregate: "Note") -> None:
            aggregate.text = self.text
            aggregate.colour = self.colour

    class Recoloured(Event):
        """It has another colour."""

        TOPIC: ClassVar[str] = "note.recoloured"

        previous: str
        colour: str

        def apply(self, aggregate: "Note") -> None:
            aggregate.colour = self.colour

    @classmethod
    def write(cls, text: str, colour: str) -> "Note":
        return cls._create(cls.Written, id=ids.new_id(), timestamp=ids.now(), text=text, colour=colour)

    def recolour(self, colour: str, at: datetime) -> None:
        if colour != self.colour:
            self.trigger_event(self.Recoloured, timestamp=at, previous=self.colour, colour=colour)


def document(note: Note | Note.Written, note_id: UUID, created_at: datetime, updated_at: datetime) -> Row:
    return {
        "id": to_wire(note_id),
        "text": note.text,
        "colour": note.colour,
        "createdAt": aureum_time(created_at),
        "updatedAt": aureum_time(updated_at),
    }


def step(row: Row | None, event: Any) -> Row | None:
    match event:
        case Note.Written():
            doc = document(event, event.originator_id, event.timestamp, event.timestamp)
            named = {"note_id": event.originator_id, "stream_version": event.originator_version}
            return named | {"colour": event.colour, "updated_at": event.timestamp, "doc": doc}
        case Note.Recoloured() if row is not None:
            doc = row["doc"] | {"colour": event.colour, "updatedAt": aureum_time(event.timestamp)}
            return row | {
                "stream_version": event.originator_version,
                "colour": event.colour,
                "updated_at": event.timestamp,
                "doc": doc,
            }
    return row


VIEW = View("note", (is_now("colour", "text", "note.recoloured"), UPDATED_SINCE))

LIST = DocumentList(
    "note_list",
    "note",
    {"note_id": "uuid", "stream_version": "int4", "colour": "text", "updated_at": "timestamptz", "doc": "text"},
    Note,
    step,
    step_version=1,
    views=(VIEW,),
    emits=Emits(
        {"note.written": "note.created", "note.recoloured": "note.updated"},
        {"id": to_wire(UUID(int=7)), "text": "Buy milk", "colour": "yellow", **TIMES},
        {"note.updated": {"colour": "pink"}},
    ),
)

resources.RESOURCES += (Resource(Note, (LIST,), (__name__,), (__name__,)),)

# What HTTP is made of looks at the resources when it is imported: so it comes behind the line above.
from aureum.commands.changes import change  # noqa: E402
from aureum.http.access.callers import origin  # noqa: E402
from aureum.http.contract.answers import encoded  # noqa: E402
from aureum.http.contract.catching_up import RemovedResponse  # noqa: E402
from aureum.http.contract.endpoint import Context, Endpoint, Id  # noqa: E402
from aureum.http.contract.history import get_history  # noqa: E402
from aureum.http.contract.lists import DeltaPaging, listing  # noqa: E402
from aureum.http.contract.resource import (  # noqa: E402
    AsOf,
    answered,
    expected_versions,
    once,
    shown,
)
from aureum.http.wire.sent import Body  # noqa: E402
from aureum.http.wire.shapes import EventResponse, Shape, Timestamp, Wire  # noqa: E402
from aureum.store.event_store import NO_STREAM  # noqa: E402

Colour = Literal["yellow", "pink"]


class NewNote(Body):
    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"text": "Buy milk", "colour": "pink"}})

    text: str
    colour: Colour


class NoteChange(Body):
    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"colour": "pink"}})

    colour: Colour


class ShownNote(Shape):
    """A note."""

    id: Wire
    text: str
    colour: Colour
    createdAt: Timestamp
    updatedAt: Timestamp


class NoteFilters(DeltaPaging):
    colour: Annotated[Colour | None, Field(description="Filter by colour.")] = None


NOTES = listing("/api/notes", LIST, VIEW)


def body(note: Note) -> bytes:
    return encoded(document(note, note.id, note.created_on, note.modified_on))


async def get_notes(context: Context, filters: NoteFilters) -> Response:
    """Newest first."""
    return await NOTES.answer(context, filters, {"colour": filters.colour})


async def post_note(context: Context, new: NewNote) -> Response:
    """Returns the note."""
    remember = await once(context, body)
    note = Note.write(new.text, new.colour)
    appended = await context.app.store.append(
        context.tenant_id,
        note,
        NO_STREAM,
        command="WriteNote",
        origin=origin(context.request, context.caller),
        idempotency=remember,
    )
    return answered(context, note, body, appended, 201)


async def get_note(context: Context, note_id: UUID, as_of: AsOf) -> Response:
    """Returns the note, or its state at ``asOf``."""
    return await shown(context, LIST, note_id, NO_NOTE, as_of, body)


async def patch_note(context: Context, note_id: UUID, changed: NoteChange) -> Response:
    """Changes the colour."""
    note, _ = await change(
        context.app.store,
        context.tenant_id,
        note_id,
        Note,
        lambda note, at: note.recolour(changed.colour, at),
        command="RecolourNote",
        origin=origin(context.request, context.caller),
        missing=NO_NOTE,
        expected_versions=expected_versions(context.request),
    )
    return answered(context, note, body)


async def get_note_history(context: Context, note_id: UUID, as_of: AsOf) -> Response:
    """Lists every event of the note."""
    return await get_history(context, LIST, note_id, NO_NOTE, as_of)


SHOWN = ShownNote

one = partial(Endpoint, path="/api/notes/{id}", id=Id(NO_NOTE), answers=ShownNote)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/notes",
        get_notes,
        "List notes",
        query=NoteFilters,
        answers=list[ShownNote | RemovedResponse],
        etag_from_position=True,
    ),
    Endpoint("POST", "/api/notes", post_note, "Write a note", body=NewNote, answers=ShownNote, status=201),
    one(method="GET", run=get_note, summary="Get a note", query=AsOf),
    one(method="PATCH", run=patch_note, summary="Change a note", body=NoteChange),
    one(
        method="GET",
        path="/api/notes/{id}/history",
        run=get_note_history,
        summary="Get a note's history",
        query=AsOf,
        answers=list[EventResponse],
    ),
)

from aureum.http.panel.fields import Field as Typed  # noqa: E402
from aureum.http.panel.resource import Column  # noqa: E402
from aureum.http.panel.resource import Resource as Shown  # noqa: E402
from aureum.http.panel.resource_page import pages_of  # noqa: E402

CHOICE = Typed("colour", "Colour", "choice", COLOURS, required=True)


def title(note: Mapping[str, Any]) -> str:
    return str(note["text"])


PAGES = pages_of(
    Shown(
        path="/admin/notes",
        api="/api/notes",
        one="note",
        many="Notes",
        title=title,
        columns=(Column("text", "Text"), Column("colour", "Colour", "badge")),
        filters=(CHOICE,),
        new=(Typed("text", "Text", required=True), CHOICE),
        change=(CHOICE,),
        history=True,
    )
)
