"""The worker does what is due of envelopes: deadlines, reminders, the end of the time for which they are kept; and
an envelope goes along with its lead to another agent."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from aureum.background.follower import follow
from aureum.commands.envelopes.clock import act_on_time
from aureum.commands.envelopes.drafting import (
    AttachDocument,
    ChangeDraft,
    DraftEnvelope,
    NewRecipient,
    attach_document,
    change_draft,
    draft_envelope,
)
from aureum.commands.envelopes.ending import CompleteEnvelope, PurgeEnvelope, complete_envelope, purge_envelope
from aureum.commands.envelopes.sending import SendEnvelope, send_envelope
from aureum.commands.leads import ChangeLead, change_lead
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Document, Field, Sealed
from aureum.domain.ids import new_id
from aureum.store.event_store import EventStore
from aureum.timers.envelopes import envelope_round, take
from aureum.timers.setting import TIMERS
from tests.commands.office import OPERATOR, Office, opened
from tests.http.sending import sign
from tests.stores import opened_store
from tests.webhooks.waiting import run

TIME_PASSES = """
UPDATE events SET data = convert_to(regexp_replace(convert_from(data, 'UTF8'), '"timestamp":([0-9]+)', '"timestamp":'
       || (substring(convert_from(data, 'UTF8') from '"timestamp":([0-9]+)')::bigint - %(ms)s)::text), 'UTF8')
 WHERE tenant_id = %(tenant)s AND stream_id = %(stream)s RETURNING 1
"""
DEADLINE = """
UPDATE events SET data = convert_to(
       regexp_replace(convert_from(data, 'UTF8'), '"deadline":"[^"]+"', '"deadline":"2020-01-01T00:00:00.000Z"'),
       'UTF8')
 WHERE tenant_id = %(tenant)s AND stream_id = %(stream)s AND type = 'envelope.sent' RETURNING 1
"""
DUE = "SELECT due_at FROM envelope_timers WHERE tenant_id = %(tenant)s AND envelope_id = %(envelope)s"
NOW_DUE = "UPDATE envelope_timers SET due_at = now() WHERE tenant_id = %(tenant)s RETURNING 1"


def scenario(url: str, test: Callable[[Office], Awaitable[None]]) -> None:
    """Runs *test* in a new brokerage."""

    async def whole() -> None:
        async with opened_store(url) as store:
            await test(await opened(store, "Ana", "Ben"))

    run(whole())


async def drafted(office: Office, **fields: Any) -> UUID:
    """An envelope that can be sent."""
    recipient = NewRecipient(name="Jane Doe", email="jane@example.com")
    command = DraftEnvelope(tenant_id=office.tenant_id, subject="Offer", recipients=(recipient,), **fields)
    envelope, _ = await draft_envelope(office.store, command, OPERATOR)
    about: dict[str, Any] = {"tenant_id": office.tenant_id, "envelope_id": envelope.id}
    attaching = AttachDocument(
        **about,
        document=Document(id=new_id(), name="Offer.pdf", sha256="ab" * 32, bytes=10, pages=1, anchors=("/sig/",)),
    )
    await attach_document(office.store, attaching, OPERATOR)
    (person,) = envelope.recipients
    place = Field(new_id(), person, attaching.document.id, "signature", anchor="/sig/")
    await change_draft(office.store, ChangeDraft(**about, fields=(place,)), OPERATOR)
    return envelope.id


async def sent(office: Office, **fields: Any) -> UUID:
    """An envelope that was sent."""
    envelope_id = await drafted(office, **fields)
    await send_envelope(office.store, SendEnvelope(tenant_id=office.tenant_id, envelope_id=envelope_id), OPERATOR)
    return envelope_id


async def loaded(office: Office, envelope_id: UUID) -> Envelope:
    found: Envelope = (await office.store.load(office.tenant_id, envelope_id)).aggregate()
    return found


async def due(office: Office, envelope_id: UUID) -> Any:
    rows = await office.store.database.rows(DUE, {"tenant": office.tenant_id, "envelope": envelope_id})
    return rows[0][0]


async def worked(store: EventStore) -> None:
    """The worker does all that is due."""
    stop = asyncio.Event()
    stop.set()
    for _ in range(3):
        await envelope_round(store, 30, 0, stop)


async def moved_back(office: Office, envelope_id: UUID, by: timedelta) -> None:
    """As if the envelope were so much older; the hint is made due."""
    about = {"tenant": office.tenant_id, "stream": envelope_id, "ms": int(by.total_seconds() * 1000)}
    assert await office.store.database.rows(TIME_PASSES, about)
    assert await office.store.database.rows(NOW_DUE, {"tenant": office.tenant_id})


def test_a_signer_is_reminded_and_the_deadline_ends_it(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        envelope_id = await sent(office, deadline_days=5)
        begun = await loaded(office, envelope_id)
        assert begun.sent_at is not None and await due(office, envelope_id) == begun.sent_at + timedelta(days=3)
        await office.store.database.rows(NOW_DUE, {"tenant": office.tenant_id})
        await worked(office.store)
        assert (await loaded(office, envelope_id)).version == begun.version, "a clock that jumps does nothing early"
        await moved_back(office, envelope_id, timedelta(days=3))
        # Two workers look at the same moment.
        await asyncio.gather(*(act_on_time(office.store, office.tenant_id, envelope_id) for _ in range(4)))
        reminded = await loaded(office, envelope_id)
        assert [one.reminders for one in reminded.recipients.values()] == [1]
        assert reminded.version == begun.version + 1 and reminded.state == "sent"
        assert await office.store.database.rows(DEADLINE, {"tenant": office.tenant_id, "stream": envelope_id})
        await office.store.database.rows(NOW_DUE, {"tenant": office.tenant_id})
        await worked(office.store)
        expired = await loaded(office, envelope_id)
        assert expired.state == "expired" and expired.version == reminded.version + 1
        assert await due(office, envelope_id) is None

    scenario(module_database_url, test)


def test_a_completed_envelope_is_purged_in_the_end(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        envelope_id = await sent(office)
        about: dict[str, Any] = {"tenant_id": office.tenant_id, "envelope_id": envelope_id}
        signed = await sign(office.store, office.tenant_id, envelope_id, "jane@example.com")
        sealed = dict.fromkeys(signed.documents, Sealed("cd" * 32, 20))
        both = (complete_envelope(office.store, CompleteEnvelope(**about, documents=sealed)) for _ in range(2))
        (one, _), (other, _) = await asyncio.gather(*both)
        assert one.version == other.version == signed.version + 1, "it is completed once"
        await purge_envelope(office.store, PurgeEnvelope(**about, announce=True), OPERATOR)
        announced = await loaded(office, envelope_id)
        assert await due(office, envelope_id) == announced.purge_at
        await office.store.database.rows(NOW_DUE, {"tenant": office.tenant_id})
        await worked(office.store)
        assert not (await loaded(office, envelope_id)).erased and await due(office, envelope_id) == announced.purge_at

    scenario(module_database_url, test)


def test_an_envelope_goes_along_with_its_lead(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        lead_id = await office.sent()
        agents = office.agents
        command = ChangeLead(
            tenant_id=office.tenant_id, country="US", lead_id=lead_id, assign=True, assigned_to=agents["Ana"]
        )
        await change_lead(office.store, command, OPERATOR)
        envelope_id = await drafted(office, lead_id=lead_id)
        assert (await loaded(office, envelope_id)).assigned_to == agents["Ana"]
        await change_lead(office.store, command.model_copy(update={"assigned_to": agents["Ben"]}), OPERATOR)
        while await follow(office.store, TIMERS, office.tenant_id):
            pass
        await worked(office.store)
        assert (await loaded(office, envelope_id)).assigned_to == agents["Ben"]
        assert await due(office, envelope_id) is None and await take(office.store.database, 30) == []

    scenario(module_database_url, test)
