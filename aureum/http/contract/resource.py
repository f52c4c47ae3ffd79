"""One resource at a time, as all of them are read, made and changed: ETags, ``asOf``, ``If-Match``, 201."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from aureum.domain.aggregate import Aggregate
from aureum.domain.errors import DomainError, NotFound
from aureum.domain.ids import from_wire
from aureum.http.access.callers import origin
from aureum.http.contract.answers import ETAGS, RESOURCE_ETAG, answer, encoded, not_modified, resource_etag
from aureum.http.contract.at_head import stream_at_head, tenant_rows_at_head
from aureum.http.contract.endpoint import Context
from aureum.http.contract.idempotency import Replayed, idempotency, unless_replayed
from aureum.http.wire.errors import HttpError
from aureum.http.wire.headers import header
from aureum.http.wire.times import Time
from aureum.projections.document_list import DocumentList
from aureum.store.event_store import Appended, Idempotency, Stream
from aureum.store.metadata import Origin

NO_ONE = UUID(int=0)
"""What an id that never was one stands for: no stream has it."""

BAD_IF_MATCH = 'If-Match must be an ETag with its quotes, such as "v3", several ETags separated by commas, or *.'

NOT_YET = "The resource did not exist at that time."


class AsOf(BaseModel):
    """``?asOf=``: a moment, itself included."""

    model_config = ConfigDict(frozen=True)

    as_of: Annotated[
        Time | None, Field(alias="asOf", description="Returns the state of the resource at this moment.")
    ] = None


def reference(text: str | None) -> UUID | None:
    """The stream that a field or filter names by its wire id; an id that was never given matches no stream."""
    return None if text is None else from_wire(text) or NO_ONE


async def shown(
    context: Context,
    model: DocumentList,
    stream_id: UUID,
    missing: str,
    as_of: AsOf,
    body: Callable[[Any], bytes],
    doc: str = "doc",
    beside: Callable[[str], Mapping[str, Any]] | None = None,
) -> Response:
    """One resource as it is, from its read model's *doc*; with ``asOf`` as it was, as *body* makes it of the aggregate.
    *beside* makes of the read model's ``details`` what comes last.

    Raises NotFound.
    """
    if as_of.as_of is not None:
        aggregate = await then(context, model, stream_id, missing, as_of.as_of)
        return unless_known(context, body(aggregate), aggregate.version)
    found = await row(context, model, stream_id)
    if found is None:
        raise NotFound(missing)
    more = {} if beside is None else beside(found["details"])
    return unless_known(context, with_more(found[doc], more), found["stream_version"])


async def then(context: Context, model: DocumentList, stream_id: UUID, missing: str, moment: datetime) -> Any:
    """The resource as it was at *moment*, that moment included, also one that was taken back later. Raises NotFound."""
    there = await row(context, model, stream_id) is not None
    stream = await stream_at_head(context, stream_id)
    if not there and not was_removed(model, stream):
        raise NotFound(missing)
    aggregate = as_it_was(stream, moment).aggregate()
    if aggregate.removed:
        raise NotFound(missing)
    return aggregate


def was_removed(model: DocumentList, stream: Stream) -> bool:
    """Whether it was one of the list, and was taken back. All staff could see it: what has an agent of its own is
    never taken back."""
    aggregate = stream.aggregate()
    return isinstance(aggregate, model.aggregate) and aggregate.removed


def with_more(doc: str, more: Mapping[str, Any]) -> bytes:
    """A read model's document, with what comes last."""
    return doc.encode()[:-1] + b"," + encoded(more)[1:] if more else doc.encode()


async def row(context: Context, model: DocumentList, stream_id: UUID) -> dict[str, Any] | None:
    """The documents of a resource and its stream's version; None if it is not visible to the caller."""
    parameters = {"tenant": context.tenant_id, "id": stream_id, "visible_to": context.caller.visible_to}
    found = await tenant_rows_at_head(context, model.one, parameters)
    return dict(zip((*model.docs, "stream_version"), found[0], strict=True)) if found else None


def as_it_was(stream: Stream, moment: datetime | None) -> Stream:
    """The *stream* as it was, if a *moment* is given. Raises NotFound before it began."""
    was = stream.until(moment)
    if not was.events:
        raise NotFound(NOT_YET)
    return was


async def loaded(context: Context, model: DocumentList, stream_id: UUID, missing: str) -> Stream:
    """The stream of a resource that the caller may see. Raises NotFound."""
    if await row(context, model, stream_id) is None:
        raise NotFound(missing)
    return await stream_at_head(context, stream_id)


async def loaded_ever(context: Context, model: DocumentList, stream_id: UUID, missing: str) -> Stream:
    """The same, also of what was taken back, and of what was erased: that is in no list any more, but callers who see
    the whole brokerage may read when things happened to it. Raises NotFound."""
    there = await row(context, model, stream_id) is not None
    stream = await stream_at_head(context, stream_id)
    if there or was_removed(model, stream):
        return stream
    aggregate = stream.aggregate()
    if context.caller.visible_to is not None or not isinstance(aggregate, model.aggregate) or not aggregate.erased:
        raise NotFound(missing)
    return stream


async def once(
    context: Context, body: Callable[[Any], bytes], *, tagged: bool = True, tenant_id: UUID | None = None
) -> Idempotency | None:
    """What to remember of this request. Raises Replayed if it was made before, KeyReused, HttpError 400."""

    def etag(made: Aggregate) -> str:
        return resource_etag(made.version, context.caller) if tagged else ""

    remembered = idempotency(context.request, context.caller, context.body, body, etag, tenant_id)
    return await unless_replayed(context.app.store, tenant_id or context.tenant_id, remembered)


class Command(Protocol):
    """The handler of a command with its store and data: ``partial(create_task, store, command)``."""

    def __call__(
        self, origin: Origin, /, *, idempotency: Idempotency | None
    ) -> Awaitable[tuple[Aggregate, Appended]]: ...


async def run_once(context: Context, command: Command, body: Callable[[Any], bytes], status: int = 200) -> Response:
    """Run *command* unless this request was made before; the aggregate as it is afterwards. Raises what ``once`` and
    *command* raise."""
    remember = await once(context, body)
    try:
        aggregate, appended = await command(origin(context.request, context.caller), idempotency=remember)
    except DomainError:
        # A twin may have done it between the look and the decision: then it cannot be done again.
        await unless_replayed(context.app.store, context.tenant_id, remember)
        raise
    return answered(context, aggregate, body, appended, status)


def answered(
    context: Context,
    aggregate: Aggregate,
    body: Callable[[Any], bytes],
    appended: Appended | None = None,
    status: int = 200,
) -> Response:
    """*aggregate* as it is now, unless a twin of the request came first. Raises Replayed."""
    if appended is not None and appended.remembered is not None:
        raise Replayed(appended.remembered)
    return answer(body(aggregate), status=status, headers={"ETag": resource_etag(aggregate.version, context.caller)})


def expected_versions(request: Request) -> frozenset[int] | None:
    """The versions that ``If-Match`` allows; None without it or for ``*``. Compared strongly (RFC 9110, 13.1.1).

    Raises HttpError 400 for what is no ETag, such as an empty one: what it was meant to guard would be in doubt.
    """
    listed = header(request.scope, b"if-match")
    if listed is None or listed.strip() == "*":
        return None
    if re.fullmatch(ETAGS, listed.strip()) is None:
        raise HttpError("if_match_invalid", BAD_IF_MATCH)
    tags = (RESOURCE_ETAG.fullmatch(tag.strip()) for tag in listed.split(","))
    return frozenset(int(tag[1]) for tag in tags if tag)


def unless_known(context: Context, body: bytes, version: int, instead: UUID | None = None) -> Response:
    """*body* with its ETag, or 304. *instead* is the resource that is returned in place of the requested one."""
    etag = resource_etag(version, context.caller, instead)
    return not_modified(context.request, etag) or answer(body, headers={"ETag": etag})
