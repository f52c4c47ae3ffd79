"""Finding subscribers: by state and interest in the database, by words here.

A form of the newsletter writes no text to be searched by, which would make it cost more. So the texts are made when
staff search, and kept in this process: each is made once for a version of a subscriber.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
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


async def page_of(store: EventStore, tenant_id: UUID, page: SubscriberPage, then: str | None = None) -> Part:
    """The latest change first; of the rows of a moment, if they are given as JSON. Raises Unavailable."""
    reading = subscriber_list.NOW if then is None else subscriber_list.PAST
    of: dict[str, Any] = {"tenant": tenant_id} | ({} if then is None else {"rows": then})
    database = store.database
    if page.email is not None:
        ids = lives(await store.tenant_key(tenant_id), page.email)
        rows = await database.tenant_rows(tenant_id, reading.of_address, of | {"ids": ids})
        return Part([orjson.loads(doc) for _, _, doc in rows[page.skipped : page.skipped + page.page_size]], len(rows))
    of |= {
        "subscribed": None if page.subscribed is None else page.subscribed == "true",
        "interest": page.interest.strip() if page.interest else None,
    }
    words = asked(page.q)
    if words is None:
        part = {"limit": page.page_size, "skipped": page.skipped}
        rows, ((total,),) = await database.tenant_results(tenant_id, [(reading.page, of | part), (reading.total, of)])
        return Part([orjson.loads(doc) for _, _, doc in rows], total)
    rows = await database.tenant_rows(tenant_id, reading.page, of | {"limit": None, "skipped": 0})
    text = partial(kept_text, tenant_id) if then is None else made_text
    for one in words:
        found = await with_words(rows, one, text)
        if found:
            return Part(found[page.skipped : page.skipped + page.page_size], len(found))
    return Part([], 0)


Text = Callable[[UUID, int, str], str]
"""What a subscriber is found by, of the id, the version and the document."""


async def with_words(rows: Sequence[Any], words: str, text: Text) -> list[dict[str, Any]]:
    """Those in which all words are found, as ``asked`` has them."""
    is_found = finder(words)
    found = []
    for number, (subscriber, version, doc) in enumerate(rows, 1):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        if is_found(text(subscriber, version, doc)):
            found.append(orjson.loads(doc))
    return found


def kept_text(tenant_id: UUID, subscriber: UUID, version: int, doc: str) -> str:
    """The text of a version, made once."""
    key = (tenant_id, subscriber, version)
    text = TEXTS.find(key)
    if text is None:
        text = made_text(subscriber, version, doc)
        TEXTS.keep(key, text)
    return text


def made_text(subscriber: UUID, version: int, doc: str) -> str:
    """The text of a document. In a list of the past an earlier version may have been erased since, so what is kept of
    it is not asked."""
    one = orjson.loads(doc)
    return found_by(one["interests"], name=(one["firstName"] or "",), email=one["email"])
