"""The newsletter: subscribing, unsubscribing, and the links that unsubscribe.

A subscriber's stream is found by the address alone, in its one form, with a keyed digest: two processes that hear of
one address at the same moment begin one stream, and only with the tenant's key can it be told whether an address is
among them. Nothing tells a known address from a new one: the same statements run, and one event is appended.
"""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakValueDictionary

import orjson
from pydantic import BaseModel, ConfigDict

from aureum.commands.changes import change
from aureum.commands.conflicts import deciding_again
from aureum.domain import ids
from aureum.domain.emails import one_form
from aureum.domain.errors import Conflict, NotFound
from aureum.domain.subscriber import Subscriber
from aureum.projections import subscriber_list
from aureum.store.cipher import TenantKey
from aureum.store.event_store import Appended, EventStore, Idempotency, Stream
from aureum.store.guards import Guard
from aureum.store.metadata import Origin
from aureum.store.one_at_a_time import alone

LIVES = 16
"""How often one address can be erased and subscribe again: each time it begins a stream of its own."""

TOKEN_BYTES = 16
BATCH = 500
"""Subscribers in memory at once, and tokens in one statement."""

ERASED = """
SELECT count(*) FROM unnest(%(streams)s::uuid[]) AS s (id)
 WHERE EXISTS (SELECT FROM events e WHERE e.tenant_id = %(tenant)s AND e.stream_id = s.id AND e.version = 1)
   AND NOT EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = %(tenant)s AND k.subject_id = s.id)
"""

LINK = """
SELECT b.name, b.color, b.logo, t.subscriber_id
  FROM brokerages b
  LEFT JOIN unsubscribe_tokens t ON t.tenant_id = b.tenant_id AND t.token_hash = %(hash)s
 WHERE b.tenant_id = %(tenant)s
"""

KEEP_TOKENS = """
INSERT INTO unsubscribe_tokens (tenant_id, token_hash, subscriber_id)
SELECT %(tenant)s, t.hash, t.subscriber
  FROM unnest(%(hashes)s::bytea[], %(subscribers)s::uuid[]) AS t (hash, subscriber)
"""

deciding: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
"""One decision at a time per address in this process; those of other processes are told by the stream's version."""


class Subscribe(BaseModel):
    """A visitor asked for the newsletter, on the site ``source_domain``."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    email: str
    first_name: str | None = None
    interests: tuple[str, ...] = ()
    source_domain: str | None = None
    suspect: bool = False


async def subscribe(
    store: EventStore,
    command: Subscribe,
    origin: Origin,
    *,
    idempotency: Idempotency | None = None,
    guards: Sequence[Guard] = (),
) -> tuple[Subscriber, Appended]:
    """The subscriber afterwards: always one event, and the same work, whatever is known of the address.

    An erased subscriber stays erased: to ask again is a new consent, of a new subscriber. Raises Conflict,
    and what ``EventStore.append`` raises.
    """
    key = await store.tenant_key(command.tenant_id)
    streams = lives(key, command.email)
    given: dict[str, Any] = {
        "first_name": command.first_name,
        "interests": command.interests,
        "source_domain": command.source_domain,
        "suspect": command.suspect,
    }

    async def once() -> tuple[Subscriber, Appended]:
        stream_id, stream = await living(store, command.tenant_id, streams)
        subscriber = stream.aggregate()
        if subscriber is None:
            subscriber = Subscriber.subscribe(stream_id, ids.now(), email=command.email, **given)
        else:
            subscriber.subscribe_again(max(ids.now(), subscriber.modified_on), **given)
        appended = await store.append(
            command.tenant_id,
            subscriber,
            stream,
            command="Subscribe",
            origin=origin,
            idempotency=idempotency,
            guards=guards,
        )
        return subscriber, appended

    lock = deciding.setdefault(streams[0], asyncio.Lock())
    async with alone(lock):
        return await deciding_again(once)


def lives(key: TenantKey, email: str) -> list[UUID]:
    """The streams of *email*, one a life."""
    compared = one_form(email).encode()
    return [stream_of(key, compared, life) for life in range(LIVES)]


async def living(store: EventStore, tenant_id: UUID, streams: list[UUID]) -> tuple[UUID, Stream]:
    """The first of *streams* that was not erased. Raises Conflict if that happens at this moment, Unavailable."""
    about = {"tenant": tenant_id, "streams": streams}
    ((erased,),) = await store.database.tenant_rows(tenant_id, ERASED, about)
    stream_id = streams[min(erased, LIVES - 1)]
    stream = await store.load(tenant_id, stream_id)
    if stream.events and stream.subject_key is None:
        raise Conflict
    return stream_id, stream


def subscriber_id(key: TenantKey, email: str, life: int = 0) -> UUID:
    """The stream of *email* in any spelling, in its life after so many erasures."""
    return stream_of(key, one_form(email).encode(), life)


def stream_of(key: TenantKey, compared: bytes, life: int) -> UUID:
    """The same of an address in its one form: a UUID of version 8 (RFC 9562)."""
    number = int.from_bytes(key.stream_digest(b"subscriber", life.to_bytes(1, "big") + compared)[:16], "big")
    return UUID(int=number & ~(0xF000 << 64) & ~(0xC000 << 48) | 0x8000 << 64 | 0x8000 << 48)


class LinkTarget(NamedTuple):
    """Whose newsletter a link ends, and for whom; None if there is no such link."""

    brokerage: str
    color: str | None
    logo: str | None
    subscriber_id: UUID | None


async def find_link(store: EventStore, tenant_id: UUID, token: str) -> LinkTarget:
    """What *token* stands for in this brokerage."""
    about = {"tenant": tenant_id, "hash": hash_token(token)}
    (row,) = await store.database.tenant_rows(tenant_id, LINK, about)
    return LinkTarget(*row)


class MergedInto(Exception):
    """The subscriber goes on as another one."""

    def __init__(self, subscriber_id: UUID) -> None:
        super().__init__()
        self.subscriber_id = subscriber_id


async def unsubscribe(
    store: EventStore,
    tenant_id: UUID,
    subscriber_id: UUID,
    origin: Origin,
    *,
    idempotency: Idempotency | None = None,
) -> Appended:
    """No more newsletters; twice is the same success. A link of one who became a part of another ends the other.

    Raises NotFound, Conflict, what ``EventStore.append`` raises.
    """

    def decide(subscriber: Subscriber, at: datetime) -> None:
        if subscriber.merged_into is not None:
            raise MergedInto(subscriber.merged_into)
        subscriber.unsubscribe(at)

    for _ in range(LIVES):
        try:
            _, appended = await change(
                store,
                tenant_id,
                subscriber_id,
                Subscriber,
                decide,
                command="Unsubscribe",
                origin=origin,
                idempotency=idempotency,
            )
        except MergedInto as other:
            subscriber_id = other.subscriber_id
        else:
            return appended
    raise NotFound


async def subscribed(store: EventStore, tenant_id: UUID) -> AsyncIterator[tuple[dict[str, Any], str]]:
    """All subscribers, each as the read model's document with a new token that unsubscribes.

    Read in pages with no transaction open between them; a token is kept before it is handed out. Raises Unavailable.
    """
    after = UUID(int=0)
    while True:
        place = {"tenant": tenant_id, "after": after, "limit": BATCH}
        rows = await store.database.tenant_rows(tenant_id, subscriber_list.SUBSCRIBED, place)
        if not rows:
            return
        tokens = [secrets.token_urlsafe(TOKEN_BYTES) for _ in rows]
        hashes = [hash_token(token) for token in tokens]
        kept = {"tenant": tenant_id, "hashes": hashes, "subscribers": [row[0] for row in rows]}
        await store.database.rows(KEEP_TOKENS, kept)
        for (_, doc), token in zip(rows, tokens, strict=True):
            yield orjson.loads(doc), token
        after = rows[-1][0]


async def site_of(store: EventStore, tenant_id: UUID, base_domain: str | None) -> str | None:
    """Where the brokerage's links lead: its first domain, or its slug below the base domain; None without either."""
    brokerage = (await store.load(ids.PLATFORM, tenant_id)).aggregate()
    if brokerage.domains:
        return str(brokerage.domains[0])
    return None if base_domain is None else f"{brokerage.slug}.{base_domain}"


def hash_token(token: str) -> bytes:
    """What is stored of a token. It is random: no salt and no slow hash is needed."""
    return hashlib.sha256(token.encode()).digest()
