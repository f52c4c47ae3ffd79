"""An import on the wire: what may be asked for, and how it is shown."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aureum.commands.importing.fields import fields_of
from aureum.commands.importing.imports import Import
from aureum.domain.ids import leads_time, to_wire
from aureum.http.access import named_brokerage
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import LeadsTimestamp, Shape, Wire

Resource = Literal["contacts", "leads", "properties"]
Duplicates = Literal["skip", "update", "make"]
MAP = "The field of each column, by the column's name; `null` leaves a column out. Other columns are guessed."
POLICY = (
    "What to do with a row whose email address is known already. `skip`: nothing. `update`: change the one that is "
    "there; blank cells change nothing, and tags are added. `make`: make another one. A property is known by its MLS "
    "listing id, or by its title and street address."
)
DRY_RUN = "`true`: only find out what would be imported."


class OfBrokerage(BaseModel):
    """Whose imports."""

    model_config = ConfigDict(frozen=True)

    brokerage_id: Annotated[
        named_brokerage.InQuery | None,
        Field(description="For platform admins only: the brokerage. Default: their own. Ignored for all other users."),
    ] = None


class ImportOptions(OfBrokerage):
    """How a file is to be imported. Fields of a multipart form of the same names count before these."""

    resource: Annotated[Resource | None, Field(description="What the rows are. Required.")] = None
    duplicates: Annotated[Duplicates | None, Field(description=POLICY + " Default: `skip`.")] = None
    map: Annotated[str | None, Field(description=f"A JSON object. {MAP}")] = None
    dry_run: Annotated[Literal["true", "false"] | None, Field(description=DRY_RUN)] = None
    hold: Annotated[
        Literal["true", "false"] | None,
        Field(description="`true`: only store the file and guess what its columns are. Start the import afterwards."),
    ] = None


class ImportStart(Body):
    """How to go on with an import whose file is stored."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"duplicates": "update", "map": {"Client": "name"}}}
    )

    dry_run: Annotated[bool, Field(strict=True, description=DRY_RUN.replace("`true`: o", "O"))] = False
    duplicates: Annotated[Duplicates | None, Field(description=POLICY)] = None
    map: Annotated[dict[str, str | None] | None, Field(description=MAP)] = None


class ColumnResponse(Shape):
    """A column of the file."""

    column: Annotated[str, Field(description="Its name in the header.")]
    field: Annotated[str | None, Field(description="The field that it is imported as; `null` if it is left out.")]
    samples: Annotated[list[str], Field(description="Its cells in the first rows.")]


class FieldResponse(Shape):
    """A field that a column may be."""

    name: Annotated[str, Field(description="Its name in the Aureum API.")]
    label: Annotated[str, Field(description="What it is called for a person.")]


class ImportResponse(Shape):
    """An import. While it is running, its counts are of the rows that it has come to."""

    id: Wire
    resource: Annotated[Resource, Field(description="What the rows are.")]
    status: Annotated[
        Literal["waiting", "checking", "checked", "running", "completed", "failed", "cancelled", "undoing", "undone"],
        Field(description="`waiting`: the file is stored. `checking`, `checked`: a dry run, and its end."),
    ]
    progress: Annotated[float, Field(ge=0, le=1, description="How many of the rows are done, from 0 to 1.")]
    duplicates: Annotated[Duplicates, Field(description=POLICY)]
    file_name: Annotated[str, Field(description="The name of the file, if it was sent.")]
    encoding: Annotated[Literal["UTF-8", "UTF-16", "Windows-1252"], Field(description="How the file was read.")]
    encoding_guessed: Annotated[bool, Field(description="Whether accents may be wrong, since no mark says it.")]
    separator: Annotated[str, Field(description="What parts the cells.")]
    preset: Annotated[str | None, Field(description="The program whose file it is, if its columns are known.")]
    columns: Annotated[list[ColumnResponse], Field(description="The columns of the file, in their order.")]
    fields: Annotated[list[FieldResponse], Field(description="What columns may be.")]
    rows: Annotated[int, Field(ge=0, description="The rows of the file.")]
    done: Annotated[int, Field(ge=0, description="The rows that are done.")]
    made: Annotated[int, Field(ge=0, description="The resources that were made.")]
    updated: Annotated[int, Field(ge=0, description="The rows that changed a resource that was there.")]
    skipped: Annotated[int, Field(ge=0, description="The rows that changed nothing.")]
    refused: Annotated[int, Field(ge=0, description="The rows that cannot be imported. `errors.csv` has them.")]
    undone: Annotated[int, Field(ge=0, description="The resources that were set back or removed by an undo.")]
    kept: Annotated[int, Field(ge=0, description="The resources that an undo left alone, because they changed since.")]
    problem: Annotated[str | None, Field(description="Why it failed.")]
    requested_at: Annotated[LeadsTimestamp, Field(description="When the file was uploaded.")]
    ended_at: Annotated[LeadsTimestamp | None, Field(description="When it ended. `null` before.")]


class ImportsResponse(Shape):
    """The newest imports."""

    imports: Annotated[list[ImportResponse], Field(description="The 50 newest imports, newest first.")]


def import_document(job: Import) -> dict[str, Any]:
    """An import as it is shown."""
    undoing = job.state in ("undoing", "undone")
    return {
        "id": to_wire(job.import_id),
        "resource": job.resource,
        "status": job.state,
        "progress": round(job.done / job.layout.rows, 3) if not undoing else float(job.state == "undone"),
        "duplicates": job.duplicates,
        "file_name": job.file_name,
        "encoding": job.layout.said,
        "encoding_guessed": job.layout.guessed,
        "separator": job.layout.separator,
        "preset": job.preset,
        "columns": [
            {"column": name, "field": job.mapping[name], "samples": [row[place] for row in job.samples]}
            for place, name in enumerate(job.header)
        ],
        "fields": [{"name": one.name, "label": one.label} for one in fields_of(job.resource).values()],
        "rows": job.layout.rows,
        "done": job.done,
        "made": job.made,
        "updated": job.updated,
        "skipped": job.skipped,
        "refused": job.refused,
        "undone": job.undone,
        "kept": job.kept,
        "problem": job.problem,
        "requested_at": leads_time(job.requested_at),
        "ended_at": None if job.ended_at is None else leads_time(job.ended_at),
    }
