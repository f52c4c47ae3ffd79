"""A queue for tests: deliveries as the projector makes them, claims and completions as a worker makes them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from aureum.background.hosts import Hosts
from aureum.store.event_store import EventStore
from aureum.store.postgres.database import Database
from aureum.webhooks.queue import completions, lanes
from aureum.webhooks.queue.completions import Completion, Key
from aureum.webhooks.queue.lanes import Claim
from aureum.webhooks.sending.results import Failure

ONE = uuid4()


async def enqueue(store: EventStore, tenant_id: UUID, endpoint_id: UUID, positions: Sequence[int]) -> None:
    """Deliveries that are due, with their messages, as the projector makes them."""
    about = {"tenant": tenant_id, "endpoint": endpoint_id, "positions": list(positions)}
    for statement in (
        "INSERT INTO webhook_messages SELECT %(tenant)s, p, 'msg_' || p, 'lead.created', %(tenant)s, '{}', now()"
        " FROM unnest(%(positions)s::bigint[]) AS p ON CONFLICT DO NOTHING",
        "INSERT INTO webhook_lanes (tenant_id, endpoint_id, next_due) VALUES (%(tenant)s, %(endpoint)s, now())"
        " ON CONFLICT (tenant_id, endpoint_id)"
        " DO UPDATE SET next_due = greatest(now(), webhook_lanes.open_until)",
        "INSERT INTO webhook_deliveries (tenant_id, endpoint_id, position, due_at)"
        " SELECT %(tenant)s, %(endpoint)s, p, now() FROM unnest(%(positions)s::bigint[]) AS p",
    ):
        await store.database.rows(statement, about)


async def queue(store: EventStore, tenant_id: UUID) -> dict[tuple[UUID, int], tuple[str, int, UUID | None]]:
    """State, attempt and owner of each delivery, by endpoint and position."""
    rows = await store.database.rows(
        "SELECT endpoint_id, position, state, attempt, lease_owner FROM webhook_deliveries"
        " WHERE tenant_id = %(tenant)s",
        {"tenant": tenant_id},
    )
    return {(endpoint_id, position): tuple(rest) for endpoint_id, position, *rest in rows}


async def expire(store: EventStore, tenant_id: UUID, owner: UUID) -> None:
    """Let the leases of *owner* end."""
    await store.database.rows(
        "UPDATE webhook_deliveries SET lease_until = now() - interval '1 second'"
        " WHERE tenant_id = %(tenant)s AND lease_owner = %(owner)s",
        {"tenant": tenant_id, "owner": owner},
    )


async def claim(
    database: Database, owner: UUID, tenant_id: UUID, *, limit: int, share: int, hosts: Hosts | None = None
) -> list[Claim]:
    """What a worker claims, on hosts that have room for all."""
    rooms, hosts = {tenant_id: limit}, hosts or Hosts(1_000)
    claims = await lanes.claim(database, owner, rooms, limit=limit, share=share, hosts=hosts)
    for one in claims:
        hosts.began(one.host)
    return claims


async def write(database: Database, owner: UUID, written: Sequence[Completion]) -> dict[Key, str]:
    """The outcomes of what is written."""
    return (await completions.write(database, owner, written)).outcomes


async def write_as_on_citus(database: Database, owner: UUID, written: Sequence[Completion]) -> dict[Key, str]:
    """The same by the statements that Citus is sent, of one tenant."""
    return (await completions.write_on_citus(database, owner, written)).outcomes


Write = Callable[[Database, UUID, Sequence[Completion]], Awaitable[dict[Key, str]]]


def completion(claim: Claim, *, error: Failure | None = None, pause: timedelta | None = None) -> Completion:
    """A success, unless *error* says otherwise."""
    status = 200 if error is None else None
    return Completion(claim, claim.claimed_at, 3, status, error, b"answer", pause)


def of(claims: Sequence[Claim]) -> set[tuple[UUID, int]]:
    return {(c.endpoint_id, c.position) for c in claims}
