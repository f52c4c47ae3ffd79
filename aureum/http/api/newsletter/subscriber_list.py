"""Finding subscribers: by state and interest in the database, by words here.

A form of the newsletter writes no text to be searched by, which would make it cost more. So the texts are made when
staff search, and kept in this process: each is made once for a version of a subscriber.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from aureum.commands.newsletter import lives
from aureum.http.api.newsletter.subscriber_fields import SubscriberPage
from aureum.lru import Lru
from aureum.projections import subscriber_list
from aureum.projections.search import asked, finder, found_by
from aureum.store.event_store import EventStore

AT_ONCE = 500
"""Texts that are made or looked at before other requests have their turn."""

TEXTS: Lru[tuple[UUID, UUID, int], str] = Lru(50_000)
"""By tenant, subscriber and version."""


class Part(NamedTuple):
    """The subscribers of a page, and how many there are in all."""

    docs: Sequence[dict[str, Any]]
    total: int


async def page_of(store: EventStore, tenant_id: UUID, page: SubscriberPage) -> Part:
    """The latest change first. Raises Unavailable."""
    database = store.database
    if page.email is not None:
        ids = lives(await store.tenant_key(tenant_id), page.email)
        rows = await database.tenant_rows(tenant_id, subscriber_list.OF_ADDRESS, {"tenant": tenant_id, "ids": ids})
        return Part([orjson.loads(doc) for _, _, doc in rows[page.skipped : page.skipped + page.page_size]], len(rows))
    of = {
        "tenant": tenant_id,
        "subscribed": None if page.subscribed is None else page.subscribed == "true",
        "interest": page.interest.strip() if page.interest else None,
    }
    words = asked(page.q)
    if words is None:
        rows, ((total,),) = await database.tenant_results(
            tenant_id,
            [
                (subscriber_list.PAGE, of | {"limit": page.page_size, "skipped": page.skipped}),
                (subscriber_list.COUNT, of),
            ],
        )
        return Part([orjson.loads(doc) for _, _, doc in rows], total)
    rows = await database.tenant_rows(tenant_id, subscriber_list.PAGE, of | {"limit": None, "skipped": 0})
    for one in words:
        found = await with_words(tenant_id, rows, one)
        if found:
            return Part(found[page.skipped : page.skipped + page.page_size], len(found))
    return Part([], 0)


async def with_words(tenant_id: UUID, rows: Sequence[Any], words: str) -> list[dict[str, Any]]:
    """Those in which all words are found, as ``asked`` has them."""
    is_found = finder(words)
    found = []
    for number, (subscriber, version, doc) in enumerate(rows, 1):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        key = (tenant_id, subscriber, version)
        text = TEXTS.find(key)
        if text is None:
            one = orjson.loads(doc)
            text = found_by(one["interests"], name=(one["firstName"] or "",), email=one["email"])
            TEXTS.keep(key, text)
        if is_found(text):
            found.append(orjson.loads(doc))
    return found
