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
    "What to do with a row whose email address is already known. `skip`: skip the row. `update`: change the existing "
    "resource; blank cells change nothing, and tags are added. `make`: create another one. A property is known by its "
    "MLS listing id, or by its title and street address."
)
ROUTE = "Whether to route open leads whose row names no user, as leads from forms are."
DRY_RUN = "`true`: only report what would be imported."


class OfBrokerage(BaseModel):
    """Whose imports."""

    model_config = ConfigDict(frozen=True)

    brokerage_id: Annotated[
        named_brokerage.InQuery | None,
        Field(description="For platform admins only: the brokerage. Default: their own. Ignored for all other users."),
    ] = None


class ImportOptions(OfBrokerage):
    """How to import the file. Fields of a multipart form with the same names take precedence."""

    resource: Annotated[Resource | None, Field(description="What the rows are. Required.")] = None
    duplicates: Annotated[Duplicates | None, Field(description=POLICY + " Default: `skip`.")] = None
    map: Annotated[str | None, Field(description=f"A JSON object. {MAP}")] = None
    route: Annotated[Literal["true", "false"] | None, Field(description=ROUTE + " Default: `false`.")] = None
    dry_run: Annotated[Literal["true", "false"] | None, Field(description=DRY_RUN)] = None
    hold: Annotated[
        Literal["true", "false"] | None,
        Field(description="`true`: only store the file and recognize its columns. Start the import afterwards."),
    ] = None


class ImportStart(Body):
    """How to import the stored file."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"duplicates": "update", "map": {"Client": "name"}}}
    )

    dry_run: Annotated[bool, Field(strict=True, description=DRY_RUN.replace("`true`: o", "O"))] = False
    duplicates: Annotated[Duplicates | None, Field(description=POLICY)] = None
    route: Annotated[bool | None, Field(strict=True, description=ROUTE)] = None
    map: Annotated[dict[str, str | None] | None, Field(description=MAP)] = None


class ColumnResponse(Shape):
    """A column of the file."""

    column: Annotated[str, Field(description="The column's name in the header.")]
    field: Annotated[str | None, Field(description="The field that it is imported as. `null` if it is left out.")]
    samples: Annotated[list[str], Field(description="The column's cells in the first rows.")]


class FieldResponse(Shape):
    """A field that a column can be imported as."""

    name: Annotated[str, Field(description="The field's name in the Aureum API.")]
    label: Annotated[str, Field(description="The field's name for people.")]


class ImportResponse(Shape):
    """An import. While it is running, it counts the rows that are done."""

    id: Wire
    resource: Annotated[Resource, Field(description="What the rows are.")]
    status: Annotated[
        Literal["waiting", "checking", "checked", "running", "completed", "failed", "cancelled", "undoing", "undone"],
        Field(
            description="`waiting`: the file is stored, and the import is not started. `checking`: a dry run is in "
            "progress. `checked`: the dry run has ended."
        ),
    ]
    progress: Annotated[float, Field(ge=0, le=1, description="The share of the rows that are done, from 0 to 1.")]
    duplicates: Annotated[Duplicates, Field(description=POLICY)]
    route: Annotated[bool, Field(description=ROUTE)]
    file_name: Annotated[str, Field(description="The name of the file, if it was sent.")]
    encoding: Annotated[Literal["UTF-8", "UTF-16", "Windows-1252"], Field(description="How the file was read.")]
    encoding_guessed: Annotated[bool, Field(description="Whether the encoding was guessed. Accents may be wrong then.")]
    separator: Annotated[str, Field(description="The character that separates the cells.")]
    preset: Annotated[str | None, Field(description="The program that wrote the file, if it is recognized.")]
    columns: Annotated[list[ColumnResponse], Field(description="The columns of the file, in their order.")]
    fields: Annotated[list[FieldResponse], Field(description="The fields that columns can be imported as.")]
    rows: Annotated[int, Field(ge=0, description="The number of rows in the file.")]
    done: Annotated[int, Field(ge=0, description="The number of rows that are done.")]
    made: Annotated[int, Field(ge=0, description="The number of resources that were created.")]
    updated: Annotated[int, Field(ge=0, description="The number of rows that changed an existing resource.")]
    skipped: Annotated[int, Field(ge=0, description="The number of rows that changed nothing.")]
    refused: Annotated[int, Field(ge=0, description="The number of refused rows. `errors.csv` has them.")]
    undone: Annotated[int, Field(ge=0, description="The number of resources that an undo set back, erased or removed.")]
    kept: Annotated[int, Field(ge=0, description="The number of resources that an undo left alone.")]
    problem: Annotated[str | None, Field(description="Why the import failed.")]
    requested_at: Annotated[LeadsTimestamp, Field(description="When the file was uploaded.")]
    ended_at: Annotated[LeadsTimestamp | None, Field(description="When the import ended. `null` until then.")]


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
        "route": job.routed,
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
