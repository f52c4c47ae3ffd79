"""The brokerage itself: its own events in the platform's log, at the end of an import, and its logo."""

import hashlib
from base64 import b64decode
from collections.abc import Callable, Sequence
from typing import Any

from eventsourcing.persistence import StoredEvent
from psycopg import AsyncConnection

from aureum.domain import ids
from aureum.domain.aggregate import replay
from aureum.domain.brokerage import Brokerage
from aureum.domain.ids import PLATFORM
from aureum.domain.images import picture
from aureum.registry import rows_of
from aureum.store.append import Append
from aureum.store.cipher import TenantKey
from aureum.store.event_store import NO_STREAM, prepared
from aureum.store.mapper import EventMapper, join_topic
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.transfer.arrival import COMMAND, append
from aureum.transfer.lines import LoggedEvent, stored
from aureum.transfer.numbers import SEQUENCE_OF, Numbers
from aureum.transfer.reading import Begun

DOMAINS_TAKEN = "SELECT domain FROM domains WHERE domain = ANY (%(domains)s)"
KEEP_LOGO = "INSERT INTO brokerage_logos (tenant_id, digest, image) VALUES (%(tenant)s, %(digest)s, %(image)s)"


async def open_brokerage(
    connection: AsyncConnection[Any],
    key: TenantKey,
    begun: Begun,
    own: Sequence[LoggedEvent],
    settled: Numbers,
    slug: str,
    may_have: Callable[[str], bool],
) -> list[str]:
    """Append the brokerage's own events to the platform's log, with the slug and number that it has here, and keep its
    logo. Returns the domains that were left out, since it cannot have them. Raises NotAppended; and ValueError,
    DomainError and what folding raises for events that are not those of a brokerage."""
    mapper = EventMapper(PLATFORM, lambda _: None)
    kept = []
    for event in own:
        if event.name in SEQUENCE_OF:
            event.fields["number"] = settled.number(event.name, event.fields.get("number"))
            event.fields["slug"] = slug
        topic = join_topic(event.name, event.schema_version)
        kept.append(StoredEvent(event.stream_id, event.version, topic, stored(event, PLATFORM, None)))
    events = [mapper.to_domain_event(one) for one in kept]
    brokerage = replay(events)
    if not isinstance(brokerage, Brokerage):
        raise ValueError("no brokerage")
    if begun.about["logo"] is not None:
        await keep_logo(connection, brokerage, begun.about["logo"]["image"])
    cursor = await connection.execute(DOMAINS_TAKEN, {"domains": list(brokerage.domains)})
    taken = {domain for (domain,) in await cursor.fetchall()}
    left = [domain for domain in brokerage.domains if domain in taken or not may_have(domain)]
    brokerage.change_domains(
        tuple(domain for domain in brokerage.domains if domain not in left), max(ids.now(), brokerage.modified_on)
    )
    new: Sequence[Any] = brokerage.collect_events()
    metadata = [event.metadata for event in own]
    if new:
        # Encoded alone; the rows are those of all events.
        more = prepared(key, brokerage.id, new, NO_STREAM, COMMAND, Origin(COMMAND_LINE))
        kept += more.events
        metadata += more.metadata
    one = Append(PLATFORM, brokerage.id, 0, kept, metadata, rows_of([], [*events, *new]))
    await append(connection, [one])
    return left


async def keep_logo(connection: AsyncConnection[Any], brokerage: Brokerage, encoded: str) -> None:
    """Store the picture that the brokerage's pages show. Raises Invalid for what is no picture, ValueError for another
    one than the brokerage names."""
    image = b64decode(encoded, validate=True)
    digest = hashlib.sha256(image).hexdigest()
    if (digest, picture(image).media) != (brokerage.logo, brokerage.logo_media):
        raise ValueError("another picture")
    await connection.execute(KEEP_LOGO, {"tenant": brokerage.id, "digest": digest, "image": image})
