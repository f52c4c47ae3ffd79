"""Reads at a replica that has come as far as the gate has told, or at the primary. So a client reads what it has
written (docs/decisions/replicas.md)."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from aureum.http.contract.endpoint import Context
from aureum.store.event_store import Stream
from aureum.store.postgres.reading import Reader, Told

Result = TypeVar("Result")

ONLY_READ = ("GET", "HEAD")


async def at_head(context: Context, work: Callable[[Reader], Awaitable[Result]]) -> Result:
    """Do *work*, which may be done twice, and which only reads of the caller's brokerage what ``log_etag`` knows of.
    A request that may write reads at the primary, since it may have written already. Raises what *work* raises."""
    replicas = context.app.replicas
    if replicas is None or context.request.method not in ONLY_READ:
        return await work(context.app.database)
    caller = context.caller
    return await replicas.read(Told(caller.tenant_id, caller.head, caller.read_version), work)


async def rows_at_head(context: Context, statement: str, parameters: Mapping[str, Any]) -> list[Any]:
    """The rows of a statement that calls a page function. Raises Unavailable."""
    return await at_head(context, lambda reader: reader.rows(statement, parameters))


async def tenant_rows_at_head(context: Context, statement: str, parameters: Mapping[str, Any]) -> list[Any]:
    """The rows of a statement that sees only the caller's brokerage. Raises Unavailable."""
    return await at_head(context, lambda reader: reader.tenant_rows(context.tenant_id, statement, parameters))


async def stream_at_head(context: Context, stream_id: UUID) -> Stream:
    """A whole stream of the caller's brokerage, like ``EventStore.load``. Raises Unavailable."""
    return await context.app.store.load(context.tenant_id, stream_id, partial(tenant_rows_at_head, context))
