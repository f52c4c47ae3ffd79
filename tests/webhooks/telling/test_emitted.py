"""What is emitted since a position: never half a save, wherever a batch ends, and bounded in time."""

from uuid import UUID

import pytest

from aureum.registry import WEBHOOK_EVENTS as EVENTS
from aureum.store.event_store import EventStore
from aureum.webhooks.telling import emitted as emitted_module
from aureum.webhooks.telling.emitted import Emitted, emitted_since
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.tenants import change, head_of
from tests.webhooks.waiting import run

LEADS = 6
STATUSES = ("contacted", "qualified", "contacted", "qualified", "contacted")


async def furnished(store: EventStore) -> UUID:
    """A tenant whose leads were saved twice each; the second save has five events."""
    tenant_id = await open_brokerage(store)
    for _ in range(LEADS):
        lead = await capture(store, tenant_id)
        await change(store, tenant_id, lead.id, *STATUSES)
    return tenant_id


def shown(emitted: Emitted) -> list[tuple[int, str]]:
    return [(message.position, message.event) for message in emitted.messages]


@pytest.mark.parametrize(("batch", "far"), [(1, 50), (2, 3), (3, 50), (4, 1), (5, 4), (7, 50), (500, 5), (500, 50_000)])
def test_no_save_is_emitted_by_half(database_url: str, monkeypatch: pytest.MonkeyPatch, batch: int, far: int) -> None:
    monkeypatch.setattr(emitted_module, "BATCH", batch)
    monkeypatch.setattr(emitted_module, "FAR", far)

    async def test() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await furnished(store)
            head = await head_of(store, tenant_id)
            begin = head - LEADS * (1 + len(STATUSES))
            expected = [
                place
                for first in range(begin + 1, head, 1 + len(STATUSES))
                for place in ((first, "lead.created"), (first + len(STATUSES), "lead.updated"))
            ]
            whole = await emitted_since(store, tenant_id, 0, EVENTS, head=head, limit=500)
            assert (shown(whole), whole.more) == (expected, False)
            for limit in (1, 2, 5):
                found: list[tuple[int, str]] = []
                cursor, more = 0, True
                while more:
                    page = await emitted_since(store, tenant_id, cursor, EVENTS, head=head, limit=limit)
                    assert len(page.messages) <= limit and (page.messages or not page.more)
                    found += shown(page)
                    cursor, more = page.until, page.more
                assert found == expected
            updated = await emitted_since(store, tenant_id, 0, ["lead.updated"], head=head, limit=500)
            assert shown(updated) == [place for place in expected if place[1] == "lead.updated"]
            bodies = {message.position: message.body for message in whole.messages}
            assert all(bodies[message.position] == message.body for message in updated.messages)

    run(test())


def test_a_search_ends_in_time_and_goes_on(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitted_module, "BATCH", 10)

    async def test() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await furnished(store)
            head = await head_of(store, tenant_id)
            cursor, more, calls, found = 0, True, 0, []
            while more:
                emitted = await emitted_since(
                    store, tenant_id, cursor, ["lead.created"], head=head, limit=500, seconds=0
                )
                assert emitted.until > cursor
                found += shown(emitted)
                cursor, more, calls = emitted.until, emitted.more, calls + 1
            assert calls >= 3 and len(found) == LEADS
            # Nothing of what comes later, nor of what never was.
            early = await emitted_since(store, tenant_id, 0, EVENTS, head=head - 1, limit=500)
            assert early.messages[-1].position < head - 1 and not early.more
            late = await emitted_since(store, tenant_id, head + 5, EVENTS, head=head, limit=500)
            assert (late.messages, late.more) == ([], False)

    run(test())
