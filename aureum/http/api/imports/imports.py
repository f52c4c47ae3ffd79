"""``/api/v1/admin/imports``: CSV files of contacts, leads and properties, imported by the worker. For brokers and
owners."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from starlette.responses import Response, StreamingResponse

from aureum.commands.importing.imports import NO_IMPORT, Import, State, Wanted, get_import, list_imports
from aureum.commands.importing.keeping import refused_rows
from aureum.commands.importing.requesting import parts, request_import
from aureum.commands.importing.steering import cancel_import, start_import, undo_import
from aureum.domain.errors import Invalid
from aureum.http.access.callers import origin
from aureum.http.access.roles import check_leader
from aureum.http.api.imports.import_fields import (
    ImportOptions,
    ImportResponse,
    ImportsResponse,
    ImportStart,
    OfBrokerage,
    import_document,
)
from aureum.http.api.staff.scope import in_brokerage
from aureum.http.api.webhooks.webhook_lists import unless_same
from aureum.http.contract.answers import answer, encoded, list_etag, not_modified
from aureum.http.contract.endpoint import STAFF, Context, Endpoint, Id
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.resource import once
from aureum.http.wire.uploads import Upload, read_upload
from aureum.http.wire.validation import validate
from aureum.store.event_store import Idempotency

PATH = "/api/v1/admin/imports"
NEWEST = 50
CSV = "text/csv"

NO_RESOURCE = "resource is required: contacts, leads or properties."
NOT_JSON = "map must be a JSON object that has a field, or null, for each column."


async def post_import(context: Context, asked: ImportOptions) -> Response:
    """Uploads a CSV file of up to 50 MB and starts a job that imports it. Send the file as the body with
    `Content-Type: text/csv` and the options in the query, or send `multipart/form-data` with the file in the field
    `file`. A refused row does not affect the others. Imported leads are routed only with `route=true`, and
    no mail is sent about them.
    Webhooks are sent as for every new resource."""
    check_leader(context.caller.role)
    context = await in_brokerage(context, asked.brokerage_id, "import")
    upload = await read_upload(context.request.receive, context.request.scope["headers"])
    with upload.file:
        options = validate(ImportOptions, {**told(asked), **upload.fields})
        return await stored(context, options, upload)


def told(asked: ImportOptions) -> dict[str, str]:
    """What the query says."""
    return {name: value for name, value in asked.model_dump(exclude={"brokerage_id"}).items() if value is not None}


async def stored(context: Context, options: ImportOptions, upload: Upload) -> Response:
    """The job for a file."""
    if options.resource is None:
        raise Invalid("resource", NO_RESOURCE)
    wanted = Wanted(
        context.tenant_id,
        options.resource,
        options.duplicates or "skip",
        read_map(options.map),
        upload.file_name,
        options.route == "true",
    )
    state: State = "waiting" if options.hold == "true" else "checking" if options.dry_run == "true" else "running"
    digest = sha256(repr(sorted(told(options).items())).encode())
    for part in parts(upload.file):
        digest.update(part)
    remember = await once(replace(context, body=digest.digest()), shown, tagged=False)
    job = await request_import(
        context.app.store, wanted, upload.file, origin(context.request, context.caller), state=state
    )
    return await remembered(context, job, remember, or_else=partial(cancel_import, context.app.store))


def read_map(text: str | None) -> dict[str, Any] | None:
    """Raises Invalid."""
    if text is None:
        return None
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid("map", NOT_JSON) from error
    if not isinstance(said, dict):
        raise Invalid("map", NOT_JSON)
    return said


def shown(job: Import) -> bytes:
    """An import as it is shown."""
    return encoded(import_document(job))


async def remembered(
    context: Context,
    job: Import,
    remember: Idempotency | None,
    or_else: Callable[[UUID, UUID], Awaitable[Any]] | None = None,
) -> Response:
    """The answer, kept for the request's key. If a twin came first, *or_else* takes the job back. Raises Replayed."""
    if remember is not None:
        about = origin(context.request, context.caller)
        kept = await context.app.store.remember(context.tenant_id, job, remember, about)
        if kept is not None:
            if or_else is not None:
                await or_else(job.tenant_id, job.import_id)
            raise Replayed(kept)
    return answer(shown(job), status=202)


async def get_imports(context: Context, of: OfBrokerage) -> Response:
    """Lists the newest imports, newest first."""
    context = await leaders(context, of)
    found = await list_imports(context.app.store, context.tenant_id, NEWEST)
    return unless_same(context, encoded({"imports": [import_document(job) for job in found]}))


async def get_one_import(context: Context, import_id: UUID, of: OfBrokerage) -> Response:
    """Returns the import: how its columns are read, and how far it has come."""
    context = await leaders(context, of)
    return unless_same(context, shown(await get_import(context.app.store, context.tenant_id, import_id)))


async def get_import_errors(context: Context, import_id: UUID, of: OfBrokerage) -> Response:
    """Returns the refused rows as a CSV file: each row as it was, with the reason in the last column. Correct the rows
    and import this file. It is kept for seven days."""
    context = await leaders(context, of)
    job = await get_import(context.app.store, context.tenant_id, import_id)
    etag = list_etag(context.request.url.path, context.tenant_id, job.refused, job.state)
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    parts: AsyncIterator[bytes] = refused_rows(context.app.store, job)
    headers = {
        "ETag": etag,
        "Content-Disposition": 'attachment; filename="errors.csv"',
    }
    return StreamingResponse(parts, 200, headers, CSV)


async def post_import_start(context: Context, import_id: UUID, of: OfBrokerage, asked: ImportStart) -> Response:
    """Starts an import whose file is stored, also during or after a dry run. The request can set another mapping. If an
    import is not started, its file is deleted after a day."""
    context = await leaders(context, of)
    remember = await once(context, shown, tagged=False)
    job = await start_import(
        context.app.store,
        context.tenant_id,
        import_id,
        dry_run=asked.dry_run,
        mapping=asked.map,
        duplicates=asked.duplicates,
        route=asked.route,
    )
    return await remembered(context, job, remember)


async def post_import_cancellation(context: Context, import_id: UUID, of: OfBrokerage) -> Response:
    """Stops an import. Rows that are done stay imported, and can be undone. Cancelling it again has no further
    effect."""
    return await acted(context, of, import_id, cancel_import)


async def post_import_undo(context: Context, import_id: UUID, of: OfBrokerage) -> Response:
    """Starts a job that undoes the import. Contacts and leads that it added are erased, properties that it added are
    removed, and changed resources get their previous values. Resources that others have changed since or that something
    refers to are left alone. Undoing it again has no further effect."""
    about = origin(context.request, context.caller)
    return await acted(context, of, import_id, partial(undo_import, origin=about))


async def acted(context: Context, of: OfBrokerage, import_id: UUID, act: Callable[..., Awaitable[Import]]) -> Response:
    """What *act* does with an import. Raises NotFound, WrongState."""
    context = await leaders(context, of)
    remember = await once(context, shown, tagged=False)
    job = await act(context.app.store, context.tenant_id, import_id)
    return await remembered(context, job, remember)


async def leaders(context: Context, of: OfBrokerage) -> Context:
    """The request, asked of the brokerage that it means. Raises NotAllowed for agents."""
    check_leader(context.caller.role)
    return await in_brokerage(context, of.brokerage_id, "show imports")


one = partial(Endpoint, access=STAFF, dialect="leads", id=Id(NO_IMPORT), query=OfBrokerage, answers=ImportResponse)

ENDPOINTS = (
    Endpoint(
        "POST",
        PATH,
        post_import,
        "Import a CSV file",
        access=STAFF,
        dialect="leads",
        query=ImportOptions,
        uploads=CSV,
        answers=ImportResponse,
        status=202,
        refusals=(400, 403, 409, 413, 415),
    ),
    Endpoint(
        "GET",
        PATH,
        get_imports,
        "List imports",
        access=STAFF,
        dialect="leads",
        query=OfBrokerage,
        answers=ImportsResponse,
        refusals=(400, 403),
    ),
    one("GET", PATH + "/{id}", get_one_import, "Get an import", refusals=(400, 403)),
    one(
        "GET",
        PATH + "/{id}/errors.csv",
        get_import_errors,
        "Get the refused rows of an import as CSV",
        answers=str,
        media=CSV,
        headers={"Content-Disposition": "The name of the file."},
        refusals=(400, 403),
    ),
    one(
        "POST",
        PATH + "/{id}/start",
        post_import_start,
        "Start an import",
        body=ImportStart,
        bodiless=True,
        status=202,
        refusals=(400, 403, 409),
    ),
    one(
        "POST",
        PATH + "/{id}/cancel",
        post_import_cancellation,
        "Cancel an import",
        status=202,
        refusals=(400, 403, 409),
    ),
    one("POST", PATH + "/{id}/undo", post_import_undo, "Undo an import", status=202, refusals=(400, 403, 409)),
)
