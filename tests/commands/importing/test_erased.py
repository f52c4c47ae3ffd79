"""A person who is erased while a file about them is imported."""

import asyncio
import io
from collections.abc import Sequence
from uuid import UUID

import pytest

from aureum.commands.erasing import ErasePerson, erase_person
from aureum.commands.erasures import carry_out
from aureum.commands.importing.imports import Wanted, get_import
from aureum.commands.importing.requesting import request_import
from aureum.store.event_store import NO_STREAM, Stream
from aureum.worker.importing import import_round
from tests.commands.importing.test_killed import ORIGIN, known
from tests.stores import open_brokerage, opened_store
from tests.webhooks.waiting import run


def test_who_is_erased_after_a_row_has_found_them_is_added_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id, contact = await open_brokerage(store), known(0)
            await store.append(tenant_id, contact, NO_STREAM, command="Add", origin=ORIGIN)
            file = io.BytesIO(b"First name,Last name,Email\nP0,New,p0@example.com\n")
            wanted = Wanted(tenant_id, "contacts", "update")
            job = await request_import(store, wanted, file, ORIGIN, state="running")
            load_all, erased = store.load_all, list[UUID]()

            async def too_late(tenant: UUID, streams: Sequence[UUID]) -> dict[UUID, Stream]:
                if not erased:
                    person = ErasePerson(tenant_id=tenant_id, email="p0@example.com")
                    erasure = await erase_person(store, person, ORIGIN)
                    assert erasure.id is not None
                    erased.append(erasure.id)
                    await carry_out(store, tenant_id, erasure.id)
                return await load_all(tenant, streams)

            monkeypatch.setattr(store, "load_all", too_late)
            await import_round(store, asyncio.Event())

            done = await get_import(store, tenant_id, job.import_id)
            assert (done.state, done.made, done.updated, done.refused) == ("completed", 1, 0, 0)
            events = (await store.load(tenant_id, contact.id)).events
            assert [one.event.TOPIC for one in events] == ["contact.added", "contact.erased"]

    run(scenario())
