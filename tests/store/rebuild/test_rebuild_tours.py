"""The rebuilt tour list is the one that appends wrote, also where tours change while it is rebuilt."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from aureum.commands.tours import ChangeTour, RequestTour, change_tour, request_tour
from aureum.domain.tour import STATUSES, Tour
from aureum.projections import tour_list
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.rebuild import rebuild as rebuilding
from aureum.store.rebuild.rebuild import Work, rebuild
from tests.store.read_models import BEFORE
from tests.stores import open_brokerage, opened_store

ORIGIN = Origin(COMMAND_LINE)

ROWS = f"""
SELECT {", ".join(f"l.{column}" for column in tour_list.LIST.columns)}
  FROM tour_list l
  JOIN heads h ON h.tenant_id = l.tenant_id AND h.tour_list_version = l.read_version
 WHERE l.tenant_id = %(tenant)s
 ORDER BY l.tour_id
"""


async def requested(store: EventStore, tenant_id: UUID, **fields: Any) -> Tour:
    """A stored tour."""
    given = {
        "name": "Jane Doe",
        "email": "jane@example.com",
        "preferred_time": "Vormittag, „früh“",
        "source": "website",
    }
    command = RequestTour.model_validate(given | {"tenant_id": tenant_id, "country": "US"} | fields)
    tour, _ = await request_tour(store, command, ORIGIN)
    return tour


async def changed(store: EventStore, tour: Tour, tenant_id: UUID, **fields: Any) -> None:
    """One more change of a tour."""
    given = {"tenant_id": tenant_id, "country": "US", "tour_id": tour.id}
    await change_tour(store, ChangeTour.model_validate(given | fields), ORIGIN)


async def folded(store: EventStore, tenant_id: UUID, tour_id: UUID) -> tuple[Any, ...]:
    """The row that the events of a tour make, as an append would write it."""
    stream = (await store.load(tenant_id, tour_id)).events
    (row,) = tour_list.LIST.rows((), [recorded.event for recorded in stream])
    place = {"tenant": tenant_id, "position": stream[-1].position}
    before = [moment for (moment,) in await store.database.rows(BEFORE, place)]
    row = tour_list.LIST.counted(row, *before or [None])
    return tuple(row[column] for column in tour_list.LIST.columns)


def test_rebuilt_rows_are_the_inline_rows(module_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[int] = []

    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant_id = await open_brokerage(store)
            tours = [
                await requested(store, tenant_id, status=status, listing_id=f"{number}")
                for number, status in enumerate(STATUSES)
            ]
            await changed(store, tours[0], tenant_id, status="confirmed", schedule={"starts_at": "2025-03-09T10:00"})
            inline = await store.database.rows(ROWS, {"tenant": tenant_id})
            assert inline == [await folded(store, tenant_id, row[0]) for row in inline]
            copy = Work.copy

            async def copy_and_change(work: Work) -> None:
                await copy(work)
                followed.append(work.done)
                details = {"name": "Max", "listing_id": "7"}
                await changed(store, tours[1], tenant_id, details=details, schedule={"preferred_date": "2025-01-02"})
                await requested(store, tenant_id)

            monkeypatch.setattr(rebuilding.Work, "copy", copy_and_change)
            made = await rebuild(store.database.url, store.keys, "tour_list", tenant_id)
            rebuilt = await store.database.rows(ROWS, {"tenant": tenant_id})

            assert made.rows == len(rebuilt) == 5
            assert [row[2] for row in rebuilt] == [3, 3, 1, 1, 1]
            assert rebuilt == [await folded(store, tenant_id, row[0]) for row in rebuilt]

    asyncio.run(scenario())
    assert followed, "tours changed between the copy and the swap"
