"""How a command changes an aggregate: load it, let it decide, append; again on a conflict."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

from aureum.commands.conflicts import deciding_again
from aureum.domain import ids
from aureum.domain.aggregate import Aggregate
from aureum.domain.contact import Contact
from aureum.domain.errors import NotFound, StaleVersion
from aureum.store.event_store import Appended, EventStore, Idempotency, Stream
from aureum.store.guards import Guard
from aureum.store.metadata import Origin
from aureum.store.one_at_a_time import alone

Changed = TypeVar("Changed", bound=Aggregate)

deciding: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
"""One decision at a time per stream in this process: many who change one resource wait for each other instead of being
refused. Those of other processes are told by the stream's version."""


async def change(
    store: EventStore,
    tenant_id: UUID,
    stream_id: UUID,
    kind: type[Changed],
    decide: Callable[[Changed, datetime], Aggregate | None],
    *,
    command: str,
    origin: Origin,
    missing: str = "Not found",
    at: datetime | None = None,
    visible_to: UUID | None = None,
    expected_versions: frozenset[int] | None = None,
    idempotency: Idempotency | None = None,
    guards: Sequence[Guard] = (),
    beside: Sequence[tuple[Aggregate, Stream]] = (),
    itself: bool = False,
) -> tuple[Changed, Appended]:
    """The aggregate as it is afterwards. A contact that was merged into another one stands for that one, unless the
    stream *itself* is meant. *decide* takes it and the moment, and may return another, new aggregate that
    is appended in the same transaction.

    *visible_to* is the agent who asks: what that agent was neither assigned nor created counts as missing.
    *expected_versions* is the caller's If-Match, *guards* what must hold besides. *beside* is what was
    decided for other streams and goes into the same append.

    Raises NotFound with *missing*, StaleVersion, what *decide* raises, Conflict, and what ``EventStore.append`` raises.
    """

    async def once() -> tuple[Changed, Appended]:
        stream = await store.load(tenant_id, stream_id)
        aggregate = stream.aggregate()
        # That one may have been merged into a third since the first was read.
        while isinstance(aggregate, Contact) and aggregate.merged_into is not None and not itself:
            stream = await store.load(tenant_id, aggregate.merged_into)
            aggregate = stream.aggregate()
        if not isinstance(aggregate, kind) or not visible(aggregate, visible_to):
            raise NotFound(missing)
        if expected_versions is not None and aggregate.version not in expected_versions:
            raise StaleVersion
        # Time does not run backwards within a stream, whatever the clocks of two machines say.
        other = decide(aggregate, max(at or ids.now(), aggregate.modified_on))
        appended = await store.append(
            tenant_id,
            aggregate,
            stream,
            command=command,
            origin=origin,
            idempotency=idempotency,
            guards=guards,
            also=() if other is None else (other,),
            beside=beside,
        )
        return aggregate, appended

    lock = deciding.setdefault(stream_id, asyncio.Lock())
    async with alone(lock):
        return await deciding_again(once)


def visible(aggregate: Aggregate, visible_to: UUID | None) -> bool:
    """Whether the agent *visible_to* may see it; None stands for a caller who sees everything. All staff see resources
    that are never assigned, such as contacts, and what is shared because it belongs to one. Nothing is done with what
    was erased or taken back."""
    if aggregate.gone:
        return False
    if visible_to is None or not hasattr(aggregate, "assigned_to") or getattr(aggregate, "shared", False):
        return True
    return visible_to in (aggregate.assigned_to, getattr(aggregate, "created_by", None))
